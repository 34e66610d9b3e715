from __future__ import annotations

import csv
import io
import json
import os
import warnings
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.fact import Cost, OverBudget, Split, Unavailable
from pipedoctor.facts import Rows
from pipedoctor.finding import Location
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.probes import rows


@pytest.fixture
def counted(tmp_path):
    def count(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return rows.count(str(path))

    return count


@pytest.mark.parametrize(
    ("content", "number"),
    [
        ("text,label\na,0\nb,1\n", 2),
        ("text,label\na,0\nb,1", 2),
        ("text,label\r\na,0\r\nb,1\r\n", 2),
        ("text,label\ra,0\rb,1\r", 2),
        ("text,label\n", 0),
        ("\n\ntext,label\n\n  \na,0\n\t\n\n", 1),
        ('text,label\n"two\nlines",0\nb,1\n', 2),
        ('text,label\n"a blank\n\nline, and ""quotes""",0\nb,1\n', 2),
        ('text,label\n5" long,0\nb,1\n', 2),
        ('text\n""\n" "\n', 2),
        ("\ufefftext,label\na,0\n", 1),
        ("text,label\nà  \u2028x,0\nb,1\n", 2),
        ("text,label\n" + "word " * 100_000 + ",0\n", 1),
    ],
)
def test_csv(counted, content, number):
    assert counted("train.csv", content) == number


def test_tsv(counted):
    assert counted("train.TSV", 'text\tlabel\n"a,\nb"\t0\nc\t1\n') == 2


def test_the_limit_of_the_csv_module_is_left_as_it_was(counted):
    before = csv.field_size_limit()
    counted("train.csv", "text\n" + "x" * (before + 10) + "\n")
    assert csv.field_size_limit() == before


CELLS = st.text(st.sampled_from('ab ,"\n\t1é'), max_size=6)


@given(st.lists(st.lists(CELLS, min_size=2, max_size=2)), st.sampled_from(["\n", "\r\n"]))
def test_csv_is_counted_as_pandas_counts(records, end):
    pandas = pytest.importorskip("pandas")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerows([["first", "second"], *records])
    written = text.getvalue().encode()
    expected = len(pandas.read_csv(io.BytesIO(written), keep_default_na=False))
    assert rows._csv(io.BytesIO(written)) == expected == len(records)


@given(st.text(st.sampled_from('ab,"\n \t'), max_size=40))
def test_odd_csv_is_counted_as_pandas_counts_where_it_can(text):
    pandas = pytest.importorskip("pandas")
    content = ("x,y\n" + text).encode()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rows of other lengths count too
            expected = len(pandas.read_csv(io.BytesIO(content), index_col=False))
    except (pandas.errors.ParserError, pandas.errors.EmptyDataError):
        return
    assert rows._csv(io.BytesIO(content)) == expected


@pytest.mark.parametrize(
    ("name", "content", "number"),
    [
        ("a.jsonl", '{"a": 1}\n\n{"a": 2}\n  \n{"a": 3}', 3),
        ("a.ndjson", '{"a": 1}\n', 1),
        ("a.json", '{"a": 1}\n\n{"a": 2}\n', 2),
        ("a.json", '\n\n{"a": 1}\n', 1),
        ("a.json", '[{"a": 1},\n {"a": 2}]', 2),
        ("a.json", "[]", 0),
        ("a.json", '{"version": 1, "data": [1, 2, 3]}', 3),
        ("a.json", '{\n "data": [\n  {"a": 1}\n ]\n}', 1),
        ("a.json", '{"data": [1, 2]}\n{"data": [3]}', 2),
    ],
)
def test_json(counted, name, content, number):
    assert counted(name, content) == number


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", ""),
        ("a.csv", "\n\n"),
        ("a.csv", "text\na\n".encode("utf-16")),
        ("a.json", ""),
        ("a.json", '{"data": 3}'),
        ("a.json", '{\n "rows": []\n}'),
        ("a.json", "[1, 2"),
        ("a.json", "[" * 100_000),
        ("a.json", b"\xff\xfe\x00"),
        ("a.json", "3"),
        ("a.parquet", b"PAR1"),
        ("a.csv.gz", b"\x1f\x8b"),
        ("plain", "a\n"),
    ],
)
def test_what_can_not_be_counted_is_said(counted, name, content):
    with pytest.raises(Unavailable, match=name):
        counted(name, content)


@given(st.binary(max_size=60), st.sampled_from(["csv", "json", "jsonl"]))
def test_no_content_breaks_it(tmp_path_factory, content, kind):
    path = tmp_path_factory.getbasetemp() / f"any.{kind}"
    path.write_bytes(content)
    with suppress(Unavailable):
        assert rows.count(str(path)) >= 0


def test_json_is_counted_as_it_was_written(counted):
    table = [{"text": f"row {i}\n", "label": i % 2} for i in range(50)]
    assert counted("a.json", json.dumps(table, indent=1)) == 50
    assert counted("b.json", "\n".join(json.dumps(row) for row in table)) == 50


def test_large_files_are_left_alone(counted, monkeypatch):
    monkeypatch.setattr(rows, "LARGEST", 100)
    with pytest.raises(Unavailable, match="too large"):
        counted("a.csv", "x\n" * 51)
    monkeypatch.setattr(rows, "LARGEST_DOCUMENT", 20)
    assert counted("a.jsonl", '{"a": 1}\n' * 4) == 4
    with pytest.raises(Unavailable, match="too large"):
        counted("a.json", "[" + "1, " * 10 + "1]")


def test_only_regular_files_are_opened(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)  # opening it would wait for a writer
    (tmp_path / "folder.csv").mkdir()
    for name in ("pipe.csv", "folder.csv", "missing.csv"):
        with pytest.raises(Unavailable, match=name):
            rows.count(str(tmp_path / name))


@pytest.fixture
def files(tmp_path):
    (tmp_path / "train.csv").write_text("text,label\n" + "a,0\n" * 30)
    (tmp_path / "dev.csv").write_text("text,label\n" + "a,0\n" * 5)
    return {"train": str(tmp_path / "train.csv"), "eval": tmp_path / "dev.csv"}


def test_each_split_has_its_file(subject, files):
    pipeline = subject(files=files)
    train, dev = pipeline.fact(Rows, Split.TRAIN), pipeline.fact(Rows, Split.EVAL)
    assert (train.used, dev.used) == (30, 5)
    assert train.where.file == files["train"]


def test_the_scripts_own_limit_cuts_the_file(subject, files):
    settings = {"max_train_samples": 10, "max_eval_samples": 100}
    pipeline = subject(files=files, settings=settings)
    train, dev = pipeline.fact(Rows, Split.TRAIN), pipeline.fact(Rows, Split.EVAL)
    assert train.used == 10
    assert dev.used == 5


@pytest.mark.parametrize("limit", [-1, "10", True, 2.5])
def test_a_limit_that_is_none_is_said(subject, files, limit):
    with pytest.raises(Unavailable, match="max_train_samples"):
        subject(files=files, settings={"max_train_samples": limit}).fact(Rows)


class Config(dict):
    script = "run_clm"
    locations = {"train_file": Location(file="config.json", line=3)}  # noqa: RUF012 - never changed


def test_the_line_that_names_the_file_is_where_it_comes_from(subject, files):
    config = Config(train_file="train.csv")
    config.script = "run_glue"
    where = subject(files=files, settings=config).fact(Rows).where
    assert (where.file, where.line) == ("config.json", 3)


def test_a_script_that_joins_texts_trains_on_other_rows(subject, files):
    with pytest.raises(Unavailable, match="run_clm joins"):
        subject(files=files, settings=Config(), budget=Cost.FILES).fact(Rows)


class Sized:
    def __len__(self):
        return 12


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (range(104_743), 104_743),
        ([{"a": 1}], 1),
        ({"a": [1, 2, 3], "b": [4, 5, 6]}, 3),
        ({}, 0),
        (Sized(), 12),
        (iter([1, 2]), None),
        (object(), None),
    ],
)
def test_data_is_asked_for_its_length(subject, data, number):
    assert subject(train_data=data).fact(Rows).used == number


def test_a_mapping_of_splits_is_not_taken_for_columns(subject):
    class Splits(dict):
        pass

    found = subject(train_data=Splits(train=[1], test=[2])).fact(Rows)
    assert (found.unreadable, found.splits) == ("Splits", ("train", "test"))
    assert found.summary() == {"rows": None}
    with pytest.raises(Unavailable, match="how many rows a Splits holds"):
        _ = found.used


def test_data_is_loaded_only_at_its_depth(subject):
    with pytest.raises(OverBudget, match="--depth data"):
        subject(train_data=range(3), budget=Cost.FILES).fact(Rows)


def test_a_length_that_raises_is_the_users_to_see(subject):
    class Broken:
        def __len__(self):
            raise KeyError("lost")

    with pytest.raises(ProbeFailed, match="lost"):
        subject(train_data=Broken()).fact(Rows)
