"""What the checks of stored files share."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Location
from pipedoctor.checkpoints.contents import Flaw, FlawKind
from pipedoctor.facts import Checkpoint, StoredFile
from pipedoctor.units import plural

PROGRAMS = {"TorchScript archive": "torch.jit.load", "PyTorch export archive": "torch.export.load"}
"""The formats that are programs by design, and what loads them."""


def flawed(
    checkpoint: Checkpoint, *kinds: FlawKind
) -> Iterator[tuple[StoredFile, tuple[Flaw, ...]]]:
    """Yield each file that has flaws of these kinds, and those."""
    for file in checkpoint.judged:
        flaws = tuple(flaw for flaw in own(checkpoint, file) if flaw.kind in kinds)
        if flaws:
            yield file, flaws


def own(checkpoint: Checkpoint, file: StoredFile) -> tuple[Flaw, ...]:
    """Return the flaws of a file; those of the parts that an index names are told of the parts."""
    if not file.index:
        return file.contents.flaws
    parts = {f"{other.name}: " for other in checkpoint.files if not other.index}
    return tuple(
        flaw
        for flaw in file.contents.flaws
        if not any(flaw.message.startswith(part) for part in parts)
    )


def place(file: StoredFile, flaw: Flaw | None = None) -> Location:
    """Return where a file, or a flaw of it, is."""
    return Location(file=file.path, layer=(flaw.tensor if flaw is not None else "") or None)


def told(flaws: tuple[Flaw, ...]) -> str:
    """Return the first flaw, and how many more there are."""
    more = f", and {plural(len(flaws) - 1, 'more flaw')}" if len(flaws) > 1 else ""
    return f"{flaws[0].message.partition('; ')[0]}{more}"


def evidence(file: StoredFile, flaws: tuple[Flaw, ...] = ()) -> dict[str, object]:
    """Return what is known of a file and its flaws, the first ten of them."""
    return {
        "file": file.name,
        "format": file.contents.format,
        "bytes": file.size,
        "verdict": file.contents.verdict.value,
        "flaws": [
            {"kind": f.kind.value, "message": f.message, "tensor": f.tensor, "offset": f.offset}
            for f in flaws[:10]
        ],
    }


def some(names: list[str], most: int = 3) -> str:
    """Return the first names of a list, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
