"""Rows from a file: what can't be read is one sentence, whatever is wrong with it."""

from pathlib import Path

import pytest

from pipedoctor import Unavailable
from pipedoctor.frameworks.tracing import rows_of_file


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.jsonl", b'{"x": 1}\n\n{"x": 2}\n', [{"x": 1}, {"x": 2}]),
        ("a.json", b'{"x": [1, 2], "y": ["a", "b"]}', [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]),
        ("a.json", b'[{"x": 1}]', [{"x": 1}]),
        ("a.csv", b"x,y\n1,a\n2.5,\n", [{"x": 1, "y": "a"}, {"x": 2.5, "y": ""}]),
        ("a.tsv", b"x\ty\nnan\tb\n", None),
    ],
)
def test_what_can_be_read(
    tmp_path: Path, name: str, content: bytes, rows: list[dict[str, object]] | None
) -> None:
    (tmp_path / name).write_bytes(content)
    found = rows_of_file.read(str(tmp_path / name))
    if rows is None:
        assert found[0]["x"] != found[0]["x"]
    else:
        assert found == rows


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.txt", b"x", "no file of rows"),
        ("a.jsonl", b"[1]\n", "row 0 of .* is no mapping"),
        ("a.json", b"3", "can't be read"),
        ("a.json", b"[" * 100_000, "can't be read"),
        ("a.json", b'{"x": [1], "y": []}', "can't be read"),
        ("a.csv", b"x\n" + b'"' + b"a" * 200_000 + b'"\n', "can't be read"),
        ("a.csv", b"\xff\xfe", "can't be read"),
        ("a.npz", b"PK\x03\x04nothing", "can't be read"),
        ("a.safetensors", b"\x00" * 16, "can't be read"),
        ("missing.csv", None, "can't be read"),
    ],
)
def test_what_can_not(tmp_path: Path, name: str, content: bytes | None, told: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Unavailable, match=told):
        rows_of_file.read(str(tmp_path / name))
