"""Whose code a file or a frame is."""

from __future__ import annotations

import os
import sys
from types import FrameType

import pytest

import pipedoctor
from pipedoctor import frames


@pytest.mark.parametrize(
    ("path", "theirs"),
    [
        ("train.py", True),
        ("/home/you/train.py", True),
        ("<string>", True),
        (__file__, True),
        (os.__file__, False),
        (pytest.__file__, False),
        (pipedoctor.__file__, False),
        ("/usr/lib/python3/dist-packages/torch/nn.py", False),
        ("<frozen runpy>", False),
    ],
)
def test_files(path: str, theirs: bool) -> None:
    assert frames.is_users(path) is theirs


@pytest.mark.parametrize(
    ("file", "theirs"), [(None, True), (__file__, True), (pytest.__file__, False)]
)
def test_code_without_a_file_is_that_of_its_module(file: str | None, theirs: bool) -> None:
    seen: list[FrameType] = []
    names = {"see": lambda: seen.append(sys._getframe(1))}
    exec("see()", {**names, **({} if file is None else {"__file__": file})})
    assert frames.users(seen[0]) is theirs
