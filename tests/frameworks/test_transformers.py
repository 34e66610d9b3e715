"""What models, heads, tokenizers and collators of transformers tell of themselves."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import datasets
import pytest
import torch
import transformers
from pipelines import pipeline, run, write_csv

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Collator, Head, Model, Tokenizer
from pipedoctor.facts.head import MULTI, REGRESSION, SINGLE
from pipedoctor.frameworks.data.collators import describe
from pipedoctor.targets.recipe import Recipe


def test_model_of_a_config(reuters_csv: Callable[..., str], model_folder: str) -> None:
    found = run(Recipe("text-classification", model_folder, train_file=reuters_csv())).fact(Model)
    assert found.name == "BertForSequenceClassification"
    assert found.size == found.trainable == 22_713_216 + 8 * 384 + 8
    assert found.new == {"classifier.weight", "classifier.bias"}
    assert (found.embedding_rows, found.positions, found.pad_id) == (30522, 512, 0)
    assert found.decoder_only is False
    assert found.label_names == ("labels",)


def test_head_of_a_config(reuters_csv: Callable[..., str], model_folder: str) -> None:
    train = reuters_csv()
    found = run(Recipe("text-classification", model_folder, train_file=train)).fact(Head)
    assert (found.outputs, found.problem_type, found.new) == (8, SINGLE, True)
    assert found.inferred == "8 outputs and labels of type int"
    assert found.names == {place: str(place + 4) for place in range(8)}
    assert found.origin.origin == f"derived from the labels of {train}"


def test_head_of_a_regression(model_folder: str, tmp_path: Any) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 0.5), ("b", 1.5)], "text", "label")
    found = run(Recipe("text-classification", model_folder, train_file=train)).fact(Head)
    assert (found.outputs, found.problem_type) == (1, REGRESSION)
    assert found.inferred == "a head with 1 output"


@pytest.mark.parametrize(
    ("config", "labels"),
    [
        ({"num_labels": 3}, [0, 2]),
        ({"num_labels": 3}, [0.0, 2.0]),
        ({"num_labels": 3}, [True, False]),
        ({"num_labels": 3}, [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]),
        ({"num_labels": 1}, [0, 1]),
        ({"num_labels": 3, "problem_type": MULTI}, [[0.0, 1.0, 1.0], [1.0, 0.0, 0.0]]),
    ],
)
def test_problem_type_is_what_the_model_makes_of_its_first_batch(
    tiny: Callable[..., Any], config: dict[str, Any], labels: list[Any]
) -> None:
    rows = {"input_ids": [[2, 5, 6, 3]] * 2, "label": labels}
    if isinstance(labels[0], list):
        rows["labels"] = rows.pop("label")
    data = datasets.Dataset.from_dict(rows)
    model = tiny(**config)
    found = pipeline(model=model, train_data=data).fact(Head)
    batch = transformers.default_data_collator(list(data))
    with suppress(ValueError, RuntimeError):  # the kind is noted before the loss fails
        model(**batch)
    assert found.problem_type == model.config.problem_type
    assert (found.inferred == "") is ("problem_type" in config)


def test_problem_type_is_not_guessed_without_labels(tiny: Callable[..., Any]) -> None:
    assert not pipeline(model=tiny()).fact(Head).known("problem_type")


@pytest.mark.parametrize(
    ("kind", "outputs", "per_token"),
    [
        ("BertForSequenceClassification", 5, False),
        ("BertForTokenClassification", 5, True),
        ("BertForMaskedLM", 100, True),
        ("GPT2LMHeadModel", 100, True),
        ("GPT2ForSequenceClassification", 5, False),
    ],
)
def test_outputs(tiny: Callable[..., Any], kind: str, outputs: int, per_token: bool) -> None:
    found = pipeline(model=tiny(kind, num_labels=5)).fact(Head)
    assert (found.outputs, found.per_token) == (outputs, per_token)
    assert not found.known("new")


def test_a_model_without_head_has_none(tiny: Callable[..., Any]) -> None:
    with pytest.raises(Unavailable, match="BertModel has no head"):
        pipeline(model=tiny("BertModel")).fact(Head)


def test_names_that_say_nothing_are_not_told(tiny: Callable[..., Any]) -> None:
    assert pipeline(model=tiny(num_labels=2)).fact(Head).names == {}
    named = tiny(id2label={0: "no", 1: "yes"})
    assert pipeline(model=named).fact(Head).names == {0: "no", 1: "yes"}


@pytest.mark.parametrize(
    ("kind", "config", "limit"),
    [
        ("BertForSequenceClassification", {}, 32),
        ("RobertaForSequenceClassification", {"pad_token_id": 1}, 30),
        ("GPT2LMHeadModel", {"n_positions": 32}, 32),
        ("OPTForCausalLM", {"ffn_dim": 16, "word_embed_proj_dim": 16}, 32),
        ("DistilBertForSequenceClassification", {"dim": 16, "n_heads": 2, "n_layers": 1}, 32),
        ("LlamaForCausalLM", {}, None),
        (
            "T5ForConditionalGeneration",
            {"d_model": 16, "d_kv": 8, "d_ff": 16, "num_layers": 1, "num_heads": 2},
            None,
        ),
    ],
)
def test_positions_are_what_the_model_can_take(
    tiny: Callable[..., Any], kind: str, config: dict[str, Any], limit: int | None
) -> None:
    model = tiny(kind, **config).eval()
    found = pipeline(model=model).fact(Model)
    assert found.positions == limit
    if limit is None:
        return
    ids = torch.full((1, limit), 5)
    model(input_ids=ids, attention_mask=torch.ones_like(ids))
    ids = torch.full((1, limit + 1), 5)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        model(input_ids=ids, attention_mask=torch.ones_like(ids))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("GPT2LMHeadModel", True),
        ("GPT2ForSequenceClassification", True),
        ("LlamaForCausalLM", True),
        ("BertForSequenceClassification", False),
        ("RobertaForSequenceClassification", False),
    ],
)
def test_decoders(tiny: Callable[..., Any], kind: str, expected: bool) -> None:
    assert pipeline(model=tiny(kind)).fact(Model).decoder_only is expected


def test_a_stated_number_of_labels_is_where_the_head_comes_from(tiny: Callable[..., Any]) -> None:
    found = pipeline(model=tiny(num_labels=4)).fact(Head)
    assert found.origin.key == "num_labels"
    assert "config of" in str(found.origin.origin)


def test_label_names_that_are_stated_are_accepted(tiny: Callable[..., Any]) -> None:
    found = pipeline(model=tiny(), settings={"label_names": ["targets"]}).fact(Model)
    assert "targets" in found.accepts


def test_tokenizer(model_folder: str) -> None:
    part = transformers.AutoTokenizer.from_pretrained(model_folder)
    found = pipeline(tokenizer=part).fact(Tokenizer)
    assert (found.size, found.max_id, found.pad_id) == (30522, 30521, 0)
    assert found.max_length == 512
    part.add_tokens(["<new>"])
    part.model_max_length = int(1e30)
    found = pipeline(tokenizer=part).fact(Tokenizer)
    assert (found.size, found.max_id, found.max_length) == (30523, 30522, None)


@pytest.fixture
def tokenizer(model_folder: str) -> Any:
    return transformers.AutoTokenizer.from_pretrained(model_folder)


RAGGED = [
    {"input_ids": [5, 6, 7], "attention_mask": [1, 1, 1], "labels": [1, 0, 1]},
    {"input_ids": [5], "attention_mask": [1], "labels": [1]},
]
SCALAR = [
    {"input_ids": [5, 6], "attention_mask": [1, 1], "label": 0},
    {"input_ids": [5], "attention_mask": [1], "label": 1},
]


def does(collator: Any, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The batch that a collator makes, None if it can't."""
    try:
        return dict(collator([dict(row) for row in rows]))
    except ValueError:
        return None


@pytest.mark.parametrize(
    "name",
    [
        "default_data_collator",
        "DefaultDataCollator",
        "DataCollatorWithPadding",
        "DataCollatorForTokenClassification",
        "DataCollatorForSeq2Seq",
        "DataCollatorForLanguageModeling",
    ],
)
def test_collators_do_what_is_said_of_them(name: str, tokenizer: Any) -> None:
    known = getattr(transformers, name)
    takes_tokenizer = name.startswith("DataCollator")
    collator = known(tokenizer) if takes_tokenizer else known
    if name == "DefaultDataCollator":
        collator = known()
    found = describe(collator)
    assert found.name == name
    inputs = [{"input_ids": row["input_ids"]} for row in RAGGED]
    assert (does(collator, inputs) is not None) is ("input_ids" in found.pads)
    if "input_ids" in found.pads and not found.makes_labels:
        assert (does(collator, RAGGED) is not None) is ("labels" in found.pads)
    assert found.makes_labels is (
        "labels" in (does(collator, inputs[:1]) or {"labels": None}) and name.endswith("Modeling")
    )
    if not found.pads or name == "DataCollatorWithPadding":
        made = does(collator, SCALAR[:1])
        assert made is not None
        assert found.renames is ("labels" in made and "label" not in made)


def test_a_collator_that_is_told_not_to_pad(tokenizer: Any) -> None:
    assert describe(transformers.DataCollatorWithPadding(tokenizer, padding=False)).pads == set()


def test_of_ones_own_collator_only_the_name_is_known(tokenizer: Any) -> None:
    class Own(transformers.DataCollatorWithPadding):
        def __call__(self, features: Any) -> Any:
            return features

    for collator, name in ((lambda rows: rows, "<lambda>"), (Own(tokenizer), "Own")):
        found = describe(collator)
        assert found.name == name
        assert not any(found.known(field) for field in ("pads", "renames", "makes_labels"))


def test_a_subclass_that_collates_as_its_base_does(tokenizer: Any) -> None:
    class Named(transformers.DataCollatorWithPadding):
        pass

    assert "input_ids" in describe(Named(tokenizer)).pads


def test_without_a_collator_trainers_default_is_described(
    tiny: Callable[..., Any], tokenizer: Any
) -> None:
    assert pipeline(model=tiny()).fact(Collator).name == "default_data_collator"
    found = pipeline(model=tiny(), tokenizer=tokenizer).fact(Collator)
    assert found.name == "DataCollatorWithPadding"
    assert "input_ids" in found.pads


def test_a_function_of_transformers_is_known_by_its_module() -> None:
    found = pipeline(collator=transformers.default_data_collator).fact(Collator)
    assert found.pads == frozenset()
