from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Checkpoint, PeftConfig
from pipedoctor.finding import Location

UPGRADE = "pip install --upgrade peft"


INERT = {"peft_version": None, "qalora_group_size": 16}
"""
Fields that say nothing of how an adapter is computed: any value of peft_version, and the default
of the one field, of those that were added up to peft 0.21.2, whose default is not null or false.
"""


@check(
    "VER015",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"LoraConfig\.__init__\(\) got an unexpected keyword argument": f"{UPGRADE}, or delete the "
        "keyword from adapter_config.json if it is null or false there",
    },
)
def adapter_saved_by_newer_peft(checkpoint: Checkpoint, peft: PeftConfig) -> Iterator[Finding]:
    """
    The config of a LoRA adapter has fields that the installed peft does not know.

    `save_pretrained` writes every field of the `LoraConfig` of its version, those that are not
    used as well. Versions of peft before 0.14 raise a `TypeError` for a field that is new to
    them. Later ones drop it with a warning; that is only told where the field is in use, since
    the adapter is then computed in another way than it was trained.

    Fails:

        environment = {"peft": "0.13.2", "peft_config": {"fields": ["peft_type", "r"], "lenient": False}}
        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8, "corda_config": None},
                "tensors": {},
            }
        }

    Fails:

        environment = {"peft": "0.14.0", "peft_config": {"fields": ["peft_type", "r"], "lenient": True}}
        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8, "use_qalora": True},
                "tensors": {},
            }
        }

    Passes:

        environment = {"peft": "0.14.0", "peft_config": {"fields": ["peft_type", "r"], "lenient": True}}
        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 8, "corda_config": None},
                "tensors": {},
            }
        }

    See also: <https://huggingface.co/docs/peft/developer_guides/checkpoint>.
    """
    if not checkpoint.adapter or checkpoint.config.get("peft_type") != "LORA":
        return
    config = checkpoint.config
    new = sorted(name for name in config if name not in peft.fields)
    used = [name for name in new if _used(name, config[name])]
    told = used if peft.lenient else new
    if not told:
        return
    saved_by = config.get("peft_version")
    by = f", which peft {saved_by} wrote," if isinstance(saved_by, str) else ""
    outcome = (
        "leaves out, so that the adapter is not computed as it was trained"
        if peft.lenient
        else "refuses with TypeError"
    )
    yield Finding(
        message=f"adapter_config.json{by} has {', '.join(told[:5])}"
        f"{' ...' if len(told) > 5 else ''}, which peft {peft.version} does not know and {outcome}",
        where=Location(file=checkpoint.path, key=told[0]),
        evidence={"fields": new, "in_use": used, "peft": peft.version, "saved_by": saved_by},
        remedy=f'pip install "peft>={saved_by}"' if isinstance(saved_by, str) else UPGRADE,
        severity=Severity.WARNING if peft.lenient else None,
    )


def _used(name: str, value: object) -> bool:
    if name in INERT and INERT[name] in (None, value):
        return False
    return value not in (None, False, [], {}, "")
