from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import SaveDryRun

CURE = (
    "tie the weights through the model's own tie_weights() with _tied_weights_keys (a "
    "PreTrainedModel), or keep one name: drop the second one in state_dict() and tie again on load"
)


@check(
    "CKP012",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Some tensors share memory": CURE,
        r"The weights trying to be saved contained shared tensors": CURE,
    },
)
def shared_tensors_cannot_be_saved(_saved: SaveDryRun) -> Iterator[Finding]:
    """
    The model can't be saved: two of its names stand for one tensor, which safetensors refuses.

    Tied embeddings in a module of one's own, weights shared after a resize, a LoRA's
    `modules_to_save`: training runs, and the first checkpoint stops it, after 500 steps by
    default. The model is therefore saved once, into a temporary folder, before training starts.

    Fails:

        import torch

        model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))
        model[1].weight = model[0].weight

    Passes:

        import torch

        model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Linear(4, 4))

    See also: <https://huggingface.co/docs/safetensors/torch_shared_tensors>.
    """
    yield from ()  # what saving raised is told by its text: see the symptoms
