"""Plans made by hand: what `pipedoctor memory` shows, and its checks judge."""

from __future__ import annotations

from typing import Any

from pipedoctor.facts import Held, MemoryPlan, Remedy

GIB = 2**30


def plan(**more: Any) -> MemoryPlan:
    made: dict[str, Any] = {
        "name": "LlamaForCausalLM",
        "parameters": 6_738_415_616,
        "trainable": 6_738_415_616,
        "rows": 4,
        "parts": {"weights": 13 * GIB, "states": 26 * GIB, "activations": 9 * GIB, "inputs": 9},
        "peak": 48 * GIB + 9,
        "moment": "backward pass",
        "context": GIB // 2,
        "margin": 2 * GIB,
        "length": 2048,
        "optimizer": "adamw_torch_fused",
        "held": (
            Held("activations", "addmm", "model.layers.*.mlp", (8192, 11008), "bfloat16", GIB),
        ),
        "batches": {1: 30 * GIB, 4: 50 * GIB},
        "remedies": (Remedy("bf16=True", 20 * GIB, "traced", "precision", 12),),
    }
    return MemoryPlan(**{**made, **more})
