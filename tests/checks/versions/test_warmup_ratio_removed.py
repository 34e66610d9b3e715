import pytest
from facts import findings, settings, the_finding

from pipedoctor.finding import Severity
from pipedoctor_checks.versions.warmup_ratio_removed import warmup_ratio_removed


@pytest.mark.parametrize(
    ("ratio", "line"), [(0.1, "0.1"), (0.06, "0.06"), (1e-5, "1.0e-5"), ("0.1", "0.1")]
)
def test_a_ratio_is_carried_over_as_a_share(ratio: object, line: str) -> None:
    found = the_finding(warmup_ratio_removed, settings(warmup_ratio=ratio))

    assert found.remedy == f'replace it with "warmup_steps": {line}'
    assert found.severity is None
    assert found.evidence["last_release"] == "5.12.1"


@pytest.mark.parametrize("ratio", [0, 0.0, None, -0.1])
def test_no_warm_up_needs_no_key(ratio: object) -> None:
    assert the_finding(warmup_ratio_removed, settings(warmup_ratio=ratio)).remedy.startswith(
        "delete"
    )


@pytest.mark.parametrize("ratio", [1, 1.0, 3])
def test_a_whole_ratio_does_not_become_a_single_step(ratio: float) -> None:
    remedy = the_finding(warmup_ratio_removed, settings(warmup_ratio=ratio)).remedy

    assert '"warmup_steps": 0.1' in remedy
    assert f'"warmup_steps": {ratio}' not in remedy


def test_steps_have_precedence() -> None:
    found = the_finding(warmup_ratio_removed, settings(warmup_ratio=0.1, warmup_steps=500))

    assert found.remedy.startswith("delete")
    assert "500" in found.remedy


def test_a_text_that_is_no_ratio() -> None:
    assert "'a bit'" in the_finding(warmup_ratio_removed, settings(warmup_ratio="a bit")).remedy


def test_the_folder_of_logs_goes_into_the_environment() -> None:
    found = the_finding(
        warmup_ratio_removed, settings(logging_dir="runs/1", report_to="tensorboard")
    )

    assert "TENSORBOARD_LOGGING_DIR=runs/1" in found.remedy
    assert "report_to" not in found.remedy


def test_without_report_to_nobody_would_write_logs() -> None:
    found = the_finding(warmup_ratio_removed, settings(logging_dir="runs/1"))

    assert '"report_to": "tensorboard"' in found.remedy


@pytest.mark.parametrize("version", ["4.40.2", "4.57.6", "5.0.0", "5.12.1"])
def test_releases_that_had_both(version: str) -> None:
    assert (
        findings(warmup_ratio_removed, settings(version, warmup_ratio=0.1, logging_dir="x")) == []
    )


def test_both_are_errors_of_their_own() -> None:
    found = findings(warmup_ratio_removed, settings(warmup_ratio=0.1, logging_dir="x"))

    assert [f.where.key for f in found] == ["warmup_ratio", "logging_dir"]
    assert warmup_ratio_removed.severity is Severity.ERROR


def test_a_ratio_too_large_for_a_float_is_no_share() -> None:
    found = the_finding(warmup_ratio_removed, settings(warmup_ratio=10**400))
    assert "between 0 and 1" in found.remedy
    assert found.fix is None
