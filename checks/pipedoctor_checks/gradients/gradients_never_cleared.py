import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Loop, Script
from pipedoctor_checks.gradients._loops import Ways, backwards, is_optimizer, optimizers

_CLEARING = re.compile(r"zero_grad|set_to_none|\.grad\b(\.data)?\s*(=[^=]|\.zero_|\.fill_|\.mul_)")
ENOUGH = 2
"""So many steps must have used old gradients; one may be meant."""
OFTEN = 0.5
"""And at least this share of all: somebody may keep them now and then."""
_HARMLESS = (
    "torch.",
    "transformers.get_",
    "transformers.optimization.get_",
    "accelerate.",
    "lightning.fabric.",
    "print",
    "len",
    "isinstance",
)
"""Who may be given an optimizer, and does not clear its gradients."""


@check("GRD007", Severity.ERROR, stage=Stage.UPDATE, explains=("GRD002", "NUM020"))
def gradients_never_cleared(script: Script, loop: Loop | None = None) -> Iterator[Finding]:
    """
    A loop computes gradients and steps, but nothing ever clears them, so that they add up.

    `backward()` adds to the gradients that are there. Without `zero_grad()` the second step uses
    the sum of two batches, the hundredth that of a hundred, of which all but one were computed
    for weights that are long gone. It acts like a learning rate that grows with each step: the
    loss swings, or diverges. Where the loop was run, its gradients tell: what a step has used is
    still there when the next pass adds to it. Of the text alone, nothing is said if the script
    passes its optimizer to a function from elsewhere, which may do the clearing.

    Fails:

        script = '''
        import torch

        model = torch.nn.Linear(12, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for inputs, labels in loader:
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
        '''

    Passes:

        script = '''
        import torch

        model = torch.nn.Linear(12, 2)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        for inputs, labels in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(inputs), labels)
            loss.backward()
            optimizer.step()
        '''

    See also: <https://pytorch.org/docs/stable/generated/torch.optim.Optimizer.zero_grad.html>.
    """
    if loop is not None and loop.steps:
        yield from _seen(loop)
    else:
        yield from _read(script)


def _seen(loop: Loop) -> Iterator[Finding]:
    """Find the optimizers whose steps used the gradients of the step before."""
    for number, optimizer in enumerate(loop.optimizers):
        looked_at = [s for s in loop.steps if s.optimizer == number and s.stale is not None]
        stale = [step for step in looked_at if step.stale]
        if len(stale) < ENOUGH or len(stale) < OFTEN * len(looked_at):
            continue
        all_of_them = len(stale) == len(looked_at)
        line = loop.backward.line
        yield Finding(
            message=f"{len(stale)} of {len(looked_at)} steps of {optimizer.name} used gradients "
            "to which those of the step before still belonged: they are "
            + ("never cleared" if all_of_them else "not cleared for each step")
            + ", and each step takes the sum of all batches so far",
            where=optimizer.where,
            evidence={
                "stale": len(stale),
                "steps": len(looked_at),
                "parameters": stale[0].stale,
                "norms": [round(step.norm, 4) for step in loop.steps[:10] if step.norm],
            },
            remedy=f"call {optimizer.variable}.zero_grad() before "
            + (f"line {line}, in the same loop" if line else "each backward pass"),
        )


def _read(script: Script) -> Iterator[Finding]:
    """Find a loop in the text that clears nothing."""
    if any(_CLEARING.search(line.partition("#")[0]) for line in script.lines):
        return
    made = optimizers(script)
    if not made or _handed_on(script, made):
        return
    ways = Ways(script)
    for step in script.calls:
        optimizer = _stepping(script, step, made)
        if optimizer is None or step.place.runs == "never" or not ways.repeated(step):
            continue
        backward = next((b for b in backwards(script) if _one_loop(b, step)), None)
        if backward is None or not _outlives(optimizer, step):
            continue
        name = optimizer[1]
        yield Finding(
            message=f"Lines {backward.line} and {step.line} compute gradients and step in a loop, "
            "and no line clears them: each step takes the sum of all batches so far",
            where=step.where,
            evidence={"backward": backward.line, "step": step.line, "clears": 0},
            remedy=f"put {name}.zero_grad() before line {backward.line}, in the same loop",
            severity=None if step.place.runs == "always" else Severity.WARNING,
        )
        return


def _stepping(script: Script, call: Call, made: list[Call]) -> tuple[Call, str] | None:
    """Return the optimizer that a call steps, and its name: `o.step()`, `scaler.step(o)`."""
    if not call.text.endswith(".step") or call.open:
        return None
    given = call.argument("optimizer", 0)
    if given is None and not call.arguments:
        makers, name = script.receivers(call), call.text.removesuffix(".step")
        if not makers:  # what accelerate makes of an optimizer has its name as a rule
            names = {one.target: one.value for one in script.assignments}
            makers = tuple(m for m in made if name in names and m in _ever(script, name))
    elif given is not None and len(call.arguments) == 1:
        makers, name = script.makers(given), given.text
    else:
        return None
    sure = len(makers) == 1 and is_optimizer(makers[0])
    return (makers[0], name) if sure else None


def _ever(script: Script, name: str) -> list[Call]:
    return [
        m for one in script.assignments if one.target == name for m in script.makers(one.value)
    ]


def _handed_on(script: Script, made: list[Call]) -> bool:
    """Whether something else than the script gets an optimizer, and may clear its gradients."""
    numbers = {one.number for one in made}
    for call in script.calls:
        # What is called is known to be harmless, or a function of the script, which is read.
        known = call.name.startswith((*_HARMLESS, "__main__."))
        method = call.text.endswith((".prepare", ".setup", ".step", ".unscale_", ".append"))
        if not known and not method:
            for value in call.arguments.values():
                if not numbers.isdisjoint(value.made_by):
                    return True
    return False


def _one_loop(backward: Call, step: Call) -> bool:
    """Whether one loop, or one function, does both, with no choice between them."""
    if backward.place.scope != step.place.scope or backward.place.excludes(step.place):
        return False
    return bool(set(backward.place.loops) & set(step.place.loops)) or not step.place.loops


def _outlives(optimizer: tuple[Call, str], step: Call) -> bool:
    """Whether the optimizer, and so its model, is older than one pass of the loop."""
    made = optimizer[0].place
    return made.scope != step.place.scope or set(made.loops) < set(step.place.loops)
