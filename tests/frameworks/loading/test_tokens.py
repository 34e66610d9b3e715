"""Token classification is prepared exactly as run_ner prepares it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import datasets
import pytest
import transformers
from pipelines import run, write_csv, write_json

from pipedoctor.fact import Split
from pipedoctor.facts import Batch, Collator, Forward, Head, Labels
from pipedoctor.frameworks.loading.run import Run
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.targets.recipe import Recipe

SENTENCES = [
    (["Anna", "Schmidtbauer", "visits", "Antananarivo"], ["B-PER", "I-PER", "O", "B-LOC"]),
    (["Nothing", "happens"], ["O", "O"]),
    (["Unquestionably", ",", "Schmidtbauer", "!"], ["O", "O", "B-PER", "O"]),
]
TAGS = ["B-LOC", "B-PER", "I-PER", "O"]


@pytest.fixture
def train(tmp_path: Path) -> str:
    rows = [{"id": i, "tokens": w, "ner_tags": t} for i, (w, t) in enumerate(SENTENCES)]
    return write_json(tmp_path / "train.json", rows)


def recipe(model: str, train: str, **more: Any) -> Recipe:
    return Recipe("token-classification", model, train_file=train, pad_to_max_length=False, **more)


def by_the_script(folder: str, all_tokens: bool, number: dict[str, int]) -> list[list[int]]:
    """The labels of each token, in the way of run_ner's tokenize_and_align_labels."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    made = tokenizer([words for words, _ in SENTENCES], is_split_into_words=True, truncation=True)
    goes_on = {number["B-PER"]: number["I-PER"]}
    labels = []
    for i, (_, tags) in enumerate(SENTENCES):
        previous, row = None, []
        for word in made.word_ids(batch_index=i):
            if word is None:
                row.append(-100)
            elif word != previous:
                row.append(number[tags[word]])
            elif all_tokens:
                row.append(goes_on.get(number[tags[word]], number[tags[word]]))
            else:
                row.append(-100)
            previous = word
        labels.append(row)
    return labels


@pytest.mark.parametrize("all_tokens", [True, False])
def test_labels_are_moved_to_the_tokens(model_folder: str, train: str, all_tokens: bool) -> None:
    data = Run(recipe(model_folder, train, label_all_tokens=all_tokens)).load_data(Split.TRAIN)
    rows = data.rows(range(3))
    expected = by_the_script(model_folder, all_tokens, {t: i for i, t in enumerate(TAGS)})
    assert [row["labels"] for row in rows] == expected
    assert all(len(row["labels"]) == len(row["input_ids"]) for row in rows)
    assert any(-100 in labels[1:-1] for labels in expected) is not all_tokens


def test_the_run_goes_through(model_folder: str, train: str) -> None:
    found = run(recipe(model_folder, train))
    labels = found.fact(Labels)
    assert (labels.column, labels.kind, labels.per_token, labels.width) == (
        "labels",
        "int",
        True,
        None,
    )
    assert labels.counts == {0: 1, 1: 2, 2: 1, 3: 6}
    assert labels.examples == {0: (0,), 1: (0, 2), 2: (0,), 3: (0, 1, 2)}
    assert labels.texts[1] == "Nothing happens"
    head = found.fact(Head)
    assert (head.outputs, head.per_token) == (4, True)
    assert head.names == dict(enumerate(TAGS))
    assert found.fact(Collator).name == "DataCollatorForTokenClassification"
    assert found.fact(Batch).arrays["labels"].shape == found.fact(Batch).arrays["input_ids"].shape
    forward = found.fact(Forward)
    assert len(forward.row_losses) == 3


def test_classes_that_have_names_are_numbers_already(model_folder: str, tmp_path: Path) -> None:
    features = datasets.Features(
        words=datasets.List(datasets.Value("string")),
        tags=datasets.List(datasets.ClassLabel(names=["O", "B-PER", "I-PER", "B-LOC"])),
    )
    path = str(tmp_path / "train.parquet")
    datasets.Dataset.from_dict(
        {"words": [w for w, _ in SENTENCES], "tags": [t for _, t in SENTENCES]}, features=features
    ).to_parquet(path)
    stated = recipe(model_folder, path, text_columns=("words",), label_column="tags")
    data = Run(stated).load_data(Split.TRAIN)
    number = {name: i for i, name in enumerate(["O", "B-PER", "I-PER", "B-LOC"])}
    assert [row["labels"] for row in data.rows(range(3))] == by_the_script(
        model_folder, False, number
    )
    assert data.labels().to_pylist() == [[number[tag] for tag in tags] for _, tags in SENTENCES]
    labels = run(stated).fact(Labels)
    assert labels.names == dict(enumerate(number))


def test_the_order_of_the_models_own_tags_is_taken(
    tmp_path: Path, model_folder: str, train: str
) -> None:
    order = {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3}
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        model_folder, label2id=order, id2label={i: tag for tag, i in order.items()}
    )
    model.save_pretrained(tmp_path / "own")
    Run(recipe(model_folder, train)).load_tokenizer().save_pretrained(tmp_path / "own")
    prepared = Run(recipe(str(tmp_path / "own"), train))
    assert [row["labels"] for row in prepared.load_data(Split.TRAIN).rows(range(3))] == (
        by_the_script(model_folder, False, order)
    )
    assert prepared.load_model().config.label2id == order


def test_tags_in_a_text_are_no_list(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a b", "O O")], "tokens", "ner_tags")
    with pytest.raises(ProbeFailed, match="needs a list of tags in each row"):
        run(recipe(model_folder, train)).fact(Labels)


def test_fewer_tags_than_words_are_what_the_script_meets(
    model_folder: str, tmp_path: Path
) -> None:
    train = write_json(tmp_path / "t.json", [{"tokens": ["a", "b"], "ner_tags": ["O"]}])
    with pytest.raises(ProbeFailed, match="IndexError"):
        run(recipe(model_folder, train)).fact(Batch)
