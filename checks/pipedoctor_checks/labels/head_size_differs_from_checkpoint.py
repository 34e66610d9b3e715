from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Head, Model, ModelFiles, Settings
from pipedoctor.facts.model_files import HEADS, Tensor

KEY = "ignore_mismatched_sizes"
ALLOW = "ignore_mismatched_sizes=True"


@check(
    "LAB008",
    Severity.ERROR,
    stage=Stage.MODEL,
    symptoms={
        r"You set `ignore_mismatched_sizes` to `False`": (
            f"from_pretrained(..., {ALLOW}), if the head shall be learned anew"
        ),
        r"size mismatch for \S*(classifier|score|logits_proj)": (
            f"from_pretrained(..., {ALLOW}), if the head shall be learned anew"
        ),
    },
)
def head_size_differs_from_checkpoint(
    files: ModelFiles, head: Head, settings: Settings | None, model: Model | None
) -> Iterator[Finding]:
    """
    The checkpoint was fine-tuned with a head of another size than this run asks for.

    A base model has no head, so any number of outputs can be put on top. A fine-tuned one has,
    and `from_pretrained` refuses to load it into a head of another size, unless it is told that
    the old head may go: `ignore_mismatched_sizes=True` keeps the rest and starts the head anew.
    A model that is loaded already was told so, and nothing is said of it.

    Fails:

        settings = {"num_labels": 3}
        files = {
            "model": {
                "config": {"architectures": ["BertForSequenceClassification"]},
                "tensors": {
                    "bert.embeddings.word_embeddings.weight": ("F32", (30522, 768)),
                    "classifier.weight": ("F32", (2, 768)),
                    "classifier.bias": ("F32", (2,)),
                },
            }
        }

    Passes:

        settings = {"num_labels": 3, "ignore_mismatched_sizes": True}
        files = {
            "model": {
                "config": {"architectures": ["BertForSequenceClassification"]},
                "tensors": {
                    "bert.embeddings.word_embeddings.weight": ("F32", (30522, 768)),
                    "classifier.weight": ("F32", (2, 768)),
                    "classifier.bias": ("F32", (2,)),
                },
            }
        }

    Passes:

        settings = {"num_labels": 3}
        files = {
            "model": {
                "config": {"architectures": ["BertModel"]},
                "tensors": {"embeddings.word_embeddings.weight": ("F32", (30522, 768))},
            }
        }

    See also: <https://github.com/huggingface/transformers/issues/14218>.
    """
    old = _head(files, head)
    if old is None or model is not None or (settings is not None and settings.get(KEY) is True):
        return
    name, tensor = old
    outputs = tensor.shape[0]
    if outputs == head.outputs:
        return
    wanted = (head.outputs, *tensor.shape[1:])
    yield Finding(
        message=f"{name} has the shape {_shape(tensor.shape)} in {files.name}, and this run asks "
        f"for {_shape(wanted)}: {outputs} outputs against {head.outputs}",
        where=head.origin,
        evidence={
            "tensor": name,
            "checkpoint": list(tensor.shape),
            "run": list(wanted),
            "architecture": files.architecture,
        },
        remedy=f"{_allowed(settings)}: the head is learned anew, the rest is kept",
        alternatives=(f"num_labels={outputs}, to go on training the head that is there",),
    )


def _head(files: ModelFiles, head: Head) -> tuple[str, Tensor] | None:
    """Return the last layer of the checkpoint's classifier, if it is one for the same task."""
    architecture = files.architecture or ""
    per_token = "TokenClassification" in architecture
    if "Classification" not in architecture or per_token is not head.per_token:
        return None  # of another task: whether its layers have the same names is the family's way
    return next(
        ((n, t) for n, t in files.tensors.items() if n in HEADS and len(t.shape) == 2), None
    )


def _allowed(settings: Settings | None) -> str:
    if settings is not None and KEY in {*settings.stated, *settings.script_keys}:
        return f"set {settings.entry(KEY, value=True)}"
    return f"{ALLOW} in from_pretrained"


def _shape(shape: tuple[int, ...]) -> str:
    return f"({', '.join(f'{size:,}' for size in shape)})"
