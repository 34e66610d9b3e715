"""What `pipedoctor env` tells of each thing that it looked at, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipedoctor.units import plural, size

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Section:
    """A paragraph: its name, the fact that it tells, in which words, and which findings go there."""

    name: str
    fact: str
    rows: Callable[[Figures], list[str]]
    codes: frozenset[str]


def _packages(told: Figures) -> list[str]:
    versions = " · ".join(f"{name} {version}" for name, version in told["versions"].items())
    rows = [f"Python {told['python']} in {told['prefix']}"]
    rows.append(versions or "none of the packages that train models is installed")
    for name, folder in told.get("editable", {}).items():
        rows.append(f"{name} is a working copy: {folder}")
    return rows


def _reporting(told: Figures) -> list[str]:
    tools = told.get("reporters")
    if not tools:
        return ["none of the tools that Trainer reports to is installed"]
    return [f'report_to="all" means {", ".join(tools)}']


def _imports(told: Figures) -> list[str]:
    tried = told["of"]
    if not tried:
        return ["none of the optional packages that are imported if found is installed"]
    fine = [name for name, one in tried.items() if one["works"] and not one["late"]]
    rows = [f"{len(fine)} of {plural(len(tried), 'package')} imported"]
    if fine:
        rows.append(" · ".join(fine))
    rows += [f"{name}: {one['error']}" for name, one in tried.items() if one["late"]]
    return rows


def _gpus(told: Figures) -> list[str]:
    devices = told.get("devices", ())
    rows = [", ".join(_device(one) for one in devices) or _no_gpu(told)]
    if told.get("torch"):
        build = str(told.get("build", ""))
        how = f"for AMD's {build}" if build.startswith("rocm") else f"for CUDA {build}"
        rows.append(f"torch {told['torch']} is built {how if build else 'without CUDA'}")
    if told.get("arches"):
        rows.append("it holds code for " + " ".join(told["arches"]))
    if told.get("driver"):
        rows.append(f"driver {told['driver']}")
    if devices:
        native = all(one["capability"][0] >= 8 for one in devices)
        amd = str(told.get("build", "")).startswith("rocm")
        rows.append(f"bfloat16: {'yes' if native or amd else 'computed by emulation'}")
    return rows


def _device(one: Figures) -> str:
    major, minor = one["capability"]
    memory = f", {size(one['memory'])}" if one.get("memory") else ""
    return f"{one['name']} (sm_{major}{minor}{memory})"


def _no_gpu(told: Figures) -> str:
    if told.get("mps"):
        return "the Mac's own, through MPS"
    return "none" if not told["present"] else f"{plural(told['present'], 'GPU')}, none usable"


def _processors(told: Figures) -> list[str]:
    rows = [f"{told['processors']} of the machine" if "processors" in told else "not known"]
    if told.get("allowed") not in {None, told.get("processors")}:
        rows.append(f"this process may run on {told['allowed']} of them")
    if told.get("quota") is not None:
        rows.append(f"the container gets the time of {told['quota']:g}")
    if told.get("threads") is not None:
        rows.append(f"OMP_NUM_THREADS is {told['threads']}")
    return rows


def _memory(told: Figures) -> list[str]:
    words = [size(told["memory"])] if "memory" in told else []
    if told.get("limit") is not None:
        words.append(f"{size(told['limit'])} of them for this container")
    if "available" in told:
        words.append(f"{size(told['available'])} available")
    rows = [", ".join(words) or "not known"]
    if "shared" in told:
        rows.append(
            f"{told['shared']['path']}, for the workers of a DataLoader: {_room(told['shared'])}"
        )
    return rows


def _disk(told: Figures) -> list[str]:
    if "here" not in told:
        return ["the working directory is gone, or its disk can't be asked"]
    return [f"{told['here']['path']}: {_room(told['here'])}"]


def _hub(told: Figures) -> list[str]:
    by = f" (by {told['by']})" if told["by"] else ""
    held = "it does not exist yet"
    if told["exists"]:
        more = "" if told.get("whole", True) else "more than "
        held = f"{more}{size(told['bytes'])} in it" if "bytes" in told else "its size is not known"
    rows = [f"{told['path']}{by}: {held}"]
    if "room" in told and told["room"]["total"]:
        rows.append(_room(told["room"]))
    if told["offline"]:
        rows.append(f"nothing is downloaded: {', '.join(told['offline'])}")
    return rows


def _variables(told: Figures) -> list[str]:
    names = sorted(told.get("variables", ()))
    return [", ".join(names) if names else "none of those that are looked at is set"]


def _room(room: Figures) -> str:
    return f"{size(room['free'])} of {size(room['total'])} free"


SECTIONS = (
    Section(
        "Packages",
        "Packages",
        _packages,
        frozenset({"ENV008", "ENV013", "ENV014", "ENV019", "VER011", "VER013", "VER018"}),
    ),
    Section("Imports", "TriedImports", _imports, frozenset({"ENV007", "ENV015"})),
    Section("GPUs", "Cuda", _gpus, frozenset({"ENV006", "ENV016"})),
    Section("Processors", "Machine", _processors, frozenset({"ENV017"})),
    Section("Memory", "Machine", _memory, frozenset({"ENV020"})),
    Section("Disk", "Machine", _disk, frozenset({"ENV018"})),
    Section("Hub cache", "HubHome", _hub, frozenset({"ENV023"})),
    Section("Reporting", "Packages", _reporting, frozenset()),
    Section("Variables", "Environment", _variables, frozenset({"ENV012", "ENV022"})),
)
"""The paragraphs of the page, in their order."""
