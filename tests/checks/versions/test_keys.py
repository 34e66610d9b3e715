"""Each key that a run does not know is spoken of by exactly one check."""

import pytest
from facts import arguments, findings, settings
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.facts import Settings
from pipedoctor.probes import releases
from pipedoctor_checks.hyperparameters.argument_under_another_name import (
    argument_under_another_name,
)
from pipedoctor_checks.versions._keys import speaker
from pipedoctor_checks.versions.argument_newer_than_transformers import (
    argument_newer_than_transformers,
)
from pipedoctor_checks.versions.argument_removed import argument_removed
from pipedoctor_checks.versions.evaluation_strategy_renamed import evaluation_strategy_renamed
from pipedoctor_checks.versions.unknown_argument import unknown_argument
from pipedoctor_checks.versions.warmup_ratio_removed import warmup_ratio_removed

CHECKS = (
    argument_under_another_name,
    argument_newer_than_transformers,
    argument_removed,
    evaluation_strategy_renamed,
    unknown_argument,
    warmup_ratio_removed,
)
RELEASES = releases.load().releases
EVER = sorted(name for name in releases.load().names() if not name.startswith("_"))


def speakers(made: Settings) -> list[tuple[str, str | None]]:
    return [(c.code, f.where.key) for c in CHECKS for f in findings(c, made)]


@pytest.mark.parametrize(
    ("version", "key", "code"),
    [
        ("5.23.0", "eval_strategy", None),
        ("5.23.0", "evaluation_strategy", "VER001"),
        ("4.57.6", "evaluation_strategy", "VER001"),
        ("4.46.3", "evaluation_strategy", None),
        ("4.40.2", "eval_strategy", "VER002"),
        ("5.12.1", "activation_checkpointing", "VER002"),
        ("5.12.1", "warmup_ratio", None),
        ("5.16.1", "warmup_ratio", "VER004"),
        ("5.16.1", "logging_dir", "VER004"),
        ("5.1.0", "group_by_length", None),
        ("5.2.0", "group_by_length", "VER006"),
        ("5.0.0", "no_cuda", "VER006"),
        ("5.23.0", "batch_size", "HYP006"),
        ("5.23.0", "learning_rte", "VER012"),
        ("5.23.0", "colour", "VER012"),
    ],
)
def test_the_speaker_follows_the_version(version: str, key: str, code: str | None) -> None:
    assert speaker(settings(version, script="run_glue", **{key: 1}), key) == code


@pytest.mark.parametrize("version", RELEASES)
def test_one_finding_for_each_strange_key_and_none_for_the_others(version: str) -> None:
    strange = {"batch_size": 8, "learning_rte": 1e-5, "colour": "red"}
    made = settings(version, script="run_glue", **dict.fromkeys(EVER, None), **strange)
    found = speakers(made)

    assert sorted(key for _, key in found) == sorted(set(made.stated) - set(made.arguments.fields))


KEYS = st.text(min_size=1, max_size=20).filter(lambda key: not key.startswith("script"))


@given(key=KEYS, version=st.sampled_from(RELEASES))
def test_no_text_at_all_is_spoken_of_twice(key: str, version: str) -> None:
    made = settings(version, script="run_glue", script_keys={"train_file"}, **{key: "x"})

    assert len(speakers(made)) <= 1
    assert [code for code, _ in speakers(made)] == [c for c in [speaker(made, key)] if c]


def test_a_key_of_the_script_is_nobodys() -> None:
    made = settings(
        script="own", script_keys={"batch_size", "warmup_ratio"}, batch_size=8, warmup_ratio=0.1
    )

    assert speakers(made) == []


def test_without_a_history_nothing_is_said_of_a_strange_key() -> None:
    known = arguments()
    bare = Settings(
        {"warmup_ratio": 0.1}, type(known)("5.23.0", installed=True, fields=known.fields)
    )

    with pytest.raises(Exception, match="history is not known"):
        findings(warmup_ratio_removed, bare)
