from dataclasses import replace

import pytest
from facts import arguments, findings, settings, the_finding

from pipedoctor.facts import Settings
from pipedoctor.finding import Location, Severity
from pipedoctor_checks.versions.evaluation_strategy_renamed import evaluation_strategy_renamed


@pytest.mark.parametrize("version", ["4.57.6", "5.0.0", "5.23.0", "5.99.0"])
def test_the_value_is_carried_over(version: str) -> None:
    found = the_finding(
        evaluation_strategy_renamed, settings(version, evaluation_strategy="steps")
    )

    assert '"eval_strategy": "steps"' in found.remedy
    assert found.evidence["last_release"] == "4.46.3"
    assert version in found.message


@pytest.mark.parametrize("version", ["4.40.2", "4.46.3"])
def test_releases_that_knew_it_are_content(version: str) -> None:
    assert findings(evaluation_strategy_renamed, settings(version, evaluation_strategy="no")) == []


def test_beside_its_successor_it_is_to_be_deleted() -> None:
    found = the_finding(
        evaluation_strategy_renamed, settings(evaluation_strategy="no", eval_strategy="epoch")
    )

    assert found.remedy.startswith("delete")


def test_it_points_at_the_line() -> None:
    line = Location(file="config.json", line=4, key="evaluation_strategy")
    made = Settings({"evaluation_strategy": "no"}, arguments(), {"evaluation_strategy": line})

    assert the_finding(evaluation_strategy_renamed, made).where == line


def test_where_no_transformers_is_installed_it_only_warns() -> None:
    made = Settings({"evaluation_strategy": "no"}, replace(arguments(), installed=False))
    found = the_finding(evaluation_strategy_renamed, made)

    assert found.severity is Severity.WARNING
    assert "none is installed" in found.message
