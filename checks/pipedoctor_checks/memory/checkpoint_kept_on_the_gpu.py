from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script
from pipedoctor.facts.script import Assignment
from pipedoctor_checks.gradients._loops import backwards


@check("MEM002", Severity.WARNING, stage=Stage.CHECKPOINT)
def checkpoint_kept_on_the_gpu(script: Script) -> Iterator[Finding]:
    """
    A checkpoint is loaded onto the GPU, and stays there beside the model that was filled from it.

    `load_state_dict` copies. What `torch.load(…, map_location="cuda")` made, the weights and with
    them what the optimizer remembers, three times the weights of a model trained with Adam, stays
    in memory as long as a name holds it: a run that has just fitted runs out of memory as it is
    resumed. Loaded to the CPU it costs the GPU nothing, as each tensor is copied to where it
    belongs. It is told where the checkpoint's name lives on while the same code trains, and
    is neither deleted nor bound to something else.

    Fails:

        script = '''
        import torch

        checkpoint = torch.load("last.pt", map_location="cuda")
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        for inputs, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        '''

    Passes:

        script = '''
        import torch

        checkpoint = torch.load("last.pt", map_location="cpu")
        model.load_state_dict(checkpoint["model"])
        optimizer.load_state_dict(checkpoint["optimizer"])
        for inputs, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
        '''

    See also: <https://docs.pytorch.org/docs/stable/generated/torch.load.html>.
    """
    passes = backwards(script)
    for call in script.called("torch.load"):
        place = call.argument("map_location", 1)
        if place is None or call.place.runs == "never" or call.place.loops:
            continue
        where = place.get(place.text)
        if not isinstance(where, str) or not _on_gpu(script, where, place.text):
            continue
        held = next((one for one in script.assignments if call.number in one.value.made_by), None)
        if held is None or held.place.scope != call.place.scope or "." in held.target:
            continue
        filled = [one for one in script.calls if _fills(one, held.target, call)]
        trains = any(
            one.place.scope == call.place.scope and one.line > call.line and one.place.loops
            for one in passes
        )
        optimizer = any(_of_optimizer(one) for one in filled)
        if not filled or not trains or _let_go(script, held, call):
            continue
        kept = "the weights and what the optimizer remembers" if optimizer else "the weights"
        yield Finding(
            message=f"{held.target} is loaded onto {where} in line {call.line}, and stays there "
            f"while the loop trains: {kept} are on the GPU twice",
            where=call.where,
            evidence={"name": held.target, "line": call.line, "map_location": where},
            remedy=f'line {call.line}: map_location="cpu" in place of map_location={place.text}',
            alternatives=(f"del {held.target} after line {filled[-1].line}",),
        )


def _on_gpu(script: Script, where: str, text: str) -> bool:
    """Whether a place is a GPU for certain: it is named, or the only value of a name says cuda."""
    if where.startswith("cuda"):
        return True
    found = [one.value for one in script.assignments if one.target == text]
    return len(found) == 1 and re.search(r"[\"']cuda(:\d+)?[\"']", found[0].text) is not None


def _fills(call: Call, name: str, loaded: Call) -> bool:
    given = call.argument("state_dict", 0)
    return (
        call.text.endswith(".load_state_dict")
        and call.line > loaded.line
        and given is not None
        and re.match(rf"{re.escape(name)}\b", given.text) is not None
    )


def _of_optimizer(call: Call) -> bool:
    return "optim" in call.text.rpartition(".")[0].lower()


def _let_go(script: Script, held: Assignment, call: Call) -> bool:
    """Whether the name is deleted later, or holds something else."""
    again = sum(
        one.target == held.target and one.place.scope == held.place.scope
        for one in script.assignments
    )
    deleted = re.compile(rf"\s*del\b.*\b{re.escape(held.target)}\b")
    return again > 1 or any(deleted.match(line) for line in script.lines[call.line :])
