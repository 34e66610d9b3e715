"""`pipedoctor new CODE NAME`: the skeleton of a check, to be filled in."""

from __future__ import annotations

import argparse
import keyword
import os
import re

from pipedoctor import registry
from pipedoctor.cli import CLEAN
from pipedoctor.options import UsageError

CHAPTERS = {
    "RUN": "run",
    "DAT": "data",
    "LAB": "labels",
    "LOS": "loss",
    "HYP": "hyperparameters",
    "GRD": "gradients",
    "NUM": "numerics",
    "MEM": "memory",
    "CKP": "checkpoints",
    "VER": "versions",
    "ENV": "environment",
    "KER": "keras",
    "LLM": "language_models",
    "EVA": "evaluation",
}

SKELETON = '''from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings


@check("{code}", Severity.WARNING, stage=Stage.ARGUMENTS)
def {function}(settings: Settings, *, largest: int = 1000) -> Iterator[Finding]:
    """
    The fault in one sentence, as it looks to the user.

    Why it matters: what happens in the run, when, and what it costs. The parameters of this
    function are the facts that it needs (see pipedoctor.facts) and, after the star, its options.

    Fails:

        settings = {{"seed": 4242}}

    Passes:

        settings = {{"seed": 42}}
    """
    if settings.seed > largest:
        yield Finding(
            message=f"seed is {{settings.seed:,}}, above {{largest:,}}",
            where=settings.where("seed"),
            evidence={{"seed": settings.seed, "largest": largest}},
            remedy=f"set seed to at most {{largest}}",
        )
'''


def write(arguments: argparse.Namespace) -> int:
    """Write the file and say how to go on; a file that is there is never overwritten."""
    code, function = arguments.code.upper(), arguments.name.lower().replace("-", "_")
    if not re.fullmatch(r"[A-Z]{3}\d{3}", code):
        raise UsageError(
            f"{arguments.code!r} is no code: write three letters and three digits, such as HYP101"
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]*", function) or keyword.iskeyword(function):
        raise UsageError(
            f"{arguments.name!r} is no name: write words joined by hyphens, such as warmup-outlasts-training"
        )
    for row in registry.load().rows:
        if row.code == code:
            raise UsageError(f"{code} is taken by {row.rule.name}; codes are never used twice")
    folder = arguments.folder or _folder(code)
    path = os.path.join(folder, f"{function}.py")
    try:
        if not os.path.isdir(folder):
            os.makedirs(folder)
            _write(
                os.path.join(folder, "__init__.py"), f'"""Checks of the chapter {code[:3]}."""\n'
            )
        _write(path, SKELETON.format(code=code, function=function))
    except OSError as error:
        raise UsageError(f"{path} can't be written: {error.strerror}") from None
    print(f"wrote {path}")
    print("It runs as it stands: change the fault, its page and its examples.")
    if folder == _folder(code) and folder != os.curdir:
        print(f"Then: pipedoctor rule {code}")
    else:
        print(
            "To have it found, name its package in the entry points of the group pipedoctor.checks."
        )
    return CLEAN


def _folder(code: str) -> str:
    house = os.path.join("checks", "pipedoctor_checks")
    if os.path.isdir(house):
        return os.path.join(house, CHAPTERS.get(code[:3], code[:3].lower()))
    return os.curdir


def _write(path: str, text: str) -> None:
    with open(path, "x", encoding="utf-8") as file:
        file.write(text)
