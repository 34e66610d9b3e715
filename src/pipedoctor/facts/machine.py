"""What the machine, or the container, gives a training: processors, memory, room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Room:
    """A file system: the folder that was asked about, the bytes free to this user, and in all."""

    path: str
    free: int
    total: int


@dataclass(frozen=True, repr=False, eq=False)
class Machine(Fact):
    """
    Processors, memory and room.

    `processors` are those of the machine, `allowed` those that this process may run on, `quota`
    the processors' worth of time that a container gets (None: all). `threads` is what
    OMP_NUM_THREADS says, None where it is not set. `memory` is that of the machine, `limit` a
    container's (None: all of it), `available` what is left of either. `shared` is /dev/shm.
    """

    doing = "Looking at the machine"

    system: str = UNKNOWN
    processors: int = UNKNOWN
    allowed: int = UNKNOWN
    quota: float | None = UNKNOWN
    threads: int | None = UNKNOWN
    memory: int = UNKNOWN
    limit: int | None = UNKNOWN
    available: int = UNKNOWN
    shared: Room = UNKNOWN
    here: Room = UNKNOWN
    """The file system of the working directory."""

    def figures(self) -> Mapping[str, object]:
        """Return what is known."""
        names = [name for name in self.__dataclass_fields__ if self.known(name)]
        told = {name: getattr(self, name) for name in names}
        return {
            n: asdict(value) if isinstance(value, Room) else value for n, value in told.items()
        }
