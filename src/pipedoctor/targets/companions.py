"""The files beside a training config: the configs of accelerate and DeepSpeed of the same run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.finding import Location
from pipedoctor.targets import Target, TargetError, dialects
from pipedoctor.targets.document import Document, read_document
from pipedoctor.targets.source import Source, read_source, shown


@dataclass(frozen=True, eq=False)
class Companion(Mapping[str, Any]):
    """A config with keys within keys, which can say where each of them stands."""

    document: Document
    source: Source

    def __getitem__(self, key: str) -> Any:
        """Return a value at the top."""
        return self.document[key]

    def __iter__(self) -> Iterator[str]:
        """Iterate over the keys at the top."""
        return iter(self.document)

    def __len__(self) -> int:
        """Count the keys at the top."""
        return len(self.document)

    def where(self, path: str) -> Location:
        """Return the place of a key, told by all that it is within: `optimizer.params.lr`."""
        at = 0
        for name in path.split("."):
            found = re.compile(rf"(?m)[\"']?\b{re.escape(name)}\b[\"']?\s*:").search(
                self.source.text, at
            )
            if found is None:
                break
            at = found.start()
        return replace(self.source.location(path.rpartition(".")[2], at), key=path)


def add(target: Target, beside: Sequence[str]) -> Target:
    """
    Return a target with the configs beside it: those that are named, and the one that it names.

    Raises:
        TargetError: One of those that the user named can't be read, or is something else.

    """
    found: dict[str, Any] = {}
    for name in beside:
        document = read_document(name)
        kind = dialects.detect(document)
        if kind not in dialects.BESIDE:
            raise TargetError(
                f"{shown(name)} is no config of accelerate or DeepSpeed; --with takes one of "
                "these beside the training config"
            )
        found[kind] = Companion(document, read_source(name))
    settings: Any = target.parts.get("settings") or {}  # those of a script are not known yet
    inner = found.get("accelerate", {}).get("deepspeed_config")
    stated = (
        settings.get("deepspeed"),
        inner.get("deepspeed_config_file") if isinstance(inner, Mapping) else None,
    )
    problems = list(target.problems)
    for file in stated:
        if isinstance(file, str) and file and "\0" not in file and "deepspeed" not in found:
            try:
                found["deepspeed"] = Companion(read_document(file), read_source(file))
            except TargetError as error:
                problems.append(f"the config of DeepSpeed was not read: {error}")
    own = settings.get("deepspeed")
    if isinstance(own, Mapping):
        found.setdefault("deepspeed", _Inline(own, settings.locations))
    if not found:
        return replace(target, problems=tuple(problems))
    return replace(target, parts=target.parts.also(launch_config=found), problems=tuple(problems))


class _Inline(dict[str, Any]):
    """A config of DeepSpeed that stands in the training config itself, under one key."""

    def __init__(self, values: Mapping[str, Any], locations: Mapping[str, Location]) -> None:
        super().__init__(values)
        self._place = locations.get("deepspeed", Location(key="deepspeed"))

    def where(self, _path: str) -> Location:
        """Return the place of the one key."""
        return self._place
