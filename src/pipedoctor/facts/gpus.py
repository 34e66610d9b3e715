"""The GPUs of this machine as they are now: what is free on them, and who has the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Holder:
    """A process that has memory on a GPU; its bytes are None where the driver does not tell them."""

    pid: int
    name: str
    bytes: int | None = None
    own: bool = False
    """Whether it is the one that asks."""


@dataclass(frozen=True)
class Gpu:
    """One GPU."""

    index: int
    name: str
    total: int
    free: int
    holders: tuple[Holder, ...] = ()

    @property
    def taken(self) -> int:
        """The bytes that are not free."""
        return self.total - self.free

    @property
    def others(self) -> tuple[Holder, ...]:
        """The other processes, the largest first."""
        found = (holder for holder in self.holders if not holder.own)
        return tuple(sorted(found, key=lambda holder: -(holder.bytes or 0)))


@dataclass(frozen=True, repr=False, eq=False)
class Gpus(Fact):
    """
    The GPUs that a training would see, in its order.

    `tensorflow` are the bytes that TensorFlow in this process took for itself, None where it took
    none: it takes all that is free at once, unless memory growth is set.
    """

    doing = "Asking what is free on the GPU"

    devices: tuple[Gpu, ...]
    tensorflow: int | None = UNKNOWN

    def summary(self) -> Mapping[str, object]:
        """Tell what is free."""
        return {f"{gpu.name} {gpu.index}": gpu.free for gpu in self.devices}
