"""Faults of what a language model is taught, planted in real trainings; some are proved by a step."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import language_pipelines as lm
import pytest

from pipedoctor import Severity, frameworks
from pipedoctor.facts import LabelTokens
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
datasets = pytest.importorskip("datasets")
pytest.importorskip("trl")
peft = pytest.importorskip("peft")


@pytest.fixture(autouse=True)
def no_bars() -> None:
    datasets.disable_progress_bars()


def instructions(folder: Path, rows: list[dict[str, Any]], made: Any, **words: Any) -> Any:
    """Return a Trainer on rows with labels of their own, padded by the collator for them."""
    collator = transformers.DataCollatorForSeq2Seq(made)
    model = words.pop("model", None) or lm.gpt2(len(made))
    return lm.trainer(folder, model, lm.dataset(rows), made, data_collator=collator, **words)


def answered(made: Any, count: int = 48, end: str = "</s>", bare: int = 0) -> list[dict[str, Any]]:
    """Return rows whose prompt is left out; every `bare`-th has no answer at all."""
    rows = []
    for number, (asked, told) in enumerate(
        zip(lm.texts(count, seed=1), lm.texts(count, seed=2), strict=True)
    ):
        question, answer = made(asked + "\n")["input_ids"], made(told + end)["input_ids"]
        if bare and number % bare == 0:
            answer = []
        rows.append({"input_ids": question + answer, "labels": [-100] * len(question) + answer})
    return rows


def test_steps_without_any_label_change_nothing_and_are_nan(tmp_path: Path) -> None:
    made = lm.tokenizer()
    rows = answered(made, bare=4)
    trainer = instructions(
        tmp_path, rows, made, per_device_train_batch_size=1, logging_steps=1,
        logging_nan_inf_filter=False, max_steps=48,
    )  # fmt: skip
    entry = lm.found(trainer)["LLM001"]
    assert entry.severity is Severity.WARNING
    assert entry.finding.message == (
        "12 of 48 rows (25%) have no label but -100, and teach nothing; with 1 row a step, 1 in 4 "
        "steps has no label at all, and a loss of NaN"
    )
    trainer.train()
    steps = [log for log in trainer.state.log_history if "grad_norm" in log]
    assert sum(float(log["grad_norm"]) == 0.0 for log in steps) == 12
    assert any(math.isnan(float(log["loss"])) for log in steps)
    assert all(bool(torch.isfinite(p).all()) for p in trainer.model.parameters())


def test_no_row_has_a_label(tmp_path: Path) -> None:
    made = lm.tokenizer()
    rows = [row | {"labels": [-100] * len(row["input_ids"])} for row in answered(made)]
    entry = lm.found(instructions(tmp_path, rows, made))["LLM001"]
    assert entry.finding.message == "All 48 rows have no label but -100: nothing is learned"


class CompletionOnly:
    """Looks for the tokens of a marker, as TRL's collator for completions did."""

    def __init__(self, tokenizer: Any, response_template: Any) -> None:
        self.tokenizer = tokenizer
        self.response_template = response_template
        self.response_token_ids = (
            tokenizer.encode(response_template, add_special_tokens=False)
            if isinstance(response_template, str)
            else response_template
        )

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = dict(
            self.tokenizer.pad([{"input_ids": r["input_ids"]} for r in rows], return_tensors="pt")
        )
        labels = batch["input_ids"].clone()
        width = len(self.response_token_ids)
        for row, ids in zip(labels, batch["input_ids"].tolist(), strict=True):
            places = [n for n in range(len(ids)) if ids[n : n + width] == self.response_token_ids]
            row[: places[0] + width if places else None] = -100
        labels[batch["attention_mask"] == 0] = -100
        return {**batch, "labels": labels}


@pytest.mark.parametrize("by", ["text", "tokens"])
def test_marker_is_cut_into_other_tokens_in_its_context(tmp_path: Path, by: str) -> None:
    made = lm.tokenizer()
    template = (
        " river:"  # learned as one token with the blank before it; after a line break it is not
    )
    rows = [
        {"input_ids": made(f"{a}\n{template.strip()} {b}</s>")["input_ids"]}
        for a, b in zip(lm.texts(32, seed=1), lm.texts(32, seed=2), strict=True)
    ]
    marker: Any = template
    if by == "tokens":
        found = lm.found(completion_trainer(tmp_path, rows, made, template))["LLM002"].finding
        marker = found.evidence["in_context"]
        assert made.decode(marker).strip() == "river:"
    codes = lm.found(completion_trainer(tmp_path, rows, made, marker))
    assert ("LLM002" in codes) is (by == "text")
    assert "LLM001" not in codes  # folded under it, or none


def completion_trainer(folder: Path, rows: Any, made: Any, marker: Any) -> Any:
    return lm.trainer(
        folder, lm.gpt2(len(made)), lm.dataset(rows), made,
        data_collator=CompletionOnly(made, marker), remove_unused_columns=False,
    )  # fmt: skip


def test_answers_have_no_end(tmp_path: Path) -> None:
    made = lm.tokenizer()
    entry = lm.found(instructions(tmp_path, answered(made, end=""), made))["LLM004"]
    assert entry.severity is Severity.WARNING
    assert "</s> (id 1) is in none of them" in entry.finding.message
    assert "LLM004" not in lm.found(instructions(tmp_path, answered(made), made))


def test_the_template_and_the_tokenizer_both_begin(tmp_path: Path) -> None:
    made = lm.tokenizer(template="{{ bos_token }}" + lm.CHATML, begins=True)
    talks = lm.chats()["messages"]
    rendered = [made.apply_chat_template(talk, tokenize=False) for talk in talks]
    twice = [{"input_ids": made(text)["input_ids"]} for text in rendered]
    collator = transformers.DataCollatorForLanguageModeling(made, mlm=False)
    target = lm.trainer(
        tmp_path, lm.llama(len(made)), lm.dataset(twice), made, data_collator=collator
    )
    finding = lm.found(target)["LLM005"].finding
    assert "begin with <s> twice (id 0): the chat template writes it" in finding.message
    once = [{"input_ids": made(text, add_special_tokens=False)["input_ids"]} for text in rendered]
    target = lm.trainer(
        tmp_path, lm.llama(len(made)), lm.dataset(once), made, data_collator=collator
    )
    assert "LLM005" not in lm.found(target)


def test_texts_are_cut_and_rows_dropped_without_a_word(tmp_path: Path) -> None:
    data = lm.completions(64)
    trainer = lm.sft(tmp_path, data, lm.tokenizer(), max_length=12)
    entry = lm.found(trainer)["LLM008"]
    gone = 64 - len(trainer.train_dataset)
    assert gone > 32
    assert entry.severity is Severity.ERROR
    assert f"{gone} of 64 rows were dropped, since no label was left" in entry.finding.message
    wanted = re.match(r"max_length=(\d+), in which ", entry.finding.remedy)
    assert wanted is not None
    assert f"{gone} of {gone} dropped rows" in entry.finding.remedy
    again = lm.sft(tmp_path, data, lm.tokenizer(), max_length=int(wanted[1]))
    assert len(again.train_dataset) == 64
    assert "LLM008" not in lm.found(again)


def test_conversations_are_cut(tmp_path: Path) -> None:
    made = lm.tokenizer(template=lm.CHATML)
    trainer = lm.sft(tmp_path, lm.chats(64), made, max_length=30)
    cut = sum(len(row) == 30 for row in trainer.train_dataset["input_ids"])
    message = lm.found(trainer)["LLM008"].finding.message
    assert cut - 3 <= int(message.split(" of ")[0].removeprefix("About ")) <= cut


def test_packed_texts_are_apart_as_trl_packs_them_and_not_with_a_mask(tmp_path: Path) -> None:
    made = lm.tokenizer()
    trainer = lm.sft(tmp_path, lm.plain(), made, packing=True, max_length=64)
    assert "LLM010" not in lm.found(trainer)
    given = Parts(frameworks.unpack(trainer))
    counted = Pipeline(given, frameworks.probes(given)).fact(LabelTokens)
    assert counted.rows == len(trainer.train_dataset)
    assert counted.without == 0
    inner = trainer.data_collator

    def with_mask(rows: list[dict[str, Any]]) -> dict[str, Any]:
        batch = inner(rows)
        return {**batch, "attention_mask": torch.ones_like(batch["input_ids"])}

    trainer.data_collator = with_mask
    finding = lm.found(trainer)["LLM010"].finding
    assert finding.evidence["attention"] == "sdpa"
    assert "sdpa sees the whole row" in finding.message


def test_new_tokens_stay_as_they_were_drawn(tmp_path: Path) -> None:
    base = tmp_path / "base"
    lm.llama(len(lm.tokenizer())).save_pretrained(base)
    made = lm.tokenizer(template=lm.CHATML.replace("im_", "turn_"))
    made.add_special_tokens({"additional_special_tokens": ["<|turn_start|>", "<|turn_end|>"]})

    def trainer(**words: Any) -> Any:
        model = transformers.AutoModelForCausalLM.from_pretrained(base)
        model.resize_token_embeddings(len(made))
        adapter = lm.lora(**words)
        return lm.sft(tmp_path, lm.chats(), made, model, lora=adapter, assistant_only_loss=True)

    sick = trainer()
    entry = lm.found(sick)["LLM014"]
    assert entry.severity is Severity.ERROR
    assert "<|turn_start|>, <|turn_end|>" in entry.finding.message
    assert f"the checkpoint has {len(made) - 2} rows of embedding" in entry.finding.message
    assert entry.finding.remedy == 'LoraConfig(…, modules_to_save=["embed_tokens", "lm_head"])'
    before = sick.model.get_input_embeddings().weight[-2:].clone()
    sick.train()
    assert torch.equal(before, sick.model.get_input_embeddings().weight[-2:])
    half = lm.found(trainer(trainable_token_indices=[len(made) - 2, len(made) - 1]))["LLM014"]
    assert half.severity is Severity.WARNING
    assert "lm_head is frozen" in half.finding.message
    assert "LLM014" not in lm.found(trainer(modules_to_save=["embed_tokens", "lm_head"]))


def test_some_targets_of_the_adapter_match_nothing(tmp_path: Path) -> None:
    made = lm.tokenizer()
    adapter = lm.lora(target_modules=["c_attn", "o_proj"])
    entry = lm.found(lm.sft(tmp_path, lm.plain(), made, lora=adapter))["LLM012"]
    assert entry.severity is Severity.WARNING
    assert "1 of 2 names match no layer" in entry.finding.message
    assert "c_attn; the adapter is on o_proj (2 layers) only" in entry.finding.message


def test_peft_raises_where_no_target_matches_as_the_check_says() -> None:
    from pipedoctor_checks.language_models.adapter_on_no_layer import adapter_on_no_layer

    with pytest.raises(ValueError, match="|".join(adapter_on_no_layer.symptoms)):
        peft.get_peft_model(lm.llama(420), lm.lora(target_modules=["c_attn"]))


def test_trl_raises_where_the_template_has_no_marks_as_the_check_says(tmp_path: Path) -> None:
    from pipedoctor_checks.language_models.template_without_marks import template_without_marks

    bare = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    made = lm.tokenizer(template=bare)
    with pytest.raises(ValueError, match="|".join(template_without_marks.symptoms)):
        lm.sft(tmp_path, lm.chats(), made, assistant_only_loss=True)


def test_transformers_raises_without_a_template_as_the_check_says(tmp_path: Path) -> None:
    from pipedoctor_checks.language_models.chats_without_a_template import (
        chats_without_a_template,
    )

    with pytest.raises(ValueError, match="|".join(chats_without_a_template.symptoms)):
        lm.sft(tmp_path, lm.chats(), lm.tokenizer())


def test_the_tokenizer_and_the_random_states_are_left_as_they_were(tmp_path: Path) -> None:
    made = lm.tokenizer(template=lm.CHATML)
    made(["a", "a b c"], padding=True, truncation=True, max_length=2)
    trainer = lm.sft(tmp_path, lm.chats(), made)
    backend = made.backend_tokenizer
    state = (backend.truncation, backend.padding, torch.get_rng_state().tolist())
    weights = [p.detach().clone() for p in trainer.model.parameters()]
    lm.found(trainer)
    assert (backend.truncation, backend.padding, torch.get_rng_state().tolist()) == state
    for kept, now in zip(weights, trainer.model.parameters(), strict=True):
        assert torch.equal(kept, now)
