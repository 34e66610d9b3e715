from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.fix import Fix, delete, put
from pipedoctor_checks.versions._fixes import replaced
from pipedoctor_checks.versions._keys import keys, release, severity

CURE = "write the ratio as warmup_steps (a value below 1 is a share of all steps), and logging_dir as the environment variable TENSORBOARD_LOGGING_DIR"


@check(
    "VER004",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"unexpected keyword argument '(warmup_ratio|logging_dir)'": CURE,
        r"not used by the HfArgumentParser: \[.*\b(warmup_ratio|logging_dir)\b": CURE,
    },
)
def warmup_ratio_removed(settings: Settings) -> Iterator[Finding]:
    """
    The settings have `warmup_ratio` or `logging_dir`, which transformers 5.15 removed.

    Their warning had announced it for 5.2, yet they worked up to 5.14.1, so that a minor upgrade
    breaks configs that ran a week before. `warmup_steps` takes over: a value below 1 is the share
    of all steps, 1 or more is a number of steps. The folder of TensorBoard's logs is now taken
    from the environment.

    Fails:

        settings = {"warmup_ratio": 0.06}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"warmup_steps": 0.06}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"warmup_ratio": 0.06}
        environment = {"transformers": "4.57.6"}

    See also: <https://github.com/vllm-project/semantic-router/issues/3925>.
    """
    arguments = settings.arguments
    for key, value in keys(settings, "VER004"):
        last = arguments.removed_after(key)
        yield Finding(
            message=f"{release(arguments)} has no argument {key}; {last} still had it",
            where=settings.where(key),
            evidence={
                "key": key,
                "value": value,
                "transformers": arguments.version,
                "last_release": last,
            },
            remedy=_warmup(settings, value) if key == "warmup_ratio" else _logs(settings, value),
            severity=severity(arguments),
            fix=_warmup_fix(settings, value)
            if key == "warmup_ratio"
            else settings.fix(delete(key), safe=not value),
        )


def _warmup(settings: Settings, ratio: Any) -> str:
    steps = settings.stated.get("warmup_steps")
    if steps:
        return f"delete the key: warmup_steps is {steps} and always had precedence"
    try:
        share = float(ratio or 0)
    except (TypeError, ValueError, OverflowError):
        return f'replace it with "warmup_steps" and a share of all steps between 0 and 1; {ratio!r} is none'
    if share <= 0:
        return "delete the key: there is no warm-up by default"
    if share >= 1:  # the same value as warmup_steps would mean a single step
        return (
            f"replace it with {settings.entry('warmup_steps', 0.1)}, a tenth of all steps: "
            f"{ratio} would spend the whole run on warm-up"
        )
    return f"replace it with {settings.entry('warmup_steps', share)}"


def _warmup_fix(settings: Settings, ratio: Any) -> Fix | None:
    """Return the fix that the remedy describes; a share that is none has no other meaning."""
    if settings.stated.get("warmup_steps"):
        return settings.fix(delete("warmup_ratio"), safe=True)
    try:
        share = float(ratio or 0)
    except (TypeError, ValueError, OverflowError):
        return None
    if share <= 0:
        return settings.fix(delete("warmup_ratio"), safe=True)
    wanted = share if share < 1 else 0.1
    if "warmup_steps" in settings.stated:  # it is 0
        edits = (put("warmup_steps", wanted), delete("warmup_ratio"))
        return settings.fix(*edits, safe=share < 1)
    return replaced(settings, "warmup_ratio", "warmup_steps", wanted, safe=share < 1)


def _logs(settings: Settings, folder: Any) -> str:
    if not folder:
        return "delete the key"
    remedy = f"delete the key, and start with TENSORBOARD_LOGGING_DIR={folder} in the environment"
    if "report_to" not in settings.stated:
        remedy += f", and add {settings.entry('report_to', 'tensorboard')}: nothing is reported by default"
    return remedy
