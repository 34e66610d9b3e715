"""
Archives that carry a program beside the parameters: those of torch.jit and of torch.export.

The one is code in TorchScript, the other a graph of operators in JSON, with expressions in it that
are evaluated when the graph is loaded.
"""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.pickles import zips
from pipedoctor.checkpoints.pickles.reader import Machine
from pipedoctor.checkpoints.pickles.verdicts import Judgement
from pipedoctor.units import plural


def _sources(archive: zips.Archive) -> list[zips.Member]:
    return [m for m in archive.members if "/code/" in f"/{m.name}" and m.name.endswith(".py")]


def _graphs(archive: zips.Archive) -> list[zips.Member]:
    return [m for m in archive.members if "/models/" in m.name and m.name.endswith(".json")]


def is_export(archive: zips.Archive) -> bool:
    """Whether an archive is one of `torch.export.save`."""
    return any(m.name.rpartition("/")[2] == "archive_format" for m in archive.members)


def is_script(archive: zips.Archive) -> bool:
    """Whether an archive is one of `torch.jit.save`."""
    return any(m.name.rpartition("/")[2].casefold() == "constants.pkl" for m in archive.members)


def prepare(machine: Machine) -> None:
    """Let a machine know that names beginning with __torch__ are the archive's own classes."""
    machine.own_classes = True


def program(archive: zips.Archive) -> tuple[Judgement, list[Flaw]]:
    """Return the verdict that the program asks for, whatever the pickles hold, and its size."""
    for what, members in (("TorchScript", _sources(archive)), ("a graph", _graphs(archive))):
        if members:
            size = sum(m.size for m in members)
            message = f"carries {size:,} bytes of {what} in {plural(len(members), 'file')}"
            flaw = Flaw(FlawKind.CODE, f"it {message}", offset=members[0].data)
            reason = f"{message}, a program that runs when it is loaded or called"
            return Judgement(Verdict.NEEDS_TRUST, reason), [flaw]
    reason = "is made to be loaded with a program"
    return Judgement(Verdict.NEEDS_TRUST, reason), []
