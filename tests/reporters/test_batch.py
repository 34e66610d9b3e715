"""The tables of `pipedoctor batch`, on pages of any width."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from engine.samples import report
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pipedoctor import Report
from pipedoctor.reporters import batch
from pipedoctor.reporters.batch_labels import distribution
from pipedoctor.reporters.batch_tokens import columns, flow, units

TEXTS = st.one_of(
    st.text(max_size=12), st.sampled_from([" the", "ing", " 東京", "\n", "\x1b[2J", " עלם", ""])
)


def token(text: str, label: int = 0, **more: Any) -> dict[str, Any]:
    return {"text": text, "id": 5, "label": label, **more}


SPECIAL = {"special": True}
PADDING = {"special": True, "padding": True, "masked": True}

ROW = [
    token("[CLS]", -100, **SPECIAL),
    token(" ada", 1),
    token(" love", 2),
    token("lace", -100),
    token(" slept", 0, masked=True),
    token("[SEP]", -100, **SPECIAL),
    token("[PAD]", -100, times=7, **PADDING),
]

GROUP = {
    "what": "first rows",
    "arrays": {"input_ids": {"shape": [1, 13], "dtype": "int64"}},
    "labels": {"name": "labels", "form": "token", "names": {"0": "O", "1": "B-PER", "2": "I-PER"}},
    "tokens": 13,
    "padding": 7,
    "rows": [
        {
            "row": 4,
            "width": 13,
            "length": 6,
            "tokens": ROW,
            "learned": {"count": 3, "of": 13, "first": 1, "last": 4},
        }
    ],
}


def showing(group: dict[str, Any], predictions: dict[str, Any] | None = None) -> Report:
    preview = {
        "split": "train",
        "rows": 1200,
        "labels": {"column": "label", "unit": "row", "counts": {"0": 900, "1": 300}, "names": {}},
        "groups": [group],
        "remarks": [{"what": "x", "text": "3 of 8 rows are odd", "strikes": True}],
        "note": "",
    }
    answers = {} if predictions is None else {"Predictions": ({"split": "train", **predictions},)}
    missing = {"split": "eval", "unavailable": "no eval data was given"}
    return report(figures={"Preview": (preview, missing), **answers})


def classes(*rows: dict[str, Any], form: str = "row") -> dict[str, Any]:
    return {
        **GROUP,
        "labels": {"name": "labels", "form": form, "names": {"1": "yes"}},
        "rows": [
            {
                "row": n,
                "width": 13,
                "length": 6,
                "tokens": ROW,
                "label": {"class": 1, "name": "yes"},
            }
            | row
            for n, row in enumerate(rows)
        ],
    }


ANSWERS = {
    "groups": [[{"kind": "tokens", "classes": [0, 1, 0, 0, 0, 0]}]],
    "losses": [0.51],
    "answers": 3,
    "unit": "token",
    "classes": {"0": 2, "1": 1},
    "same": False,
}


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_tokens_and_their_labels(width: int, snapshot: Callable[[str, str], None]) -> None:
    snapshot(f"batch-tokens-{width}.txt", batch.plain(showing(GROUP, ANSWERS), width))


@pytest.mark.parametrize("width", [60, 120])
def test_a_table_of_rows(width: int, snapshot: Callable[[str, str], None]) -> None:
    rows = [{"arrays": {"size": {"values": [0.5, 1.0]}}}, {"text": "was \x1b[31mred"}]
    answers = {
        "groups": [
            [
                {"kind": "class", "class": 0, "probability": 0.5151, "loss": 0.693},
                {"kind": "class", "class": 1, "name": "yes", "probability": 0.7, "loss": 0.35},
            ]
        ],
        "losses": [0.52],
        "answers": 2,
        "unit": "row",
        "classes": {"0": 1, "1": 1},
        "same": False,
    }
    told = batch.plain(showing(classes(*rows), answers), width)
    assert "\x1b" not in told
    snapshot(f"batch-table-{width}.txt", told)


def test_a_label_that_is_a_sequence_of_its_own() -> None:
    row = {"learned": {"count": 2, "of": 5, "first": 0, "last": 1}, "target": ROW[1:3]}
    told = batch.plain(showing(classes(row, form="sequence")))
    assert re.search(r"target │ ada love -100 x 3\n", told)


def test_few_rows_of_a_large_batch_are_shown_and_the_others_counted() -> None:
    told = batch.plain(showing(classes(*[{}] * 20)))
    assert "… 12 more rows: --output-format json holds them" in told


def test_what_cannot_be_shown_says_why() -> None:
    told = batch.plain(showing(GROUP, {"unavailable": "the model is on the meta device"}))
    assert "nothing can be shown: no eval data was given" in told
    assert "no answers of the model: the model is on the meta device" in told


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"certainty": 0.99, "untrained": False}, "! all 3 tokens get the same answer, O"),
        ({"certainty": 0.4, "untrained": True}, "· all 3 tokens get the same answer, O"),
        ({"certainty": 0.4, "constant": True}, "! the logits are the same for all 3 tokens"),
    ],
)
def test_answers_that_are_all_the_same(more: dict[str, Any], sentence: str) -> None:
    same = {**ANSWERS, "classes": {"0": 3}, "same": True, "spread": 0.2, **more}
    assert sentence in batch.plain(showing(GROUP, same))


def test_an_encoding_without_our_signs_gets_plain_ones() -> None:
    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="ascii")
    batch.write(showing(GROUP), stream, colour=False, width=80)
    stream.flush()
    assert b"label | -100" in raw.getvalue()
    assert b"####" in raw.getvalue()


def test_colour_changes_no_word() -> None:
    stream = io.TextIOWrapper(raw := io.BytesIO(), encoding="utf-8")
    batch.write(showing(GROUP, ANSWERS), stream, colour=True, width=90)
    stream.flush()
    bare = re.sub(r"\x1b\[[0-9;]*m", "", raw.getvalue().decode())
    plain = batch.plain(showing(GROUP, ANSWERS), 90)
    assert [line.rstrip() for line in bare.splitlines()] == plain.splitlines()


def test_of_many_labels_the_most_frequent_are_shown() -> None:
    counts = {str(n): 100 - n for n in range(30)}
    told = [
        "".join(text for text, _ in line)
        for line in distribution({"counts": counts, "unit": "row"}, 80)
    ]
    assert len(told) == 10
    assert told[-1] == f"  … 21 more labels, {sum(100 - n for n in range(9, 30)):,} rows"


@given(st.lists(TEXTS, max_size=60), st.integers(24, 120), st.integers(2, 4))
def test_running_text_keeps_to_its_page_and_counts_what_it_leaves_out(
    texts: list[str], width: int, most: int
) -> None:
    row = [token(text) for text in texts]
    told = ["".join(piece for piece, _ in line) for line in flow(units(row), width, most)]
    assert len(told) <= most
    assert all(cell_len(line) <= width for line in told)
    left_out = re.findall(r"… ([\d,]+) more tokens? …", "\n".join(told))
    assert not left_out or 0 < int(left_out[0]) <= len(texts)


@given(st.lists(TEXTS, min_size=1, max_size=40), st.integers(40, 120))
def test_labels_stand_under_their_tokens(texts: list[str], width: int) -> None:
    row = [token(text, number) for number, text in enumerate(texts)]
    under = {"label": lambda entry, place: (f"{entry['label']}:{place}", "")}
    lines = [
        "".join(piece for piece, _ in line) for line in columns(row, under, width, len(texts))
    ]
    assert all(cell_len(line) <= width for line in lines)
    shown = re.findall(r"(\d+):(\d+)", "\n".join(line for line in lines if "label │" in line))
    assert [int(a) for a, _ in shown] == [int(b) for _, b in shown] == list(range(len(texts)))
