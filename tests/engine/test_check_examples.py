"""Every check does what its page shows, and every page is complete."""

from __future__ import annotations

import ast

import pytest

from pipedoctor import registry
from pipedoctor.declare import AnyCheck, Example
from pipedoctor.testing import verify

CHECKS = registry.load().checks
EXAMPLES = [
    pytest.param(check, example, id=f"{check.code}-{'fails' if example.fails else 'passes'}-{n}")
    for check in CHECKS
    for n, example in enumerate(check.examples)
]


def imported(source: str) -> list[str]:
    """Return the packages that a snippet imports, not those of a script that it holds as text."""
    names: list[str] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.Import):
            names += [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            names.append(node.module or "")
    return [name.partition(".")[0] for name in names]


@pytest.mark.parametrize(("check", "example"), EXAMPLES)
def test_example(check: AnyCheck, example: Example) -> None:
    for framework in imported(example.source):
        pytest.importorskip(framework)
    verify(check, example)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_the_page_is_complete(check: AnyCheck) -> None:
    assert check.summary.endswith("."), "the first line is a sentence"
    assert {example.fails for example in check.examples} == {True, False}


def test_names_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert sorted(set(names)) == sorted(names)
