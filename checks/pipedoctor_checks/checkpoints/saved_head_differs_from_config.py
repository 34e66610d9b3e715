from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored
from pipedoctor_checks.labels.head_size_differs_from_checkpoint import HEADS

_TASKS = ("SequenceClassification", "TokenClassification", "ImageClassification")


@check("CKP061", Severity.ERROR, stage=Stage.CHECKPOINT)
def saved_head_differs_from_config(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The classifier in the weights has another number of outputs than config.json beside it.

    Weights and config of two trainings were mixed, or one of them was edited. `from_pretrained`
    refuses them: "You set `ignore_mismatched_sizes` to `False`, thus raising an error", and with
    that set to true the head that was trained is thrown away.

    Fails:

        files = {
            "saved": {
                "config": {
                    "model_type": "bert",
                    "architectures": ["BertForSequenceClassification"],
                    "id2label": {"0": "a", "1": "b", "2": "c"},
                },
                "tensors": {"classifier.weight": ("F32", (2, 768))},
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {
                    "model_type": "bert",
                    "architectures": ["BertForSequenceClassification"],
                },
                "tensors": {"classifier.weight": ("F32", (2, 768))},
            }
        }
    """
    if not _against_config.plain(checkpoint):
        return
    config = checkpoint.config
    named = config.get("architectures")
    if not isinstance(named, list) or not str((named or [""])[0]).endswith(_TASKS):
        return
    labels = config.get("id2label")
    # Two is what a config without either means: it is the default, which is not written.
    wanted = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    for name, tensor in checkpoint.tensors.items():
        if name in HEADS and len(tensor.shape) == 2 and tensor.shape[0] != wanted:
            yield Finding(
                message=f"{name} has {tensor.shape[0]} outputs, and config.json "
                f"{'names' if isinstance(labels, dict) else 'means'} {wanted} labels",
                where=_stored.place(_against_config.holder(checkpoint, name)),
                evidence={"tensor": name, "outputs": tensor.shape[0], "labels": wanted},
                remedy="take config.json and weights from one save; these weights need "
                f"{tensor.shape[0]} entries in id2label",
            )
