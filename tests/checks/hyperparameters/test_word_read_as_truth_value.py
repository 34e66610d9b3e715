import re
from pathlib import Path

import pytest
import yaml
from facts import findings, settings, the_finding
from tiny_trainer import train

from pipedoctor_checks.hyperparameters.word_read_as_truth_value import (
    word_read_as_truth_value as check,
)


@pytest.mark.parametrize(
    "key", ["eval_strategy", "save_strategy", "logging_strategy", "hub_strategy", "report_to"]
)
@pytest.mark.parametrize("word", ["no", "off", "No", "yes", "on"])
def test_trainer_stops_at_what_yaml_makes_of_a_bare_word(
    tmp_path: Path, key: str, word: str
) -> None:
    stated = yaml.safe_load(f"{key}: {word}")
    found = the_finding(check, settings(**stated))

    assert found.where.key == key
    with pytest.raises(ValueError, match=str(stated[key])) as caught:
        train(tmp_path, **stated)
    if key != "report_to":
        assert any(re.search(pattern, str(caught.value)) for pattern in check.symptoms)


def test_what_it_proposes_is_read_as_meant() -> None:
    remedy = the_finding(check, settings(eval_strategy=False)).remedy
    line = re.search(r'"\w+": "\w+"', remedy)

    assert line is not None
    assert yaml.safe_load(line[0]) == {"eval_strategy": "no"}


@pytest.mark.parametrize(
    "stated",
    [
        {"eval_strategy": "no"},
        {"report_to": "none"},
        {"report_to": ["wandb"]},
        {"fp16": False},
        {"include_num_input_tokens_seen": True},
        {"resume_from_checkpoint": True},
        {"evaluation_strategy": False},  # not known to this version: another check's
    ],
)
def test_truth_values_and_words_in_their_places(stated: dict[str, object]) -> None:
    assert findings(check, settings(**stated)) == []
