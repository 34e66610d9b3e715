"""What is shown of a pipeline: would people see the fault?"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable
from typing import Any

import batch_scripts
import datasets
import numpy as np
import pytest
import torch
import transformers
from pipelines import pipeline
from resources import minilm

from pipedoctor.facts import Predictions, Preview
from pipedoctor.frameworks import unpack
from pipedoctor.pipeline import Pipeline, figures
from pipedoctor.probes.preview.rows import Chosen
from pipedoctor.report import Report
from pipedoctor.reporters import batch

Start = Callable[..., Any]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    """Run a script up to its training, and return the Trainer."""

    def run_script(text: str, *arguments: str) -> Any:
        started: list[Any] = []

        def train(trainer: Any) -> None:
            started.append(trainer)

        monkeypatch.setattr("sys.argv", ["train.py", *arguments])
        monkeypatch.setattr(transformers.Trainer, "train", train)
        exec(text, {"__name__": "__main__"})
        return started[0]

    return run_script


def shown(found: Pipeline, width: int = 100) -> str:
    """Return what people see of the training data, blanks at the ends of lines left out."""
    told = figures(found, ["Preview", "Predictions"])
    report = Report("train.py", (), figures={name: (told[name][0],) for name in told})
    return batch.plain(report, width)


def remarks(found: Pipeline) -> dict[str, Any]:
    return {str(remark["what"]): remark for remark in found.fact(Preview).remarks}


def test_an_end_token_that_is_never_learned(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.BYTES, "pad-is-end")))
    told = shown(found)
    assert re.search(r"learned │ The capital of France is Paris\.\n +-100 │ <\|end\|>", told)
    assert "no row teaches where to stop. It is the padding token too" in " ".join(told.split())
    assert set(remarks(found)) == {"end-token"}
    assert remarks(found)["end-token"]["strikes"]


def test_labels_that_are_all_ignored(start: Start) -> None:
    told = shown(pipeline(**unpack(start(batch_scripts.BYTES, "nothing"))))
    assert "labels are learned: all are -100" in told
    assert "! all 6 rows teach nothing: all their labels are -100" in told
    assert re.search(r"learned +0 \(0%\)", told)


def test_labels_that_are_moved(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.BYTES, "moved")))
    assert "labels-moved" in remarks(found)
    seen = re.search(r"token │ (.+)\n +label │ (.+)", shown(found))
    assert seen is not None
    tokens, labels = (re.split(r" {2,}", line) for line in seen.groups())
    assert labels[2:6] == [token.removeprefix("##") for token in tokens[3:7]]


def test_prompt_and_answer_of_a_healthy_one(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.BYTES, "healthy")))
    told = shown(found)
    assert re.search(r"-100 │ Say: What is 2 \+ 2\? It is four\.\n", told)
    assert re.search(r"learned │ What is 2 \+.*<\|end\|>\n +-100 │ <\|pad\|> x \d+", told)
    assert [r["what"] for r in remarks(found).values() if r["strikes"]] == []
    assert remarks(found)["end-token"]["rows"] == 6


def test_texts_that_are_all_cut(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.BYTES, "cut")))
    assert remarks(found)["equal-lengths"]["length"] == 24


def test_tags_of_tokens(start: Start) -> None:
    told = shown(pipeline(**unpack(start(batch_scripts.TAGS, str(minilm()), "0"))))
    lines = told.splitlines()
    at = next(n for n, line in enumerate(lines) if "##lace" in line)
    token, label, answer = lines[at : at + 3]
    assert label[token.index("ada") :].startswith("B-PER")
    assert label[token.index("##lace") :].startswith("-100")
    assert label[token.index("london") :].startswith("B-LOC")
    assert answer.strip().startswith("answer │")
    assert "which is no word" not in told


def test_tags_that_stand_beside_their_tokens(start: Start) -> None:
    told = shown(pipeline(**unpack(start(batch_scripts.TAGS, str(minilm()), "1"))))
    lines = told.splitlines()
    at = next(n for n, line in enumerate(lines) if "##lace" in line)
    assert lines[at + 1][lines[at].index("[CLS]") :].startswith("B-PER")
    assert "! [CLS], which is no word, has a label" in told


def test_images_and_a_sane_model(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.IMAGES, "sane")))
    told = shown(found)
    assert "pixel_values 6 x 3 x 8 x 8 float32" in told
    assert re.search(r"pixel_values 3 x 8 x 8: 0\.\d+ to 0\.9\d+, mean 0\.\d+", told)
    assert "size [0.5, 1]" in told
    answers = found.fact(Predictions)
    assert set(answers.classes) == {"0", "1", "2"}
    assert (answers.same, answers.constant) == (False, False)
    first = answers.groups[0]
    assert [row["class"] for row in first] == [0, 1, 2, 0, 1, 2]
    assert np.mean([row["loss"] for row in first]) == pytest.approx(answers.losses[0])


def test_a_collapsed_model(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.IMAGES, "collapsed")))
    answers = found.fact(Predictions)
    assert (answers.same, answers.constant, answers.classes) == (True, False, {"1": 8})
    assert "! all 8 rows get the same answer, 1, with 100% on average" in shown(found)


def test_a_model_that_does_not_look_at_its_input(start: Start) -> None:
    found = pipeline(**unpack(start(batch_scripts.IMAGES, "deaf")))
    assert found.fact(Predictions).constant
    assert "! the logits are the same for all 8 rows" in shown(found)


def test_inputs_that_are_all_the_same(start: Start) -> None:
    text = batch_scripts.IMAGES.replace("+ row % 3", "")
    found = pipeline(**unpack(start(text, "same")))
    assert remarks(found)["same-inputs"]["array"] == "pixel_values"
    assert "does not depend on the input" not in shown(found)


def test_nothing_is_left_behind(start: Start) -> None:
    trainer = start(batch_scripts.TAGS, str(minilm()), "0")
    trainer.model.train()
    config = copy.deepcopy(trainer.model.config.to_dict())
    weights = {name: value.clone() for name, value in trainer.model.state_dict().items()}
    states = random.getstate(), torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002 - the state that users seed
    shown(pipeline(**unpack(trainer)))
    assert random.getstate() == states[0]
    assert torch.equal(torch.get_rng_state(), states[1])
    assert str(np.random.get_state()) == states[2]  # noqa: NPY002 - likewise
    assert all(torch.equal(weights[n], v) for n, v in trainer.model.state_dict().items())
    assert all(module.training for module in trainer.model.modules())
    assert trainer.model.config.to_dict() == config


def test_rows_that_are_asked_for(start: Start) -> None:
    parts = unpack(start(batch_scripts.IMAGES, "sane"))
    found = pipeline(**parts, run={"shown": [7, 2, 99]})
    assert found.fact(Chosen).batch.rows == (7, 2)
    preview = found.fact(Preview)
    assert [row["row"] for row in preview.groups[0]["rows"]] == [7, 2]
    assert preview.note == "there are rows 0 to 11, and no row 99"
    assert len(found.fact(Predictions).groups[0]) == 2


def test_masked_language_modelling_shows_what_is_to_be_found(
    tiny: Callable[..., Any], model_folder: str
) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    rows = tokenizer(["the cat sat on the mat and looked at the dog"] * 8)
    found = pipeline(
        model=tiny("BertForMaskedLM", vocab_size=len(tokenizer)),
        train_data=datasets.Dataset.from_dict(dict(rows)),
        tokenizer=tokenizer,
        collator=transformers.DataCollatorForLanguageModeling(
            tokenizer, mlm_probability=0.3, mask_replace_prob=1.0, random_replace_prob=0.0, seed=1
        ),
    )
    assert re.search(r"«\[MASK\]→(cat|sat|on|mat|the|looked|dog|and|at)»", shown(found))


def test_targets_of_their_own(tiny: Callable[..., Any], model_folder: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)
    model = transformers.T5ForConditionalGeneration(
        transformers.T5Config(
            vocab_size=len(tokenizer),
            d_model=16,
            d_kv=8,
            d_ff=16,
            num_layers=1,
            num_heads=2,
            decoder_start_token_id=0,
        )
    )
    rows = [
        {"input_ids": tokenizer(a)["input_ids"], "labels": tokenizer(b)["input_ids"]}
        for a, b in [("the long question of a cat", "yes"), ("a dog", "no, never again")] * 4
    ]
    found = pipeline(
        model=model,
        train_data=datasets.Dataset.from_list(rows),
        tokenizer=tokenizer,
        collator=transformers.DataCollatorForSeq2Seq(tokenizer),
    )
    told = shown(found)
    assert re.search(r"input │ \[CLS\] the long question of a cat \[SEP\]\n", told)
    assert re.search(r"target │ \[CLS\] yes \[SEP\] -100 x 3\n", told)


def test_several_labels_a_row_have_their_names(tiny: Callable[..., Any]) -> None:
    model = tiny(
        num_labels=3,
        problem_type="multi_label_classification",
        id2label={0: "sad", 1: "glad", 2: "mad"},
        label2id={"sad": 0, "glad": 1, "mad": 2},
    )
    rows = {"input_ids": [[2, 5, 3]] * 8, "labels": [[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]] * 4}
    told = shown(pipeline(model=model, train_data=datasets.Dataset.from_dict(rows)))
    assert "sad, mad" in told
    assert "none" in told


def test_a_regression(tiny: Callable[..., Any]) -> None:
    rows = {"input_ids": [[2, 5 + n, 3] for n in range(8)], "labels": [0.25 * n for n in range(8)]}
    found = pipeline(model=tiny(num_labels=1), train_data=datasets.Dataset.from_dict(rows))
    assert re.search(r"^ +1 +3 +0\.25 +-?\d", shown(found), re.MULTILINE)
    assert not found.fact(Predictions).known("classes")


def test_padding_that_is_attended_to(tiny: Callable[..., Any], model_folder: str) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(model_folder)

    def collate(rows: list[dict[str, Any]]) -> dict[str, Any]:
        made = tokenizer.pad([{"input_ids": r["input_ids"]} for r in rows], return_tensors="pt")
        made["attention_mask"] = torch.ones_like(made["input_ids"])
        return {**made, "labels": torch.tensor([r["labels"] for r in rows])}

    texts = ["a cat", "a cat sat on the mat"] * 4
    rows = {"input_ids": tokenizer(texts)["input_ids"], "labels": [0, 1] * 4}
    found = pipeline(
        model=tiny(vocab_size=len(tokenizer)),
        train_data=datasets.Dataset.from_dict(rows),
        tokenizer=tokenizer,
        collator=collate,
    )
    assert remarks(found)["padding-attended"]["tokens"] == 4 * 4
    assert "[PAD] x 4 (attended)" in shown(found)


def test_raw_texts_stand_in_for_ids_that_nobody_can_decode(tiny: Callable[..., Any]) -> None:
    rows = [{"input_ids": [2, 5, 3], "labels": n % 2, "text": f"row {n}"} for n in range(8)]
    found = pipeline(model=tiny(), train_data=rows)
    assert re.search(r"^ +3 +3 +1 .* row 3$", shown(found), re.MULTILINE)


def test_ids_that_nobody_can_decode_are_numbers(tiny: Callable[..., Any]) -> None:
    rows = [{"input_ids": [2, 5, 3], "labels": n % 2} for n in range(8)]
    found = pipeline(model=tiny(), train_data=rows)
    assert re.search(r"^ +3 +3 +1 .* 2 5 3$", shown(found), re.MULTILINE)


def test_data_without_a_model_are_shown_as_they_are() -> None:
    found = pipeline(train_data=[{"text": "was \x1b[31mred", "label": "yes", "n": [1, 2]}] * 5)
    told = figures(found, ["Preview"])["Preview"]
    text = batch.plain(Report("train.py", (), figures={"Preview": tuple(told)}))
    assert "no batch can be made, so rows are shown as the data has them" in text
    assert re.search(r"0  text was \\x1b\[31mred\n +label yes\n +n \[1, 2\]", text)
