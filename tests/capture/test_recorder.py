"""What is remembered of where things were made, without any framework."""

from __future__ import annotations

import functools
import gc
import runpy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipedoctor import frames
from pipedoctor.capture.recorder import Recorder
from pipedoctor.finding import Location


class Watched:
    """What a framework's class is once its constructor is wrapped."""

    recorder: Recorder

    def __init__(self, *_words: Any, **keywords: Any) -> None:
        self.recorder.made(self, given=keywords)

    @classmethod
    def from_pretrained(cls, **keywords: Any) -> Any:
        return cls(**keywords)


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a script in a folder of its own; return its names, among them `site` of a thing."""
    monkeypatch.chdir(tmp_path)
    users = frames.is_users
    monkeypatch.setattr(frames, "is_users", lambda path: path != __file__ and users(path))
    Watched.recorder = Recorder()

    def run(text: str, **names: Any) -> dict[str, Any]:
        (tmp_path / "train.py").write_text(text)
        made = runpy.run_path("train.py", {"Watched": Watched, **names})
        return made | {"site": Watched.recorder.site}

    return run


def line(names: dict[str, Any], thing: str = "thing") -> int | None:
    site = names["site"](names[thing])
    assert site is not None
    number: int | None = site.place.line
    return number


def test_a_call_and_its_keywords(run: Run) -> None:
    names = run("\nthing = Watched(\n    1,\n    rate=2,\n)\n")
    site = names["site"](names["thing"])
    assert site.place == Location(file="train.py", line=2, source="thing = Watched(")
    assert site.keywords == {
        "rate": Location(file="train.py", line=4, key="rate", source="rate=2,")
    }
    assert site.where("other", "rate").line == 4
    assert site.where("other") == site.place


def test_each_of_several_things_has_its_own_place(run: Run) -> None:
    names = run("one = Watched()\ntwo = Watched()\nthree = one\n")
    assert [line(names, name) for name in ("one", "two", "three")] == [1, 2, 1]


def test_a_class_of_the_users_own(run: Run) -> None:
    text = (
        "class Mine(Watched):\n    def __init__(self, rate):\n        super().__init__()\n\n"
        "thing = Mine(\n    rate=2,\n)\n"
    )
    names = run(text)
    assert line(names) == 5
    assert names["site"](names["thing"]).keywords["rate"].line == 6


def test_a_dataclass_of_the_users_own(run: Run) -> None:
    @dataclass(eq=True)  # so it can't be hashed
    class Base:
        rate: int = 1

        def __post_init__(self) -> None:
            Watched.recorder.made(self)

    text = (
        "from dataclasses import dataclass\n@dataclass\nclass Mine(Base):\n    size: int = 1\n\n"
        "thing = Mine(rate=2,\n    size=3)\n"
    )
    names = run(text, Base=Base)
    assert line(names) == 6
    assert names["site"](names["thing"]).keywords["size"].line == 7


def test_under_another_name_and_by_a_class_method(run: Run) -> None:
    names = run("W = Watched\nthing = W.from_pretrained(\n    rate=2,\n)\n")
    assert (line(names), names["site"](names["thing"]).keywords["rate"].line) == (2, 3)


def test_keywords_of_a_call_that_only_leads_there_are_not_its_own(run: Run) -> None:
    def library(size: int) -> Any:  # this file counts as one
        return Watched(rate=size)

    names = run("thing = library(\n    size=2,\n)\n", library=library)
    assert line(names) == 1
    assert names["site"](names["thing"]).keywords == {}


def test_keywords_that_come_from_elsewhere_have_no_line(run: Run) -> None:
    names = run("more = {'rate': 1}\nthing = Watched(\n    size=2, **more\n)\n")
    site = names["site"](names["thing"])
    assert set(site.keywords) == {"size"}
    assert site.given == {"size", "rate"}
    assert site.where("rate").line == 2


def test_a_partial_is_called_where_it_is_called(run: Run) -> None:
    names = run(
        "thing = make(\n    rate=2,\n)\n", make=functools.partial(Watched.from_pretrained, size=1)
    )
    assert names["site"](names["thing"]).keywords["rate"].line == 2


def test_code_without_a_text_is_told_at_the_line_that_runs_it(run: Run) -> None:
    names = run(
        "names = {'Watched': Watched}\nexec('\\n\\nt = Watched(rate=2)', names)\nthing = names['t']\n"
    )
    assert line(names) == 2
    assert names["site"](names["thing"]).keywords == {}


def test_a_notebook_is_read_from_where_its_cells_are_kept(run: Run) -> None:
    import linecache

    cell, name = "\nthing = Watched(\n    rate=2)\n", "<ipython-input-7>"
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    scope: dict[str, Any] = {"Watched": Watched}
    run("")
    exec(compile(cell, name, "exec"), scope)
    site = Watched.recorder.site(scope["thing"])
    assert site is not None
    assert site.place == Location(file=name, line=2, source="thing = Watched(")
    assert site.keywords["rate"].line == 3


def test_the_path_holds_where_a_script_changes_the_folder(run: Run) -> None:
    names = run("import os\nos.chdir('/')\nthing = Watched(\n    rate=2)\n")
    site = names["site"](names["thing"])
    assert (site.place.file, site.keywords["rate"].line) == ("train.py", 4)


def test_a_module_beside_the_script(run: Run, tmp_path: Path) -> None:
    (tmp_path / "parts.py").write_text("def make(W):\n    return W(rate=1)\n")
    text = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport parts\nthing = parts.make(Watched)\n"
    site = run(text)
    found = site["site"](site["thing"])
    assert (found.place.file, found.place.line) == ("parts.py", 2)


def test_secrets_on_the_line_are_not_shown(run: Run) -> None:
    names = run("thing = Watched(rate=1, hub_token='hf_verysecret')\n")
    site = names["site"](names["thing"])
    assert site.place.source == "thing = Watched(rate=1, hub_token='…')"
    assert "hf_verysecret" not in str(site)


def test_what_was_changed_afterwards_is_not_said_to_stand_there(run: Run) -> None:
    names = run("thing = Watched(rate=1,\n    size=2)\n")
    thing = names["thing"]
    thing.rate, thing.size = 1, 2
    Watched.recorder.made(thing, left=dict(vars(thing)))
    thing.rate = 5
    keywords = names["site"](thing).keywords
    assert (keywords["rate"].line, keywords["rate"].origin) == (1, "changed after this call")
    assert (keywords["size"].line, keywords["size"].origin) == (2, None)


def test_nothing_is_kept_alive(run: Run) -> None:
    names = run("thing = Watched()\n")
    recorder = Watched.recorder
    assert len(recorder._marks) == 1
    del names["thing"]
    gc.collect()
    assert len(recorder._marks) == 0


def test_a_thing_that_nobody_saw_has_no_site() -> None:
    assert Recorder().site(object()) is None
    assert Recorder().site(None) is None


def test_what_cannot_be_referred_to_weakly_is_left_alone() -> None:
    recorder = Recorder()
    recorder.made(3)
    assert recorder.site(3) is None


def test_a_fault_of_ours_is_a_line_in_the_report_and_not_the_scripts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems: list[str] = []
    recorder = Recorder(problems)
    monkeypatch.setattr(recorder, "_look", lambda _: 1 / 0)
    recorder.made(Watched)
    assert "ZeroDivisionError" in problems[0]


def test_only_the_error_that_ended_the_script_is_told_with_its_settings(run: Run) -> None:
    @dataclass
    class Arguments:
        rate: int = 1

    @dataclass
    class Refusing(Arguments):
        def __init__(self, **given: Any) -> None:
            error = TypeError("no")
            Watched.recorder.failed(self, error, given)
            raise error

    text = "try:\n    Refusing(\n        rate=1, wrong='x', **{'hub_token': 'hf_12345'})\nexcept TypeError as e:\n    error = e\n"
    error = run(text, Refusing=Refusing)["error"]
    recorder = Watched.recorder
    assert recorder.refused(TypeError("no")) == recorder.refused(None) == {}
    settings = recorder.refused(error)["settings"]
    assert dict(settings) == {"rate": 1, "wrong": "x", "hub_token": "…"}
    assert settings.locations["wrong"] == Location(
        file="train.py", line=3, key="wrong", source="rate=1, wrong='x', **{'hub_token': '…'})"
    )
    assert settings.made.line == 2
    assert settings.script_keys == {"rate"}
