from collections.abc import Iterator
from typing import NamedTuple

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Loop, Script, Term
from pipedoctor_checks.loss._outputs import (
    FUNCTIONS,
    SCORES,
    SIGMOID,
    SOFTMAX,
    losses,
    output,
)


class _Clash(NamedTuple):
    """Why an output does not fit a loss, and what to do; `{name}` and `{line}` are filled in."""

    severity: Severity
    why: str
    cure: str
    other: str


_TWICE = "give the loss the scores themselves: delete the {name} in line {line}"
_CLASHES = {
    ("CrossEntropyLoss", SOFTMAX): _Clash(
        Severity.WARNING,
        "applies softmax itself, and gets probabilities: no class is ever above e times another, "
        "so the loss of 10 classes stays above 1.46, of 2 above 0.31",
        _TWICE,
        "keep it, take its logarithm, and use NLLLoss",
    ),
    ("CrossEntropyLoss", SIGMOID): _Clash(
        Severity.WARNING,
        "applies softmax itself, and gets numbers from 0 to 1: no class is ever above e times "
        "another, so the loss of 10 classes stays above 1.46, of 2 above 0.31",
        _TWICE,
        "use BCELoss, if a row may have several labels",
    ),
    ("BCEWithLogitsLoss", SIGMOID): _Clash(
        Severity.WARNING,
        "applies sigmoid itself, and gets probabilities: all it can say lies from 0.50 to 0.73, "
        "and the loss of a row stays above 0.31",
        _TWICE,
        "keep it, and use BCELoss",
    ),
    ("BCEWithLogitsLoss", SOFTMAX): _Clash(
        Severity.WARNING,
        "applies sigmoid itself, and gets probabilities: all it can say lies from 0.50 to 0.73, "
        "and the loss of a row stays above 0.31",
        _TWICE,
        "keep it, and use BCELoss",
    ),
    ("NLLLoss", SOFTMAX): _Clash(
        Severity.WARNING,
        "takes logarithms of probabilities, and gets the probabilities: its loss is -p, from 0 to "
        "-1, with a gradient that vanishes for just those rows that are wrong",
        "line {line}: log_softmax in place of {name}",
        "delete it, and use CrossEntropyLoss",
    ),
    ("NLLLoss", SCORES): _Clash(
        Severity.ERROR,
        "takes logarithms of probabilities, and gets the scores of a linear layer: its loss falls "
        "without limit as these grow, whatever is predicted",
        "use CrossEntropyLoss in place of NLLLoss",
        "apply log_softmax to what line {line} returns",
    ),
    ("BCELoss", SCORES): _Clash(
        Severity.ERROR,
        "takes probabilities, and gets the scores of a linear layer: it stops at the first one "
        "that is not from 0 to 1",
        "use BCEWithLogitsLoss in place of BCELoss",
        "apply sigmoid to what line {line} returns",
    ),
}

_CUT = _Clash(
    Severity.WARNING,
    "takes scores of any sign, and gets what ReLU has cut off at 0: a class can't be ruled out by "
    "more than the others are favoured, and a score that is cut off gets no gradient",
    "give the loss the scores themselves: delete the ReLU behind the last layer",
    "",
)
_LOSSES = {
    "cross_entropy": "CrossEntropyLoss",
    "bce_with_logits": "BCEWithLogitsLoss",
    "bce": "BCELoss",
    "nll": "NLLLoss",
}


@check(
    "LOS010",
    Severity.WARNING,
    stage=Stage.LOSS,
    explains=("LOS002",),
    symptoms={
        r"all elements of input should be between 0 and 1": (
            "BCELoss takes probabilities: use BCEWithLogitsLoss, or apply sigmoid to the scores"
        )
    },
)
def activation_and_loss_disagree(script: Script, loop: Loop | None = None) -> Iterator[Finding]:
    """
    The model ends in an activation that its loss applies once more, or lacks one that it needs.

    `CrossEntropyLoss` and `BCEWithLogitsLoss` take scores, and apply softmax and sigmoid
    themselves. Given probabilities they apply it twice: the training runs, slowly, and the loss
    stops far above zero. `NLLLoss` and `BCELoss` take what has been through the activation. A
    `log_softmax` before `CrossEntropyLoss` changes nothing, since it is its own log_softmax, and
    is not spoken of.

    Fails:

        script = '''
        import torch
        from torch import nn

        model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 10), nn.Softmax(dim=1))
        criterion = nn.CrossEntropyLoss()
        for inputs, labels in loader:
            loss = criterion(model(inputs), labels)
        '''

    Passes:

        script = '''
        import torch
        from torch import nn

        model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 10))
        criterion = nn.CrossEntropyLoss()
        for inputs, labels in loader:
            loss = criterion(model(inputs), labels)
        probabilities = torch.softmax(model(inputs), dim=1)
        '''

    See also: <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>.
    """
    read = list(_read(script))
    yield from read
    if loop is not None and not read:
        yield from _seen(loop)


def _seen(loop: Loop) -> Iterator[Finding]:
    """Find such losses in what the loop has computed."""
    for term in loop.terms:
        loss = _LOSSES.get(term.kind)
        clash = _clash(term, loss) if loss is not None else None
        if loss is None or clash is None:
            continue
        made = term.fed_by[0]
        yield Finding(
            message=f"{loss} of line {term.where.line} {clash.why} (from {made}, of "
            f"{' x '.join(map(str, term.prediction))} values)",
            where=term.where,
            evidence={
                "loss": loss,
                "made_by": list(term.fed_by),
                "shape": list(term.prediction),
            },
            remedy=clash.cure.format(name=made, line="the model").replace(
                "in line the model", "from the model's end"
            ),
            alternatives=() if not clash.other else (clash.other.split(":")[0],),
            severity=clash.severity,
        )


def _clash(term: Term, loss: str) -> _Clash | None:
    """Return why what made a prediction does not fit its loss."""
    made = term.fed_by[0] if term.fed_by else ""
    if loss == "CrossEntropyLoss" and made == "relu":
        return _CUT
    kind = {
        "softmax": SOFTMAX,
        "sigmoid": SIGMOID,
        "linear": SCORES,
        "convolution": SCORES,
    }.get(made)
    if kind is None or (loss, kind) == ("BCELoss", SCORES):
        return None  # where it ran, all of them were probabilities
    return _CLASHES.get((loss, kind))


def _read(script: Script) -> Iterator[Finding]:
    """Find such losses in the text."""
    seen: set[tuple[str, int]] = set()
    for loss in FUNCTIONS:
        for call in losses(script, loss):
            given = output(script, call.argument("input", 0))
            clash = None if given is None else _CLASHES.get((loss, given.kind))
            if given is None or clash is None or call.place.runs == "never":
                continue
            if (loss, given.by.number) in seen:  # one model, trained and evaluated
                continue
            seen.add((loss, given.by.number))
            kind = given.kind
            name = "softmax" if kind == SOFTMAX else "sigmoid"
            what = f"{name} of line {given.by.line}" if kind != SCORES else given.by.text
            words = {"name": name, "line": given.by.line}
            yield Finding(
                message=f"{loss} in line {call.line} {clash.why} (from {what})",
                where=given.by.where if kind != SCORES else call.where,
                evidence={
                    "loss": loss,
                    "loss_line": call.line,
                    "output": kind,
                    "output_line": given.by.line,
                },
                remedy=clash.cure.format(**words),
                alternatives=(clash.other.format(**words),),
                severity=Severity.WARNING if call.place.runs != "always" else clash.severity,
            )
