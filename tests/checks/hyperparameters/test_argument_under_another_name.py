import json

import pytest
from facts import findings, settings, the_finding

from pipedoctor.finding import Severity
from pipedoctor_checks.hyperparameters._synonyms import SYNONYMS, meant
from pipedoctor_checks.hyperparameters.argument_under_another_name import (
    argument_under_another_name,
)

GLUE = {
    "script": "run_glue",
    "script_keys": {"train_file", "max_seq_length", "model_name_or_path"},
}


@pytest.mark.parametrize(
    ("key", "value", "line", "default"),
    [
        ("batch_size", 32, '"per_device_train_batch_size": 32', 8),
        ("lr", 2e-5, '"learning_rate": 2.0e-5', 5e-5),
        ("epochs", 5, '"num_train_epochs": 5', 3.0),
        ("gradient_accumulation", 4, '"gradient_accumulation_steps": 4', 1),
        ("weight_decay_rate", 0.01, '"weight_decay": 0.01', 0.0),
        ("learningRate", 1e-5, '"learning_rate": 1.0e-5', 5e-5),
        ("num-train-epochs", 2, '"num_train_epochs": 2', 3.0),
        ("scheduler", "cosine", '"lr_scheduler_type": "cosine"', "linear"),
    ],
)
def test_the_parser_stops_at_it(key: str, value: object, line: str, default: object) -> None:
    found = the_finding(argument_under_another_name, settings(**GLUE, **{key: value}))

    assert found.severity is None
    assert line in found.remedy
    assert found.evidence["default"] == default
    assert "HfArgumentParser" in found.message
    assert json.dumps(default) in found.message


def test_the_script_has_names_of_its_own() -> None:
    found = the_finding(argument_under_another_name, settings(**GLUE, max_length=256))

    assert '"max_seq_length": 256' in found.remedy
    assert findings(argument_under_another_name, settings(script="own", max_length=256)) == []


@pytest.mark.parametrize("value", ["adamw", "AdamW", "adam"])
def test_an_optimizer_has_a_longer_name(value: str) -> None:
    found = the_finding(argument_under_another_name, settings(**GLUE, optimizer=value))

    assert '"optim": "adamw_torch"' in found.remedy


def test_a_share_of_warm_up_where_there_is_a_ratio_and_where_there_is_none() -> None:
    old = the_finding(
        argument_under_another_name, settings("4.57.6", **GLUE, warmup_proportion=0.1)
    )
    new = the_finding(
        argument_under_another_name, settings("5.23.0", **GLUE, warmup_proportion=0.1)
    )

    assert '"warmup_ratio": 0.1' in old.remedy
    assert '"warmup_steps": 0.1' in new.remedy


def test_an_unknown_script_may_translate_it() -> None:
    found = the_finding(argument_under_another_name, settings(batch_size=32, output_dir="out"))

    assert found.severity is Severity.WARNING
    assert "unless the script translates it" in found.message


def test_an_unknown_script_that_states_both_has_its_own_use_for_it() -> None:
    made = settings(batch_size=32, per_device_train_batch_size=8)

    assert findings(argument_under_another_name, made) == []


def test_a_known_script_that_is_given_both() -> None:
    made = settings(**GLUE, batch_size=32, per_device_train_batch_size=8)

    assert the_finding(argument_under_another_name, made).remedy.startswith("delete the key")


def test_a_config_without_a_word_of_trainer_is_not_for_trainer() -> None:
    assert findings(argument_under_another_name, settings(lr=0.1, epochs=90, batch_size=256)) == []


def test_synonyms_are_no_arguments_themselves_and_mean_one_thing() -> None:
    everything = settings(script="x", script_keys=SYNONYMS)
    names = [name for names in SYNONYMS.values() for name in names]

    assert len(names) == len(set(names))
    assert not set(names) & set(everything.arguments.fields)
    assert {meant(everything, name) for name in names} == set(SYNONYMS)
