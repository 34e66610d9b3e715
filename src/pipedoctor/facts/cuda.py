"""The GPUs, and what the installed torch can do with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True)
class Device:
    """One GPU: its name and its compute capability, (9, 0) for an H100; bytes of memory, or 0."""

    name: str
    capability: tuple[int, int]
    memory: int = 0


@dataclass(frozen=True, repr=False, eq=False)
class Cuda(Fact):
    """
    What torch says of its GPUs, and the driver's own files of itself.

    `torch` is its version, `build` the CUDA that it was built for, "" where it was built without,
    "rocm" and a version where for AMD. `arches` are the architectures that its wheel holds code
    for. `present` are the GPUs of the driver, whether torch can use them or not; `devices` those
    it can. `refusal` is what torch said when it
    could not, or how its import failed where `torch` is not known.
    """

    doing = "Asking torch about GPUs"

    present: int
    torch: str = UNKNOWN
    build: str = UNKNOWN
    arches: tuple[str, ...] = UNKNOWN
    devices: tuple[Device, ...] = UNKNOWN
    refusal: str = ""
    driver: str = ""
    mps: bool = False

    def figures(self) -> Mapping[str, object]:
        """Return what is known."""
        told: dict[str, object] = {
            "present": self.present,
            "driver": self.driver,
            "refusal": self.refusal,
            "mps": self.mps,
        }
        for name in ("torch", "build", "arches"):
            if self.known(name):
                told[name] = getattr(self, name)
        if self.known("devices"):
            told["devices"] = [asdict(device) for device in self.devices]
        return told
