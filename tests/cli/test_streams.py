"""A program that calls `main` may take the output as text: its stream has no encoding, no file."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from pipedoctor.cli import main

CONFIG = "output_dir: out\nmax_steps: 100\nwarmup_steps: 5000\nlearning_rate: 2e-5\n"


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "zurück.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    return str(path)


def told(stream: io.TextIOBase, *words: str) -> int:
    with contextlib.redirect_stdout(stream):
        return main(["check", *words, "--depth", "static"])


@pytest.mark.parametrize("form", ["text", "concise", "github", "json", "sarif", "junit"])
def test_a_stream_that_keeps_text_gets_the_report(config: str, form: str) -> None:
    stream = io.StringIO()
    assert told(stream, config, "--output-format", form) == 1
    assert "HYP003" in stream.getvalue()


def test_a_stream_that_keeps_text_can_hold_every_sign(config: str) -> None:
    stream = io.StringIO()
    assert told(stream, config) == 1
    assert "zurück.yaml" in stream.getvalue()
    assert " · " in stream.getvalue()


def test_reports_on_several_targets_are_told_there_too(config: str, tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text(CONFIG)
    stream = io.StringIO()
    assert told(stream, config, str(tmp_path / "other.yaml")) == 1
    assert stream.getvalue().count("HYP003") == 2


def test_a_diff_is_told_there_too(config: str) -> None:
    stream = io.StringIO()
    assert told(stream, config, "--diff") == 1
    assert "+learning_rate: 2.0e-5" in stream.getvalue().splitlines()


def test_an_encoding_without_our_signs_gets_plain_ones(config: str) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert told(stream, config) == 1
    stream.flush()
    shown = stream.buffer.getvalue().decode("ascii")
    assert "HYP003" in shown
    assert "zur\\xfcck.yaml" in shown
