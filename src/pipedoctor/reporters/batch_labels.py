"""Labels as people read them, and how they are distributed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.facts.labels import IGNORED
from pipedoctor.reporters.batch_text import cut, harmless, padded, width_of
from pipedoctor.reporters.layout import Line
from pipedoctor.units import count, plural

MOST_CLASSES = 10
LONGEST_NAME = 28
LONGEST_BAR = 40


def distribution(labels: Mapping[str, Any], width: int) -> Iterator[Line]:
    """Yield the distribution of the labels of a split, a bar for each."""
    counts: Mapping[str, int] = labels.get("counts", {})
    if not counts:
        if "minimum" in labels:
            distinct = f", {count(labels['distinct'])} distinct" if "distinct" in labels else ""
            span = f"{number(labels['minimum'])} to {number(labels['maximum'])}{distinct}"
            yield [(f"  {harmless(labels['column'])}: {span}", "")]
        return
    total, largest = sum(counts.values()), max(counts.values())
    shown = list(counts.items())
    if len(shown) > MOST_CLASSES:
        often = sorted(counts, key=lambda value: -counts[value])[: MOST_CLASSES - 1]
        shown = [(value, number) for value, number in shown if value in often]
    names = [cut(named(value, labels.get("names", {})), LONGEST_NAME) for value, _ in shown]
    wide = max(width_of(name) for name in names)
    room = max(5, min(LONGEST_BAR, width - wide - 26))
    for name, (value, number_of) in zip(names, shown, strict=True):
        bar = "█" * max(1 if number_of else 0, round(room * number_of / largest))
        style = "dim" if value == str(IGNORED) else "blue"
        told = f"  {count(number_of)} ({number_of / total:.0%})"
        yield [(f"  {padded(name, wide)}  ", ""), (bar, style), (told, "")]
    rest = len(counts) - len(shown)
    if rest:
        left = total - sum(n for _, n in shown)
        yield [(f"  … {plural(rest, 'more label')}, {plural(left, labels['unit'])}", "dim")]
    if labels.get("missing"):
        yield [(f"  no label at all: {plural(labels['missing'], 'row')}", "yellow")]


def named(value: object, names: Mapping[str, str]) -> str:
    """Return a label with the name of its class."""
    name = names.get(str(value))
    return harmless(f"{value} {name}" if name else str(value))


def label(told: Mapping[str, Any] | None) -> str:
    """Return the label of a row."""
    if told is None:
        return ""
    if "class" in told:
        name = told.get("name")
        return harmless(f"{told['class']} {name}" if name else str(told["class"]))
    if "reads" in told:
        return harmless(f"{told['first']} to {told['last']}: {told['reads']}")
    if "first" in told:
        return f"{told['first']} to {told['last']}"
    if "active" in told:
        return harmless(", ".join(map(str, told.get("names", told["active"]))) or "none")
    return value(told)


def answer(told: Mapping[str, Any] | None) -> str:
    """Return the answer to a row."""
    if told is None:
        return ""
    if "not_finite" in told:
        return "not a number"
    if told["kind"] == "class":
        return f"{label(told)} {told['probability']:.0%}"
    if told["kind"] == "labels":
        return label(told)
    if told["kind"] == "value":
        return ", ".join(number(one) for one in told["values"])
    return ""


def value(told: Mapping[str, Any]) -> str:
    """Return a described value in a few words."""
    if "text" in told:
        more = told["characters"] - len(told["text"])
        return harmless(told["text"]) + (f"… {count(more)} more characters" if more else "")
    if "value" in told:
        return harmless(number(told["value"]))
    if "values" in told:
        return f"[{', '.join(number(one) for one in told['values'])}]"
    if "texts" in told:
        return harmless(" ".join(told["texts"]))
    if "items" in told:
        return ", ".join(f"{harmless(key)} {value(one)}" for key, one in told["items"].items())
    words = [harmless(told["kind"])] if "kind" in told else []
    if "shape" in told:
        words.append(" x ".join(map(str, told["shape"])) + _span(told))
    return " ".join(words)


def _span(told: Mapping[str, Any]) -> str:
    span = ""
    if "min" in told:
        span = f": {number(told['min'])} to {number(told['max'])}, mean {number(told['mean'])}"
    if "not_finite" in told:
        span += f", {count(told['not_finite'])} NaN or infinite"
    return span


def number(told: object) -> str:
    """Return a number in at most four digits that count; whole numbers in full."""
    return f"{told:.4g}" if isinstance(told, float) else str(told)
