"""The engine: run checks on a pipeline, cheapest first, each outcome as soon as it is known."""

from __future__ import annotations

import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress

from pipedoctor.declare import AnyCheck
from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.finding import Finding
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.report import Outcome, Rule, Status

Options = Mapping[str, Mapping[str, object]]


def rule(check: AnyCheck) -> Rule:
    """Return what a report must know of a check."""
    return Rule(check.code, check.name, check.severity, check.stage, check.explains)


def run(
    checks: Iterable[AnyCheck], pipeline: Pipeline, options: Options | None = None
) -> Iterator[Outcome]:
    """Yield the outcome of each check, those that need the cheaper facts first."""
    costs = {check.code: cost(check, pipeline) for check in (checks := list(checks))}
    for check in sorted(checks, key=lambda c: (costs[c.code], c.code)):
        yield run_one(check, pipeline, (options or {}).get(check.code, {}))


def cost(check: AnyCheck, pipeline: Pipeline) -> Cost:
    """Return the cost of a check here: that of the dearest fact, by its cheapest source."""
    dearest = Cost.STATIC
    for need in check.needs:
        sources = [p.cost for p in pipeline.probes if p.fact is need.fact]
        if sources and not need.optional:
            dearest = max(dearest, min(sources))
    return dearest


def run_one(check: AnyCheck, pipeline: Pipeline, options: Mapping[str, object]) -> Outcome:
    """Run one check, for each split that it speaks of; nothing that happens in it escapes."""
    start = time.perf_counter()
    splits: tuple[Split | None, ...] = (None,)
    if any(need.every_split for need in check.needs):
        splits = pipeline.splits
    outcomes = [_run_split(check, pipeline, options, split) for split in splits]
    merged = _merge(check, outcomes)
    return Outcome(
        merged.rule,
        merged.status,
        merged.findings,
        merged.reason,
        partial=merged.partial,
        seconds=time.perf_counter() - start,
    )


def _run_split(
    check: AnyCheck, pipeline: Pipeline, options: Mapping[str, object], split: Split | None
) -> Outcome:
    about = rule(check)
    findings: list[Finding] = []
    try:
        facts = [
            _fact(pipeline, need.fact, need.split or split, need.optional) for need in check.needs
        ]
        for finding in check(*facts, **options):
            findings.append(finding)  # noqa: PERF402 - what came before an error is kept
    except Unavailable as missing:
        status = Status.FOUND if findings else Status.SKIPPED
        return Outcome(about, status, tuple(findings), str(missing), partial=bool(findings))
    except ProbeFailed as failure:
        return Outcome(about, Status.BLOCKED, tuple(findings), str(failure))
    except Exception:  # a bug in one check must not cost the user the others
        return Outcome(about, Status.CRASHED, tuple(findings), traceback.format_exc())
    return Outcome(about, Status.FOUND if findings else Status.PASSED, tuple(findings))


def _fact(
    pipeline: Pipeline, kind: type[Fact], split: Split | None, optional: bool
) -> Fact | None:
    if optional:
        with suppress(Unavailable, ProbeFailed):
            return pipeline.fact(kind, split)
        return None
    return pipeline.fact(kind, split)


def _merge(check: AnyCheck, outcomes: list[Outcome]) -> Outcome:
    """Make one outcome of those of the splits: the gravest status, all findings."""
    order = [Status.CRASHED, Status.FOUND, Status.BLOCKED, Status.PASSED, Status.SKIPPED]
    first = min(outcomes, key=lambda outcome: order.index(outcome.status))
    findings = tuple(finding for outcome in outcomes for finding in outcome.findings)
    unfinished = any(o.partial or o.status is Status.SKIPPED for o in outcomes)
    return Outcome(
        rule(check),
        first.status,
        findings,
        first.reason,
        partial=bool(findings) and unfinished,
    )
