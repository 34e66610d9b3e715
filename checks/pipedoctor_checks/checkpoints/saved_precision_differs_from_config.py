from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import against_config
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _against_config, _stored

_NAMES = {"F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16"}


@check("CKP065", Severity.NOTE, stage=Stage.CHECKPOINT)
def saved_precision_differs_from_config(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The weights are of another precision than config.json says, and are loaded as that says.

    Transformers 5 loads a model in the precision of its config. Weights of half the width then
    take twice their room in memory; weights of full width lose what was trained into the lower
    digits. Neither is told.

    Fails:

        files = {
            "saved": {
                "config": {"model_type": "bert", "dtype": "float32"},
                "tensors": {"bert.pooler.dense.weight": ("F16", (768, 768))},
            }
        }

    Passes:

        files = {
            "saved": {
                "config": {"model_type": "bert", "dtype": "float16"},
                "tensors": {"bert.pooler.dense.weight": ("F16", (768, 768))},
            }
        }
    """
    if not against_config.plain(checkpoint):
        return
    stated = checkpoint.config.get("dtype", checkpoint.config.get("torch_dtype"))
    tensors = checkpoint.tensors
    stored = {_NAMES.get(t.dtype, t.dtype) for t in tensors.values() if t.floating and t.size}
    if stated not in _NAMES.values() or len(stored) != 1 or stored == {stated}:
        return
    (precision,) = stored
    if precision not in _NAMES.values():
        return
    name = next(iter(tensors))
    yield Finding(
        message=f"the weights are {precision}, and dtype in config.json is {stated}: they are "
        f"loaded as {stated}",
        where=_stored.place(_against_config.holder(checkpoint, name)),
        evidence={"stored": precision, "config": stated},
        remedy=f'from_pretrained(folder, dtype="{precision}"), or "dtype": "{precision}" in '
        "config.json",
    )
