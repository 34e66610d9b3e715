"""
What is named of each fault: by pipedoctor in each way to train, and by the other tools there are.

    python benchmarks/nan_names.py [--save]

Anomaly mode is torch's (`torch.autograd.set_detect_anomaly`), DebugUnderflowOverflow that of
transformers. Every tool gets the same steps, and what it says first is taken. The faults and what
is right of them are those of tests/nan_faults.py.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import json
import platform
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from measuring import RESULTS
from transformers.debug_utils import DebugUnderflowOverflow

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import nan_formulas as formulas
from nan_faults import BATCH, FAULTS, Fault, Model, traced
from nan_healthy import HEADS
from nan_ways import WAYS, searched

FRAME = re.compile(r'File "([^"]+)", line (\d+)')
DERIVED = re.compile(r"Function '(\w+)' returned nan")

BRACKETS = """
In brackets: whether the line (or of a tensor the name), the layer and the rows are right; - where
none is named, or there is none to be named.
"""

SILENT, DIED = "nothing", "died"


@dataclass(frozen=True)
class Named:
    """
    What a tool says of a fault, in a few words, and what of it is right.

    `place` is the line, or of what came with a tensor, its name; None where it names none.
    """

    words: str
    place: bool | None = None
    layer: bool | None = None
    rows: bool | None = None


def batches(rows: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the batches of the data."""
    for first in range(0, len(rows), BATCH):
        part = rows[first : first + BATCH]
        yield {name: torch.tensor([row[name] for row in part]) for name in part[0]}


def gpt2(attention: str) -> tuple[Any, dict[str, Any]]:
    """Return a healthy GPT-2 and a batch that is padded on the left."""
    config = transformers.GPT2Config(
        n_layer=1,
        n_head=2,
        n_embd=16,
        vocab_size=50,
        n_positions=16,
        attn_implementation=attention,
    )
    ids = torch.randint(50, (3, 8))
    mask = torch.ones(3, 8, dtype=torch.long)
    mask[0, :5] = 0
    labels = ids.masked_fill(mask == 0, -100)
    model = transformers.GPT2LMHeadModel(config)
    return model, {"input_ids": ids, "attention_mask": mask, "labels": labels}


def steps(fault: Fault, model: Any, given: list[dict[str, Any]] | None = None) -> None:
    """Train for an epoch, or with the batches that are given, whatever becomes of it."""
    make = fault.optimizer or (lambda parameters: torch.optim.SGD(parameters, lr=1e-3))
    optimizer = make(model.parameters())
    for batch in given or batches(fault.data()):
        optimizer.zero_grad()
        model(**batch)["loss"].backward()
        optimizer.step()


def anomaly(fault: Fault, model: Any, given: list[dict[str, Any]] | None = None) -> Named:
    """Train under torch's anomaly mode."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            with torch.autograd.set_detect_anomaly(True):
                steps(fault, model, given)
        except RuntimeError as error:
            told = DERIVED.search(str(error))
            if told is None:
                raise
        else:
            return Named(SILENT)
    stack = next((str(w.message) for w in caught if "Traceback of forward" in str(w.message)), "")
    ours = [(p, int(n)) for p, n in FRAME.findall(stack) if p.startswith(str(formulas_folder()))]
    if not ours:
        return Named(told[1])
    path, line = ours[-1]
    right = fault.marked and (path, line) in {
        (formulas.__file__, fault.line()),
        (formulas.__file__, fault.line("FROM")),
        (formulas.__file__, fault.line("CALLED")),
    }
    return Named(f"{told[1]} in {Path(path).name}:{line}", place=right)


def formulas_folder() -> Path:
    """Return the folder in which the code of the faults lies."""
    return Path(formulas.__file__).parent


def debugger(fault: Fault, model: Any, given: list[dict[str, Any]] | None = None) -> Named:
    """Train under the debugger of transformers."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        DebugUnderflowOverflow(model)
        try:
            steps(fault, model, given)
        except (ValueError, RuntimeError) as error:
            if "DebugUnderflowOverflow" not in str(error):
                return Named(f"{DIED}: {error}")
        else:
            return Named(SILENT)
    frames = [line for line in out.getvalue().splitlines() if line.startswith(" " * 17 + " ")]
    name = frames[-1].split()[0] if len(frames[-1].split()) > 1 else "the model"
    first = next(line for line in out.getvalue().splitlines() if line.endswith(("nans", "infs")))
    where = first.rsplit(" has ", 1)[0].split()[-1]
    full = f"{name}.{where}"
    place = full == fault.value if fault.value else None
    return Named(f"{where} of {name}", place, name == fault.module if fault.module else None)


def ours(fault: Fault, model: Any, given: list[dict[str, Any]] | None = None) -> Named:
    """Search with pipedoctor."""
    if given is None:
        found = searched(fault, model)
    else:
        rows = [
            {name: t[n] for name, t in b.items()} for b in given for n in range(len(b["labels"]))
        ]
        found = traced(model=model, train_data=rows)
    if found.origin is None or found.root is None:
        return Named(SILENT)
    blamed = found.origin if found.root.intended else found.root
    place: bool = blamed.name == fault.value
    words = blamed.named
    if fault.marked:
        line = found.origin.where.line
        place = (found.origin.where.file, line) == (formulas.__file__, fault.line())
        words += f" in {formulas.__name__}.py:{blamed.line.line}"
    if fault.value and blamed.name != blamed.named:
        words += f", {blamed.name}"
    if not fault.marked and not fault.value:
        place = found.origin.operation == fault.operation
    layer = found.origin.module == fault.module if fault.module else None
    return Named(words, place, layer, found.rows == fault.rows)


TOOLS: dict[str, Callable[..., Named]] = {
    "anomaly mode": anomaly,
    "DebugUnderflowOverflow": debugger,
    "pipedoctor": ours,
}


def alarms(tool: str) -> list[str]:
    """Return the healthy formulas that a tool raises an alarm about."""
    raised = []
    for head in HEADS:
        healthy = Fault(head.__name__, "", "", head=head)
        named = TOOLS[tool](healthy, Model(head))
        if named.words != SILENT:
            raised.append(head.__name__)
    for attention in ("eager", "sdpa"):
        model, batch = gpt2(attention)
        named = TOOLS[tool](Fault("", "", ""), model, [batch])
        if named.words != SILENT:
            raised.append(f"GPT-2 with {attention} attention ({named.words})")
    return raised


def mark(right: bool | None) -> str:
    """Return what stands in the table."""
    return {True: "yes", False: "no", None: "-"}[right]


def table(columns: list[str], lines: list[list[str]]) -> str:
    """Return a table of Markdown."""
    rows = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def main(arguments: list[str]) -> None:
    """Fill both tables."""
    warnings.filterwarnings("ignore")
    ways = {
        fault.name: {way: not differences(fault) for way, differences in WAYS.items()}
        for fault in FAULTS
    }
    named = {
        fault.name: {name: tool(fault, fault.model()) for name, tool in TOOLS.items()}
        for fault in FAULTS
    }
    false = {name: alarms(name) for name in TOOLS}
    right = sum(sum(line.values()) for line in ways.values())
    text = [
        f"# {len(FAULTS)} faults: {right} of {len(FAULTS) * len(WAYS)} cells right\n",
        "Operation, phase, line, layer, rows and family are all as they should be.\n",
        table(
            ["fault", "kind", *WAYS],
            [[f.name, f.group, *(mark(ways[f.name][way]) for way in WAYS)] for f in FAULTS],
        ),
        "\n# What each tool names\n",
        BRACKETS,
        table(
            ["fault", *TOOLS],
            [
                [
                    fault.name,
                    *(
                        f"{n.words} ({mark(n.place)}, {mark(n.layer)}, {mark(n.rows)})"
                        for n in named[fault.name].values()
                    ),
                ]
                for fault in FAULTS
            ],
        ),
        "",
        table(
            ["of all faults", *TOOLS],
            [
                ["noticed", *counted(named, lambda n: n.words != SILENT)],
                ["right line or name", *counted(named, lambda n: n.place is True)],
                ["right layer", *counted(named, lambda n: n.layer is True)],
                ["right rows", *counted(named, lambda n: n.rows is True)],
                [f"false alarms, {len(HEADS) + 2} healthy", *(str(len(false[t])) for t in TOOLS)],
            ],
        ),
        "\nFalse alarms: "
        + ("; ".join(f"{t}: {', '.join(names)}" for t, names in false.items() if names) or "none"),
    ]
    print("\n".join(text))
    if "--save" in arguments:
        today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
        record = {
            "date": today,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "ways": ways,
            "named": {f: {t: asdict(n) for t, n in line.items()} for f, line in named.items()},
            "false_alarms": false,
        }
        (RESULTS / f"nan-names-{today}.json").write_text(json.dumps(record, indent=1) + "\n")
        (RESULTS / f"nan-names-{today}.md").write_text("\n".join(text) + "\n")


def counted(named: dict[str, dict[str, Named]], true: Callable[[Named], bool]) -> list[str]:
    """Return for each tool of how many faults something holds."""
    return [str(sum(true(line[tool]) for line in named.values())) for tool in TOOLS]


if __name__ == "__main__":
    main(sys.argv[1:])
