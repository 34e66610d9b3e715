import pytest
from facts import findings, settings, the_finding

from pipedoctor.finding import Severity
from pipedoctor_checks.versions.unknown_argument import unknown_argument

GLUE = {"script": "run_glue", "script_keys": {"train_file", "max_seq_length"}}


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("learning_rte", "learning_rate"),
        ("eval_stratgy", "eval_strategy"),
        ("save_step", "save_steps"),
        ("warm_up_steps", "warmup_steps"),
        ("trian_file", "train_file"),
        ("max_seq_lenght", "max_seq_length"),
    ],
)
def test_a_slip_of_the_pen(key: str, meant: str) -> None:
    found = the_finding(unknown_argument, settings(**GLUE, **{key: 3}))

    assert found.severity is None
    assert f'"{meant}": 3' in found.remedy
    assert meant in found.message


def test_a_slip_beside_the_right_name() -> None:
    found = the_finding(unknown_argument, settings(**GLUE, seeds=1, seed=2))

    assert found.remedy == "delete the key: seed is stated as well"


def test_a_plural_beside_its_singular_may_be_the_users_own() -> None:
    assert findings(unknown_argument, settings(seed=1, seeds=[1, 2, 3])) == []


def test_a_word_of_another_kind_is_only_noted() -> None:
    found = the_finding(unknown_argument, settings(**GLUE, experiment="first"))

    assert found.severity is Severity.NOTE
    assert "run_glue" in found.message


@pytest.mark.parametrize("key", ["experiment", "lora_r", "_comment", "$schema", "fp8", "note"])
def test_of_an_unknown_script_nothing_is_said(key: str) -> None:
    assert findings(unknown_argument, settings(**{key: 1})) == []


@pytest.mark.parametrize("key", ["fp8", "tf16", "bf8", "model", "text", "rank", "do_test", "lang"])
def test_short_names_that_only_look_alike(key: str) -> None:
    found = findings(unknown_argument, settings(script="own", **{key: 1}))

    assert [f.severity for f in found] == [Severity.NOTE]
