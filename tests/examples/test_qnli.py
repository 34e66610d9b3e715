import csv
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "examples" / "qnli"
DATA = ("train.csv", "train_with_unclear.csv", "validation.csv")


class Row(NamedTuple):
    question: str
    sentence: str
    label: str


def rows(name: str) -> list[Row]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        header, *lines = csv.reader(file)
    assert header == ["question", "sentence", "label"]
    return [Row(*line) for line in lines]


def texts(found: list[Row]) -> set[str]:
    return {text for row in found for text in (row.question, row.sentence)}


def facts() -> list[dict[str, str]]:
    with (FOLDER / "facts.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_data_are_what_make_data_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, FOLDER / "make_data.py", tmp_path], check=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(DATA)
    for name in DATA:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("train.csv", {"0": 150, "1": 150}),
        ("train_with_unclear.csv", {"0": 120, "1": 81, "2": 99}),
        ("validation.csv", {"0": 40, "1": 40}),
    ],
)
def test_labels_are_as_many_as_the_readme_says(name: str, labels: dict[str, int]) -> None:
    assert Counter(row.label for row in rows(name)) == labels


@pytest.mark.parametrize("name", DATA)
def test_no_pair_stands_in_a_file_twice(name: str) -> None:
    pairs = Counter((row.question, row.sentence) for row in rows(name))

    assert [pair for pair, count in pairs.items() if count > 1] == []


@pytest.mark.parametrize("name", DATA)
def test_labels_come_mixed(name: str) -> None:
    labels = [row.label for row in rows(name)]

    for start in range(0, len(labels), 20):
        assert len(set(labels[start : start + 20])) == len(set(labels))


def test_validation_shares_no_question_or_sentence_with_training() -> None:
    assert texts(rows("train.csv")) & texts(rows("validation.csv")) == set()


def test_the_unclear_file_holds_the_training_rows_with_only_label_2_changed() -> None:
    sure, unclear = rows("train.csv"), rows("train_with_unclear.csv")

    assert [row[:2] for row in sure] == [row[:2] for row in unclear]
    changed = {new.label for old, new in zip(sure, unclear, strict=True) if old != new}
    assert changed == {"2"}


def test_a_question_is_entailed_by_the_sentence_of_its_own_fact_and_by_no_other() -> None:
    answer = {
        fact[question]: fact["sentence"]
        for fact in facts()
        for question in ("question", "indirect_question")
    }

    for row in rows("train.csv") + rows("validation.csv"):
        assert (row.label == "0") == (answer[row.question] == row.sentence), row


def test_a_wrong_sentence_is_of_the_topic_of_the_question() -> None:
    topic = {
        fact[column]: fact["topic"]
        for fact in facts()
        for column in ("question", "indirect_question", "sentence")
    }

    for row in rows("train.csv") + rows("validation.csv"):
        assert topic[row.question] == topic[row.sentence], row


def test_the_facts_are_distinct() -> None:
    told = [fact[column] for fact in facts() for column in ("question", "indirect_question")]
    told += [fact["sentence"] for fact in facts()]

    assert len(told) == len(set(told)) == 360


def test_the_healthy_config_is_the_same_in_each_format() -> None:
    stated = json.loads((FOLDER / "healthy.json").read_text("utf-8"))

    assert yaml.safe_load((FOLDER / "healthy.yaml").read_text("utf-8")) == stated
    assert tomllib.loads((FOLDER / "healthy.toml").read_text("utf-8")) == stated


@pytest.mark.parametrize("name", ["broken.json", "healthy.json"])
def test_the_files_that_a_config_names_are_there(name: str) -> None:
    stated = json.loads((FOLDER / name).read_text("utf-8"))

    for key in ("train_file", "validation_file"):
        assert (ROOT / stated[key]).is_file(), stated[key]
