from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Restored
from pipedoctor.facts.arguments import version_key
from pipedoctor.probes import habits

SAFE = "2.6"


@check(
    "CKP007",
    Severity.ERROR,
    stage=Stage.CHECKPOINT,
    symptoms={
        r"Due to a serious vulnerability issue in .?torch\.load": (
            "upgrade torch to 2.6 or later; weights alone can be read from safetensors"
        ),
    },
)
def states_refused_by_old_torch(restored: Restored, environment: Environment) -> Iterator[Finding]:
    """
    The run resumes with a torch before 2.6, with which transformers reads no optimizer state.

    `torch.load` of those releases could be made to run code even with `weights_only=True`, so
    transformers from about 4.52 on does not call it: weights in safetensors are read, but
    optimizer.pt, scheduler.pt, rng_state.pth and `pytorch_model.bin` are refused.

    Fails:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "torch": "2.5.1"}

    Passes:

        settings = {"resume_from_checkpoint": True}
        files = {
            "run": {
                "checkpoint-500": {
                    "state": {"global_step": 500},
                    "files": {
                        "model.safetensors": {"tensors": {"w": ("F32", (2, 2))}},
                        "optimizer.pt": {},
                        "scheduler.pt": {},
                    },
                },
            }
        }
        environment = {"transformers": "5.23.0", "torch": "2.6.0"}

    See also: <https://github.com/huggingface/transformers/pull/37785>.
    """
    torch, transformers = (environment.versions.get(n) for n in ("torch", "transformers"))
    if torch is None or transformers is None or version_key(torch) >= version_key(SAFE):
        return
    refuses = habits.REFUSES_OLD_TORCH.known(transformers)
    if refuses is None:
        raise habits.REFUSES_OLD_TORCH.unknown(transformers)
    files = [file.name for file in restored.saved.checkpoint.weights if file.name.endswith(".bin")]
    files += ["optimizer.pt", "scheduler.pt"] if restored.loads_optimizer else []
    files += sorted(name for name in restored.names if name.startswith("rng_state"))
    if restored.saved.broken or restored.sharded or not refuses or not files:
        return
    yield Finding(
        message=f"transformers {transformers} refuses to read {', '.join(files[:3])} with torch "
        f"{torch}, which is before {SAFE}",
        where=restored.where,
        evidence={"torch": torch, "transformers": transformers, "files": files[:10]},
        remedy='pip install --upgrade "torch>=2.6"',
    )
