import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import LoadedStates, StateLoad

FEW = 0.1
"""
Below this share of the given names, what was loaded is not what the model was made for.

Whoever takes over a trunk and makes a new head matches nearly all of the names; who takes over a
part of another model knows which, and gives no more than that.
"""

HALF = 0.5
"""A model that has found so much of its own has been given what it needs."""

WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.", "backbone.", "encoder.")
"""What wrappers put in front of every name: DataParallel, torch.compile, Lightning and the like."""


@check("CKP070", Severity.ERROR, stage=Stage.CHECKPOINT, explains=("LOS003",))
def loaded_weights_not_taken(states: LoadedStates) -> Iterator[Finding]:
    """
    Weights are loaded with `strict=False`, and hardly one of their names is one of the model's.

    `load_state_dict(state, strict=False)` takes what has a name that the model knows, and passes
    over everything else without a word. A checkpoint that was saved from a wrapped model
    (`DataParallel`, `torch.compile`, a LightningModule) has a prefix before each name, so that
    nothing is taken, and the training begins from random weights. A head that is missing on
    purpose is no fault: then the other names match.

    Fails:

        import torch

        def loop():
            trained = torch.nn.DataParallel(torch.nn.Linear(4, 2))
            model = torch.nn.Linear(4, 2)
            model.load_state_dict(trained.state_dict(), strict=False)

    Passes:

        import torch

        def loop():
            trained = torch.nn.DataParallel(torch.nn.Linear(4, 2))
            model = torch.nn.Linear(4, 2)
            model.load_state_dict(trained.module.state_dict(), strict=False)

    See also: <https://pytorch.org/tutorials/beginner/saving_loading_models.html>.
    """
    for load in states.loads:
        if not load.given or not load.known or load.matched >= FEW * len(load.given):
            continue
        if load.matched >= HALF * len(load.known):
            continue  # a part of a larger model, which finds its own among all the others
        # Models put together of several checkpoints may take this one's part in another call.
        if any(other is not load and _fills(other, load) for other in states.loads):
            continue
        yield _finding(load)


def _fills(other: StateLoad, load: StateLoad) -> bool:
    """Whether another call has given the same model what this one could not."""
    return other.known == load.known and other.matched >= FEW * len(other.given)


def _finding(load: StateLoad) -> Finding:
    prefix, wanted, would = _prefix(load)
    taken = "none" if not load.matched else f"{load.matched:,}"
    message = (
        f"load_state_dict(…, strict=False) was given {len(load.given):,} weights and took {taken} "
        f"of them: {load.given[0]} is not the name of any weight of {load.model}, which has "
        f"{load.known[0]}"
    )
    remedy = (
        f"load what was saved from this model, with strict=True, which says what does not match: "
        f"{load.model}.load_state_dict(state)"
    )
    if prefix:
        message += f"; without the prefix {prefix!r}, {would:,} of them fit"
        remedy = (
            f'state = {{name.removeprefix("{prefix}"): weight for name, weight in state.items()}} '
            "before it, and strict=True from then on"
        )
    elif wanted:
        message += f"; with the prefix {wanted!r} before them, {would:,} fit"
        remedy = (
            f'state = {{"{wanted}" + name: weight for name, weight in state.items()}} before it, '
            "and strict=True from then on"
        )
    return Finding(
        message=message,
        where=load.where,
        evidence={
            "given": len(load.given),
            "matched": load.matched,
            "known": len(load.known),
            "prefix": prefix or None,
            "lacking_prefix": wanted or None,
        },
        remedy=remedy,
    )


def _prefix(load: StateLoad) -> tuple[str, str, int]:
    """Return the prefix that is too many, or the one that is lacking, and how many would fit."""
    for names, others, lacking in (
        (load.given, load.known, False),
        (load.known, load.given, True),
    ):
        known = set(others)
        for prefix in dict.fromkeys((*_leading(names), *WRAPPERS)):
            fit = sum(n.startswith(prefix) and n.removeprefix(prefix) in known for n in names)
            if fit >= max(1, len(load.given) // 2):
                return ("", prefix, fit) if lacking else (prefix, "", fit)
    return "", "", 0


def _leading(names: tuple[str, ...]) -> Iterator[str]:
    """Yield what all names begin with, up to each of its dots; the longest last."""
    first = names[0]
    for match in re.finditer(r"\.", first):
        prefix = first[: match.end()]
        if all(name.startswith(prefix) for name in names):
            yield prefix
