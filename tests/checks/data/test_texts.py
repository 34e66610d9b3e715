"""Faults of data that a script's text shows, where nothing was loaded: DAT001, 3, 7 and 30."""

import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor_checks.data.metric_used_as_data import metric_used_as_data as metric
from pipedoctor_checks.data.raw_dataset_given import raw_dataset_given as raw
from pipedoctor_checks.data.token_id_beyond_embedding import token_id_beyond_embedding as tokens
from pipedoctor_checks.data.transform_loses_columns import transform_loses_columns as transform

HEAD = """import evaluate
from datasets import load_dataset
from transformers import AutoModelForSequenceClassification, AutoTokenizer
from transformers import Trainer, TrainingArguments
model = AutoModelForSequenceClassification.from_pretrained("bert-base-cased")
tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
args = TrainingArguments("out"{})
data = load_dataset("glue", "mnli")
def prepare(rows):
    ids = tokenizer(rows["text"])
    ids["labels"] = rows["label"]
    return ids
"""
TRAIN = "trainer = Trainer(model, args, train_dataset={})\ntrainer.train()\n"


def found(check, text, more=""):
    return outcome(check, script=HEAD.format(more) + text).findings


def test_the_raw_data_beside_its_tokenised_copy():
    (finding,) = found(raw, "tokenised = data.map(prepare)\n" + TRAIN.format('data["train"]'))
    assert finding.remedy == 'train_dataset=tokenised["train"]'


def test_the_raw_data_for_one_split_and_the_copy_for_the_other():
    both = 'data["train"], eval_dataset=tokenised["validation"]'
    (finding,) = found(raw, "tokenised = data.map(prepare)\n" + TRAIN.format(both))
    assert finding.remedy == 'train_dataset=tokenised["train"]'


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("tokenised = data.map(prepare)\n" + TRAIN.format('tokenised["train"]'), ""),
        ("data = data.map(prepare)\n" + TRAIN.format('data["train"]'), ""),
        (
            "t = data.map(prepare)\n" + TRAIN.format('data["train"]'),
            ", remove_unused_columns=False",
        ),
        ("t = data.map(prepare)\nshow(t)\n" + TRAIN.format('data["train"]'), ""),
        ("clean = data.map(strip)\n" + TRAIN.format('data["train"]'), ""),
        (
            (
                "from trl import SFTTrainer\nt = data.map(prepare)\n"
                "SFTTrainer(model, args=args, train_dataset=data)"
            ),
            "",
        ),
    ],
)
def test_data_that_is_no_fault(text, more):
    told = outcome(raw, script=HEAD.format(more) + text)
    assert (told.findings, told.status) == ((), Status.SKIPPED)


@pytest.mark.parametrize(
    "text",
    [
        "train = data.with_transform(prepare)\n" + TRAIN.format("train"),
        "data['train'].set_transform(prepare)\n" + TRAIN.format("data['train']"),
    ],
)
def test_a_transform_that_reads_what_is_dropped(text):
    (finding,) = found(transform, text)
    assert finding.evidence["reads"] == ["text"]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        (
            "train = data.with_transform(prepare)\n" + TRAIN.format("train"),
            ", remove_unused_columns=False",
        ),
        ("train = data.with_transform(prepare)\n" + TRAIN.format("other"), ""),
        (
            "def cut(rows):\n    rows['x'] = 1\n    return {'input_ids': rows['input_ids']}\n"
            "train = data.with_transform(cut)\n" + TRAIN.format("train"),
            "",
        ),
        (
            "args.remove_unused_columns = False\ntrain = data.with_transform(prepare)\n"
            + TRAIN.format("train"),
            "",
        ),
    ],
)
def test_transforms_that_are_no_fault(text, more):
    assert found(transform, text, more) == ()


def test_tokens_without_rows():
    (finding,) = found(tokens, "tokenizer.add_tokens(['<a>', '<b>'])\n" + TRAIN.format("x"))
    assert finding.severity is Severity.WARNING
    assert "model.resize_token_embeddings(len(tokenizer))" in finding.remedy


@pytest.mark.parametrize(
    "text",
    [
        "tokenizer.add_tokens(['<a>'])\nmodel.resize_token_embeddings(len(tokenizer))\n",
        "tokenizer.add_special_tokens({'pad_token': '[PAD]'})\n",
        "tokenizer.add_tokens(chosen)\n",
        "words = set()\nwords.add_tokens(['<a>'])\n",
        "def unused():\n    tokenizer.add_tokens(['<a>'])\n",
    ],
)
def test_tokens_that_are_no_fault(text):
    assert found(tokens, text + TRAIN.format("x")) == ()


def test_without_a_training_nothing_is_said_of_tokens():
    assert found(tokens, "tokenizer.add_tokens(['<a>'])\n") == ()


@pytest.mark.parametrize("use", ["m.map(prepare)", "m.train_test_split(0.1)"])
def test_a_metric_that_is_used_as_data(use):
    (finding,) = found(metric, f'm = evaluate.load("glue", "mnli")\n{use}\n')
    assert finding.remedy == 'datasets.load_dataset("glue", "mnli") in line 13'
    assert finding.where.line == 13


@pytest.mark.parametrize(
    "text",
    [
        'm = evaluate.load("glue", "mnli")\nm.compute(predictions=p, references=r)\n',
        "data.map(prepare)\n",
        'm = evaluate.load("f1")\nm = data\nm.map(prepare)\n',
    ],
)
def test_metrics_that_are_used_as_such(text):
    assert found(metric, text) == ()
