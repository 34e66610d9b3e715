"""Data sets that are scripts, by the release of `datasets`."""

from __future__ import annotations

import textwrap

import pytest
from facts import outcome

from pipedoctor import Severity
from pipedoctor.finding import Finding
from pipedoctor_checks.data.loading_script_refused import loading_script_refused


def found(line: str, version: str | None = "5.0.1") -> tuple[Finding, ...]:
    script = f"from datasets import load_dataset\n\n{textwrap.dedent(line)}\n"
    return outcome(
        loading_script_refused, script=script, environment={"datasets": version}
    ).findings


def test_a_script_is_refused() -> None:
    (finding,) = found('data = load_dataset("my/corpus.py")')
    assert finding.message == (
        "Line 3 loads the data set by the script my/corpus.py, which datasets 5.0.1 does not run; "
        "3.6.0 was the last release that did"
    )
    assert finding.severity is None
    (maybe,) = found('if other:\n    data = load_dataset("my/corpus.py")')
    assert maybe.severity is Severity.WARNING


def test_an_argument_without_effect_is_a_note() -> None:
    (finding,) = found('data = load_dataset("glue", "mnli", trust_remote_code=True)')
    assert finding.severity is Severity.NOTE
    assert "has no effect in datasets 5.0.1" in finding.message


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ('data = load_dataset("my/corpus.py")', "3.6.0"),
        ('data = load_dataset("my/corpus.py")', None),
        ('data = load_dataset("glue", "mnli")', "5.0.1"),
        ('data = load_dataset("glue", trust_remote_code=False)', "5.0.1"),
        ("data = load_dataset(name)", "5.0.1"),
    ],
)
def test_what_is_well(line: str, version: str | None) -> None:
    assert not found(line, version)
