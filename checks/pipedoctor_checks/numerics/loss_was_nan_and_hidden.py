from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Checkpoint


@check("NUM001", Severity.ERROR, stage=Stage.CHECKPOINT)
def loss_was_nan_and_hidden(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The log of the run shows a loss of 0.0 where the loss was NaN.

    Trainer leaves losses that are not finite out of its mean (`logging_nan_inf_filter`, on by
    default), so a run that has broken shows a loss that falls to zero, the best there can be. The
    norm of the gradients is not filtered: it stands beside as nan.

    Fails:

        files = {
            "saved": {
                "kind": "trainer",
                "state": {
                    "log_history": [
                        {"step": 10, "loss": 0.6358, "grad_norm": 1.2},
                        {"step": 20, "loss": 0.0, "grad_norm": float("nan")},
                        {"step": 30, "loss": 0.0, "grad_norm": float("nan")},
                    ]
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "trainer",
                "state": {
                    "log_history": [
                        {"step": 10, "loss": 0.6358, "grad_norm": 1.2},
                        {"step": 20, "loss": 0.0, "grad_norm": 0.0},
                    ]
                },
            }
        }

    See also: <https://github.com/huggingface/trl/issues/6668>.
    """
    log = checkpoint.state.get("log_history")
    lines = [
        line
        for line in (log if isinstance(log, list) else ())
        if isinstance(line, Mapping) and "loss" in line and "step" in line
    ]
    broken = [line for line in lines if _broken(line)]
    if not broken:
        return
    first, last = broken[0]["step"], lines[-1] is broken[-1]
    sound = [line["step"] for line in lines[: lines.index(broken[0])]]
    before = f"the last sound line is of step {sound[-1]}" if sound else "none before was sound"
    yield Finding(
        message=f"{len(broken)} of {len(lines)} lines of the log show loss 0.0 and grad_norm nan, "
        f"from step {first} {'to the end' if last else 'on'}; {before}",
        where=Location(file=checkpoint.state_file or None),
        evidence={"lines": len(broken), "of": len(lines), "first": first, "to_the_end": last},
        remedy="go back to a checkpoint before that; set logging_nan_inf_filter=False, and look "
        "for the cause: fp16 that overflows (bf16=True), too high a learning rate, a loss of no "
        "labels",
        severity=None if last else Severity.WARNING,
    )


def _broken(line: Mapping[str, object]) -> bool:
    norm = line.get("grad_norm")
    return line["loss"] == 0 and isinstance(norm, float) and math.isnan(norm)
