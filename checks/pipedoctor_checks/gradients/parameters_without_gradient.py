import re
from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Gradients
from pipedoctor.facts.gradients import layer_of, places, summarised

MOST = 0.5
"""
The share of what is trained that may go without a gradient before this is more than a note.

Small models of 48 kinds that come with transformers were measured as they are. Besides what is
usual, only XLNet had any: its segments and a bias, 2%. Half leaves room for a tower that gets no
input in these batches, such as the images of a model that is fed texts.
"""

USUAL = re.compile(r"\b(?:pooler|mask_token|mask_emb|masked_spec_embed)\b|\bexperts?\b")
"""
What may well get no gradient, and is not worth a word.

A pooler where tokens are classified (in 2 of those 48), what stands for masked input (in 2),
and experts that no token of a batch is sent to.
"""

STACK = re.compile(r"^(?P<stack>(?:.*\.)?(?:layers?|h|blocks?|stages?))\.(?P<number>\d+)$")
"""The names of layers that every input passes one after the other; experts are none of these."""


@check("GRD003", Severity.WARNING, stage=Stage.BACKWARD)
def parameters_without_gradient(gradients: Gradients) -> Iterator[Finding]:
    """
    Parameters are to be trained, and the loss does not depend on them.

    Training leaves such parameters as they are: their output is overwritten, detached, or made
    under `torch.no_grad()`, and you train less than you think you do. A layer in the midst of its
    stack, or half of the model, is a warning; less is a note. Poolers that are not asked, mask
    tokens and experts that no token is sent to are usual, and not mentioned. Parameters are named
    only if two batches reach none of them, with nothing left out at random.

    Fails:

        import torch
        from transformers import BertConfig, BertModel

        class Classifier(torch.nn.Module):
            def __init__(self, config):
                super().__init__()
                self.encoder = BertModel(config, add_pooling_layer=False)
                self.head = torch.nn.Linear(config.hidden_size, 2)

            def forward(self, input_ids, labels=None):
                with torch.no_grad():
                    hidden = self.encoder(input_ids).last_hidden_state
                logits = self.head(hidden[:, 0])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        model = Classifier(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    Passes:

        import torch
        from transformers import BertConfig, BertModel

        class Classifier(torch.nn.Module):
            def __init__(self, config):
                super().__init__()
                self.encoder = BertModel(config, add_pooling_layer=False)
                self.head = torch.nn.Linear(config.hidden_size, 2)

            def forward(self, input_ids, labels=None):
                hidden = self.encoder(input_ids).last_hidden_state
                logits = self.head(hidden[:, 0])
                return {"loss": torch.nn.functional.cross_entropy(logits, labels)}

        model = Classifier(
            BertConfig(
                vocab_size=100,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
            )
        )
        train_data = [{"input_ids": [2, 5, 3], "label": row % 2} for row in range(16)]

    See also: <https://pytorch.org/docs/stable/notes/autograd.html#locally-disabling-gradient-computation>.
    """
    told_elsewhere = set(gradients.cut)
    without = [
        name for name in gradients.without if name not in told_elsewhere and not USUAL.search(name)
    ]
    if not without or len(gradients.without) == len(gradients.of):
        return  # where none has a gradient, it is the loss that is cut off
    count = sum(gradients.of[name].size for name in without)
    share = count / gradients.size
    reached = [name for name, gradient in gradients.of.items() if gradient.reached]
    layers = list(places(without, reached))
    skipped = _skipped(reached, without)
    grave = share >= MOST or bool(skipped)
    names = skipped or layers
    yield Finding(
        message=f"{len(without):,} of {len(gradients.of):,} trainable parameters "
        f"({count:,} elements, {share:.1%}) get no gradient: {summarised(tuple(names))}",
        where=Location(layer=names[0], split="train"),
        evidence={
            "without": without[:50],
            "count": len(without),
            "trainable": len(gradients.of),
            "elements": count,
            "share": round(share, 4),
        },
        remedy=_remedy(names[0], gradients.library, grave=grave),
        severity=Severity.WARNING if grave else Severity.NOTE,
    )


def _skipped(reached: list[str], without: list[str]) -> list[str]:
    """Return the layers of a stack that get nothing while others of the stack do."""
    asked = {layer_of(name) for name in reached}
    stacks = {found["stack"] for layer in asked if (found := STACK.match(layer))}
    return [
        layer
        for layer in places(without, reached)
        if (found := STACK.match(layer)) and found["stack"] in stacks
    ]


def _remedy(name: str, library: str, *, grave: bool) -> str:
    freeze, cut = f"model.{_path(name)}.requires_grad_(False)", ".detach(), torch.no_grad()"
    if library == "keras":
        layer = name.rpartition("/")[2]
        freeze = f'model.get_layer("{layer}").trainable = False, before compile'
        cut = "stop_gradient"
    if grave:
        where = "call" if library == "keras" else "forward"
        return (
            f"have the loss depend on {name}: look in {where} for {cut} "
            "and an output that is not used; if it is meant to stay as it is, freeze it: "
            f"{freeze}"
        )
    return f"if they are meant to be trained, have the loss depend on them; else freeze them: {freeze}"


def _path(layer: str) -> str:
    """Return the name of a layer as Python reads it: encoder.layer[3]."""
    return re.sub(r"\.(\d+)", r"[\1]", layer)
