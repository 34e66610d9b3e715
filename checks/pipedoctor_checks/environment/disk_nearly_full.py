from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import HubHome, Machine, Room
from pipedoctor.finding import Location
from pipedoctor.units import size


@check("ENV018", Severity.WARNING, stage=Stage.ENVIRONMENT)
def disk_nearly_full(
    machine: Machine, hub: HubHome, *, least: int = 1_000_000_000
) -> Iterator[Finding]:
    """
    The disk of the working directory, or of the hub's cache, has less than a gigabyte left.

    One checkpoint of a BERT-base with the states of its optimizer takes 1.3 GB. `pipedoctor check`
    compares the checkpoints of a run with the room; this looks at the disk alone.

    Fails:

        environment = {
            "hub": {"path": "huggingface/hub"},
            "machine": {"here": {"path": "/work", "free": 300_000_000, "total": 20_000_000_000}},
        }

    Passes:

        environment = {
            "hub": {"path": "huggingface/hub"},
            "machine": {"here": {"path": "/work", "free": 90_000_000_000, "total": 100_000_000_000}},
        }
    """
    rooms: list[tuple[str, Room]] = []
    if machine.known("here"):
        rooms.append(("the working directory", machine.here))
    if hub.known("room"):
        rooms.append(("the hub's cache", hub.room))
    for what, room in rooms:
        if room.total and room.free < least:  # what has no bytes at all is no disk
            yield Finding(
                message=f"the disk of {what} has {size(room.free)} of {size(room.total)} left",
                where=Location(file=room.path),
                evidence={"path": room.path, "free": room.free, "total": room.total},
                remedy="set HF_HOME to a larger disk, or delete what `hf cache list` shows"
                if what == "the hub's cache"
                else "make room, or train in a folder of a larger disk",
            )
