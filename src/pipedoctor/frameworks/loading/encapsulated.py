"""The model of a capsule, where it is one of transformers itself: built from its config."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.frameworks.loading.quiet import need, quiet


def parts(path: str) -> Mapping[str, Any]:
    """
    Return the model that a capsule was recorded from, with random weights yet.

    Raises:
        ValueError: Its class is code of the user's, which a file may not name to be run.
        LookupError: The installed transformers has no such model.

    """
    from pipedoctor.recorder import capsule

    kept = capsule.described(path)
    package, _, name = str(kept["model"]).rpartition(".")
    if not package.startswith("transformers.") or not isinstance(kept["config"], dict):
        raise ValueError(f"{kept['model']} is no model of transformers with a config")
    need("torch", "transformers")
    with quiet("transformers"):
        import transformers

        kind: Any = getattr(transformers, name, None)
        if not hasattr(kind, "config_class") or not hasattr(kind, "_from_config"):
            raise LookupError(f"transformers {transformers.__version__} has no model {name}")
        config = kind.config_class.from_dict(kept["config"])
        attention = kept.get("attention")
        chosen = {"attn_implementation": attention} if isinstance(attention, str) else {}
        return {"model": kind._from_config(config, **chosen)}  # noqa: SLF001 - the only way to state the attention
