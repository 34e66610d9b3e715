"""A glance at a data file tells its columns and never fails."""

import json
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.targets.sample import MOST_BYTES, MOST_ROWS, NOTHING, first_rows


@pytest.fixture
def look(tmp_path):
    def written(name, data):
        path = tmp_path / name
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
        return first_rows(str(path))

    return written


def test_csv_with_quotes_and_a_mark(look):
    sample = look("a.csv", '\ufefftext,label\r\n"one, ""two""\nthree",0\n\nfour,1\n')
    assert sample.columns == ("text", "label")
    assert [row["text"] for row in sample.rows] == ['one, "two"\nthree', "four"]
    assert sample.kind("label") == "int"
    assert sample.kind("text") == "text"
    assert sample.kind("none") is None


def test_tsv(look):
    assert look("a.tsv", "a\tb\n1,5\t2\n").columns == ("a", "b")


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_json_lines(look, suffix):
    sample = look(f"a.{suffix}", '{"text": "x", "label": 0}\n{"text": "y", "label": 0.5}\n')
    assert sample.columns == ("text", "label")
    assert sample.kind("label") == "float"


def test_json_list_over_several_lines(look):
    sample = look("a.json", json.dumps([{"tokens": ["a"], "ner_tags": [0]}] * 3, indent=2))
    assert sample.columns == ("tokens", "ner_tags")
    assert len(sample.rows) == 3
    assert sample.kind("ner_tags") == "list"


def test_rows_under_a_key(look):
    assert look("a.json", '{"version": "1.1", "data": [').columns == ("data",)


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_of_a_large_file_only_whole_rows_are_taken(look, suffix):
    row = {
        "csv": f"{'x' * 1000},1234567\n",
        "json": '{"a": "' + "x" * 1000 + '", "label": 1234567}\n',
    }
    head = {"csv": "a,label\n", "json": ""}
    sample = look(f"a.{suffix}", head[suffix] + row[suffix] * 1000)
    assert 60 < len(sample.rows) <= MOST_ROWS
    assert {str(one["label"]) for one in sample.rows} == {"1234567"}


def test_a_gap_leaves_the_kind_open(look):
    assert look("a.csv", "text,label\na,1\nb,\n").kind("label") is None
    assert look("a.json", '{"label": 1}\n{"label": null}\n').kind("label") is None


def test_what_is_no_readable_table_tells_nothing(look, tmp_path):
    os.mkfifo(tmp_path / "fifo.csv")
    assert first_rows(str(tmp_path / "fifo.csv")) == NOTHING
    assert first_rows(str(tmp_path / "none.csv")) == NOTHING
    assert first_rows(str(tmp_path)) == NOTHING
    assert first_rows("a\0.csv") == NOTHING
    assert look("a.parquet", "PAR1") == NOTHING
    assert look("deep.json", "[" * MOST_BYTES).rows == ()
    assert look("one.json", '{"a": ' * 20_000).rows == ()


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=100) | st.text("{}[],:\" \n'ab1.\0", max_size=60).map(str.encode))
def test_any_bytes(look, data):
    for name in ("a.csv", "a.tsv", "a.json"):
        sample = look(name, data)
        for column in sample.columns:
            sample.kind(column)
