"""The model of a capsule, where it is one of transformers itself: built from its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.frameworks.loading.quiet import need, quiet

ATTENTION = ("eager", "sdpa")
"""Others may name a kernel of the hub, which is code."""

CODE = ("auto_map", "attn_implementation", "_attn_implementation", "custom_pipelines")
"""What a config names code with; a capsule is anybody's."""


def parts(path: str) -> Mapping[str, Any]:
    """
    Return the model that a capsule was recorded from, with random weights yet.

    Raises:
        ValueError: Its class is code of the user's, which a file may not name to be run.
        LookupError: The installed transformers has no such model.

    """
    from pipedoctor.recorder import capsule

    kept = capsule.described(path)
    told, config = str(kept.get("model")), kept.get("config")
    package, _, name = told.rpartition(".")
    if not package.startswith("transformers.") or not isinstance(config, dict):
        raise ValueError(f"{told} is no model of transformers with a config")
    need("torch", "transformers")
    with quiet("transformers"):
        import transformers

        kind: Any = getattr(transformers, name, None)
        if not hasattr(kind, "config_class") or not hasattr(kind, "_from_config"):
            raise LookupError(f"transformers {transformers.__version__} has no model {name}")
        made = kind.config_class.from_dict({k: v for k, v in config.items() if k not in CODE})
        attention = kept.get("attention")
        chosen = {"attn_implementation": attention} if attention in ATTENTION else {}
        return {"model": kind._from_config(made, **chosen)}  # noqa: SLF001 - the only way to state the attention
