from __future__ import annotations

import json

from cli.conftest import Run

from pipedoctor import registry


def test_every_check_is_listed(pipedoctor: Run) -> None:
    lines = pipedoctor("rules").stdout.splitlines()
    assert [line.split()[0] for line in lines] == [row.code for row in registry.load().rows]
    told = json.loads(pipedoctor("rules", "--output-format", "json").stdout)
    assert [row["code"] for row in told] == [row.code for row in registry.load().rows]


def test_a_page_by_code_or_name(pipedoctor: Run) -> None:
    page = pipedoctor("rule", "lab001").stdout
    assert page.startswith("LAB001 label-out-of-range (error, stage ")
    assert "Fails:" in page
    assert pipedoctor("rule", "label-out-of-range").stdout == page


def test_a_page_names_the_options(pipedoctor: Run) -> None:
    assert "[tool.pipedoctor.checks.HYP003]\n    share = " in pipedoctor("rule", "HYP003").stdout


def test_no_such_check(pipedoctor: Run) -> None:
    done = pipedoctor("rule", "LAB0001")
    assert (done.returncode, done.stdout) == (2, "")
    assert "did you mean LAB001?" in done.stderr
