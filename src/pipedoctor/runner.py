"""The engine: run one check on a pipeline, and let nothing that happens in it escape."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace

from pipedoctor.declare import AnyCheck, Need
from pipedoctor.fact import Cost, Fact, OverBudget, Split, Unavailable
from pipedoctor.finding import Finding
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.report import Outcome, Rule, Status

Options = Mapping[str, Mapping[str, object]]


def run(
    checks: Iterable[AnyCheck], pipeline: Pipeline, options: Options | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of each check as soon as it is known, those with cheaper facts first."""
    ordered = [
        (cost([n.fact.__name__ for n in c.needs if not n.optional], pipeline), c.code, c)
        for c in checks
    ]
    for _, code, check in sorted(ordered, key=lambda item: item[:2]):
        yield run_one(check, pipeline, (options or {}).get(code, {}))


def cost(facts: Iterable[str], pipeline: Pipeline) -> Cost:
    """Return what it takes to know these facts here: the dearest, each by its cheapest source."""
    return max((pipeline.cheapest(fact) for fact in facts), default=Cost.STATIC)


def run_one(check: AnyCheck, pipeline: Pipeline, options: Mapping[str, object]) -> Outcome:
    """Run one check, once for each split that it speaks of."""
    start = time.perf_counter()
    splits: tuple[Split | None, ...] = (None,)
    if any(need.every_split for need in check.needs):
        splits = pipeline.splits
    outcomes = [_run_split(check, pipeline, options, split) for split in splits]
    return in_text(check, pipeline, _merge(outcomes, time.perf_counter() - start))


def in_text(check: AnyCheck, pipeline: Pipeline, outcome: Outcome) -> Outcome:
    """
    Return what the text of the script tells, where the facts told nothing.

    The text can only accuse: where it shows no fault, the check stays skipped.
    """
    if check.in_text is None or outcome.telling or "script" not in pipeline.parts:
        return outcome
    from pipedoctor.facts.script import Script

    try:
        findings = tuple(check.in_text(pipeline.fact(Script)))
    except (Unavailable, ProbeFailed):
        return outcome
    except Exception:  # noqa: BLE001 - a bug in one check must not cost the user the others
        import traceback

        return replace(outcome, status=Status.CRASHED, reason=traceback.format_exc())
    if not findings:
        return outcome
    return replace(outcome, status=Status.FOUND, findings=findings, partial=True)


def _run_split(
    check: AnyCheck, pipeline: Pipeline, options: Mapping[str, object], split: Split | None
) -> Outcome:
    rule = rule_of(check)
    findings: list[Finding] = []
    try:
        facts = [_fact(pipeline, need, split) for need in check.needs]
        for finding in check(*facts, **options):
            findings.append(pipeline.in_users_words(finding))  # noqa: PERF401 - what came before an error is kept
    except Unavailable as missing:
        status = Status.FOUND if findings else Status.SKIPPED
        over = missing.cost if isinstance(missing, OverBudget) else None
        return Outcome(
            rule, status, tuple(findings), str(missing), partial=bool(findings), over=over
        )
    except ProbeFailed as failure:
        return Outcome(rule, Status.BLOCKED, tuple(findings), str(failure))
    except Exception:  # noqa: BLE001 - a bug in one check must not cost the user the others
        import traceback

        return Outcome(rule, Status.CRASHED, tuple(findings), traceback.format_exc())
    return Outcome(rule, Status.FOUND if findings else Status.PASSED, tuple(findings))


def _fact(pipeline: Pipeline, need: Need, split: Split | None) -> Fact | None:
    split = need.split or split
    if not need.optional:
        return pipeline.fact(need.fact, split)
    with suppress(Unavailable, ProbeFailed):
        return pipeline.fact(need.fact, split)
    return None


def _merge(outcomes: list[Outcome], seconds: float) -> Outcome:
    """Make one outcome of those of the splits: the gravest status, all findings."""
    order = [Status.CRASHED, Status.FOUND, Status.BLOCKED, Status.PASSED, Status.SKIPPED]
    first = min(outcomes, key=lambda outcome: order.index(outcome.status))
    findings = tuple(finding for outcome in outcomes for finding in outcome.findings)
    unfinished = any(o.partial or o.status is Status.SKIPPED for o in outcomes)
    return Outcome(
        first.rule,
        first.status,
        findings,
        first.reason,
        partial=bool(findings) and unfinished,
        over=max((o.over for o in outcomes if o.over is not None), default=None),
        seconds=seconds,
    )


def rule_of(check: AnyCheck) -> Rule:
    """Return what a report must know of a check."""
    return Rule(check.code, check.name, check.severity, check.stage, check.explains)
