"""
The peak that is predicted for a training step, against the peak of a real one on the CPU.

    python benchmarks/memory.py [--save] [NAME ...]

The real peak is what torch.profiler's allocator events say, which know nothing of our ledger: all
that the CPU's allocator hands out and takes back, from before the model is built. Beside it stand
the rule of four times the weights, what accelerate's own functions behind `accelerate
estimate-memory` say of training with Adam, torch's own MemTracker where it can go through the step,
and the growth of resident memory without the profiler. That is more than the peak: `libraries` is
the growth of a step of a tiny model (code that is touched, threads), `given_back` the growth where
each freed block goes back to the system (M_MMAP_THRESHOLD of glibc); what the usual growth has
more is memory that the C library keeps in pieces. "Largest batch" is checked by running batches of B and B + 1 rows, for a limit between the two.
Each case runs in a process of its own; a real step takes at most 2 GB.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import json
import multiprocessing
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from memory_beside import STEPS, accelerates, optimizer, tracked
from memory_cases import batch, cases

RESULTS = Path(__file__).parent / "results"
ASKED = ("bert-small", "bert-small checkpointed", "gpt2", "llama lora", "vit")
"""The cases whose largest batch is asked for, and run."""


def train(make: Callable[[], Any], rows: int, length: int, settings: Mapping[str, Any]) -> None:
    """Run real steps."""
    import torch

    from pipedoctor.frameworks.memory.step import _in_float32

    model = make().train()
    if settings.get("gradient_checkpointing"):
        model.gradient_checkpointing_enable()
    trained = [p for p in model.parameters() if p.requires_grad]
    steps = optimizer(str(settings.get("optim", "adamw_torch_fused")), trained)
    half = settings.get("bf16")
    inputs = batch(model, rows, length)
    for _ in range(STEPS):
        for _ in range(int(settings.get("gradient_accumulation_steps", 1))):
            casting = torch.autocast("cpu", dtype=torch.bfloat16) if half else nullcontext()
            with casting:
                answer = model(**inputs)
            loss = (_in_float32(answer) if half else answer).loss
            del answer
            loss.backward()
        steps.step()
        model.zero_grad()
        del loss


def real(make: Callable[[], Any], rows: int, length: int, settings: Mapping[str, Any]) -> int:
    """Return the peak of real steps, as the profiler's allocator events tell it."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as told:
        train(make, rows, length, settings)
    live = peak = 0
    events = [e for e in told.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda one: one.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def growth(name: str, kind: str) -> int:
    """Return how much resident memory grows by a step: `usual`, `given_back`, or of `libraries`."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    if kind != "usual":
        # M_MMAP_THRESHOLD: blocks of 64 KiB and more are mapped alone, and unmapped when freed.
        ctypes.CDLL(None).mallopt(-3, 1 << 16)
    make, rows, length, settings = cases()[name]
    before = resident()
    if kind == "libraries":
        inner = torch.nn.Linear(64, 64)
        found = torch.nn.functional.layer_norm(inner(torch.randn(32, 64)), (64,)).softmax(-1)
        found.square().mean().backward()
        torch.optim.AdamW(inner.parameters(), fused=True).step()
    else:
        train(make, rows, length, settings)
    return resident() - before


def plan(model: Any, settings: Mapping[str, Any], wishes: Mapping[str, Any]) -> Any:
    """Return the plan of a model, as `pipedoctor memory` makes it for a training on the CPU."""
    from pipedoctor import frameworks
    from pipedoctor.facts import MemoryPlan
    from pipedoctor.parts import Parts
    from pipedoctor.pipeline import Pipeline

    stated = {**settings, "use_cpu": True}
    parts = Parts({"model": model, "memory": dict(wishes), "settings": stated})
    return Pipeline(parts, frameworks.probes(parts)).fact(MemoryPlan)


def resident() -> int:
    """Return the most resident memory of this process so far."""
    line = next(x for x in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in x)
    return int(line.split()[1]) * 1024


def one(name: str) -> dict[str, Any]:
    """Measure one case in this process."""
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    torch.set_num_threads(2)
    make, rows, length, settings = cases()[name]
    wishes = {"rows": rows, **({"length": length} if length else {})}
    with torch.device("meta"):
        hollow = make()
    start, before = time.process_time(), resident()
    told = plan(hollow, settings, {**wishes, "room": 3 * 2**30})
    seconds, grown = time.process_time() - start, resident() - before
    found = real(make, rows, length, settings)
    record: dict[str, Any] = {
        "name": name,
        "predicted": told.peak,
        "real": found,
        "ratio": round(told.peak / found, 4),
        "four_times": round(4 * told.parts["weights"] / found, 3),
        "accelerate": round(accelerates(hollow) / found, 3),
        "plan_cpu_seconds": round(seconds, 2),
        "plan_memory": grown,
    }
    start = time.process_time()
    peak = tracked(make, rows, length, settings)
    record["mem_tracker"] = None if peak is None else round(peak / found, 4)
    record["mem_tracker_cpu_seconds"] = round(time.process_time() - start, 2)
    return record


def largest(name: str) -> dict[str, Any]:
    """Ask for the largest batch of a limit, and run it and one row more."""
    import torch
    import transformers

    from pipedoctor.probes.memory.laws import usable

    transformers.logging.set_verbosity_error()
    make, rows, length, settings = cases()[name]
    wishes = {"rows": rows, **({"length": length} if length else {})}
    with torch.device("meta"):
        hollow = make()
    first = plan(hollow, settings, wishes)
    room = int(first.total * 1.37)
    told = plan(hollow, settings, {**wishes, "room": room})
    limit = usable(room, gpu=False)
    fits, beyond = (real(make, n, length, settings) for n in (told.largest, told.largest + 1))
    return {
        "name": name,
        "limit": int(limit),
        "largest": told.largest,
        "real": fits,
        "one_more": beyond,
        "right": fits <= limit < beyond,
    }


def apart(measure: Callable[..., Any], *words: str) -> Any:
    """Return what is measured of a case, in a process of its own, forked from this one."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(measure, words)


def before(names: list[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return what was kept today of other cases, so that a long run can be done in pieces."""
    path = RESULTS / f"memory-{today()}.json"
    if not path.exists():
        return [], []
    told = json.loads(path.read_text())
    return tuple(
        [record for record in told[kind] if record["name"] not in names]
        for kind in ("cases", "largest")
    )


def today() -> str:
    """Return the date of today."""
    return dt.datetime.now(tz=dt.timezone.utc).date().isoformat()


def keep(records: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Path:
    """Write the results so far."""
    import accelerate
    import torch
    import transformers

    path = RESULTS / f"memory-{today()}.json"
    told = {
        "title": "memory: predicted peak against the profiler's allocator events, on the CPU",
        "date": today(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "accelerate": accelerate.__version__,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "cases": records,
        "largest": answers,
    }
    path.write_text(json.dumps(told, indent=1) + "\n")
    return path


def main(arguments: list[str]) -> None:
    """Measure all cases, or those that are named."""
    import peft

    del peft  # imported once, before the processes are forked
    save = "--save" in arguments
    names = [word for word in arguments if not word.startswith("-")] or list(cases())
    print(
        "case                            predicted      real   ratio  4 x rule  accelerate  "
        "MemTracker  resident  given back  libraries  plan"
    )
    records, answers = before(names) if save else ([], [])
    for name in names:
        record = apart(one, name)
        record["resident"] = {
            kind: apart(growth, name, kind) for kind in ("usual", "given_back", "libraries")
        }
        records.append(record)
        held = {kind: size / 1e6 for kind, size in record["resident"].items()}
        tracker = record["mem_tracker"]
        print(
            f"{name:<30} {record['predicted'] / 1e6:9.1f} MB {record['real'] / 1e6:7.1f} "
            f"{record['ratio']:8.4f} {record['four_times']:8.3f} {record['accelerate']:10.3f} "
            f"{tracker if tracker is not None else '-':>11} {held['usual']:9.1f} "
            f"{held['given_back']:11.1f} {held['libraries']:10.1f} "
            f"{record['plan_cpu_seconds']:5.2f} s",
            flush=True,
        )
        if name in ASKED:
            answer = apart(largest, name)
            answers.append(answer)
            print(
                f"  largest batch: {answer['largest']} rows take {answer['real'] / 1e6:.1f} MB, "
                f"one more {answer['one_more'] / 1e6:.1f}; the limit is "
                f"{answer['limit'] / 1e6:.1f}: {'right' if answer['right'] else 'WRONG'}",
                flush=True,
            )
        if save:
            keep(records, answers)
    worst = max(records, key=lambda record: abs(record["ratio"] - 1))
    print(f"worst: {worst['name']}, {worst['ratio']:.4f}")
    if save:
        print(f"kept in {keep(records, answers).relative_to(Path.cwd())}")


if __name__ == "__main__":
    main(sys.argv[1:])
