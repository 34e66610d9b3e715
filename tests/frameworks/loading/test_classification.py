"""A classification is prepared exactly as run_glue prepares it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
import transformers
from pipelines import write_csv, write_json

from pipedoctor.fact import Split, Unavailable
from pipedoctor.frameworks.loading.new import new_parameters
from pipedoctor.frameworks.loading.run import Run
from pipedoctor.targets.recipe import Recipe

Write = Callable[..., str]


def recipe(model: str, train: str, **more: Any) -> Recipe:
    return Recipe("text-classification", model, train_file=train, **more)


def script_map(kind: str, train: str, folder: str, cache: Path, **tokenize: Any) -> Any:
    """What run_glue makes of its training file, with `datasets.map` over all rows."""
    raw = datasets.load_dataset(kind, data_files={"train": train}, cache_dir=str(cache))["train"]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    label_to_id = {label: i for i, label in enumerate(sorted(raw.unique("label")))}
    columns = [name for name in raw.column_names if name != "label"][:2]

    def preprocess(examples: dict[str, list[Any]]) -> dict[str, list[Any]]:
        made = tokenizer(*(examples[name] for name in columns), truncation=True, **tokenize)
        made["label"] = [label_to_id[label] for label in examples["label"]]
        return made

    return raw.map(preprocess, batched=True, load_from_cache_file=False)


@pytest.mark.parametrize("pad", [True, False])
def test_rows_are_those_of_the_scripts_own_map(
    reuters_csv: Write, model_folder: str, tmp_path: Path, pad: bool
) -> None:
    train = reuters_csv(rows=slice(20))
    padding = "max_length" if pad else False
    theirs = script_map("csv", train, model_folder, tmp_path / "c", padding=padding, max_length=48)
    ours = Run(recipe(model_folder, train, max_length=48, pad_to_max_length=pad)).load_data(
        Split.TRAIN
    )
    assert ours.column_names == theirs.column_names
    assert ours.features == theirs.features
    assert ours.rows(range(20)) == list(theirs)
    assert ours.labels().to_pylist() == theirs["label"][:]
    assert ({len(row["input_ids"]) for row in theirs} == {48}) is pad


def test_pairs_of_texts_are_tokenised_together(model_folder: str, tmp_path: Path) -> None:
    rows = [("a question", "its answer", 0), ("another one", "and a long answer to it", 1)]
    train = write_csv(tmp_path / "t.csv", rows, "premise", "hypothesis", "label")
    theirs = script_map("csv", train, model_folder, tmp_path / "c", padding=False, max_length=128)
    ours = Run(recipe(model_folder, train, pad_to_max_length=False)).load_data(Split.TRAIN)
    assert ours.rows([0, 1]) == list(theirs)
    assert 1 in ours[0]["token_type_ids"]


def test_sentence1_and_sentence2_go_before_columns_that_stand_first(
    model_folder: str, tmp_path: Path
) -> None:
    rows = [("7", "one", "two", 0), ("8", "three", "four", 1)]
    train = write_csv(tmp_path / "t.csv", rows, "idx", "sentence1", "sentence2", "label")
    ours = Run(recipe(model_folder, train)).load_data(Split.TRAIN)
    assert ours.texts == ("sentence1", "sentence2")


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_labels_of_text_come_out_as_datasets_leaves_them(
    model_folder: str, tmp_path: Path, kind: str
) -> None:
    rows = [("a", "pos"), ("b", "neg"), ("c", "pos")]
    if kind == "csv":
        train = write_csv(tmp_path / "t.csv", rows, "text", "label")
    else:
        train = write_json(tmp_path / "t.json", [{"text": t, "label": n} for t, n in rows])
    theirs = script_map(
        kind, train, model_folder, tmp_path / "c", padding="max_length", max_length=128
    )
    ours = Run(recipe(model_folder, train)).load_data(Split.TRAIN)
    assert ours.labels().to_pylist() == theirs["label"][:]
    assert ours[0]["label"] == theirs[0]["label"]
    assert ours.features["label"] == theirs.features["label"]


def test_truth_values_stay_truth_values(model_folder: str, tmp_path: Path) -> None:
    train = write_json(tmp_path / "t.json", [{"t": "a", "label": i == 1} for i in range(3)])
    ours = Run(recipe(model_folder, train)).load_data(Split.TRAIN)
    assert ours.labels().to_pylist() == [False, True, False]


def test_minus_one_stays_and_still_counts_as_a_label(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", -1), ("b", 0), ("c", 1)], "text", "label")
    run = Run(recipe(model_folder, train))
    assert run.load_data(Split.TRAIN).labels().to_pylist() == [-1, 1, 2]
    assert run.load_data(Split.TRAIN)[1]["label"] == 1
    assert run.load_model().config.num_labels == 3


def test_a_stated_head_leaves_the_labels_alone(reuters_csv: Write, model_folder: str) -> None:
    run = Run(recipe(model_folder, reuters_csv(), labels=8))
    data = run.load_data(Split.TRAIN)
    assert set(data.labels().to_pylist()) == set(data.raw["label"][:])
    assert data[0]["label"] == data.raw[0]["label"] >= 4
    assert run.load_model().config.num_labels == 8


def test_floats_make_it_a_regression(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 0.5), ("b", 3)], "text", "label")
    run = Run(recipe(model_folder, train))
    assert run.load_model().config.num_labels == 1
    assert run.load_data(Split.TRAIN).labels().to_pylist() == [0.5, 3.0]


def test_whole_numbers_to_predict_are_cast(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 5), ("b", 3)], "text", "label")
    run = Run(recipe(model_folder, train, regression=True))
    data = run.load_data(Split.TRAIN)
    assert run.load_model().config.num_labels == 1
    assert data.labels().type == "float"
    assert isinstance(data[0]["label"], float)


def test_limits_cut_the_rows_but_not_the_labels_that_are_counted(
    reuters_csv: Write, model_folder: str
) -> None:
    run = Run(recipe(model_folder, reuters_csv(), max_train_rows=5))
    data = run.load_data(Split.TRAIN)
    assert len(data) == 5
    labels = set(data.raw["label"][:])
    assert run.load_model().config.num_labels > len(labels)


def test_evaluation_labels_are_numbered_by_the_training_data(
    reuters_csv: Write, model_folder: str, tmp_path: Path
) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 4), ("b", 7), ("c", 9)], "text", "label")
    held = write_csv(tmp_path / "e.csv", [("d", 9), ("e", 4)], "text", "label")
    run = Run(recipe(model_folder, train, eval_file=held))
    assert run.load_data(Split.EVAL).labels().to_pylist() == [2, 0]


def test_an_evaluation_label_that_training_lacks_is_the_scripts_key_error(
    model_folder: str, tmp_path: Path
) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 0), ("b", 1)], "text", "label")
    held = write_csv(tmp_path / "e.csv", [("c", 1), ("d", 2), ("e", 2)], "text", "label")
    run = Run(recipe(model_folder, train, eval_file=held))
    assert run.load_data(Split.TRAIN).labels().to_pylist() == [0, 1]
    with pytest.raises(KeyError, match=r"^2: 2 of 3 rows of the evaluation data .*rows 1, 2") as e:
        run.load_data(Split.EVAL)
    assert "known are 0, 1" in str(e.value)


def test_the_model_has_the_weights_that_the_script_would_start_with(
    reuters_csv: Write, model_folder: str
) -> None:
    run = Run(recipe(model_folder, reuters_csv(), seed=7))
    ours = run.load_model()
    transformers.set_seed(7)
    config = transformers.AutoConfig.from_pretrained(model_folder, num_labels=8)
    theirs = transformers.AutoModelForSequenceClassification.from_pretrained(
        model_folder, config=config
    )
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name
    assert new_parameters(ours) == {"classifier.weight", "classifier.bias"}
    assert ours.config.id2label == {place: place + 4 for place in range(8)}


def test_loading_a_model_leaves_the_random_states(reuters_csv: Write, model_folder: str) -> None:
    import random

    import numpy as np

    torch.manual_seed(1)
    numpy_state = np.random.get_state
    states = torch.get_rng_state(), random.getstate(), numpy_state()[1].tolist()
    Run(recipe(model_folder, reuters_csv(rows=slice(50)))).load_model()
    assert torch.equal(states[0], torch.get_rng_state())
    assert states[1] == random.getstate()
    assert states[2] == numpy_state()[1].tolist()


@pytest.mark.parametrize(
    ("pad", "multiple", "name"),
    [
        (True, None, "function"),
        (False, None, "DataCollatorWithPadding"),
        (False, 8, "DataCollatorWithPadding"),
    ],
)
def test_collator_is_the_scripts(
    model_folder: str, pad: bool, multiple: int | None, name: str
) -> None:
    run = Run(recipe(model_folder, "none.csv", pad_to_max_length=pad, pad_to_multiple=multiple))
    collator = run.load_collator()
    assert type(collator).__name__ == name
    if pad:
        assert collator is transformers.default_data_collator
    else:
        assert collator.pad_to_multiple_of == multiple


def test_length_is_that_of_the_tokenizer_at_most(reuters_csv: Write, model_folder: str) -> None:
    data = Run(recipe(model_folder, reuters_csv(), max_length=9999)).load_data(Split.TRAIN)
    assert len(data[0]["input_ids"]) == 512


def test_glue_tasks_need_their_data_in_the_cache(model_folder: str) -> None:
    run = Run(Recipe("text-classification", model_folder, glue_task="qnli"))
    with pytest.raises(Unavailable, match=r"nyu-mll/glue \(qnli\) is neither a local folder nor"):
        run.load_data(Split.TRAIN)


def test_a_glue_label_follows_the_order_of_the_models_labels(
    model_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = datasets.Features(
        question=datasets.Value("string"),
        sentence=datasets.Value("string"),
        label=datasets.ClassLabel(names=["entailment", "not_entailment"]),
    )
    rows = {"question": ["a", "b"], "sentence": ["c", "d"], "label": [0, 1]}
    home = tmp_path / "nyu-mll___glue" / "qnli" / "0.0.0" / "abc"
    home.mkdir(parents=True)
    (home / "dataset_info.json").write_text("{}")
    with datasets.arrow_writer.ArrowWriter(
        features=features, path=str(home / "glue-train.arrow")
    ) as writer:
        writer.write_batch(rows)
        writer.finalize()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(tmp_path))
    before = sorted(tmp_path.rglob("*"))

    run = Run(Recipe("text-classification", model_folder, glue_task="qnli"))
    assert run.load_data(Split.TRAIN).labels().to_pylist() == [0, 1]
    assert run.load_model().config.label2id == {"entailment": 0, "not_entailment": 1}

    config = transformers.AutoConfig.from_pretrained(model_folder)
    config.label2id = {"NOT_entailment": 0, "entailment": 1}
    task = run._task
    assert task.prepare(Split.TRAIN, run.load_tokenizer, lambda: config).labels().to_pylist() == [
        1,
        0,
    ]
    assert sorted(tmp_path.rglob("*")) == before, "nothing is written beside the user's files"
