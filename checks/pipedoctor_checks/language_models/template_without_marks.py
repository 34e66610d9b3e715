from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import ChatTemplate, Settings


@check(
    "LLM007",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={
        r"chat template is not training-compatible": (
            "put {% generation %} and {% endgeneration %} around what the assistant says"
        ),
        r"at least one example has no assistant tokens": (
            "put {% generation %} and {% endgeneration %} around what the assistant says"
        ),
    },
)
def template_without_marks(settings: Settings, template: ChatTemplate) -> Iterator[Finding]:
    """
    Only the assistant's words are to be learned, and the chat template does not mark them.

    `assistant_only_loss` needs `{% generation %}` and `{% endgeneration %}` around them in the
    template. Most templates have none. TRL has templates with marks for some families, and takes
    those in their place; of any other it raises ValueError, and older releases trained on no
    token at all.

    Fails:

        settings = {"assistant_only_loss": True, "model_name_or_path": "base"}
        files = {
            "model": {
                "config": {"model_type": "llama"},
                "tokenizer_config": {
                    "chat_template": "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
                },
            }
        }

    Passes:

        settings = {"assistant_only_loss": True, "model_name_or_path": "base"}
        files = {
            "model": {
                "config": {"model_type": "llama"},
                "tokenizer_config": {
                    "chat_template": "{% for m in messages %}[{{ m.role }}] {% generation %}"
                    "{{ m.content }}{% endgeneration %}{% endfor %}"
                },
            }
        }

    See also: <https://huggingface.co/docs/trl/sft_trainer>.
    """
    if settings.get("assistant_only_loss") is not True or template.marks or not template.present:
        return
    if template.replaced:
        return
    yield Finding(
        message=f"assistant_only_loss is true, and the chat template ({template.source}) has 0 "
        "{% generation %} marks, nor is it one that TRL has a marked copy of: no token is told to "
        "be the assistant's",
        where=settings.where("assistant_only_loss"),
        evidence={"source": template.source, "marks": False},
        remedy="write {% generation %}{{ message['content'] }}{% endgeneration %} in the part for "
        "the assistant, into a file, and set "
        + settings.entry("chat_template_path", "chat_template.jinja"),
        alternatives=(settings.entry("assistant_only_loss", False),),
    )
