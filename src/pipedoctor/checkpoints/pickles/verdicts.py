"""From what a pickle names, calls and tries to the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.checkpoints.pickles.allowed import ALLOWED, ALLOWED_ON_IMPORT
from pipedoctor.checkpoints.pickles.trusted import NEEDS_TRUST

_WORST = (
    Verdict.UNSAFE,
    Verdict.MALFORMED,
    Verdict.UNSUPPORTED,
    Verdict.NEEDS_TRUST,
    Verdict.ALLOWED,
)
_LONGEST = 200  # of a name that is told


Pair = tuple[str, str]


@dataclass(frozen=True)
class Judgement:
    """A verdict with its reason, and the global that decides it, at byte `offset`."""

    verdict: Verdict
    reason: str = ""
    offender: str = ""
    offset: int | None = None
    whole_model: bool = False
    """Whether it is the classes of a model, pickled whole, that need trust."""


def worst(judgements: Iterable[Judgement]) -> Judgement:
    """Return the worst of several; of equals, the first."""
    return min(
        judgements, key=lambda j: _WORST.index(j.verdict), default=Judgement(Verdict.ALLOWED)
    )


def shown(text: str) -> str:
    """Return a name out of a file so that it can be printed anywhere."""
    short = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "".join(c if c.isprintable() else c.encode("unicode-escape").decode() for c in short)


def judged(
    names: Mapping[tuple[str, str], int],
    calls: Mapping[tuple[str, str], int],
    tricks: Iterable[tuple[str, int]],
    *,
    own_classes: bool = False,
    whole_model: Callable[[list[Pair]], bool] = lambda _: False,
) -> Judgement:
    """
    Return the verdict on a pickle that was read to its end.

    What is called counts before what is named only, because it tells what the file is for; but a
    name is enough: loading imports its module. With `own_classes` the pickle is TorchScript's,
    and names classes that stand in the same archive. `whole_model` tells whether globals are the
    classes of a model that was pickled whole.
    """
    model = [pair for pair in names if not (_known(pair) or (own_classes and _own(pair)))]
    whole = bool(model) and whole_model(model)
    for found, does in () if whole else ((calls, "calls"), (names, "names")):
        bad = [pair for pair in found if not (_known(pair) or (own_classes and _own(pair)))]
        if bad:
            pair = min(bad, key=found.__getitem__)
            name = shown(".".join(pair))
            reason = f"{does} {name}, which torch.load(weights_only=True) refuses"
            return Judgement(Verdict.UNSAFE, reason, name, found[pair])
    for message, offset in tricks:
        return Judgement(Verdict.UNSAFE, message, "", offset)
    if whole:
        pair = min(model, key=names.__getitem__)
        name = shown(".".join(pair))
        reason = (
            f"holds a whole model, saved with its classes ({name}), which "
            "torch.load(weights_only=True) refuses"
        )
        return Judgement(Verdict.NEEDS_TRUST, reason, name, names[pair], whole_model=True)
    beyond = [pair for pair in names if pair in NEEDS_TRUST]
    if beyond:
        pair = min(beyond, key=names.__getitem__)
        name = shown(".".join(pair))
        reason = f"{NEEDS_TRUST[pair]} ({name}), which torch.load(weights_only=True) refuses"
        return Judgement(Verdict.NEEDS_TRUST, reason, name, names[pair])
    return Judgement(Verdict.ALLOWED)


def _known(pair: tuple[str, str]) -> bool:
    return pair in ALLOWED or pair in ALLOWED_ON_IMPORT or pair in NEEDS_TRUST


def _own(pair: tuple[str, str]) -> bool:
    module = pair[0]
    return module == "torch.jit._pickle" or module.partition(".")[0] == "__torch__"
