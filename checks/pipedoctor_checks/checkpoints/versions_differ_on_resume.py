from __future__ import annotations

import shlex
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Restored


@check("CKP057", Severity.NOTE, stage=Stage.CHECKPOINT)
def versions_differ_on_resume(restored: Restored, environment: Environment) -> Iterator[Finding]:
    """
    The run resumes under another major version of transformers than the checkpoint was saved with.

    Between major versions defaults and the names of weights have changed; Trainer itself warns of
    any difference. The weights are read, but the rest of the run need not be what it was.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "config": {"transformers_version": "4.57.6"},
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"w": ("F32", (2, 2))}}},
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "config": {"transformers_version": "5.22.1"},
                    "state": {"global_step": 500},
                    "files": {"model.safetensors": {"tensors": {"w": ("F32", (2, 2))}}},
                },
            }
        }
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/releases>.
    """
    saved = restored.saved.checkpoint.config.get("transformers_version")
    now = environment.versions.get("transformers")
    if not isinstance(saved, str) or now is None or restored.saved.broken:
        return
    if saved.partition(".")[0] == now.partition(".")[0]:
        return
    yield Finding(
        message=f"{restored.path} was saved with transformers {saved}, and is resumed with {now}",
        where=restored.where,
        evidence={"saved": saved, "installed": now},
        remedy=f"to finish the run as it began: pip install {shlex.quote(f'transformers=={saved}')}",
    )
