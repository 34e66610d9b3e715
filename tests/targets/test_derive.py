"""The recipe of a config says what its script would do with these arguments."""

from dataclasses import replace

import pytest

from pipedoctor.fact import Split
from pipedoctor.finding import Location
from pipedoctor.targets import derive
from pipedoctor.targets.document import Document
from pipedoctor.targets.recipe import Recipe
from pipedoctor.targets.sample import NOTHING, Sample
from pipedoctor.targets.scripts import SCRIPTS

MODEL = {"model_name_or_path": "bert"}
FILES = {"train_file": "a.csv", "validation_file": "b.csv"}


def document(stated):
    places = {key: Location("c.json", row, key) for row, key in enumerate(stated, 1)}
    return Document(stated, places)


def recipe(script, **stated):
    return derive.recipe(document(MODEL | stated), SCRIPTS[script])


GLUE = Recipe(
    "text-classification",
    "bert",
    train_file="a.csv",
    eval_file="b.csv",
    max_length=128,
    pad_to_max_length=True,
)


def test_run_glue_with_files_and_its_defaults():
    assert recipe("run_glue", **FILES) == GLUE


def test_all_that_is_stated_is_taken_over():
    stated = {
        "config_name": "c",
        "tokenizer_name": "t",
        "model_revision": "r",
        "cache_dir": "d",
        "use_fast_tokenizer": False,
        "max_train_samples": 10,
        "max_eval_samples": 5,
        "max_seq_length": 64,
        "pad_to_max_length": False,
        "fp16": True,
        "ignore_mismatched_sizes": True,
        "seed": 0,
    }
    assert recipe("run_glue", **FILES, **stated) == Recipe(
        "text-classification",
        "bert",
        config="c",
        tokenizer="t",
        revision="r",
        cache_dir="d",
        use_fast=False,
        train_file="a.csv",
        eval_file="b.csv",
        max_train_rows=10,
        max_eval_rows=5,
        max_length=64,
        pad_to_max_length=False,
        pad_to_multiple=8,
        ignore_mismatched_sizes=True,
        seed=0,
    )


def test_head_and_columns_of_a_script_of_ones_own():
    own = {"num_labels": 3, "problem_type": "regression", "label_column": "y", "text_column": "x"}
    assert recipe("run_glue", **FILES, **own) == replace(
        GLUE, labels=3, problem_type="regression", label_column="y", text_columns=("x",)
    )
    assert recipe("run_glue", **FILES, id2label={"0": "no", "1": "yes"}).labels == 2
    assert recipe("run_glue", **FILES, label2id=["a", "b", "c"]).labels == 3
    assert recipe("run_glue", **FILES, text_column=["x", "y"]).text_columns == ("x", "y")
    assert recipe("run_glue", **FILES, torch_dtype="bfloat16").dtype == "bfloat16"


def test_a_task_outranks_a_data_set_which_outranks_files():
    both = recipe("run_glue", **FILES, dataset_name="imdb", task_name="MRPC")
    assert (both.glue_task, both.dataset, both.train_file) == ("mrpc", None, None)
    both = recipe("run_glue", **FILES, dataset_name="imdb", dataset_config_name="plain")
    assert (both.dataset, both.dataset_config, both.train_file) == ("imdb", "plain", None)
    # No task of GLUE: run_glue itself would stop at it, so files are for a script of one's own.
    assert recipe("run_glue", **FILES, task_name="mine") == GLUE


def test_run_classification():
    made = recipe("run_classification", **FILES, label_column_name="stars")
    assert made == replace(GLUE, label_column="stars", text_columns=("sentence",))
    made = recipe("run_classification", **FILES, text_column_names="body", do_regression=True)
    assert made == replace(GLUE, text_columns=("body",), regression=True)
    # A script of one's own looks for its texts where it likes.
    assert recipe("run_classification", **FILES, num_labels=2).text_columns == ()
    splits = {"train_split_name": "tr", "validation_split_name": "va", "dataset_name": "x"}
    made = recipe("run_classification", **splits)
    assert (made.train_split, made.eval_split) == ("tr", "va")


def test_run_xnli():
    made = recipe("run_xnli", language="de")
    assert (made.dataset, made.dataset_config) == ("xnli", "de")
    assert made.text_columns == ("premise", "hypothesis")
    assert recipe("run_xnli", language="de", train_language="en").dataset_config == "en"


def test_run_ner():
    made = recipe("run_ner", **FILES, fp16=True, label_all_tokens=True, task_name="POS")
    assert made == Recipe(
        "token-classification",
        "bert",
        train_file="a.csv",
        eval_file="b.csv",
        pad_to_max_length=False,
        pad_to_multiple=8,
        tagging="pos",
        label_all_tokens=True,
    )
    assert recipe("run_ner", **FILES, text_column_name="words").text_columns == ("words",)


def test_language_models():
    made = recipe("run_clm", train_file="a.txt", block_size=64, keep_linebreaks=False)
    assert (made.task, made.block_size, made.keep_linebreaks) == ("causal-lm", 64, False)
    assert made.eval_percent == 5
    made = recipe("run_mlm", train_file="a.txt", mlm_probability=1, fp16=True)
    assert (made.task, made.mlm_probability, made.pad_to_multiple) == ("masked-lm", 1.0, None)
    made = recipe("run_mlm", train_file="a.txt", line_by_line=True, fp16=True)
    assert made.pad_to_multiple == 8
    assert recipe("run_mlm", train_file="a", validation_split_percentage=20).eval_percent == 20


@pytest.mark.parametrize("script", ["run_qa", "run_summarization", "run_translation", "run_swag"])
def test_there_is_no_recipe_for_tasks_that_are_not_known(script):
    assert recipe(script, **FILES) is None


def test_there_is_no_recipe_without_a_model():
    assert derive.recipe(document(FILES), SCRIPTS["run_glue"]) is None


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        (
            {"max_seq_length": "128"},
            "c.json:2: max_seq_length is '128', but run_glue needs a whole number",
        ),
        (
            {"max_seq_length": 128.0},
            "c.json:2: max_seq_length is 128.0, but run_glue needs a whole number",
        ),
        (
            {"max_train_samples": True},
            "c.json:2: max_train_samples is True, but run_glue needs a whole number",
        ),
        (
            {"train_file": ["a.csv"]},
            "c.json:2: train_file is ['a.csv'], but run_glue needs a text",
        ),
        ({"tokenizer_name": 5}, "c.json:2: tokenizer_name is 5, but run_glue needs a text"),
    ],
)
def test_a_value_of_a_type_with_which_the_script_would_fail(stated, text):
    with pytest.raises(TypeError) as caught:
        recipe("run_glue", **stated)
    assert str(caught.value) == text


def test_a_value_with_which_the_script_would_fail():
    with pytest.raises(ValueError, match=r"^task_name is 'mine', but run_glue knows cola, mnli, "):
        recipe("run_glue", task_name="mine")
    with pytest.raises(ValueError, match=r"^train_file is 'a\\x00b', with a zero character in it"):
        recipe("run_glue", train_file="a\0b")


def test_null_stands_for_what_is_not_stated():
    stated = {"tokenizer_name": None, "max_train_samples": None, "cache_dir": ""}
    assert recipe("run_glue", **FILES, **stated) == GLUE


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ({"lora_r": 8}, "lora_r makes another model"),
        ({"use_peft": True}, "use_peft makes another model"),
        ({"freeze_layers": 4}, "freeze_layers makes another model"),
        ({"load_in_4bit": True, "use_lora": False}, "load_in_4bit makes another model"),
        ({"use_lora": False, "lora_r": 8}, None),
        ({"load_in_8bit": False, "num_labels": 3}, None),
    ],
)
def test_what_makes_another_model(stated, reason):
    found = derive.model_obstacle(document(stated))
    assert found is None if reason is None else found.startswith(reason)


@pytest.mark.parametrize(
    ("script", "stated", "train", "evaluation"),
    [
        ("run_glue", FILES, None, None),
        ("run_glue", {"train_file": "a", "test_size": 0.1}, "test_size takes", "test_size takes"),
        ("run_glue", FILES | {"test_size": 0.1}, None, None),
        ("run_clm", {"streaming": True}, "run_clm streams", "run_clm streams"),
        ("run_xnli", {"language": "de"}, None, None),
        (
            "run_xnli",
            {"language": "de", "train_language": "en"},
            None,
            "run_xnli evaluates on another",
        ),
        ("run_classification", FILES, None, "run_classification takes labels from all"),
        ("run_classification", {"do_regression": True}, None, None),
        (
            "run_classification",
            {"text_column_names": "a,b"},
            "run_classification joins",
            "run_classification joins",
        ),
        (
            "run_classification",
            {"remove_columns": "a"},
            "run_classification removes",
            "run_classification removes",
        ),
    ],
)
def test_data_that_cannot_be_prepared_as_the_script_would(script, stated, train, evaluation):
    for split, expected in ((Split.TRAIN, train), (Split.EVAL, evaluation)):
        found = derive.data_obstacle(document(stated), SCRIPTS[script], NOTHING, split)
        assert found is None if expected is None else found.startswith(expected)


def test_lists_of_labels():
    sample = Sample(("label",), ({"label": ["a"]},))
    for split in Split:
        found = derive.data_obstacle(document({}), SCRIPTS["run_classification"], sample, split)
        assert found.startswith("run_classification takes lists of labels")
