"""Models with one numerical fault each, and what is to be said of it; and healthy ones besides."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from pipedoctor import frameworks
from pipedoctor.facts import Trace
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402 - after importorskip
from torch.nn import functional  # noqa: E402 - after importorskip
from torch.utils.checkpoint import checkpoint  # noqa: E402 - after importorskip

BATCH, ROWS = 8, 32
GUILTY = (19, 22)
"""The rows of the data whose weight is 0; both are in the third batch."""


def log_of_zero(h: Any, w: Any) -> Any:
    a = torch.log(w)  # FROM log_of_zero
    return h + a * 0  # BORN log_of_zero


def division_by_zero(h: Any, w: Any) -> Any:
    return h + w / w  # BORN division_by_zero


def exp_overflows(h: Any, w: Any) -> Any:
    e = torch.exp((1 - w) * 1000)  # FROM exp_overflows
    return h + (e - e)  # BORN exp_overflows


def all_masked(h: Any, w: Any) -> Any:
    scores = h.masked_fill(w == 0, float("-inf"))
    return h + torch.softmax(scores, -1)  # BORN all_masked


def negative_root(h: Any, w: Any) -> Any:
    return h + torch.sqrt(w - 0.5)  # BORN negative_root


def unit_vector(h: Any, w: Any) -> Any:
    v = h * w
    return v / v.norm(dim=-1, keepdim=True)  # BORN unit_vector


def inverse_root(h: Any, w: Any) -> Any:
    scale = torch.rsqrt(w)  # FROM inverse_root
    return h * scale * w  # BORN inverse_root


def out_of_domain(h: Any, w: Any) -> Any:
    return h + torch.acos(2 - w)  # BORN out_of_domain


def in_place(h: Any, w: Any) -> Any:
    z = w.clone()
    z.log_()  # FROM in_place
    return h + z * 0  # BORN in_place


def root_backwards(h: Any, w: Any) -> Any:
    return h + torch.sqrt((h * w).pow(2).sum(-1, keepdim=True))  # BORN root_backwards


def where_backwards(h: Any, w: Any) -> Any:
    q = h * w
    safe = torch.where(q != 0, torch.log(q.abs()), torch.zeros_like(q))  # BORN where_backwards
    return h + safe


def angle_backwards(h: Any, w: Any) -> Any:
    return h + torch.acos(1 - (h * w).square().clamp(max=0.5)) * w  # BORN angle_backwards


@dataclass(frozen=True)
class Fault:
    """A fault, and the operation, the phase and the family that it is known by."""

    head: Callable[[Any, Any], Any]
    operation: str
    family: str
    when: str = "forward"
    cause: str = ""

    @property
    def name(self) -> str:
        return self.head.__name__

    def line(self, mark: str = "BORN") -> int:
        """Return the line that is marked."""
        text = inspect.getsource(inspect.getmodule(self.head))  # type: ignore[arg-type]  # it has one
        lines = text.splitlines()
        return next(
            n for n, line in enumerate(lines, 1) if re.search(rf"# {mark} {self.name}$", line)
        )


FAULTS = (
    Fault(log_of_zero, "aten.mul", "log-of-zero", cause="aten.log"),
    Fault(division_by_zero, "aten.div", "division-by-zero"),
    Fault(exp_overflows, "aten.sub", "exp-overflows", cause="aten.exp"),
    Fault(all_masked, "aten._softmax", "nothing-but-masked", cause="aten.masked_fill"),
    Fault(negative_root, "aten.sqrt", "root-of-a-negative-number"),
    Fault(unit_vector, "aten.div", "division-by-zero"),
    Fault(inverse_root, "aten.mul", "division-by-zero", cause="aten.rsqrt"),
    Fault(out_of_domain, "aten.acos", "beyond-its-domain"),
    Fault(in_place, "aten.mul", "log-of-zero", cause="aten.log_"),
    Fault(root_backwards, "aten.mul", "root-has-no-slope-at-zero", "backward", "aten.div"),
    Fault(where_backwards, "aten.div", "where-does-not-shield-the-gradient", "backward"),
    Fault(angle_backwards, "aten.mul", "angle-at-its-end", "backward", "aten.rsqrt"),
)


class Head(nn.Module):
    """The layer with the fault."""

    def __init__(self, fault: Callable[[Any, Any], Any]) -> None:
        super().__init__()
        self.fault = fault
        self.out = nn.Linear(16, 2)

    def forward(self, h: Any, w: Any) -> Any:
        return self.out(self.fault(h, w))


class Model(nn.Module):
    """Words, dropout, a layer, and the head; with its own loss."""

    def __init__(
        self, fault: Callable[[Any, Any], Any] = lambda h, _: h, *, checkpointed: bool = False
    ) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.words = nn.Embedding(50, 16)
        self.body = nn.Linear(16, 16)
        self.dropout = nn.Dropout(0.1)
        self.head = Head(fault)
        self.checkpointed = checkpointed

    def forward(self, input_ids: Any, weight: Any, labels: Any = None) -> Mapping[str, Any]:
        h = torch.tanh(self.body(self.dropout(self.words(input_ids).mean(1))))
        if self.checkpointed:
            logits = checkpoint(self.head, h, weight, use_reentrant=False)
        else:
            logits = self.head(h, weight)
        return {"loss": functional.cross_entropy(logits.float(), labels), "logits": logits}


def data(guilty: tuple[int, ...] = GUILTY) -> list[dict[str, Any]]:
    """Return rows of which some have the weight 0."""
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(50, (ROWS, 6), generator=generator).tolist()
    return [
        {"input_ids": ids[n], "weight": [0.0 if n in guilty else 1.0], "labels": n % 2}
        for n in range(ROWS)
    ]


def traced(trace: dict[str, Any] | None = None, **parts: Any) -> Trace:
    """Return what a pipeline of these parts tells, by default of all its batches."""
    given = Parts({"trace": trace or {"batches": "all"}, **parts})
    return Pipeline(given, frameworks.probes(given)).fact(Trace)


def verify(found: Trace, fault: Fault, rows: tuple[int, ...] = GUILTY) -> None:
    """Demand that everything is right."""
    origin = found.origin
    assert origin is not None, found
    assert (origin.operation, origin.when) == (fault.operation, fault.when)
    assert origin.where.file == __file__
    assert origin.where.line == fault.line()
    assert origin.module == "head"
    assert found.rows == rows
    root = found.root
    assert root is not None
    assert fault.family == (origin if root.intended else root).family
    if fault.cause:
        assert found.causes[0].operation == fault.cause
        if not found.causes[0].intended and fault.when == "forward":
            assert found.causes[0].where.line == fault.line("FROM")
