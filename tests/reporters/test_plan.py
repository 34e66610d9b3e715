"""The charts of `pipedoctor plan`, on pages of any width."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipedoctor import Report, registry
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.facts import Marks
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.reporters import plan, plan_charts, text
from pipedoctor.targets import Target

BERT = {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108_310, 1000))}}

KNOWN = registry.load()

CONFIGS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "best": {
        "save_total_limit": 2,
        "load_best_model_at_end": True,
        "eval_strategy": "steps",
        "eval_steps": 1000,
        "save_steps": 2000,
        "lr_scheduler_type": "cosine_with_restarts",
        "lr_scheduler_kwargs": {"num_cycles": 4},
        "warmup_steps": 0.1,
        "num_train_epochs": 30,
    },
    "short": {
        "max_steps": 7,
        "logging_steps": 1,
        "eval_strategy": "epoch",
        "save_strategy": "best",
        "metric_for_best_model": "f1",
        "lr_scheduler_type": "greedy",
    },
}


def report(rows: int | None = 104_743, free: int = 61_200_000_000, **stated: Any) -> Report:
    parts = Parts(
        {
            "settings": {"output_dir": "out", **stated},
            "environment": {"transformers": "5.23.0", "disk_free": free, "gpus": 0},
            "files": {"output_dir": "out", "model": BERT},
        }
    )
    target = Target("config.json", parts, ("training arguments",))
    stated_parts = {} if rows is None else {"train_rows": rows}
    options = Options(depth=Cost.FILES, select=("HYP003", "CKP001", "LOS008"), stated=stated_parts)
    return Examination(target, KNOWN, options, figures=("Timeline",)).run()


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("name", CONFIGS)
def test_golden(name: str, width: int, snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"plan-{name}-{width}.txt", plan.plain(report(**CONFIGS[name]), width))


SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "max_steps": st.sampled_from([-1, 0, 1, 7, 10**6, 10**15]),
        "num_train_epochs": st.sampled_from([0, 0.01, 1, 2.5, 40]),
        "per_device_train_batch_size": st.sampled_from([1, 8, 1000]),
        "gradient_accumulation_steps": st.sampled_from([1, 3, 100]),
        "save_strategy": st.sampled_from(["no", "steps", "epoch", "best", "epochs"]),
        "save_steps": st.sampled_from([0, 1, 0.3, 500, "many"]),
        "save_total_limit": st.sampled_from([None, 0, 1, 2, 1000]),
        "load_best_model_at_end": st.booleans(),
        "eval_strategy": st.sampled_from(["no", "steps", "epoch"]),
        "eval_delay": st.sampled_from([0, 5, 1e6]),
        "logging_strategy": st.sampled_from(["no", "steps", "epoch"]),
        "logging_steps": st.sampled_from([1, 0.1, 500]),
        "logging_first_step": st.booleans(),
        "learning_rate": st.sampled_from([0, 1e-300, 5e-5, 3.0, "2e-5"]),
        "lr_scheduler_type": st.sampled_from(
            ["linear", "cosine", "polynomial", "constant", "greedy", "inverse_sqrt", "sawtooth"]
        ),
        "warmup_steps": st.sampled_from([0, 0.1, 5, 10**9]),
        "optim": st.sampled_from(["sgd", "adamw_8bit"]),
        "output_dir": st.sampled_from(["out", "\x1b[2J", "ölig/" * 30]),
    },
)


@settings(max_examples=100, deadline=None)
@given(
    SETTINGS,
    st.none() | st.integers(1, 300) | st.sampled_from([104_743, 10**15]),
    st.sampled_from([0, 10**9, 10**15]),
    st.sampled_from([40, 41, 60, 80, 100, 120]),
)
def test_no_run_is_too_odd_and_no_line_too_long(
    stated: dict[str, Any], rows: int | None, free: int, width: int
) -> None:
    told = replace(report(rows, free, **stated), outcomes=())  # of findings, others take care
    for line in plan.plain(told, width).splitlines():
        assert len(line) <= width, line
        assert line.isprintable()
    json.dumps(plan.figures(told), allow_nan=False)


@given(
    st.builds(Marks, st.integers(0, 50), st.integers(1, 300), st.booleans(), st.integers(0, 20)),
    st.integers(20, 110),
)
def test_every_mark_is_drawn_once(marks: Marks, columns: int) -> None:
    drawn = plan_charts.marks(marks, columns)
    assert len(drawn) == columns
    if len(marks) <= columns:
        assert sum(1 if sign == "●" else int(sign) for sign in drawn if sign != "─") == len(marks)
        last = max(marks, default=None)
        if last is not None:
            end = plan_charts.column(last, marks.total, columns)
            assert not drawn[end + 1 :].strip("─")


@given(st.integers(1, 10**6), st.integers(1, 10**7), st.integers(20, 110))
def test_lines_of_epochs_and_steps_are_as_wide_as_the_charts(
    each: int, total: int, columns: int
) -> None:
    assert len(plan_charts.epochs(each, total, columns)) == columns
    axis = plan_charts.axis(total, columns)
    assert len(axis) == columns
    numbers = [int(word.replace(",", "")) for word in axis.split()]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == total


def test_the_number_of_a_step_ends_below_its_column() -> None:
    axis = plan_charts.axis(39_279, 102)
    assert axis.index("5,000") + len("5,000") - 1 == plan_charts.column(5_000, 39_279, 102)


def test_what_is_above_nothing_is_seen() -> None:
    rows = list(plan_charts.curve([0.0, 1e-9, 0.5, 1.0], 2, 1.0))
    assert rows == ["   █", " ▁██"]


def test_a_page_in_ascii() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii", write_through=True)
    plan.write(report(**CONFIGS["best"]), stream, colour=False, width=80)
    told = stream.buffer.getvalue().decode()
    assert "#####" in told
    assert "= every 1,000 steps =" in told
    assert "\\u" not in told


def test_every_sign_has_one_in_ascii() -> None:
    signs = f"{plan_charts.BLOCKS}─━│●○"
    assert signs.translate(text.ASCII).isascii()
    assert len(signs.translate(text.ASCII)) == len(signs)


def test_the_part_that_does_not_fit_is_red() -> None:
    lines = list(plan.lines(report(), 120))
    disk = next(line for line in lines if line and "102.7 GB" in line[0][0])
    assert disk[-1][1] == "bold red"
    full = plan_charts.column(24_000, 39_279, 102)
    assert len(disk[1][0]) == full


def test_a_run_without_known_rows_says_what_would_do() -> None:
    told = plan.plain(report(rows=None))
    assert "can't be laid out" in told
    assert "--rows N says how many rows there are" in told


def test_a_run_of_no_step() -> None:
    assert "Nothing is trained" in plan.plain(report(num_train_epochs=0))
