"""
The peak that is predicted for a training step, against the peak of a real one on the CPU.

    python benchmarks/memory.py [--save] [NAME ...]

The real peak is what torch.profiler's allocator events say, which know nothing of our ledger: all
that the CPU's allocator hands out and takes back, from before the model is built. Beside it stand
the rule of four times the weights (what `accelerate estimate-memory` prints for training with
Adam), torch's own MemTracker where it can go through the step, and the growth of resident memory.
"Largest batch" is checked by running batches of B and B + 1 rows, for a limit between the two.
Each case runs in a process of its own; a real step takes at most 2 GB.
"""

from __future__ import annotations

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

RESULTS = Path(__file__).parent / "results"
STEPS = 2
ASKED = ("bert-small", "bert-small checkpointed", "gpt2", "llama lora", "vit")
"""The cases whose largest batch is asked for, and run."""

Case = tuple[Callable[[], Any], int, int, Mapping[str, Any]]


def cases() -> dict[str, Case]:  # noqa: C901 - a list of models, each made by a line or two
    """Return what makes each model, the rows, the length, and the training arguments."""
    from transformers import (
        BertConfig,
        BertForMaskedLM,
        BertForSequenceClassification,
        DistilBertConfig,
        DistilBertForTokenClassification,
        GPT2Config,
        GPT2LMHeadModel,
        LlamaConfig,
        LlamaForCausalLM,
        T5Config,
        T5ForConditionalGeneration,
        ViTConfig,
        ViTForImageClassification,
    )

    def small(**more: Any) -> Any:
        sizes = {"hidden_size": 256, "num_hidden_layers": 4, "num_attention_heads": 4}
        return BertForSequenceClassification(BertConfig(**sizes, intermediate_size=1024, **more))

    def eager() -> Any:
        return small(attn_implementation="eager")

    def base() -> Any:
        return BertForSequenceClassification(BertConfig())

    def minilm() -> Any:
        sizes = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}
        return BertForMaskedLM(BertConfig(**sizes, intermediate_size=1536))

    def distil() -> Any:
        return DistilBertForTokenClassification(DistilBertConfig(n_layers=3, num_labels=9))

    def gpt() -> Any:
        return GPT2LMHeadModel(GPT2Config(n_layer=4, n_embd=256, n_head=4, vocab_size=20000))

    def llama() -> Any:
        sizes = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6}
        heads = {"num_attention_heads": 8, "num_key_value_heads": 2}
        return LlamaForCausalLM(LlamaConfig(**sizes, **heads, vocab_size=16000))

    def t5() -> Any:
        sizes = {"d_model": 256, "d_ff": 1024, "d_kv": 64, "num_layers": 4, "num_heads": 4}
        return T5ForConditionalGeneration(T5Config(**sizes, decoder_start_token_id=0))

    def vit() -> Any:
        sizes = {"hidden_size": 192, "num_hidden_layers": 6, "num_attention_heads": 3}
        return ViTForImageClassification(ViTConfig(**sizes, intermediate_size=768))

    def lora() -> Any:
        from peft import LoraConfig, get_peft_model

        return get_peft_model(llama(), LoraConfig(r=8, target_modules="all-linear"))

    def frozen() -> Any:
        model = small()
        for parameter in model.bert.embeddings.parameters():
            parameter.requires_grad_(False)
        return model

    checkpointed = {"gradient_checkpointing": True}
    return {
        "bert-small": (small, 16, 128, {}),
        "bert-small eager": (eager, 16, 128, {}),
        "bert-small checkpointed": (small, 16, 128, checkpointed),
        "bert-small bf16": (small, 16, 128, {"bf16": True}),
        "bert-small accumulated": (small, 8, 128, {"gradient_accumulation_steps": 2}),
        "bert-small frozen embeddings": (frozen, 16, 128, {}),
        "bert-small adafactor": (small, 4, 64, {"optim": "adafactor"}),
        "bert-small adamw loop": (small, 4, 64, {"optim": "adamw_torch"}),
        "bert-small sgd": (small, 16, 128, {"optim": "sgd"}),
        "bert-base": (base, 2, 128, {}),
        "minilm masked": (minilm, 8, 128, {}),
        "distilbert tokens": (distil, 8, 128, {}),
        "gpt2": (gpt, 4, 256, {}),
        "gpt2 checkpointed": (gpt, 4, 256, checkpointed),
        "gpt2 bf16": (gpt, 4, 256, {"bf16": True}),
        "llama grouped": (llama, 4, 256, {}),
        "llama checkpointed": (llama, 4, 256, checkpointed),
        "llama lora": (lora, 4, 256, {}),
        "t5": (t5, 4, 128, {}),
        "vit": (vit, 8, 0, {}),
    }


def batch(model: Any, rows: int, length: int) -> dict[str, Any]:
    """Return real inputs: random ids, or images."""
    import torch

    inner = model.get_base_model() if hasattr(model, "get_base_model") else model
    labels = "LM" in type(inner).__name__ or "Conditional" in type(inner).__name__
    if not length:
        images = torch.randn(rows, 3, 224, 224)
        return {"pixel_values": images, "labels": torch.zeros(rows, dtype=torch.int64)}
    ids = torch.randint(5, 1000, (rows, length))
    tokens = "Token" in type(inner).__name__
    return {"input_ids": ids, "labels": ids if labels else ids % 9 if tokens else ids[:, 0] % 2}


def real(make: Callable[[], Any], rows: int, length: int, settings: Mapping[str, Any]) -> int:
    """Return the peak of real steps, as the profiler's allocator events tell it."""
    import torch
    from torch.profiler import ProfilerActivity, profile

    from pipedoctor.frameworks.memory.step import _in_float32

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as told:
        model = make().train()
        if settings.get("gradient_checkpointing"):
            model.gradient_checkpointing_enable()
        trained = [p for p in model.parameters() if p.requires_grad]
        optimizer = _optimizer(str(settings.get("optim", "adamw_torch_fused")), trained)
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
            optimizer.step()
            model.zero_grad()
            del loss
    live = peak = 0
    events = [e for e in told.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda one: one.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def _optimizer(name: str, trained: list[Any]) -> Any:
    import torch

    if name == "sgd":
        return torch.optim.SGD(trained, lr=1e-3)
    if name == "adafactor":
        from transformers.optimization import Adafactor

        return Adafactor(trained, lr=1e-3, scale_parameter=False, relative_step=False)
    return torch.optim.AdamW(trained, fused=name == "adamw_torch_fused")


def plan(model: Any, settings: Mapping[str, Any], wishes: Mapping[str, Any]) -> Any:
    """Return the plan of a model, as `pipedoctor memory` makes it for a training on the CPU."""
    from pipedoctor import frameworks
    from pipedoctor.facts import MemoryPlan
    from pipedoctor.parts import Parts
    from pipedoctor.pipeline import Pipeline

    stated = {**settings, "use_cpu": True}
    parts = Parts({"model": model, "memory": dict(wishes), "settings": stated})
    return Pipeline(parts, frameworks.probes(parts)).fact(MemoryPlan)


def tracked(make: Callable[[], Any], rows: int, length: int) -> int | None:
    """Return the peak of torch's own MemTracker, gone through with tensors without values."""
    import torch
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed._tools.mem_tracker import MemTracker

    try:
        with FakeTensorMode(allow_non_fake_inputs=True):
            model = make().train()
            optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])
            inputs = batch(model, rows, length)
            tracker = MemTracker()
            tracker.track_external(model, optimizer)
            with tracker:
                for _ in range(STEPS):
                    model(**inputs).loss.backward()
                    optimizer.step()
                    optimizer.zero_grad()
                    tracker.reset_mod_stats()  # it takes one step at a time
        told = tracker.get_tracker_snapshot("peak")
        return max(int(kinds["Total"]) for kinds in told.values())
    except Exception as error:  # noqa: BLE001 - it is only measured beside, and it may raise anything
        print(f"    MemTracker: {type(error).__name__}: {str(error)[:80]}", file=sys.stderr)
        return None


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
    before = resident()
    found = real(make, rows, length, settings)
    record: dict[str, Any] = {
        "name": name,
        "predicted": told.peak,
        "real": found,
        "ratio": round(told.peak / found, 4),
        "four_times": round(4 * told.parts["weights"] / found, 3),
        "resident_growth": resident() - before,
        "plan_cpu_seconds": round(seconds, 2),
        "plan_memory": grown,
    }
    start = time.process_time()
    peak = tracked(make, rows, length) if not settings else None
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


def apart(measure: Callable[[str], dict[str, Any]], name: str) -> dict[str, Any]:
    """Return what is measured of a case, in a process of its own, forked from this one."""
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        return pool.apply(measure, (name,))


def keep(records: list[dict[str, Any]], answers: list[dict[str, Any]]) -> Path:
    """Write the results so far."""
    import torch
    import transformers

    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    path = RESULTS / f"memory-{today}.json"
    told = {
        "title": "memory: predicted peak against the profiler's allocator events, on the CPU",
        "date": today,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
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
        "case                            predicted      real   ratio  4 x rule  MemTracker  plan"
    )
    records: list[dict[str, Any]] = []
    answers: list[dict[str, Any]] = []
    for name in names:
        record = apart(one, name)
        records.append(record)
        tracker = record["mem_tracker"]
        print(
            f"{name:<30} {record['predicted'] / 1e6:9.1f} MB {record['real'] / 1e6:7.1f} "
            f"{record['ratio']:8.4f} {record['four_times']:8.3f} "
            f"{tracker if tracker is not None else '-':>10} {record['plan_cpu_seconds']:7.2f} s",
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
