"""What packages declare to need, compared with what is there: `pip check` over some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from pipedoctor.facts.packages import Conflict
from pipedoctor.probes.surroundings.metadata import Installed, normal

if TYPE_CHECKING:
    from packaging.requirements import Requirement

STACK = (
    *("transformers", "torch", "accelerate", "datasets", "tokenizers", "safetensors"),
    *("huggingface-hub", "peft", "trl", "bitsandbytes", "deepspeed", "evaluate", "diffusers"),
    *("sentence-transformers", "torchvision", "torchaudio", "xformers", "flash-attn", "triton"),
    *("tensorflow", "tensorflow-cpu", "keras", "tf-keras", "jax", "jaxlib", "ml-dtypes"),
    *("numpy", "pyarrow", "pandas", "scipy", "scikit-learn", "protobuf", "optimum", "lightning"),
    *("pytorch-lightning", "torchmetrics", "liger-kernel", "unsloth", "sentencepiece"),
)
"""The packages that are asked what they need."""

STAND_INS = {
    "tensorflow": ("tensorflow-cpu", "tensorflow-intel", "tensorflow-macos", "tf-nightly")
}
"""Packages that bring the same modules under another name."""

REFUSED = {
    "transformers": frozenset(
        (
            *("tqdm", "regex", "requests", "packaging", "filelock", "numpy", "tokenizers"),
            *("huggingface-hub", "safetensors", "pyyaml", "accelerate", "typer"),
        )
    )
}
"""What a package looks at when it is imported, and raises an error for (transformers 5.23.0)."""


def conflicts(packages: Mapping[str, Installed]) -> tuple[Conflict, ...]:
    """
    Return the packages that others can't work with, each once.

    `packages` are those that imports would find, by their normal names.

    Raises:
        ImportError: The package `packaging` is not installed.

    """
    if not any(name in packages for name in STACK):
        return ()
    from packaging.version import InvalidVersion, Version

    asked: dict[str, dict[str, Requirement]] = {}
    for name in STACK:
        if name in packages:
            for requirement in wanted(packages[name].requires):
                asked.setdefault(normal(requirement.name), {})[name] = requirement
    found = []
    for target, by in asked.items():
        there = [packages[n] for n in (target, *STAND_INS.get(target, ())) if n in packages]
        unmet = dict(by)
        for one in there:
            try:
                version = Version(one.version)
            except InvalidVersion:  # nothing can be said of it
                unmet = {}
                break
            unmet = {
                name: requirement
                for name, requirement in unmet.items()
                if not _met(requirement, version)
            }
        if unmet:
            version_there = there[0].version if there else None
            found.append(_conflict(target, version_there, by, unmet, packages))
    return tuple(found)


def wanted(requires: Iterable[str]) -> list[Requirement]:
    """Return the requirements that hold here; those of extras, and what can't be read, don't."""
    from packaging.requirements import InvalidRequirement, Requirement

    found = []
    for text in requires:
        try:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                found.append(requirement)
        except (InvalidRequirement, ValueError):  # one line that nobody can read
            continue
    return found


def _met(requirement: Requirement, version: object) -> bool:
    # A build from source calls itself a pre-release: 2.9.0a0+git1234.
    return requirement.specifier.contains(str(version), prereleases=True)


def _conflict(
    target: str,
    version: str | None,
    by: Mapping[str, Requirement],
    unmet: Mapping[str, Requirement],
    packages: Mapping[str, Installed],
) -> Conflict:
    stops = any(target in REFUSED.get(name, ()) for name in unmet)
    return Conflict(
        package=target,
        version=version,
        needed_by={
            f"{name} {packages[name].version}": str(one.specifier) for name, one in unmet.items()
        },
        together=_together([str(one.specifier) for one in by.values()]),
        stops=stops,
    )


def _together(specifiers: Iterable[str]) -> str:
    """Return all bounds in one, as pip takes them; whether a version is within all is its to say."""
    bounds = {bound.strip() for one in specifiers for bound in one.split(",") if bound.strip()}
    return ",".join(sorted(bounds, key=lambda bound: (bound.lstrip("<>=!~"), bound)))
