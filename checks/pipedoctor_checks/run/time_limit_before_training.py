from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Deadline


# It is the cause of nothing that was found, and stands after it.
@check("RUN003", Severity.WARNING, stage=Stage.CHECKPOINT)
def time_limit_before_training(deadline: Deadline) -> Iterator[Finding]:
    """
    The examination ran out of time before it had seen all that comes before training.

    Data and model are loaded and probed within `--time` seconds, so that a script that hangs, or
    a model that is too large for this machine, does not hold up a CI run for ever. What was not
    reached is skipped, and nothing is said about it.

    Fails:

        run = {"time_limit": 60, "stopped_while": "measuring forward (train)"}

    Passes:

        run = {"time_limit": 60}
    """
    if deadline.stopped_while is not None:
        yield Finding(
            message=f"The process that loads data and model was stopped after "
            f"{deadline.seconds:g} s while {deadline.stopped_while}",
            evidence={"seconds": deadline.seconds, "doing": deadline.stopped_while},
            remedy="allow more with --time; check also goes less deep, as with --depth data",
        )
