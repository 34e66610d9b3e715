"""What the checks of a training loop share: its optimizers, its backward calls, and who runs when."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts import Call, Script

OPTIMIZERS = ("torch.optim.", "bitsandbytes.optim.")


def is_optimizer(call: Call) -> bool:
    """Whether it makes an optimizer of torch, and not a schedule for one."""
    return any(
        name.startswith(OPTIMIZERS)
        and "lr_scheduler" not in name
        and "swa_utils" not in name
        and name.rpartition(".")[2][:1].isupper()
        for name in call.names
    )


def optimizers(script: Script) -> list[Call]:
    """Return the calls that make one."""
    return [call for call in script.calls if is_optimizer(call)]


def trained_by(script: Script, optimizer: Call) -> frozenset[int]:
    """Return the calls, by number, that made the models whose parameters an optimizer gets."""
    given = optimizer.argument("params", 0)
    found: set[int] = set()
    for number in () if given is None else (*given.calls, *given.made_by):
        call = script.calls[number]
        if call.text.endswith((".parameters", ".named_parameters")):
            found.update(call.receivers)
    return frozenset(found)


def backwards(script: Script) -> list[Call]:
    """Return the calls that compute gradients: `loss.backward()`, `accelerator.backward(loss)`."""
    return [call for call in script.calls if call.text.endswith(".backward")]


def differentiated(script: Script, backward: Call) -> tuple[Call, ...]:
    """Return the calls that may have made what a backward call differentiates."""
    given = backward.argument("loss", 0)
    # accelerator.backward(loss), fabric.backward(loss); of loss.backward(gradient) it is no loss
    if given is not None and not backward.receivers:
        return script.makers(given)
    return script.receivers(backward)


def detaches(call: Call) -> bool:
    """Whether what it returns has forgotten how it was computed."""
    return call.text.endswith((".detach", ".detach_", ".item"))


def losses(script: Script) -> frozenset[int]:
    """Return the calls, by number, that made what is differentiated, with its graph."""
    return frozenset(
        call.number
        for backward in backwards(script)
        for call in differentiated(script, backward)
        if not detaches(call)  # that of the pass before, in a loop
    )


class Ways:
    """How a place is reached: through which calls of the functions around it."""

    def __init__(self, script: Script) -> None:
        """Note who calls which function of the script."""
        self._callers: dict[str, list[Call]] = {}
        for call in script.calls:
            if call.name.startswith("__main__."):
                name = call.name.removeprefix("__main__.")
                self._callers.setdefault(name, []).append(call)

    def to(self, call: Call) -> list[Call]:
        """Return the call itself, the calls of the function it stands in, and so on upwards."""
        found: list[Call] = []
        waiting = [call]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.append(one)
                waiting += self._callers.get(one.place.scope, []) if one.place.scope else []
        return found

    def repeated(self, call: Call) -> bool:
        """Whether a loop of the script runs it."""
        return any(one.place.loops for one in self.to(call))

    def shared(self, one: Call, other: Call) -> Iterator[tuple[Call, Call]]:
        """Yield the pairs of calls through which both are reached from one function."""
        for a in self.to(one):
            for b in self.to(other):
                if a.place.scope == b.place.scope and a is not b:
                    yield a, b
