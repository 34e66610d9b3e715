"""
Keras archives: a zip of `config.json`, `metadata.json` and `model.weights.h5`.

The config is judged wherever it stands in the archive, also where it stands twice: which of the
two is taken depends on the reader.
"""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from pipedoctor.checkpoints import hdf5, keras_config
from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.opening import opened
from pipedoctor.checkpoints.pickles import unpacking, zips
from pipedoctor.checkpoints.pickles.limits import UNPACKED, Budget, Unreadable
from pipedoctor.checkpoints.pickles.spans import Span
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst

FORMAT = "Keras archive"
CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
TOLD = ("keras_version", "date_saved")
_BY_THE_WAY = frozenset({FlawKind.TRAILING, FlawKind.CHECKSUM, FlawKind.CODE})
"""Flaws that leave no doubt about which bytes Keras reads."""


def read(path: str) -> Contents:
    """Return what an archive holds."""
    with opened(path) as source:
        size = source.size
    with open(path, "rb") as file:
        return _Archive(Span(file, 0, size)).contents()


class _Archive:
    """One archive while it is read."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._budget = Budget()
        self._flaws: list[Flaw] = []
        self._judgements: list[Judgement] = []
        self._metadata: dict[str, object] = {}

    def contents(self) -> Contents:
        """Return what it holds."""
        try:
            archive = zips.read(self._span, self._budget)
        except Unreadable as problem:
            self._bad(problem.kind, problem.message, problem.offset)
            return self._told(None)
        if archive is None:
            self._bad(FlawKind.TRUNCATED, "its directory is missing: the file was cut off")
            return self._told(None)
        self._flaws += archive.flaws
        self._judgements += [
            Judgement(Verdict.MALFORMED, flaw.message, "", flaw.offset)
            for flaw in archive.flaws
            if flaw.kind not in _BY_THE_WAY
        ][:1]
        self._metadata["members"] = len(archive.members)
        for member in _named(archive, CONFIG):
            self._config(archive, member)
        for member in _named(archive, METADATA)[:1]:
            self._about(archive, member)
        weights = _named(archive, WEIGHTS)
        for name, found in ((CONFIG, _named(archive, CONFIG)), (WEIGHTS, weights)):
            if not found:
                self._bad(
                    FlawKind.MISSING_FILE, f"it has no {name}, without which Keras reads nothing"
                )
        return self._told(self._weights(archive, weights[0]) if weights else None)

    def _bad(self, kind: FlawKind, message: str, offset: int | None = None) -> None:
        self._flaws.append(Flaw(kind, message, offset=offset))
        self._judgements.append(Judgement(Verdict.MALFORMED, message, "", offset))

    def _config(self, archive: zips.Archive, member: zips.Member) -> None:
        """Judge a config."""
        try:
            text = self._content(archive, member, keras_config.LARGEST)
            config = keras_config.parsed(text, CONFIG)
            judgement, flaws = keras_config.judged(config, CONFIG)
        except Unreadable as problem:
            self._bad(problem.kind, problem.message, problem.offset)
            return
        self._flaws += flaws
        self._judgements.append(judgement)
        self._metadata["model"] = shown(str(config.get("class_name")))
        self._metadata["layers"] = keras_config.layers(config)

    def _about(self, archive: zips.Archive, member: zips.Member) -> None:
        """Note what wrote the archive; Keras reads this without needing it."""
        try:
            told = keras_config.parsed(self._content(archive, member, 2**16), METADATA)
        except Unreadable as problem:
            self._bad(problem.kind, problem.message, problem.offset)
            return
        for name in TOLD:
            if isinstance(told.get(name), str):
                self._metadata[name] = shown(str(told[name]))

    def _content(self, archive: zips.Archive, member: zips.Member, most: int) -> bytes:
        """Return the bytes of a member whose checksum is right."""
        import zlib

        data = unpacking.content(archive, member, most, self._budget)
        if member.checksum is not None and zlib.crc32(data) != member.checksum:
            message = f"the checksum of {shown(member.name)} differs: its bytes have changed"
            self._bad(FlawKind.CHECKSUM, message, member.data)
        return data

    def _weights(self, archive: zips.Archive, member: zips.Member) -> Contents | None:
        """Return the weights: stored as they are they are read in place, packed in memory."""
        try:
            if member.method == zips.STORED and member.data is not None:
                start = archive.span.start + member.data
                return hdf5.contents(Span(archive.span.file, start, member.packed), start)
            data = self._content(archive, member, UNPACKED)
        except Unreadable as problem:
            self._bad(problem.kind, problem.message, problem.offset)
            return None
        found = hdf5.contents(Span(BytesIO(data), 0, len(data)), 0)
        unplaced = {name: replace(t, offset=None) for name, t in found.tensors.items()}
        return replace(found, tensors=unplaced)

    def _told(self, weights: Contents | None) -> Contents:
        """Return all that was found."""
        if weights is not None:
            reason = f"{WEIGHTS}: {weights.reason}" if weights.reason else ""
            self._judgements.append(Judgement(weights.verdict, reason, weights.offender))
            self._flaws += [
                replace(flaw, message=f"{WEIGHTS}: {flaw.message}") for flaw in weights.flaws
            ]
        judgement = worst(self._judgements)
        return Contents(
            FORMAT,
            judgement.verdict,
            judgement.reason,
            judgement.offender,
            judgement.offset,
            tensors=weights.tensors if weights is not None else {},
            metadata=self._metadata,
            flaws=tuple(self._flaws),
        )


def _named(archive: zips.Archive, name: str) -> list[zips.Member]:
    """Return the members of a name; readers that ignore the case of letters are common."""
    return [member for member in archive.members if member.name.casefold() == name]
