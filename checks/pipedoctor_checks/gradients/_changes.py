"""Models that the text of a script changes after it made their optimizer."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts import Call, Script
from pipedoctor.facts.script import Place
from pipedoctor.finding import Finding, Location
from pipedoctor_checks.gradients._loops import optimizers, trained_by
from pipedoctor_checks.gradients._modules import is_module

_ADAPTING = ("peft.get_peft_model",)


def changed_after_the_optimizer(script: Script) -> Iterator[Finding]:
    """
    Find a layer that is put in place of another one after the optimizer was given that.

    `to(device)` and `resize_token_embeddings` change what is in a parameter, not which tensor it
    is, so that an optimizer that was made before them goes on to update it.
    """
    made = optimizers(script)
    for optimizer in made:
        models = trained_by(script, optimizer)
        if len(models) != 1 or any(c.text.endswith(".add_param_group") for c in script.calls):
            continue
        anew = [one for one in made if one is not optimizer and trained_by(script, one) & models]
        if anew:
            continue
        for where, place, what in _changes(script, next(iter(models))):
            if not _after(optimizer, where, place):
                continue
            yield Finding(
                message=f"The optimizer of line {optimizer.line} was given the parameters that the "
                f"model had then; {what} in line {where.line} is none of them, and is never trained",
                where=where,
                evidence={"optimizer": optimizer.line, "changed": where.line, "what": what},
                remedy=f"move line {optimizer.line}, which makes the optimizer, below line "
                f"{where.line}",
            )
            return


def _changes(script: Script, model: int) -> Iterator[tuple[Location, Place, str]]:
    """Yield the lines that give a model a new layer, or adapters."""
    for one in script.assignments:
        if one.holders == (model,) and one.value.kind == "call":
            makers = script.makers(one.value)
            if len(makers) == 1 and is_module(script, makers[0]):
                yield one.value.where, one.place, one.target
    for call in script.called(*_ADAPTING):
        if model in {n for v in list(call.arguments.values())[:1] for n in v.made_by}:
            yield call.where, call.place, f"what {call.text} adds"


def _after(optimizer: Call, where: Location, place: Place) -> bool:
    """Whether a change comes after the optimizer was made, whatever happens."""
    same = optimizer.place.scope == place.scope and optimizer.place.loops == place.loops
    sure = place.branches == optimizer.place.branches and place.runs != "never"
    return same and sure and (where.line or 0) > optimizer.end_line
