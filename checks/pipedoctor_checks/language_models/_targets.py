"""The names of layers, for those who look for the right ones."""

from __future__ import annotations

from difflib import get_close_matches

from pipedoctor.facts import AdapterTargets

HEADS = ("lm_head", "embed", "wte", "wpe", "score", "classifier", "norm", "ln_", "shared", "rel")
"""What stands in the names of matrices that adapters are seldom put on."""

ATTENTION = ("q_proj", "v_proj", "c_attn", "query_key_value", "qkv_proj", "query", "value", "Wqkv",
             "W_pack", "qkv", "q", "v", "q_lin", "v_lin", "query_proj", "value_proj")  # fmt: skip
"""What the projections of the attention are called, those that LoRA was first put on."""


def layers(targets: AdapterTargets, most: int = 8) -> str:
    """Return the names of the layers that could hold an adapter, with their numbers."""
    names = {n: k for n, k in targets.modules.items() if not any(h in n for h in HEADS)}
    told = [f"{name} ({number})" for name, number in list(names.items())[:most]]
    return ", ".join(told) + (" …" if len(names) > most else "")


def suggested(targets: AdapterTargets) -> str:
    """Return the list of names to state: those nearest to what was stated, else the attention."""
    names = [n for n in targets.modules if not any(part in n for part in HEADS)]
    near = [one for n in targets.matched for one in get_close_matches(n, names, 1, 0.9)]
    near = near or [name for name in ATTENTION if name in names] or names
    quoted = ", ".join(f'"{name}"' for name in dict.fromkeys(near))
    return f"[{quoted}]"
