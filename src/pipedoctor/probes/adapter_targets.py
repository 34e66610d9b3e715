"""The targets of an adapter as settings state them, matched with the tensors of a checkpoint."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.adapter_targets import AdapterTargets
from pipedoctor.facts.model_files import ModelFiles
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

KEYS = ("lora_target_modules", "lora_target", "target_modules")

WORDS = {"all", "all-linear", "auto", "default"}
"""What stands for all layers, or for those that the tool knows itself."""


@probe(AdapterTargets, Cost.FILES, "settings", "files")
def adapter_targets(pipeline: Pipeline, _split: Split) -> AdapterTargets:
    """Count the matrices of a checkpoint that each stated name matches, as PEFT would."""
    settings, files = pipeline.fact(Settings), pipeline.fact(ModelFiles)
    key = next((key for key in KEYS if settings.stated.get(key)), None)
    if key is None:
        raise Unavailable("the settings state no targets of an adapter")
    names = _names(settings.stated[key])
    layers = [
        name.removesuffix(".weight")
        for name, tensor in files.tensors.items()
        if name.endswith(".weight") and len(tensor.shape) == 2
    ]
    kinds: dict[str, int] = {}
    for layer in layers:
        last = layer.rpartition(".")[2]
        kinds[last] = kinds.get(last, 0) + 1
    return AdapterTargets(
        model=files.name,
        matched={
            name: sum(layer == name or layer.endswith(f".{name}") for layer in layers)
            for name in names
        },
        modules=kinds,
        where=settings.where(key),
    )


def _names(stated: object) -> list[str]:
    """Return the names; those of LLaMA-Factory stand in one text, between commas."""
    if isinstance(stated, str):
        stated = [name.strip() for name in stated.split(",") if name.strip()]
    if not isinstance(stated, (list, tuple)) or not all(isinstance(n, str) for n in stated):
        raise Unavailable("the targets of the adapter are not a list of names")
    names = [str(name) for name in stated]
    if WORDS & set(names):
        raise Unavailable("the adapter's targets are all layers of their kind")
    if any(not name.replace(".", "_").replace("-", "_").isidentifier() for name in names):
        raise Unavailable("the adapter's targets are stated as a pattern")
    return names
