from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.clock import more
from pipedoctor.facts import Deadline
from pipedoctor.units import plural


# It is the cause of nothing that was found, and stands after it.
@check("RUN003", Severity.NOTE, stage=Stage.CHECKPOINT)
def time_limit_before_training(deadline: Deadline) -> Iterator[Finding]:
    """
    The examination ran out of time before it had seen all that comes before training.

    Data and model are loaded and probed within `--time` seconds, so that a script that hangs, or
    a model that is too large for this machine, does not hold up a CI run for ever. That the time
    was short is no fault of the pipeline. But what was not reached is not known: such a run is
    neither ready nor not ready, and the exit status is 4, unless something else was found.

    Fails:

        run = {"time_limit": 60, "stopped_while": "measuring forward (train)"}

    Passes:

        run = {"time_limit": 60}
    """
    if deadline.stopped_while is None:
        return
    unseen = ""
    if deadline.checks:
        unseen = f"; {plural(deadline.checks, 'check')} not made, of {', '.join(deadline.unseen)}"
    yield Finding(
        message=f"The process that loads data and model was stopped after {deadline.seconds:g} s "
        f"while {deadline.stopped_while}{unseen}",
        evidence={
            "seconds": deadline.seconds,
            "doing": deadline.stopped_while,
            "unseen": list(deadline.unseen),
            "checks": deadline.checks,
        },
        remedy=f"allow more with {more(deadline.seconds)}; check also goes less deep, as with "
        "--depth data",
    )
