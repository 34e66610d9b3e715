"""Fixes in the configs of other tools, and what is told where none can be made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import facts
import pytest
from fixing.mending import examined, mended

from pipedoctor.facts import Argument
from pipedoctor.facts.reading import Reading
from pipedoctor.finding import Location
from pipedoctor.fix import Edit, delete, put, rename

HERE = {"environment": {"transformers": "5.23.0", "gpus": 0}}
TRL = "model_name_or_path: m\ndataset_name: d\ndataset_text_field: text\nuse_peft: true\n"
FACTORY = "stage: sft\nfinetuning_type: lora\ndataset: d\ntemplate: llama3\noutput_dir: o\n"
AXOLOTL = "base_model: m\ndatasets:\n  - path: d\n    type: alpaca\nadapter: lora\n"


@pytest.mark.parametrize(
    ("code", "head", "before", "after"),
    [
        ("HYP002", TRL, "learning_rate: 2.0e-5  # low\n", "learning_rate: 0.0002  # low\n"),
        ("HYP002", FACTORY, "learning_rate: 1.0e-5\n", "learning_rate: 0.0002\n"),
        ("HYP002", AXOLOTL, "learning_rate: 1e-5\n", "learning_rate: 0.0002\n"),
        ("HYP014", TRL, "save_strategy: epochs\n", "save_strategy: epoch\n"),
        ("HYP014", FACTORY, "save_strategy: epochs\n", "save_strategy: epoch\n"),
        ("HYP014", AXOLOTL, "micro_batch_size: 0\n", "micro_batch_size: 1\n"),
        ("HYP006", AXOLOTL, "per_device_train_batch_size: 8\n", "micro_batch_size: 8\n"),
        ("HYP006", AXOLOTL, "num_train_epochs: 3\nnum_epochs: 2\n", "num_epochs: 2\n"),
        (
            "HYP003",
            AXOLOTL,
            "warmup_steps: 90\nmax_steps: 60\n",
            "warmup_steps: 6\nmax_steps: 60\n",
        ),
    ],
)
def test_a_key_of_the_same_meaning_is_changed_under_the_tools_own_name(
    code: str, head: str, before: str, after: str, tmp_path: Path
) -> None:
    path = tmp_path / "train.yaml"
    path.write_text(head + before)
    draft = mended(path, (code,), **HERE)
    assert (draft.refused, path.read_text()) == ((), head + after)
    (outcome,) = examined(str(path), (code,), **HERE).outcomes
    assert outcome.findings == ()


def test_what_the_tool_works_out_is_no_place_for_a_fix() -> None:
    reading = Reading("Tool", "1.0", installed=False, keys=frozenset({"own", "n"}), strict=True)
    declared = {"n": Argument("int", 1)}
    reading = replace(reading, defaults=declared, spelling={"usual": "own"})
    settings = replace(
        facts.settings(save_steps=0.1, n=1),
        reading=reading,
        locations={
            "save_steps": Location(file="c.yaml", line=1, key="saves_per_epoch"),
            "n": Location(file="c.yaml", line=2, key="n"),
            "lr": Location(key="lr", origin="command line"),
        },
    )
    settings = replace(settings, stated={**settings.stated, "lr": 1})

    def obstacle(edit: Edit) -> str:
        made = settings.fix(edit, safe=True)
        assert (made.file is None) is bool(made.obstacle)
        return made.obstacle

    assert obstacle(put("save_steps", 0.2)) == (
        "save_steps follows from saves_per_epoch, which counts otherwise"
    )
    assert obstacle(put("logging_steps", 5)) == "Tool 1.0 has no key logging_steps"
    assert obstacle(rename("n", "logging_steps")) == "Tool 1.0 has no key logging_steps"
    assert obstacle(put("n", 0.5)) == "n of Tool 1.0 is no float"
    assert obstacle(put("lr", 2)) == "lr is stated on the command line"
    assert obstacle(put("n", 5)) == obstacle(delete("n")) == obstacle(put("usual", 5)) == ""
    assert settings.fix(put("usual", 5), safe=True).edits == (Edit("add", "own", 5),)
