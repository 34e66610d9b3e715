from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Schedule, Settings
from pipedoctor.facts.settings import number as shown
from pipedoctor.probes.values import number
from pipedoctor.units import count

HIGHEST = 1e-6
"""Nobody who fine-tunes with Adam states less, but for reinforcement learning, by intention."""

STEP = 3.2
"""An early step of Adam may be longer than the rate: up to (1 - beta1) / sqrt(1 - beta2)."""

SMALLEST = 2e-4
"""A hundredth of 0.02, the spread that new weights of transformers are drawn with."""


@check("HYP010", Severity.WARNING, stage=Stage.ARGUMENTS, explains=("LOS003",))
def learning_rate_too_low(settings: Settings, schedule: Schedule) -> Iterator[Finding]:
    """
    The learning rate is so low that no weight can move by a hundredth of its usual size.

    A step of Adam changes a weight by about the learning rate at most, whatever the gradient is.
    All steps together can't change it by more than their number times the rate: 1000 steps at
    1e-8 make 1e-5, where weights are about 0.02. A head that starts from random numbers stays
    what it is. An exponent that slipped, 2e-8 for 2e-5, is the usual cause.

    Fails:

        settings = {"learning_rate": 2e-8, "max_steps": 1000}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    Passes:

        settings = {"learning_rate": 2e-5, "max_steps": 1000}
        train_data = range(16000)
        environment = {"transformers": "5.23.0", "gpus": 0}

    See also: <https://arxiv.org/abs/1412.6980>, section 2.1.
    """
    if "learning_rate" not in settings.stated or not _is_adam(settings):
        return
    rate, steps = number(settings, "learning_rate"), schedule.total_steps
    reach = rate * steps
    if not 0 < rate < HIGHEST or STEP * reach >= SMALLEST:
        return
    meant = rate
    while meant < 5 * HIGHEST:
        meant *= 10
    yield Finding(
        message=f"learning_rate is {shown(rate)}: {count(steps)} steps of Adam move no weight by "
        f"more than about {shown(reach)}, where weights are about 0.02",
        where=settings.where("learning_rate"),
        evidence={"learning_rate": rate, "total_steps": steps, "reach": reach},
        remedy=f"set {settings.entry('learning_rate', meant)}, if that is what was meant",
    )


def _is_adam(settings: Settings) -> bool:
    """Whether the optimizer is Adam or one of its kind; that is what Trainer takes by default."""
    return "optim" not in settings.stated or "adam" in settings.word("optim")
