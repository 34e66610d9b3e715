"""Tools for those who write checks: run the snippets of a check's page."""

from __future__ import annotations

from pipedoctor import frameworks
from pipedoctor.declare import AnyCheck, Example
from pipedoctor.fact import Cost
from pipedoctor.failures import attribute
from pipedoctor.parts import FIT, NAMES, Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.registry import Row
from pipedoctor.report import Outcome, Status
from pipedoctor.runner import rule_of, run_one


def run_example(check: AnyCheck, example: Example) -> Outcome:
    """Execute the snippet, take the names it binds as the parts of a pipeline, run the check."""
    names: dict[str, object] = {}
    exec(compile(example.source, f"<example of {check.code}>", "exec"), names)  # noqa: S102 - our own pages
    bound = {name: value for name, value in names.items() if name in NAMES}
    fitted = {name: value for name, value in names.items() if name in FIT}
    if frameworks.is_fitted(bound.get("model")):
        bound |= fitted
    parts = Parts(frameworks.given(bound))
    pipeline = Pipeline(parts, frameworks.probes(parts), Cost.TRAINING)
    outcome = run_one(check, pipeline, {})
    row = Row(rule_of(check), check.summary, (), {}, dict(check.symptoms), "", "")
    (outcome,) = attribute([outcome], pipeline, [row])
    return outcome


def verify(check: AnyCheck, example: Example) -> None:
    """Raise `AssertionError` unless the check says of the snippet what its page promises."""
    outcome = run_example(check, example)
    expected = {Status.FOUND, Status.BLOCKED} if example.fails else {Status.PASSED}
    as_promised = outcome.status in expected and bool(outcome.findings) is example.fails
    assert as_promised, (
        f"{check.code}: the page says {'fails' if example.fails else 'passes'}, but it is "
        f"{outcome.status.value}: {outcome.reason or list(outcome.findings)}\n\n{example.source}"
    )
