"""A JSON file where a checkpoint may be: the index of a model in parts, or an adapter's config."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace

from pipedoctor.checkpoints import formats, not_checkpoints
from pipedoctor.checkpoints.contents import Contents, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.flaws import Flaws
from pipedoctor.checkpoints.json_stream import Broken, Entries, TooLong
from pipedoctor.checkpoints.opening import NotAFile, Source, opened, shown
from pipedoctor.fact import Unavailable

FORMAT = "index of a model in parts"

MOST_NAMES = 500_000
MOST_PARTS = 10_000

WORST = (
    Verdict.UNSAFE,
    Verdict.MALFORMED,
    Verdict.UNSUPPORTED,
    Verdict.NEEDS_TRUST,
    Verdict.ALLOWED,
)
"""The verdict on a whole is the first of these that any of its parts has."""


def read(path: str) -> Contents:
    """Return what the parts that an index names hold together, or what the JSON is instead."""
    with opened(path) as source:
        table = _Table(source)
        size = source.size
    if table.map is not None:
        return _Parts(os.path.dirname(path), table).contents()
    if "peft_type" in table.values:
        from pipedoctor.checkpoints import adapter

        return adapter.beside(os.path.dirname(path), table.values)
    error = table.values.get("error")
    if isinstance(error, str):
        return not_checkpoints.json_text(size, error)
    if "metadata" in table.values and table.broken:
        return Contents(FORMAT, Verdict.MALFORMED, table.flaws.first, flaws=table.flaws.told())
    return not_checkpoints.json_text(size)


class _Table:
    """The entries of a JSON object: `weight_map` as it stands there, of the others small ones."""

    def __init__(self, source: Source) -> None:
        self.map: dict[str, str | None] | None = None
        self.values: dict[str, object] = {}
        self.flaws = Flaws()
        self.broken = False
        try:
            self._read(Entries(source))
        except Broken as error:
            self.broken = True
            kind = FlawKind.LIMIT if isinstance(error, TooLong) else FlawKind.BAD_HEADER
            self.flaws.add(kind, f"it can't be read: {error}", offset=error.offset)

    def _read(self, entries: Entries) -> None:
        entries.begin()
        while (name := entries.key()) is not None:
            if name != "weight_map":
                self.values[name] = entries.value()
                continue
            self.map = {}
            if not entries.object_follows():
                entries.value()
                continue
            for tensor, file in entries.strings():
                if tensor in self.map:
                    self.flaws.add(
                        FlawKind.DUPLICATE,
                        f"the index lists {shown(tensor)} twice",
                        tensor=tensor,
                        offset=entries.offset,
                    )
                self.map[tensor] = file
                if len(self.map) > MOST_NAMES:
                    raise TooLong(f"it lists more than {MOST_NAMES:,} tensors", entries.offset)
        entries.end()


class _Parts:
    """The files of one model."""

    def __init__(self, folder: str, table: _Table) -> None:
        self._folder = folder
        self._map: Mapping[str, str | None] = table.map or {}
        self._flaws = table.flaws
        self._broken = table.broken
        self._values = table.values
        self._held: dict[str, Contents] = {}
        self._tensors: dict[str, StoredTensor] = {}
        self._where: dict[str, str] = {}

    def contents(self) -> Contents:
        """Read the parts and compare them with the index."""
        if not self._map:
            self._flaws.add(
                FlawKind.BAD_HEADER, "its weight_map lists no tensor, so nothing is loaded"
            )
        named = [file for file in dict.fromkeys(self._map.values()) if self._inside(file)]
        for file in named[:MOST_PARTS]:
            assert file is not None  # what is inside is a name
            self._part(file)
        self._compare()
        self._sum()
        verdict, reason, offender = self._judged()
        return Contents(
            FORMAT,
            verdict,
            reason,
            offender,
            tensors=self._tensors,
            metadata={"files": tuple(self._held), **_metadata(self._values)},
            flaws=self._flaws.told(),
            whole_model=verdict is Verdict.NEEDS_TRUST
            and any(held.whole_model for held in self._held.values()),
        )

    def _inside(self, file: str | None) -> bool:
        """Tell whether a name leads to a file in the folder; if not, say so."""
        if not file or not file.isprintable():
            self._flaws.add(
                FlawKind.BAD_HEADER,
                f"the index names {shown(repr(file))} where the name of a file belongs",
            )
            return False
        if leaves(self._folder, file):
            self._flaws.add(
                FlawKind.OUTSIDE,
                f"the index names {shown(file)}, which leads out of its folder: it is not "
                "opened here, and transformers would open it",
            )
            return False
        return True

    def _part(self, file: str) -> None:
        path = os.path.join(self._folder, file)
        try:
            held = one(path)
        except Unavailable as reason:
            expected = sum(part == file for part in self._map.values())
            what = "is missing" if not os.path.lexists(path) else f"can't be read: {reason}"
            self._flaws.add(
                FlawKind.MISSING_FILE,
                f"{shown(file)} {what}; the index expects {expected:,} tensors in it",
            )
            return
        self._held[file] = held
        for flaw in held.flaws:
            self._flaws.add(
                flaw.kind, f"{shown(file)}: {flaw.message}", tensor=flaw.tensor, offset=flaw.offset
            )
        for name, tensor in held.tensors.items():
            if name in self._where:
                self._flaws.add(
                    FlawKind.DUPLICATE,
                    f"{shown(name)} is in {shown(self._where[name])} and in {shown(file)}; the "
                    "last one that is loaded counts",
                    tensor=name,
                )
            if len(self._tensors) >= MOST_NAMES:
                self._flaws.add(
                    FlawKind.LIMIT, f"the first {MOST_NAMES:,} tensors of all parts were compared"
                )
                return
            self._where[name] = file
            self._tensors[name] = replace(tensor, storage=f"{file}:{tensor.storage}")

    def _compare(self) -> None:
        for name, file in self._map.items():
            held = self._held.get(file) if file else None
            if file is None or held is None or name in held.tensors or not _listed(held):
                continue  # a part that is missing, or no checkpoint, is told already
            other = self._where.get(name)
            where = f"it is in {shown(other)}" if other else "no part holds it"
            self._flaws.add(
                FlawKind.MISPLACED,
                f"the index looks for {shown(name)} in {shown(file)}, which has no such tensor: "
                f"{where}",
                tensor=name,
            )
        for name, file in self._where.items():
            if name not in self._map:
                self._flaws.add(
                    FlawKind.MISPLACED,
                    f"{shown(file)} holds {shown(name)}, which the index doesn't list",
                    tensor=name,
                )

    def _sum(self) -> None:
        """Compare the stated total with the tensors, where all of them are known."""
        metadata = self._values.get("metadata")
        stated = metadata.get("total_size") if isinstance(metadata, dict) else None
        if self._flaws or type(stated) is not int:
            return
        # Tensors that share their memory are stored once.
        sizes = {tensor.storage: tensor.bytes for tensor in self._tensors.values()}
        alone = sum(size or 0 for size in sizes.values())
        each = sum(tensor.bytes or 0 for tensor in self._tensors.values())
        if stated not in {alone, each} and None not in sizes.values():
            self._flaws.add(
                FlawKind.BAD_HEADER,
                f"the index states a total_size of {stated:,} bytes, and its tensors have "
                f"{alone:,}",
            )

    def _judged(self) -> tuple[Verdict, str, str]:
        """Return the verdict of the worst part, its reason, and what it names."""
        if self._broken or not self._map:
            return Verdict.MALFORMED, self._flaws.first, ""
        for verdict in WORST:
            for file, held in self._held.items():
                if held.verdict is verdict:
                    reason = f"{shown(file)}: {held.reason}" if held.reason else ""
                    return verdict, reason, held.offender
        return Verdict.MALFORMED, self._flaws.first, ""


def _listed(held: Contents) -> bool:
    """Tell whether a part could be read, so that what it doesn't list isn't in it."""
    return bool(held.tensors) or held.verdict in {Verdict.ALLOWED, Verdict.NEEDS_TRUST}


def leaves(folder: str, file: str) -> bool:
    """Tell whether a name that a file states leads out of its folder."""
    # Both systems' ways to write a path: the checkpoint may be read on the other one.
    parts = file.replace("\\", "/").split("/")
    if os.path.isabs(file) or "" in parts or "." in parts or ".." in parts or ":" in parts[0]:
        return True
    real = os.path.realpath(os.path.join(folder, file))
    home = os.path.realpath(folder)
    # The cache of the hub keeps files in `blobs`, to which its snapshots link.
    blobs = os.path.join(os.path.dirname(os.path.dirname(home)), "blobs")
    cached = os.path.basename(os.path.dirname(home)) == "snapshots"
    allowed = (home, blobs) if cached else (home,)
    return not any(real.startswith(f"{place}{os.sep}") for place in allowed)


def one(path: str) -> Contents:
    """Return what a part holds; a part is no index, which could name itself."""
    try:
        with opened(path) as source:
            if not_checkpoints.JSON.match(source.read(0, 64)):
                return not_checkpoints.json_text(source.size)
    except NotAFile as other:
        return not_checkpoints.no_file(other.what)
    return formats.read(path)


def _metadata(values: Mapping[str, object]) -> dict[str, object]:
    metadata = values.get("metadata")
    return dict(metadata) if isinstance(metadata, dict) else {}
