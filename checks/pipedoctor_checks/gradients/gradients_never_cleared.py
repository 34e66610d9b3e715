import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script
from pipedoctor_checks.gradients._loops import Ways, backwards, is_optimizer, optimizers

_CLEARING = re.compile(r"zero_grad|set_to_none|\.grad\b(\.data)?\s*(=[^=]|\.zero_|\.fill_|\.mul_)")
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


@check("GRD007", Severity.ERROR, stage=Stage.UPDATE, explains=("GRD002",))
def gradients_never_cleared(script: Script) -> Iterator[Finding]:
    """
    A loop computes gradients and steps, but nothing ever clears them, so that they add up.

    `backward()` adds to the gradients that are there. Without `zero_grad()` the second step uses
    the sum of two batches, the hundredth that of a hundred, of which all but one were computed
    for weights that are long gone. It acts like a learning rate that grows with each step: the
    loss swings, or diverges. Nothing is said of a script that passes its optimizer to a function
    from elsewhere, which may do the clearing.

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
