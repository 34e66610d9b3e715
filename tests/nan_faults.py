"""Models with one numerical fault each, and what is to be said of it; and healthy ones besides."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import nan_formulas as formulas
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


@dataclass(frozen=True)
class Fault:
    """
    A fault: what makes it, and the operation, the phase and the family that it is known by.

    `spoil` makes it of a model, `change` of a row, `optimizer` makes the optimizer; `value` is the
    weight, or the input, that the value stands in; `rows` are those to be named.
    """

    name: str
    operation: str
    family: str
    when: str = "forward"
    cause: str = ""
    group: str = ""
    head: Callable[[Any, Any], Any] = formulas.healthy
    spoil: Callable[[Any], None] = lambda _: None
    change: Callable[[dict[str, Any]], object] = lambda _: None
    optimizer: Callable[[Any], Any] | None = None
    value: str = ""
    module: str = "head"
    rows: tuple[int, ...] = GUILTY

    def model(self, **words: Any) -> Any:
        """Return the model with the fault."""
        return self.spoiled(Model(self.head, **words))

    def spoiled(self, model: Any) -> Any:
        with torch.no_grad():
            self.spoil(model)
        return model

    def data(self) -> list[dict[str, Any]]:
        """Return the data with the fault."""
        rows = data(GUILTY if self.marked else ())
        for number in self.rows:
            self.change(rows[number])
        return rows

    @property
    def marked(self) -> bool:
        """Whether the fault is a formula's, whose line is marked."""
        return self.head is not formulas.healthy

    def line(self, mark: str = "BORN") -> int:
        """Return the line that is marked."""
        lines = inspect.getsource(formulas).splitlines()
        return next(
            n
            for mark in (mark, "BORN")  # it may all be one line
            for n, line in enumerate(lines, 1)
            if re.search(rf"# {mark} {self.name}$", line)
        )


def _formula(
    head: Callable[[Any, Any], Any],
    operation: str,
    family: str,
    when: str = "forward",
    cause: str = "",
    *,
    group: str = "",
) -> Fault:
    return Fault(head.__name__, operation, family, when, cause, group or when, head)


def _nan_weight(model: Any) -> None:
    model.body.weight[3, 4] = float("nan")


def _infinite_bias(model: Any) -> None:
    model.head.out.bias[1] = float("inf")


def _without_eps(name: str, **words: Any) -> Callable[[Any], Any]:
    return lambda parameters: getattr(torch.optim, name)(parameters, lr=1e-3, eps=0.0, **words)


def _step(name: str, operation: str, optimizer: Callable[[Any], Any]) -> Fault:
    return Fault(
        name,
        operation,
        "optimizer-divides-by-zero",
        "optimizer",
        group="optimizer",
        optimizer=optimizer,
        value="words.weight",
        module="words",
        rows=(),
    )


THIRD_BATCH = tuple(range(2 * BATCH, 3 * BATCH))

FAULTS = (
    _formula(formulas.log_of_zero, "aten.mul", "log-of-zero", cause="aten.log"),
    _formula(formulas.log_of_negative, "aten.log1p", "log-of-a-negative-number"),
    _formula(formulas.division_by_zero, "aten.div", "division-by-zero"),
    _formula(formulas.exp_overflows, "aten.sub", "exp-overflows", cause="aten.exp"),
    _formula(formulas.negative_root, "aten.sqrt", "root-of-a-negative-number"),
    _formula(formulas.unit_vector, "aten.div", "division-by-zero"),
    _formula(formulas.inverse_root, "aten.mul", "division-by-zero", cause="aten.rsqrt"),
    _formula(formulas.power_of_zero, "aten.mul", "power-of-zero", cause="aten.pow"),
    _formula(formulas.out_of_domain, "aten.acos", "beyond-its-domain"),
    _formula(formulas.in_place, "aten.mul", "log-of-zero", cause="aten.log_"),
    _formula(formulas.product_too_large, "aten.sub", "too-large", cause="aten.cumprod"),
    _formula(formulas.mean_of_nothing, "aten.mean", "mean-of-nothing"),
    _formula(formulas.spread_of_one, "aten.std", "spread-of-one-value"),
    _formula(
        formulas.all_masked,
        "aten._softmax",
        "nothing-but-masked",
        "forward",
        "aten.masked_fill",
        group="mask",
    ),
    _formula(
        formulas.all_masked_log,
        "aten._log_softmax",
        "nothing-but-masked",
        "forward",
        "aten.masked_fill",
        group="mask",
    ),
    _formula(
        formulas.masked_twice,
        "aten._softmax",
        "nothing-but-masked",
        "forward",
        "aten.add",
        group="mask",
    ),
    _formula(formulas.mean_of_masked, "aten.div", "division-by-zero", group="mask"),
    _formula(
        formulas.multiplied_by_mask,
        "aten.mul",
        "exp-overflows",
        "forward",
        "aten.exp",
        group="mask",
    ),
    _formula(
        formulas.half_product,
        "aten.sub",
        "float16-overflows",
        "forward",
        "aten.mul",
        group="half precision",
    ),
    _formula(
        formulas.half_cast,
        "aten.sub",
        "float16-overflows",
        "forward",
        "aten._to_copy",
        group="half precision",
    ),
    _formula(formulas.half_eps, "aten.div", "eps-lost-in-float16", group="half precision"),
    _formula(
        formulas.half_exp,
        "aten.div",
        "float16-overflows",
        "forward",
        "aten.exp",
        group="half precision",
    ),
    _formula(
        formulas.half_backwards,
        "aten.mul",
        "gradient-overflows-in-float16",
        "backward",
        "aten._to_copy",
        group="half precision",
    ),
    _formula(
        formulas.root_backwards, "aten.mul", "root-has-no-slope-at-zero", "backward", "aten.div"
    ),
    _formula(
        formulas.power_backwards, "aten.mul", "root-has-no-slope-at-zero", "backward", "aten.pow"
    ),
    _formula(
        formulas.where_backwards, "aten.div", "where-does-not-shield-the-gradient", "backward"
    ),
    _formula(
        formulas.division_backwards,
        "aten.mul",
        "where-does-not-shield-the-gradient",
        "backward",
        "aten.div",
    ),
    _formula(formulas.exp_backwards, "aten.mul", "exp-overflows", "backward", "aten.exp"),
    _formula(formulas.angle_backwards, "aten.mul", "angle-at-its-end", "backward", "aten.rsqrt"),
    _formula(formulas.entropy_backwards, "aten.div", "x-log-x-has-no-slope-at-zero", "backward"),
    _formula(formulas.own_backwards, "aten.div", "division-by-zero", "backward"),
    Fault(
        "nan_in_data",
        "",
        "not-finite-in-the-data",
        "data",
        group="data",
        change=lambda row: row.update(weight=[float("nan")]),
        value="weight",
        module="",
    ),
    Fault(
        "inf_in_data",
        "aten.sub",
        "not-finite-in-the-data",
        "forward",
        group="data",
        change=lambda row: row.update(weight=[float("inf")]),
        value="weight",
        module="head",
    ),
    Fault(
        "no_label_counts",
        "aten.nll_loss_forward",
        "no-label-counts",
        group="data",
        change=lambda row: row.update(labels=-100),
        module="",
        rows=THIRD_BATCH,
    ),
    Fault(
        "nan_weight",
        "",
        "not-finite-in-the-weights",
        "weights",
        group="weights",
        spoil=_nan_weight,
        value="body.weight",
        module="body",
        rows=(),
    ),
    Fault(
        "infinite_bias",
        "aten._log_softmax",
        "not-finite-in-the-weights",
        group="weights",
        spoil=_infinite_bias,
        value="head.out.bias",
        module="",
        rows=(),
    ),
    _step("adamw_for_loop", "aten.addcdiv_", _without_eps("AdamW", foreach=False)),
    _step("adamw_foreach", "aten._foreach_addcdiv_", _without_eps("AdamW", foreach=True)),
    _step("adamw_fused", "aten._fused_adamw_", _without_eps("AdamW", fused=True)),
    _step("adagrad", "aten.addcdiv_", _without_eps("Adagrad", foreach=False)),
    _step("rmsprop", "aten.addcdiv_", _without_eps("RMSprop", foreach=False)),
)

BY_NAME = {fault.name: fault for fault in FAULTS}


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
        self, fault: Callable[[Any, Any], Any] = formulas.healthy, *, checkpointed: bool = False
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


def verify(found: Trace, fault: Fault, prefix: str = "") -> None:
    """Demand that everything is right; the names of layers begin with a prefix."""
    wrong = differences(found, fault, prefix)
    assert not wrong, wrong


def differences(found: Trace, fault: Fault, prefix: str = "") -> dict[str, tuple[object, object]]:
    """Return what is told otherwise than it is: what should be, and what is said."""
    origin, root = found.origin, found.root
    if origin is None or root is None:
        return {"origin": (fault.name, found.notes)}
    blamed = origin if root.intended else root
    expected: dict[str, object] = {
        "operation": fault.operation,
        "when": fault.when,
        "module": prefix + fault.module if fault.module else origin.module,
        "rows": fault.rows,
        "family": fault.family,
    }
    told: dict[str, object] = {
        "operation": origin.operation,
        "when": origin.when,
        "module": origin.module,
        "rows": found.rows,
        "family": blamed.family,
    }
    if fault.value:
        expected["value"], told["value"] = fault.value, blamed.name.removeprefix(prefix)
    if fault.marked:
        expected["line"] = (formulas.__file__, fault.line())
        told["line"] = (origin.where.file, origin.where.line)
    if fault.cause:
        cause = found.causes[0] if found.causes else origin
        expected["cause"], told["cause"] = fault.cause, cause.operation
        if not cause.intended:
            expected["from"], told["from"] = fault.line("FROM"), cause.where.line
    return {key: (want, told[key]) for key, want in expected.items() if want != told[key]}
