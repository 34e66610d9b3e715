"""
The rate that `pipedoctor lr` suggests, against the best of a grid search, over several tasks.

    python benchmarks/lr.py [SEEDS]

Each task is trained once at each rate of the grid, and judged by its loss on rows held out. Beside
it stands what torch-lr-finder suggests for the same model, data and optimizer, where that package
is installed: nothing here needs it. Tasks that can't be learned are to get no suggestion. The result
is written to benchmarks/results/lr-DATE.json after each task; those that it has are not run again,
and where a task is taken out of it, its grid is not trained again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import os
import sys
import time
import types
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WITHIN = 3.0
"""The suggestion is to be no further than this from the best rate of the grid."""

STEP = 10**0.5
"""From one rate of the grid to the next."""

TEXTS = 2200
"""Texts of Reuters that are used; the last 200 of them are held out."""


@dataclass(frozen=True)
class Task:
    """
    A model with its data, as a training would have them.

    `make` returns model, rows, held-out rows and what collates rows, given a seed; `steps` are those
    of each training of the grid, with a rate that falls linearly to 0, as Trainer's does.
    """

    name: str
    make: Callable[[int], tuple[Any, list[dict[str, Any]], list[dict[str, Any]], Any]]
    optimizer: str
    lowest: float
    rates: int
    steps: int
    batch: int = 16
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def grid(self) -> list[float]:
        """The rates that are searched."""
        return [self.lowest * STEP**place for place in range(self.rates)]

    def built(self, model: Any, rate: float) -> Any:
        """Return the optimizer at a rate."""
        import torch

        kind = getattr(torch.optim, self.optimizer.partition(" ")[0])
        more = {"momentum": 0.9} if "momentum" in self.optimizer else {}
        return kind(model.parameters(), lr=rate, **more)


def digits(seed: int) -> Any:
    """Handwritten digits, and two hidden layers."""
    import torch
    from sklearn.datasets import load_digits
    from torch import nn
    from torch.nn import functional

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (64, 128, 128, 10)
            self.layers = nn.ModuleList(map(nn.Linear, sizes, sizes[1:]))

        def forward(self, x: Any, labels: Any = None) -> Any:
            for layer in self.layers[:-1]:
                x = functional.relu(layer(x))
            logits = self.layers[-1](x)
            loss = functional.cross_entropy(logits, labels) if labels is not None else None
            return {"loss": loss, "logits": logits}

    held = load_digits()
    rows = [
        {"x": (image / 16).reshape(-1).tolist(), "labels": int(label)}
        for image, label in zip(held.images, held.target, strict=True)
    ]
    torch.manual_seed(seed)
    return Net(), rows[:1400], rows[1400:], None


@cache
def topics(length: int) -> tuple[list[dict[str, Any]], Any]:
    """Return Reuters texts as tokens of MiniLM, with their labels, and what collates them."""
    import random

    from resources import minilm, reuters
    from transformers import AutoTokenizer, DataCollatorWithPadding

    tokenizer = AutoTokenizer.from_pretrained(str(minilm()))
    found = reuters()
    names = sorted({label for label, _ in found})
    found = random.Random(0).sample(found, TEXTS)  # noqa: S311 - nothing secret
    ids = tokenizer([text for _, text in found], truncation=True, max_length=length)["input_ids"]
    rows = [
        {"input_ids": words, "labels": names.index(label)}
        for words, (label, _) in zip(ids, found, strict=True)
    ]
    return rows, DataCollatorWithPadding(tokenizer)


def fine_tuned(seed: int) -> Any:
    """MiniLM, fine-tuned to tell the topics of Reuters."""
    import torch
    from resources import minilm
    from transformers import AutoModelForSequenceClassification

    rows, collate = topics(32)
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(str(minilm()), num_labels=8)
    return model, rows[:2000], rows[2000:], collate


def small_bert(seed: int) -> Any:
    """A BERT of two layers, from scratch, on the same texts."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    rows, collate = topics(32)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=30522, hidden_size=128, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=512, max_position_embeddings=64, num_labels=8,
    )  # fmt: skip
    return BertForSequenceClassification(config), rows[:2000], rows[2000:], collate


def small_gpt(seed: int) -> Any:
    """A GPT of two layers, from scratch, on the letters of the same texts."""
    import torch
    from resources import reuters
    from transformers import GPT2Config, GPT2LMHeadModel

    text = "\n".join(text for _, text in reuters())[:200_000].lower()
    signs = sorted(set(text))
    ids = [signs.index(sign) for sign in text]
    rows = [{"input_ids": ids[at : at + 48]} for at in range(0, len(ids) - 48, 48)]
    rows = [{**row, "labels": row["input_ids"]} for row in rows]
    torch.manual_seed(seed)
    config = GPT2Config(vocab_size=len(signs), n_positions=48, n_embd=96, n_layer=2, n_head=4)
    return GPT2LMHeadModel(config), rows[:3000], rows[3000:3300], None


def shuffled(seed: int) -> Any:
    """The digits under labels that have nothing to do with them."""
    import random

    model, rows, held, collate = digits(seed)
    labels = [row["labels"] for row in rows]
    random.Random(seed).shuffle(labels)  # noqa: S311 - nothing secret
    rows = [{**row, "labels": label} for row, label in zip(rows, labels, strict=True)]
    return model, rows, held, collate


def not_finite(seed: int) -> Any:
    """The digits under a loss that takes the logarithm of 0."""
    model, rows, held, collate = digits(seed)
    before = type(model).forward

    def forward(self: Any, x: Any, labels: Any = None) -> Any:
        answer = before(self, x, labels)
        answer["loss"] = answer["loss"] + (x.mean() * 0).log()
        return answer

    type(model).forward = forward
    return model, rows, held, collate


def frozen(seed: int) -> Any:
    """The digits, and a network of which nothing is trained."""
    model, rows, held, collate = digits(seed)
    return model.requires_grad_(False), rows, held, collate


def constant(seed: int) -> Any:
    """The digits without their pictures, every label as frequent as the next."""
    model, rows, held, collate = digits(seed)
    blank = [0.0] * 64
    return model, [{"x": blank, "labels": n % 10} for n in range(len(rows))], held, collate


TASKS = (
    Task("MiniLM on Reuters", fine_tuned, "AdamW", 3e-5, 4, 60, 8),
    Task("BERT-small from scratch", small_bert, "AdamW", 3e-4, 4, 150),
    Task("digits MLP", digits, "AdamW", 3e-4, 6, 300),
    Task("digits MLP, SGD with momentum", digits, "SGD momentum", 3e-3, 6, 300),
    Task("small GPT", small_gpt, "AdamW", 3e-4, 6, 250),
)
HOPELESS = (
    Task("shuffled labels", shuffled, "AdamW", 1e-3, 0, 0),
    Task("loss that is NaN", not_finite, "AdamW", 1e-3, 0, 0),
    Task("nothing trained", frozen, "AdamW", 1e-3, 0, 0),
    Task("inputs without content", constant, "AdamW", 1e-3, 0, 0),
)


KERAS = "Keras network of convolutions"

Grids = dict[str, dict[str, float]]
"""The losses of each task's grid by rate, as they are written down: `pipedoctor` has no part in them."""


def collated(rows: Sequence[dict[str, Any]], collate: Any) -> Any:
    """Return rows as the model takes them."""
    from transformers import default_data_collator

    return dict((collate or default_data_collator)([dict(row) for row in rows]))


def drawn(rows: Sequence[Any], size: int, seed: int) -> Iterator[list[Any]]:
    """Yield batches for ever, shuffled anew for each pass."""
    import random

    order = random.Random(seed)  # noqa: S311 - nothing secret
    while True:
        shuffled = order.sample(rows, len(rows))
        for at in range(0, len(rows) - size + 1, size):
            yield shuffled[at : at + size]


def trained(task: Task, rate: float, seed: int) -> float:
    """Train at a rate; return the loss on the rows held out, infinity if it is no number."""
    import torch

    model, rows, held, collate = task.make(seed)
    optimizer = task.built(model, rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 - n / task.steps)
    model.train()
    batches = drawn(rows, task.batch, seed)
    for _ in range(task.steps):
        loss = model(**collated(next(batches), collate))["loss"]
        if not torch.isfinite(loss):
            return float("inf")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.eval()
    with torch.no_grad():
        chunks = [held[at : at + 50] for at in range(0, len(held), 50)]
        losses = [float(model(**collated(chunk, collate))["loss"]) for chunk in chunks]
    mean = sum(losses) / len(losses)
    return mean if isfinite(mean) else float("inf")


def suggested(task: Task, seed: int) -> Any:
    """Return what the range test finds."""
    model, rows, _, collate = task.make(seed)
    parts = {
        "model": model,
        "train_data": rows,
        "optimizer": task.built(model, task.grid[0] if task.rates else task.lowest),
        "collator": collate,
        "settings": {"per_device_train_batch_size": task.batch, "max_grad_norm": 1.0},
    }
    return fact({name: part for name, part in parts.items() if part is not None})


def fact(parts: Mapping[str, Any]) -> Any:
    """Return the fact `RangeTest` of these parts."""
    from pipedoctor import frameworks
    from pipedoctor.facts import RangeTest
    from pipedoctor.parts import Parts
    from pipedoctor.pipeline import Pipeline

    given = Parts({"range_test": {}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(RangeTest)


def finder(task: Task, seed: int) -> float | None:
    """Return what torch-lr-finder suggests with its defaults: the steepest fall in 100 steps."""
    import numpy as np
    import torch

    try:
        from torch_lr_finder import LRFinder, TrainDataLoaderIter
    except ImportError:
        return None
    model, rows, _, collate = task.make(seed)

    class Batches(TrainDataLoaderIter):  # type: ignore[misc] - the package has no types
        def inputs_labels_from_batch(self, batch: Any) -> Any:
            return batch, batch["labels"]

    class Losses(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = model

        def forward(self, inputs: Any) -> Any:
            return self.inner(**inputs)["loss"]

    loader = torch.utils.data.DataLoader(
        rows,
        task.batch,
        shuffle=True,
        drop_last=True,
        collate_fn=lambda held: collated(held, collate),
    )
    torch.manual_seed(seed)
    lowest = 1e-7 if task.optimizer == "AdamW" else 1e-5
    found = LRFinder(Losses(), task.built(model, lowest), lambda loss, _: loss, device="cpu")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        found.range_test(Batches(loader), end_lr=10, num_iter=100)
    losses, rates = found.history["loss"][10:-5], found.history["lr"][10:-5]
    return float(rates[int(np.gradient(np.array(losses)).argmin())]) if len(losses) > 2 else None


def keras_task(seeds: int, known: Grids) -> dict[str, Any]:
    """Do the same for a network of convolutions in Keras, on the digits."""
    import keras
    import numpy as np
    from sklearn.datasets import load_digits

    from pipedoctor import frameworks

    held = load_digits()
    x, y = (held.images / 16).astype("float32")[..., None], held.target.astype("int64")

    def model(rate: float, seed: int) -> Any:
        keras.utils.set_random_seed(seed)
        layers = [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
        made = keras.Sequential(layers)
        made.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return made

    grid, epochs = [3e-4 * STEP**place for place in range(6)], 4

    def fitted(rate: float) -> float:
        one = model(rate, 0)
        one.fit(x[:1400], y[:1400], epochs=epochs, batch_size=32, verbose=0)
        loss = float(one.evaluate(x[1400:], y[1400:], verbose=0))
        return loss if np.isfinite(loss) else float("inf")

    losses = searched(KERAS, grid, fitted, known)
    found = []
    for seed in range(seeds):
        start = time.process_time()
        given = {"model": model(1e-3, seed), "x": x[:1400], "y": y[:1400], "epochs": epochs}
        found.append((fact(frameworks.given(given)), time.process_time() - start))
    return told(KERAS, "Adam", losses, found, [])


def told(
    name: str,
    optimizer: str,
    losses: Mapping[float, float],
    found: Sequence[tuple[Any, float]],
    theirs: Sequence[float | None],
) -> dict[str, Any]:
    """Return the row of a task."""
    best = min(losses, key=lambda rate: losses[rate])
    tests = [one for one, _ in found]
    offs = [None if one.suggestion is None else one.suggestion / best for one in tests]
    return {
        "task": name,
        "optimizer": optimizer,
        "best": best,
        "suggestions": [one.suggestion for one in tests],
        "confidence": [one.confidence for one in tests],
        "diverges": [one.diverges for one in tests],
        "lowest": [one.high for one in tests],
        "times_best": [off and round(off, 2) for off in offs],
        "within": [off is not None and max(off, 1 / off) <= WITHIN * (1 + 1e-6) for off in offs],
        "steps": [one.steps for one in tests],
        "restored": [one.restored for one in tests],
        "cpu_seconds": [round(seconds, 1) for _, seconds in found],
        "torch_lr_finder": list(theirs),
        "torch_lr_finder_times_best": [rate and round(rate / best, 2) for rate in theirs],
    }


def searched(
    name: str, grid: Sequence[float], train: Callable[[float], float], known: Grids
) -> dict[float, float]:
    """Return the losses of a grid; those that are known are not measured again."""
    kept = known.setdefault(name, {})
    for rate in grid:
        if f"{rate:.1e}" not in kept:
            kept[f"{rate:.1e}"] = round(train(rate), 4)
            print(name, f"{rate:.1e}", kept[f"{rate:.1e}"], flush=True)
    return {rate: kept[f"{rate:.1e}"] for rate in grid}


def measured(task: Task, seeds: int, known: Grids) -> dict[str, Any]:
    """Return the row of a task of torch."""
    losses = searched(task.name, task.grid, lambda rate: trained(task, rate, 0), known)
    found = []
    for seed in range(seeds):
        start = time.process_time()
        found.append((suggested(task, seed), time.process_time() - start))
    theirs = [finder(task, seed) for seed in range(seeds)]
    return told(task.name, task.optimizer, losses, found, theirs)


def hopeless(task: Task, seeds: int) -> dict[str, Any]:
    """Return the row of a task that is to get no suggestion."""
    tests = [suggested(task, seed) for seed in range(seeds)]
    return {
        "task": task.name,
        "suggestions": [one.suggestion for one in tests],
        "why": [one.why for one in tests],
        "restored": [one.restored for one in tests],
    }


def kept(path: Path, date: str) -> dict[str, Any]:
    """Return what today's result has already."""
    if path.exists():
        return dict(json.loads(path.read_text()))
    return {"date": date, "grids": {}, "tasks": [], "hopeless": []}


def main(seeds: int, only: str = "") -> int:
    """Run the tasks that today's result lacks; return 1 if a hopeless one got a suggestion."""
    warnings.simplefilter("ignore")
    import torch

    torch.set_num_threads(1)
    # torch-lr-finder imports it for a plot that nobody asks for here.
    for module in ("matplotlib", "matplotlib.pyplot"):
        with contextlib.suppress(ImportError):
            __import__(module)
        sys.modules.setdefault(module, types.ModuleType(module))
    date = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    path = ROOT / "benchmarks" / "results" / f"lr-{date}.json"
    summary = kept(path, date)
    wanted: list[tuple[str, str, Callable[[Grids], dict[str, Any]]]] = [
        *(
            ("tasks", task.name, lambda known, task=task: measured(task, seeds, known))
            for task in TASKS
        ),
        ("tasks", KERAS, lambda known: keras_task(seeds, known)),
        *(
            ("hopeless", task.name, lambda _, task=task: hopeless(task, seeds))
            for task in HOPELESS
        ),
    ]
    for kind, name, measure in wanted:
        if only not in name or name in {row["task"] for row in summary[kind]}:
            continue
        row = measure(grids := summary["grids"])
        summary = kept(path, date)  # others may have run beside it
        summary["grids"] |= {name: grids[name]} if name in grids else {}
        summary[kind].append(row)
        print(json.dumps(summary[kind][-1]), flush=True)
        rows = summary["tasks"]
        within = [one for row in rows for one in row["within"]]
        summary["within"] = f"{sum(within)} of {len(within)}"
        found = [rate for row in summary["hopeless"] for rate in row["suggestions"]]
        summary["wrong_suggestions"] = sum(rate is not None for rate in found)
        path.write_text(json.dumps(summary, indent=1) + "\n")
    print({key: summary.get(key) for key in ("within", "wrong_suggestions")})
    return int(bool(summary.get("wrong_suggestions")))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, *sys.argv[2:3]))
