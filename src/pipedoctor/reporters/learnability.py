"""
Whether what is learned of some rows holds for others, for people: a part of `pipedoctor overfit`.

All is drawn from the figures of the fact `Learnability`, which a child process has sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from pipedoctor.reporters.layout import Line, clean, wrapped
from pipedoctor.units import plural, rate

Figures = Mapping[str, Any]


def lines(told: Figures, width: int) -> Iterator[Line]:
    """Yield the lines."""
    if "verdict" not in told:
        why = clean(str(told.get("unavailable", "nothing was measured")))
        yield from wrapped(f"Beyond one batch nothing was tried: {why}", "dim", 0, width)
        return
    who = "your" if told["own"] else "tried:"
    how = f"{who} {told['optimizer']} at {rate(told['rate'])}"
    made = f"{plural(told['updates'], 'update')} on halves of {plural(told['rows'], 'row')}, {how}"
    yield from wrapped(f"Beyond one batch: {made}", "bold", 0, width)
    yield from wrapped(_scores(told), "", 0, width)
    if told["losses"]:
        curve = f"loss of the learned rows {_curve(told['losses'])}"
        if told["shuffled"]:
            curve += f"; with their labels shuffled {_curve(told['shuffled'])}"
        yield from wrapped(curve, "dim", 0, width)
    yield from wrapped(f"{_verdict(told)}.", _style(told), 0, width)


def _scores(told: Figures) -> str:
    """Return what is told of rows that were not learned, and by chance."""
    unit = "correlation with" if told["kind"] == "numbers" else "right of"
    model = told["model"]
    text = f"{unit} unseen rows: the model {_figure(told, model)}"
    if told["baseline"] is not None:
        text += f", {told['baseline']['name']} {_figure(told, told['baseline'])}"
    if told["kind"] != "numbers":
        text += f", the best constant answer {told['chance']:.1%}"
    return text


def _figure(told: Figures, score: Figures) -> str:
    value, error, p = score["value"], score["error"], score["p"]
    number = (
        f"{value:.2f} ± {error:.2f}"
        if told["kind"] == "numbers"
        else (f"{value:.1%} ± {100 * error:.1f}")
    )
    return f"{number} (p = {p:.2g})"


def _curve(losses: Any) -> str:
    shown = [losses[0], *losses[1:-1][:: max(1, len(losses) // 4)], *losses[1:][-1:]]
    return " → ".join(f"{loss:.3g}" if isfinite(loss) else "nan" for loss in shown)


def _verdict(told: Figures) -> str:
    words = str(told["verdict"])
    words = f"{words[:1].upper()}{words[1:]}"
    if told["reason"]:
        words += f": {told['reason']}"
    if told["restored"] is False:
        words += " · not all could be put back: the digest of model and optimizer differs"
    return words


def _style(told: Figures) -> str:
    return {"inconclusive": "bold", "the labels go with the inputs": "bold green"}.get(
        told["verdict"], "bold red"
    )
