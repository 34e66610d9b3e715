import pytest
from facts import findings, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.finding import Severity
from pipedoctor_checks.versions.argument_newer_than_transformers import (
    argument_newer_than_transformers,
)


@pytest.mark.parametrize(
    ("version", "stated", "line"),
    [
        ("4.40.2", {"eval_strategy": "epoch"}, '"evaluation_strategy": "epoch"'),
        ("5.21.1", {"activation_checkpointing": True}, '"gradient_checkpointing": true'),
        ("4.57.6", {"train_sampling_strategy": "group_by_length"}, '"group_by_length": true'),
        ("4.40.2", {"include_for_metrics": ["inputs"]}, '"include_inputs_for_metrics": true'),
    ],
)
def test_what_said_the_same_before(version: str, stated: dict[str, object], line: str) -> None:
    found = the_finding(argument_newer_than_transformers, settings(version, **stated))

    assert line in found.remedy
    assert "pip install" in found.alternatives[0]


@pytest.mark.parametrize(
    "stated",
    [{"use_liger_kernel": True}, {"include_for_metrics": ["loss"]}, {"eval_on_start": True}],
)
def test_what_is_altogether_new_needs_the_newer_release(stated: dict[str, object]) -> None:
    found = the_finding(argument_newer_than_transformers, settings("4.40.2", **stated))

    assert found.remedy == 'pip install --upgrade "transformers>=4.46.3"'


def test_a_share_of_warm_up_is_nothing_to_an_older_release() -> None:
    found = the_finding(argument_newer_than_transformers, settings("4.57.6", warmup_steps=0.06))

    assert found.severity is Severity.WARNING
    assert '"warmup_ratio": 0.06' in found.remedy


@pytest.mark.parametrize(
    ("version", "value"),
    [("5.0.0", 0.06), ("4.57.6", 100), ("4.57.6", 0), ("4.57.6", 0.0), ("4.57.6", 500.0)],
)
def test_warm_up_that_means_what_it_says(version: str, value: float) -> None:
    assert findings(argument_newer_than_transformers, settings(version, warmup_steps=value)) == []


def test_a_release_between_two_known_ones_may_have_it_already() -> None:
    with pytest.raises(Unavailable, match=r"only those of 4\.40\.2"):
        findings(argument_newer_than_transformers, settings("4.42.0", eval_strategy="epoch"))
