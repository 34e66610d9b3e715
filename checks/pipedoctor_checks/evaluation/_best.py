"""Which metric a run chooses by, and when it first needs it."""

from __future__ import annotations

from pipedoctor.facts import Schedule, Settings
from pipedoctor.facts.evaluation import prefixed
from pipedoctor.units import count


def best_metric(settings: Settings) -> str | None:
    """Return the metric that evaluations are compared by, None if they are not compared."""
    stated = settings.get("metric_for_best_model")
    if stated:
        return prefixed(str(stated))
    waits = settings.word("lr_scheduler_type") in {"reduce_lr_on_plateau", "greedy"}
    return "eval_loss" if settings.get("load_best_model_at_end") or waits else None


def first_evaluation(schedule: Schedule | None) -> str:
    """Return when the first evaluation comes, as an aside in a sentence, if that is known."""
    if schedule is None or not schedule.known("evaluations"):
        return ""
    first = schedule.evaluations.first
    return "" if first is None else f", at step {count(first)} of {count(schedule.total_steps)},"
