"""Whose arguments a config holds is told from its keys, else from its data."""

import pytest

from pipedoctor.targets.sample import NOTHING, Sample
from pipedoctor.targets.scripts import OWN, SCRIPTS, recognise

TRAINING = {
    "output_dir": "out",
    "do_train": True,
    "do_eval": True,
    "per_device_train_batch_size": 8,
    "learning_rate": 2e-5,
    "num_train_epochs": 3,
}
BERT = TRAINING | {"model_name_or_path": "google-bert/bert-base-cased"}
FILES = {"train_file": "train.json", "validation_file": "dev.json"}

# The command lines of the scripts' own pages, as configs.
OFFICIAL = {
    "run_glue": BERT | {"task_name": "mrpc", "max_seq_length": 128},
    "run_classification": BERT
    | {
        "dataset_name": "amazon_reviews_multi",
        "dataset_config_name": "en",
        "shuffle_train_dataset": True,
        "metric_name": "accuracy",
        "text_column_names": "review_title,review_body,product_category",
        "text_column_delimiter": "\n",
        "label_column_name": "stars",
        "max_seq_length": 512,
    },
    "run_xnli": BERT | {"language": "de", "train_language": "en", "max_seq_length": 128},
    "run_ner": BERT | {"dataset_name": "conll2003"},
    "run_qa": BERT | {"dataset_name": "squad", "max_seq_length": 384, "doc_stride": 128},
    "run_clm": BERT
    | {"dataset_name": "wikitext", "dataset_config_name": "wikitext-2-raw-v1", "block_size": 128},
    "run_mlm": BERT | {"train_file": "corpus.txt", "line_by_line": True},
    "run_summarization": BERT
    | {
        "dataset_name": "cnn_dailymail",
        "dataset_config_name": "3.0.0",
        "source_prefix": "summarize: ",
        "predict_with_generate": True,
    },
    "run_translation": BERT
    | {
        "source_lang": "en",
        "target_lang": "ro",
        "dataset_name": "wmt16",
        "dataset_config_name": "ro-en",
    },
}


@pytest.mark.parametrize(("name", "config"), OFFICIAL.items())
def test_official_config(name, config):
    script, _ = recognise(config, NOTHING)
    assert script.name == name
    # Every key is an argument of the script or of the trainer.
    assert set(config) - set(TRAINING) <= script.keys


def test_a_mark_or_a_task_is_sure_and_the_rest_is_assumed():
    assert recognise(OFFICIAL["run_glue"], NOTHING)[1]
    assert recognise(OFFICIAL["run_qa"], NOTHING)[1]
    assert not recognise(OFFICIAL["run_ner"], NOTHING)[1]


def test_marks_belong_to_one_script_only():
    for script in SCRIPTS.values():
        for other in SCRIPTS.values():
            assert other is script or not script.marks & other.keys, (script.name, other.name)


def test_marks_are_no_words_that_users_take_for_their_own():
    assert not any(script.marks & OWN for script in SCRIPTS.values())


def test_no_script_defines_what_trainer_defines():
    from pipedoctor.probes import releases

    known = releases.load().names().keys()
    for script in SCRIPTS.values():
        assert not script.keys & known, script.name
    assert not OWN & known


@pytest.mark.parametrize(
    ("columns", "more", "name"),
    [
        (("sentence1", "sentence2", "label"), {}, "run_glue"),
        (("text", "label"), {"max_seq_length": 64}, "run_glue"),
        (("review", "stars"), {"label_column": "stars"}, "run_glue"),
        (("review", "stars"), {"pad_to_max_length": False}, "run_glue"),
        (("review", "stars"), {"num_labels": 5}, "run_glue"),
        (("tokens", "ner_tags"), {"max_seq_length": 64}, "run_ner"),
        (("id", "context", "question", "answers"), {"max_seq_length": 384}, "run_qa"),
        (("data",), {"max_seq_length": 384}, "run_qa"),
        (("sent1", "sent2", "ending0", "label"), {"max_seq_length": 64}, "run_swag"),
        (("translation",), {}, "run_translation"),
        (("document", "summary"), {}, "run_summarization"),
        (("text",), {}, "run_clm"),
        (("text",), {"max_seq_length": 64}, "run_mlm"),
        ((), {}, "run_glue"),
    ],
)
def test_by_the_columns_of_the_training_file(columns, more, name):
    script, sure = recognise(BERT | FILES | more, Sample(columns))
    assert script.name == name
    assert sure is bool(columns), "what can't be seen is only assumed"


def test_text_files_are_for_language_models():
    text = BERT | {"train_file": "corpus.txt"}
    assert recognise(text, NOTHING)[0].name == "run_clm"
    assert recognise(text | {"max_seq_length": 64}, NOTHING)[0].name == "run_mlm"


def test_a_share_for_validation_is_for_language_models_unless_there_are_labels():
    config = BERT | {"train_file": "a.csv", "validation_split_percentage": 10}
    assert recognise(config, NOTHING)[0].name == "run_clm"
    assert recognise(config, Sample(("text", "label")))[0].name == "run_glue"


@pytest.mark.parametrize(
    "config",
    [
        TRAINING,
        BERT,
        BERT | {"max_seq_length": 512},
        BERT | {"dataset_name": "my/own"},
        BERT | FILES,
    ],
    ids=["arguments only", "a model", "a length", "an unknown data set", "unknown columns"],
)
def test_where_any_script_may_be_meant_none_is(config):
    assert recognise(config, Sample(("a", "b"))) is None


@pytest.mark.parametrize("task", ["QNLI", "qnli"])
def test_task_in_capitals(task):
    assert recognise(BERT | {"task_name": task}, NOTHING)[0].name == "run_glue"


def test_values_of_any_kind_do_no_harm():
    for value in (None, 3, [], ["a"], {"a": 1}, True, "", "x"):
        for key in ("task_name", "train_file", "dataset_name", "label_column", "source_prefix"):
            recognise({key: value}, Sample(("a",)))
