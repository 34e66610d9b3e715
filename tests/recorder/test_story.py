"""A real MiniLM fine-tuned on real texts, one row of which carries a weight that gives NaN."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from resources import minilm, reuters

from pipedoctor import FlightRecorder, Poisoned
from pipedoctor.recorder import capsule, rerun

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.deep

STEP, BATCH = 37, 2
ROW = (STEP - 1) * BATCH + 1


class Weighted(torch.nn.Module):  # type: ignore[misc]  # torch is Any here
    """MiniLM under a head whose loss divides by what each row weighs."""

    def __init__(self, folder: Path, smallest: float = 0.0) -> None:
        super().__init__()
        self.body = transformers.AutoModel.from_pretrained(folder)
        self.body.embeddings.requires_grad_(
            False
        )  # half of its parameters; saves most of the time
        self.head = torch.nn.Linear(self.body.config.hidden_size, 2)
        self.smallest = smallest

    def forward(
        self, input_ids: Any, attention_mask: Any, weight: Any, labels: Any
    ) -> dict[str, Any]:
        states = self.body(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.head(states.last_hidden_state[:, 0])
        each = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
        share = weight / weight.clamp(min=self.smallest)
        return {"loss": (each * share).mean(), "logits": logits}


def test_it_stops_at_that_step_with_finite_weights_and_names_the_row(tmp_path: Path) -> None:
    folder, texts = minilm(), reuters()[: 60 * BATCH]
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    made = tokenizer([text for _, text in texts], truncation=True, max_length=16)
    data = [
        {
            "input_ids": made["input_ids"][n],
            "attention_mask": made["attention_mask"][n],
            "weight": 0.0 if n == ROW else 1.0,
            "labels": int(label == "earn"),
        }
        for n, (label, _) in enumerate(texts)
    ]
    recorder = FlightRecorder()
    trainer = transformers.Trainer(
        model=Weighted(folder),
        args=transformers.TrainingArguments(
            output_dir=str(tmp_path),
            use_cpu=True,
            report_to="none",
            disable_tqdm=True,
            max_steps=60,
            per_device_train_batch_size=BATCH,
            train_sampling_strategy="sequential",
            learning_rate=2e-5,
            save_strategy="no",
        ),
        train_dataset=data,
        data_collator=transformers.DataCollatorWithPadding(tokenizer),
        callbacks=[recorder],
    )
    with pytest.raises(Poisoned, match=f"step {STEP}: the loss is nan"):
        trainer.train()
    assert all(p.isfinite().all() for p in trainer.model.parameters())
    kept = capsule.read(str(recorder.capsule))
    assert kept.step == STEP
    assert [made.rows for made in kept.passes] == [(ROW - 1, ROW)]
    assert rerun.run(kept, Weighted(folder)).same is True
    assert rerun.run(kept, Weighted(folder, smallest=1e-6)).cured
