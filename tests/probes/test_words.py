from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipedoctor.facts import Arguments
from pipedoctor.probes import installed, words


def test_the_installed_source_tells_what_the_enums_hold() -> None:
    transformers = pytest.importorskip("transformers")
    from transformers import training_args

    known = words.of(transformers.__version__, here=True)
    assert known is not None
    assert set(known) == set(words.ENUMS)
    for enum, values in known.items():
        assert set(values) == {one.value for one in getattr(training_args, enum)}, enum


def test_the_shipped_row_is_what_the_reader_makes_of_the_source() -> None:
    paths = [installed.file_of("transformers", name) for name in words.FILES]
    version = installed.versions(["transformers"]).get("transformers")
    table = json.loads(Path(words.PATH).read_text())
    if version not in table:
        pytest.skip(f"transformers {version} is not among the shipped releases")
    assert words.read([path for path in paths if path]) == table[version]


def test_what_went_is_gone_and_what_came_in_between_is_taken() -> None:
    old, new = words.of("4.46.3", here=False), words.of("5.23.0", here=False)
    between = words.of("5.12.0", here=False)
    assert old is not None
    assert new is not None
    assert between is not None
    assert "adamw_hf" in old["OptimizerNames"]
    assert "adamw_hf" not in new["OptimizerNames"]
    assert "adamw_apex_fused" in between["OptimizerNames"], "it went at some release after 5.0"
    assert "greedy" in between["SchedulerType"], "it came at some release before 5.23"
    assert "SaveStrategy" not in old


def test_older_than_anything_known() -> None:
    assert words.of("4.1.0", here=False) is None


def test_a_choice_is_told_by_the_declared_type(subject) -> None:
    known = subject(environment={"transformers": "4.46.3"}).fact(Arguments)
    assert known.choice("save_strategy") == ("no", "steps", "epoch")
    assert known.choice("learning_rate") == ()
    assert known.choice("no_such_name") == ()


def test_trees_are_read_into_the_table(tmp_path, monkeypatch) -> None:
    package = tmp_path / "transformers-9.1.0" / "transformers"
    package.mkdir(parents=True)
    (package / "trainer_utils.py").write_text(
        'class SchedulerType(ExplicitEnum):\n    """Words."""\n    A = "a"\n    B = 3\n'
    )
    (package / "training_args.py").write_text("class Other:\n    X = 'x'\n")
    monkeypatch.setattr(words, "PATH", str(tmp_path / "words.json"))
    words.main([str(package.parent)])
    assert json.loads((tmp_path / "words.json").read_text()) == {"9.1.0": {"SchedulerType": ["a"]}}


def test_only_the_enums_are_parsed_and_they_are_whole(tmp_path: Path) -> None:
    source = tmp_path / "module.py"
    source.write_text(
        'import x\n\n\nclass Other:\n    """no\'"""\n\n\nclass SaveStrategy(\n    ExplicitEnum,\n):\n'
        '    """Text."""\n\n    NO = "no"\n\n    def f(self):\n        return 1\n\n    BEST = "best"\n'
        'X = 1\nclass HubStrategy(str): A = "a"\nclass Last: pass\n'
    )
    assert words.read([str(source)]) == {"SaveStrategy": ["no", "best"], "HubStrategy": ["a"]}
