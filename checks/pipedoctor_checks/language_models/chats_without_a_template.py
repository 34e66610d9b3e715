from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import ChatTemplate, Settings


@check(
    "LLM006",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"Cannot use chat template functions because tokenizer.chat_template is not set": (
            "tokenizer.chat_template = … , or TRL's chat_template_path"
        ),
        r"does not have a chat template, but .* (is )?conversational": (
            "tokenizer.chat_template = … , or TRL's chat_template_path"
        ),
    },
)
def chats_without_a_template(settings: Settings, template: ChatTemplate) -> Iterator[Finding]:
    """
    Conversations are to be trained on, and the tokenizer has no template to make texts of them.

    Base models have none. Training stops while the data are prepared, after the model was loaded:
    "tokenizer.chat_template is not set". That the data are conversations is known by
    `assistant_only_loss`; where it is not stated, the error tells.

    Fails:

        settings = {"assistant_only_loss": True, "model_name_or_path": "base"}
        files = {"model": {"config": {"model_type": "llama"}, "tokenizer_config": {}}}

    Passes:

        settings = {"assistant_only_loss": True, "model_name_or_path": "base"}
        files = {
            "model": {
                "config": {"model_type": "llama"},
                "tokenizer_config": {
                    "chat_template": "{% for m in messages %}{% generation %}{{ m.content }}"
                    "{% endgeneration %}{% endfor %}"
                },
            }
        }

    See also: <https://huggingface.co/docs/trl/sft_trainer>.
    """
    if settings.get("assistant_only_loss") is not True or template.present:
        return
    yield Finding(
        message=f"assistant_only_loss is true, so the data are conversations, and {template.source} "
        "has 0 chat templates",
        where=settings.where("assistant_only_loss"),
        evidence={"source": template.source},
        remedy="name a tokenizer or a file whose template fits: "
        + settings.entry("chat_template_path", "chat_template.jinja"),
    )
