"""
The outcomes of resuming: a real Trainer, in a process of its own for each state it is to go on from.

    python resuming.py FOLDER ROW...

Each row's folder holds row.json and the run that is left, in `out`; as it stands before it is gone
on from, it is copied to `before`, and what came of it is written to outcome.json. Torch is imported
once, and each row is a fork, for one may end by a segmentation fault. A row that has a `delay` is
a run that is killed so many seconds after it has begun to save.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from checkpoints import foretelling, leaving

SAVED = 4


def model(labels: int = 2, vocabulary: int = 100) -> Any:
    """A BERT of one layer."""
    import torch
    import transformers

    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        num_labels=labels,
    )
    return transformers.BertForSequenceClassification(config)


def trainer(folder: Path, stated: dict[str, Any], live: dict[str, Any], stop: int = 0) -> Any:
    """A Trainer with these settings, and these changes in its model and optimizer."""
    import torch
    import transformers

    class Stop(transformers.TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = state.global_step == stop

    made = model(live.get("labels", 2), live.get("vocabulary", 100))
    for name, parameter in made.named_parameters():
        if "frozen" in live and name.startswith(live["frozen"]):
            parameter.requires_grad = False
    optimizer = None
    if "groups" in live:
        whole = list(made.parameters())
        parts = [whole] if live["groups"] == 1 else [whole[:1], whole[1:2], whole[2:]]
        optimizer = torch.optim.AdamW([{"params": part} for part in parts], lr=5e-4)
    arguments = {**foretelling.BASE, "output_dir": str(folder), **stated}
    rows = [{"input_ids": [1, 2 + n, 3], "labels": n % 2} for n in range(16)]
    return transformers.Trainer(
        model=made,
        args=transformers.TrainingArguments(**arguments),
        train_dataset=rows,
        optimizers=(optimizer, None),
        callbacks=[Stop()] if stop else [],
    )


def first_run(folder: Path, live: dict[str, Any]) -> None:
    """A run of eight steps that is stopped after the fourth."""
    trainer(folder, {}, live, stop=SAVED).train()


def resumed(folder: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What became of a training that went on from what lies there."""
    import transformers.utils.import_utils as versions

    if row["torch"]:  # an older release, as far as Trainer asks for it
        versions.is_torch_greater_or_equal = lambda *_, **__: False
    told: dict[str, Any] = {}
    try:
        one = trainer(folder, row["settings"], row["live"] or {})
        if row["live"] is not None:
            told["found"] = examined(one, row["asked"])
            write(folder.parent, told, "live.json")  # what follows may end the process
        done = one.train(resume_from_checkpoint=row["asked"])
    except Exception as error:  # noqa: BLE001 - what it raises is the outcome
        return {**told, "error": f"{type(error).__name__}: {error}"}
    rates = [line["learning_rate"] for line in one.state.log_history if "learning_rate" in line]
    group, states = one.optimizer.param_groups[0], one.optimizer.state.values()
    return {
        **told,
        "step": one.state.global_step,
        "loss": done.training_loss,
        "last": rates[-1],
        "decay": group.get("weight_decay"),
        "initial": group.get("initial_lr"),
        "optimizer_steps": float(next((s["step"] for s in states if "step" in s), 0)),
    }


def examined(one: Any, asked: Any) -> list[str]:
    """What is found in the live Trainer before it goes on."""
    from pipedoctor import live
    from pipedoctor.fact import Cost
    from pipedoctor.frameworks import unpack
    from pipedoctor.options import Options

    parts = unpack(one, {"resume_from_checkpoint": asked})
    options = Options(select=foretelling.CODES, depth=Cost.MODEL)
    report = live.examine_parts("live", parts, options)
    return sorted({outcome.rule.code for outcome in report.outcomes if outcome.findings})


def one_row(place: Path) -> None:
    """Prepare a state, keep a copy of it, and go on from it."""
    row = json.loads((place / "row.json").read_text())
    leaving.leave(place / "out", row["left"])
    shutil.copytree(place / "out", place / "before", symlinks=True)
    write(place, resumed(place / "out", row))


def after_the_kill(place: Path) -> None:
    """Ask what is left, and go on from the checkpoint that is named."""
    row = json.loads((place / "row.json").read_text())
    found = foretelling.findings(place / "before", asked=True)
    named = next((one.evidence["whole"] for code, one in found if code == "CKP050"), True)
    (place / "found.json").write_text(json.dumps([one.message for _, one in found]))
    write(place, {**resumed(place / "before", {**row, "asked": named}), "named": named})


def kill_while_saving(place: Path) -> None:
    """Kill a run some time after it has begun to save its second checkpoint."""
    row = json.loads((place / "row.json").read_text())
    child = os.fork()
    if child == 0:
        inside(lambda: first_run(place / "out", row["live"]))
    while not (place / "out" / f"checkpoint-{SAVED}").exists():
        time.sleep(0.0005)
    time.sleep(row["delay"])
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    shutil.copytree(place / "out", place / "before")
    fork(lambda: write(place, resumed(place / "out", row), "as_it_was.json"), place)
    fork(lambda: after_the_kill(place), place)


def write(place: Path, outcome: dict[str, Any], name: str = "outcome.json") -> None:
    """Write what came of a row."""
    (place / name).write_text(json.dumps(outcome))


def inside(act: Callable[[], None]) -> None:
    """Do something in a process that ends with it."""
    code = 1
    try:
        act()
        code = 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def fork(act: Callable[[], None], place: Path) -> None:
    """Do something in a process of its own; a signal that ends it is the outcome."""
    child = os.fork()
    if child == 0:
        inside(act)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        live = place / "live.json"
        told = json.loads(live.read_text()) if live.exists() else {}
        write(place, {**told, "signal": os.WTERMSIG(status)})


def main(folder: Path, names: list[str]) -> None:
    """Make the first run, and do what the rows ask for."""
    import torch

    torch.set_num_threads(1)
    trainer(folder / "never", {}, {})  # imports all of it, once for all the forks
    fork(lambda: first_run(folder / "first", {}), folder)
    for name in names:
        place = folder / name
        if "delay" in json.loads((place / "row.json").read_text()):
            kill_while_saving(place)
            continue
        shutil.copytree(folder / "first", place / "out")
        fork(lambda place=place: one_row(place), place)  # type: ignore[misc] # bound at once


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
