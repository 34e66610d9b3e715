"""What a torch expression of a script holds: scores, probabilities or their logarithms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor.facts import Call, Script, Value

SCORES, SOFTMAX, SIGMOID, LOG_SOFTMAX = "scores", "softmax", "sigmoid", "log_softmax"
_MODULES = {
    "torch.nn.Linear": SCORES,
    "torch.nn.Softmax": SOFTMAX,
    "torch.nn.Softmax2d": SOFTMAX,
    "torch.nn.Sigmoid": SIGMOID,
    "torch.nn.LogSoftmax": LOG_SOFTMAX,
}
_FUNCTIONS = {
    "torch.softmax": SOFTMAX,
    "torch.nn.functional.softmax": SOFTMAX,
    "torch.sigmoid": SIGMOID,
    "torch.special.expit": SIGMOID,
    "torch.nn.functional.sigmoid": SIGMOID,
    "torch.log_softmax": LOG_SOFTMAX,
    "torch.nn.functional.log_softmax": LOG_SOFTMAX,
}
_METHODS = {".softmax": SOFTMAX, ".sigmoid": SIGMOID, ".log_softmax": LOG_SOFTMAX}
_RESHAPING = (".squeeze", ".view", ".flatten", ".reshape", ".unsqueeze", ".contiguous", ".ravel")
_DEEPEST = 6
"""A model within a model within a model …: so far it is followed."""


@dataclass(frozen=True)
class Output:
    """What an expression holds, and the call that makes it so."""

    kind: str
    by: Call


def output(script: Script, value: Value | None, deep: int = 0) -> Output | None:
    """Return what an expression holds; None where it can't be told for sure."""
    makers = script.makers(value)
    return _made(script, makers[0], deep) if len(makers) == 1 else None


def _made(script: Script, call: Call, deep: int) -> Output | None:
    if deep > _DEEPEST:
        return None
    for name, kind in _FUNCTIONS.items():
        if call.is_a(name):
            return Output(kind, call)
    if not call.names or "()" in call.name:  # a method of what a call returned
        if call.text.endswith(_RESHAPING):
            receivers = script.receivers(call)
            return _made(script, receivers[0], deep + 1) if len(receivers) == 1 else None
        for method, kind in _METHODS.items():
            if call.text.endswith(method):
                return Output(kind, call)
    callees = script.callees(call)
    return _module(script, callees[0], call, deep + 1) if len(callees) == 1 else None


def _module(script: Script, maker: Call, use: Call, deep: int) -> Output | None:
    """Return what a module returns that this call makes."""
    for name, kind in _MODULES.items():
        if maker.is_a(name) and not maker.name.startswith("__main__."):
            return Output(kind, maker if kind != SCORES else use)
    if maker.is_a("torch.nn.Sequential") and not maker.open:
        last = [value for key, value in maker.arguments.items() if isinstance(key, int)]
        inner = script.makers(last[-1]) if last and deep <= _DEEPEST else ()
        return _module(script, inner[0], inner[0], deep + 1) if len(inner) == 1 else None
    forward = script.function(f"{maker.name.removeprefix('__main__.')}.forward")
    if forward is None or not maker.name.startswith("__main__.") or not forward.returns:
        return None
    found = [output(script, value, deep) for value in forward.returns]
    first = found[0]
    same = first is not None and all(one is not None and one.kind == first.kind for one in found)
    return first if same else None


def losses(script: Script, name: str) -> Iterator[Call]:
    """Yield the calls of a loss of torch by its class ("CrossEntropyLoss") or its function."""
    function = f"torch.nn.functional.{FUNCTIONS[name]}"
    for call in script.calls:
        if not call.names and not call.callees:
            continue
        made = script.callees(call)
        module = len(made) == 1 and made[0].name.startswith("torch.nn.")
        if call.is_a(function) or (module and made[0].name.endswith(f".{name}")):
            yield call


FUNCTIONS = {
    "CrossEntropyLoss": "cross_entropy",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits",
    "NLLLoss": "nll_loss",
    "BCELoss": "binary_cross_entropy",
}
"""The losses of torch for classes, and the functions that compute the same."""
