"""The page of `pipedoctor env`, of environments that are stated."""

from __future__ import annotations

import io
import json

import pytest
from surroundings import HEALTHY, SICK, examined

from pipedoctor.reporters import env
from pipedoctor.reporters import json as as_json
from pipedoctor.reporters.environment_rows import SECTIONS


def test_a_sick_environment(snapshot):
    snapshot("env-sick.txt", env.plain(examined(SICK)))


def test_a_healthy_environment(snapshot):
    report = examined(HEALTHY)
    assert report.ok()
    snapshot("env-healthy.txt", env.plain(report))


def test_a_terminal_without_our_signs_gets_plain_ones():
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    env.write(examined(SICK), stream, colour=False, width=100)
    stream.flush()
    told = raw.getvalue().decode("ascii")
    assert told.startswith("[x] Packages")
    assert "[v] Reporting" in told
    assert "[!] Variables" in told


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_line_is_wider_than_the_page(width):
    for environment in (SICK, HEALTHY):
        for line in env.plain(examined(environment), width).splitlines():
            assert len(line) <= width or " " not in line.strip()[:width]


def test_every_finding_stands_on_the_page():
    report = examined(SICK)
    told = env.plain(report)
    assert len(report.entries) > 10
    for entry in report.entries:
        assert entry.rule.code in told


def test_the_figures_of_the_json_report():
    report = examined(SICK)
    told = json.loads(as_json.render(report, {"env": env.figures(report)}))
    assert told["env"]["Cuda"]["devices"][0]["capability"] == [12, 0]
    assert told["env"]["Machine"]["quota"] == 4.0
    assert told["env"]["HubHome"]["exists"] is False
    assert {"ENV006", "ENV008", "VER011"} <= {one["code"] for one in told["findings"]}
    assert told["ready"] is False


def test_what_can_not_be_known_is_said_and_no_fault():
    report = examined({"torch": "2.13.0", "variables": {}})
    told = env.plain(report)
    assert "[-] GPUs" in told
    assert report.ok()


def test_no_finding_stands_in_two_sections():
    codes = [code for section in SECTIONS for code in section.codes]
    assert len(codes) == len(set(codes))
