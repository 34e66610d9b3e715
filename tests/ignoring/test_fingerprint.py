from __future__ import annotations

import os
from dataclasses import replace

import pytest

from pipedoctor import Finding, Location
from pipedoctor.ignoring.fingerprint import fingerprint, skeleton

FOUND = Finding(
    "Warm-up takes 500 of 114 steps; 3.2 GB are free",
    "less",
    where=Location("c.json", 15, "warmup_steps", source='"warmup_steps": 500'),
)
MARK = fingerprint("HYP003", FOUND)


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, where=replace(FOUND.where, line=99, source="moved")),
        replace(FOUND, where=replace(FOUND.where, file="elsewhere/c.json")),
        replace(FOUND, message="Warm-up takes 1,000 of 2e-5 steps; 100 MB are free"),
        replace(FOUND, remedy="another one", evidence={"x": 1}),
    ],
)
def test_the_same_finding_elsewhere_is_the_same(other: Finding) -> None:
    assert fingerprint("HYP003", other) == MARK


@pytest.mark.parametrize(
    "other",
    [
        replace(FOUND, where=replace(FOUND.where, key="warmup_ratio")),
        replace(FOUND, where=replace(FOUND.where, column="label")),
        replace(FOUND, where=replace(FOUND.where, split="eval")),
        replace(FOUND, message="Warm-up takes 500 of 114 epochs; 3.2 GB are free"),
    ],
)
def test_another_one_is_another(other: Finding) -> None:
    assert fingerprint("HYP003", other) != MARK
    assert fingerprint("HYP004", FOUND) != MARK


def test_it_never_changes() -> None:
    assert MARK == "e1882a33e631e6079f4e01d9564660eb"


def test_digits_in_names_stay() -> None:
    assert skeleton("fp16 and bert-2 and LAB001 5.23.0, 99 of 300 (33%)") == (
        "fp16 and bert-N and LAB001 N, N of N (N%)"
    )


def test_folders_of_this_machine_are_left_out() -> None:
    assert skeleton(f"x is not in {os.getcwd()}") == "x is not in ."
    assert skeleton("/home/me/run/train.py raised") == "/train.py raised"
    assert skeleton("data/train.csv and ~/x/y") == "data/train.csv and ~/x/y"


def test_half_of_a_pair_has_a_fingerprint_too() -> None:
    assert len(fingerprint("DAT024", Finding("\udcff", "r"))) == 32
