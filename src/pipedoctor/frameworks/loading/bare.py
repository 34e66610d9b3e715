"""A model by itself: from a folder of transformers, or made by a callable."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipedoctor.capture import factory
from pipedoctor.frameworks.loading import encapsulated, foreign_code
from pipedoctor.frameworks.loading.quiet import need, quiet
from pipedoctor.parts import Parts
from pipedoctor.recorder import capsule
from pipedoctor.targets import FACTORY


def parts(name: str) -> Mapping[str, Any]:
    """
    Return the parts that a folder or `module:callable` gives: the model, and what stands beside it.

    Raises:
        FileNotFoundError: The folder holds no model.
        TypeError: What the callable returns is neither a model nor a mapping of parts.
        Exception: Whatever importing, calling or loading it raises.

    """
    if FACTORY.fullmatch(name) and not os.path.exists(name):
        return _made(name)
    if Path(name, capsule.DESCRIPTION).is_file():
        return encapsulated.parts(name)
    return _loaded(name)


def _made(name: str) -> Mapping[str, Any]:
    import sys

    from pipedoctor import frameworks

    made = factory.made(name)
    torch = sys.modules.get("torch")
    first = made[0] if isinstance(made, tuple) and made else made
    if frameworks.is_fitted(first) or (isinstance(made, Mapping) and "x" in made):
        return frameworks.returned(made)
    if torch is not None and isinstance(made, torch.nn.Module):
        return {"model": made}
    if isinstance(made, Mapping):
        Parts(made)  # raises where a name is not in the table
        return made
    if torch is not None:
        match made:
            case (torch.nn.Module() as model, loss) if callable(loss):
                return {"model": model, "loss": loss}
    try:
        return frameworks.unpack(made)
    except TypeError:
        raise TypeError(
            f"{name}() returned {type(made).__name__}, neither a module of torch, a pair of a "
            "model and its loss function, nor a mapping of parts"
        ) from None


def _loaded(folder: str) -> Mapping[str, Any]:
    """Load the class that the config names, from this folder only."""
    need("torch", "transformers")
    config = Path(folder, "config.json")
    if not config.is_file():
        raise FileNotFoundError(f"{folder} holds no config.json, so it is no model's folder")
    told = json.loads(config.read_text(encoding="utf-8"))
    foreign_code.refuse(folder, folder)
    with quiet("transformers"):
        import transformers

        kind = getattr(transformers, (told.get("architectures") or ["AutoModel"])[0], None)
        loader = kind if kind is not None else transformers.AutoModel
        model = loader.from_pretrained(folder, local_files_only=True)
        found: dict[str, Any] = {"model": model}
        if any(Path(folder, name).is_file() for name in ("tokenizer.json", "vocab.txt")):
            found["tokenizer"] = transformers.AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
        return found
