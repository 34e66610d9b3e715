"""A checkpoint as it lies on the disk: a file, or a folder of files that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Contents
from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class StoredFile:
    """One file: its name inside the checkpoint, its bytes, and what is in it."""

    name: str
    path: str
    size: int
    contents: Contents


@dataclass(frozen=True, repr=False, eq=False)
class Checkpoint(Fact):
    """
    The files of one checkpoint.

    `kind` is "file", "model", "adapter", "trainer", "deepspeed", "dcp", "keras", "tensorflow" or
    "unknown". `config` is its config.json or adapter_config.json, `state` its trainer_state.json;
    `missing` names the files that a whole checkpoint of its kind has and this one hasn't.
    """

    doing = "Reading the checkpoint"

    path: str
    kind: str
    files: tuple[StoredFile, ...]
    missing: tuple[str, ...] = ()
    config: Mapping[str, object] = UNKNOWN
    state: Mapping[str, object] = UNKNOWN

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        return sum(file.size for file in self.files)

    def summary(self) -> Mapping[str, object]:
        """Tell what it is."""
        return {"path": self.path, "kind": self.kind, "files": len(self.files)}
