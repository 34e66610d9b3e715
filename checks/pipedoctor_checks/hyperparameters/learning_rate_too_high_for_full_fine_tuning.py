from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Model, ModelFiles, Schedule, Settings
from pipedoctor.fix import put
from pipedoctor.units import millions
from pipedoctor.usual_rates import Subject, lookup, short, usual
from pipedoctor_checks.hyperparameters._adapters import adapter_key, freezes
from pipedoctor_checks.hyperparameters._optimizers import adamw


@check(
    "HYP001",
    Severity.WARNING,
    stage=Stage.ARGUMENTS,
    explains=("LOS001", "LOS003", "NUM001", "HYP040"),
)
def learning_rate_too_high_for_full_fine_tuning(
    settings: Settings,
    files: ModelFiles,
    model: Model | None,
    schedule: Schedule | None = None,
    *,
    times: float = 10.0,
) -> Iterator[Finding]:
    """
    The learning rate is many times what pretrained models of this kind and size are tuned with.

    Full fine-tuning with AdamW works with small rates: 1e-5 to 5e-5 for BERT and its kin. A rate
    from the days of training from scratch, 1e-3 or 1e-2, wipes out in the first hundred steps
    what pretraining has learned: the loss stays at the level of chance and the model predicts one
    class. BERT base no longer converges at 4e-4.

    Not judged are adapters such as LoRA, which take rates ten times higher, other optimizers,
    models of which a part is frozen, kinds of models that no figures are known for, and models
    with fewer than 10 M parameters.

    The option `times` is how many times the highest usual rate is too much.

    Fails:

        settings = {"learning_rate": 1e-3}
        files = {"model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108310, 1000))}}}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"learning_rate": 5e-5}
        files = {"model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108310, 1000))}}}
        environment = {"transformers": "5.23.0"}

    See also: <https://arxiv.org/abs/1810.04805>, appendix A.3; <https://arxiv.org/abs/1905.05583>.
    """
    rate = settings.learning_rate
    if not abs(rate) < 1e300:  # nan, inf, and integers of which Python makes no float
        raise Unavailable("the learning rate is no finite number")
    if (key := adapter_key(settings) or freezes(settings)) is not None:
        raise Unavailable(f"{key} says that only a part of the weights is trained")
    if model is not None and 2 * model.trainable < model.size:
        raise Unavailable("less than half of the weights are trained")
    optimizer = adamw(settings)
    kind = str(files.config.get("model_type"))
    known = usual(kind, files.parameters)
    if known is None:
        size = millions(files.parameters)
        raise Unavailable(f"no usual learning rate is known for {kind} with {size} parameters")
    # The comparison leaves room for rounding: 10 times 5e-5 is 0.0005 only nearly.
    if rate < times * known.high * (1 - 1e-9):
        return
    # The same row and the same batch as `lr` looks up.
    batch = schedule.batch_size if schedule and schedule.known("batch_size") else None
    scaled = lookup(Subject(kind, files.parameters, batch=batch)) or known
    yield Finding(
        message=f"The learning rate {short(rate)} is {_factors(rate / known.high, rate / known.low)} "
        f"times what {known.kind} are fully fine-tuned with "
        f"({short(known.low)} to {short(known.high)}; this is {kind} with "
        f"{millions(files.parameters)} parameters)",
        where=settings.where("learning_rate"),
        evidence={
            "learning_rate": rate,
            "usual_low": known.low,
            "usual_high": known.high,
            "model_type": kind,
            "parameters": files.parameters,
            "optim": optimizer,
            "source": known.source,
        },
        remedy=f"set {settings.entry('learning_rate', scaled.first)}",
        fix=settings.fix(put("learning_rate", scaled.first), safe=False),
    )


def _factors(least: float, most: float) -> str:
    """Return the words for how many times: nobody reads the digits of an absurd number."""
    return "more than 100,000" if least > 100_000 else f"{least:,.0f} to {most:,.0f}"
