"""What the checks of torch modules in a script's text share."""

from __future__ import annotations

from pipedoctor.facts import Call, Script

MODULE = "torch.nn.Module"
_CONTAINERS = frozenset({"ModuleList", "ModuleDict", "ParameterList", "ParameterDict"})


def is_module(script: Script, call: Call) -> bool:
    """Whether a call makes a module: a layer of torch, or one of a class of the script."""
    for name in call.names:
        last = name.rpartition(".")[2]
        if name.startswith("torch.nn.") and ".functional." not in name and last[:1].isupper():
            return last not in _CONTAINERS or last in {"ModuleList", "ModuleDict"}
    own = {f"__main__.{one.name}" for one in script.classes if one.is_a(MODULE)}
    return not own.isdisjoint(call.names)
