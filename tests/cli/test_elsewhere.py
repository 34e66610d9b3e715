"""`--target transformers=4.57`: the same config, judged as another version would read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipedoctor.cli import main
from pipedoctor.cli.elsewhere import completed
from pipedoctor.probes import releases

HISTORY = releases.load()
OLD, NEW = HISTORY.fields("4.57.6"), HISTORY.fields("5.23.0")
REMOVED, ADDED = sorted(set(OLD) - set(NEW)), sorted(set(NEW) - set(OLD))

NEW_VALUES = {
    "train_sampling_strategy": "group_by_length",
    "activation_checkpointing_kwargs": {"use_reentrant": False},
    "dataloader_multiprocessing_context": "spawn",
}


def examine(capsys, folder: Path, stated: dict[str, object], *words: str) -> dict[str, object]:
    path = folder / "config.json"
    path.write_text(json.dumps({"output_dir": "out", **stated}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["check", str(path), "--output-format", "json", "--depth", "static", *words])
    told: dict[str, object] = json.loads(capsys.readouterr().out)
    return told


def codes(told) -> dict[str, str]:
    return {f["where"]["key"]: f["code"] for f in told["findings"] if f["code"][:3] == "VER"}


def test_the_two_releases_differ_by_so_many() -> None:
    assert (len(REMOVED), len(ADDED)) == (28, 10)


@pytest.mark.parametrize("name", REMOVED)
def test_each_removed_argument_is_named_with_what_to_do(capsys, tmp_path, name: str) -> None:
    stated = {name: 0.1 if name == "warmup_ratio" else True}
    new = examine(capsys, tmp_path, stated, "--target", "transformers=5.23.0")
    (finding,) = [f for f in new["findings"] if f["where"]["key"] == name]
    assert finding["code"] in {"VER004", "VER006"}
    assert finding["severity"] == "error"
    assert finding["remedy"].split()[0] in {"delete", "replace", "rename", "move"}
    assert "nothing took its place" not in finding["remedy"] or name == "ray_scope"
    old = examine(capsys, tmp_path, stated, "--target", "transformers=4.57.6")
    assert name not in codes(old)


@pytest.mark.parametrize("name", ADDED)
def test_each_new_argument_is_named_on_the_older_one(capsys, tmp_path, name: str) -> None:
    stated = {name: NEW_VALUES.get(name, True)}
    old = examine(capsys, tmp_path, stated, "--target", "transformers=4.57")
    assert codes(old)[name] == "VER002"
    new = examine(capsys, tmp_path, stated, "--target", "transformers=5.23.0")
    assert name not in codes(new)


def test_the_report_says_what_it_was_judged_by(capsys, tmp_path) -> None:
    told = examine(capsys, tmp_path, {}, "--target", "transformers=4.57", "--target", "trl=0.24")
    (problem,) = told["problems"]
    assert problem.startswith("judged as with transformers 4.57.6 (")
    assert "trl 0.24.0 (" in problem
    assert "nothing is loaded" in problem


@pytest.mark.parametrize(
    ("asked", "release"),
    [("4.57", "4.57.6"), ("5", "5.23.0"), ("4.57.1", "4.57.1"), ("4.50", "4.50"), ("9", "9")],
)
def test_a_version_stands_for_its_newest_known_release(asked: str, release: str) -> None:
    assert completed("transformers", asked) == release


def test_of_trl_as_well() -> None:
    assert completed("trl", "0.24") == "0.24.0"
    assert completed("torch", "2.13") == "2.13"


@pytest.mark.parametrize("words", ["nonsense=4", "transformers", "transformers=new", "=4"])
def test_what_makes_no_sense_is_refused(capsys, tmp_path, words: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"seed": 1}))
    try:
        status = main(["check", str(path), "--target", words])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2
    assert words.partition("=")[0] in capsys.readouterr().err
