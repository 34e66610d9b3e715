from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored


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
    found = against_config.head(checkpoint) if against_config.plain(checkpoint) else None
    if found is None:
        return
    yield Finding(
        message=f"{found.tensor} has {found.stored} outputs, and config.json "
        f"{'names' if found.key == 'id2label' else 'means'} {found.value} labels",
        where=_stored.place(_against_config.holder(checkpoint, found.tensor)),
        evidence={"tensor": found.tensor, "outputs": found.stored, "labels": found.value},
        remedy="take config.json and weights from one save; these weights need "
        f"{found.stored} entries in id2label",
    )
