"""TorchScript archives: beside the pickle of the parameters they carry the model's code."""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import zips
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.verdicts import Judgement


def _sources(archive: zips.Archive) -> list[zips.Member]:
    return [m for m in archive.members if "/code/" in f"/{m.name}" and m.name.endswith(".py")]


def is_script(archive: zips.Archive) -> bool:
    """Whether an archive is one of `torch.jit.save`."""
    return any(m.name.rpartition("/")[2].casefold() == "constants.pkl" for m in archive.members)


def prepare(machine: Machine) -> None:
    """Let a machine know that names beginning with __torch__ are the archive's own classes."""
    machine.own_classes = True


def code(archive: zips.Archive) -> Flaw | None:
    """Return how much code there is."""
    sources = _sources(archive)
    if not sources:
        return None
    size = sum(m.size for m in sources)
    message = f"it carries {size:,} bytes of TorchScript in {len(sources)} files"
    return Flaw(FlawKind.CODE, message, offset=sources[0].data)


def judgement(archive: zips.Archive) -> Judgement:
    """Return the verdict that the code asks for, whatever the pickles hold."""
    flaw = code(archive)
    reason = flaw.message if flaw else "it is made for torch.jit.load"
    return Judgement(Verdict.NEEDS_TRUST, f"{reason}, which runs when it is loaded or called")
