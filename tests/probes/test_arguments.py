from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor import cache, examination
from pipedoctor.fact import UNKNOWN
from pipedoctor.facts import Argument, Arguments, Settings
from pipedoctor.probes import arguments, installed, releases

HISTORY = releases.load()


def of_version(subject, version):
    return subject(environment={"transformers": version}).fact(Arguments)


def test_the_installed_source_tells_what_the_class_itself_does():
    transformers = pytest.importorskip("transformers")
    fields = arguments.read_installed()
    declared = {
        name: field
        for name, field in transformers.TrainingArguments.__dataclass_fields__.items()
        if field.init
    }
    assert set(fields) == set(declared)
    for name, field in declared.items():
        if fields[name].default is UNKNOWN:
            continue
        default = field.default_factory() if callable(field.default_factory) else field.default
        assert fields[name].default == default, name
    unknown = [name for name, argument in fields.items() if argument.default is UNKNOWN]
    assert unknown == ["optim"]  # the one that depends on the release of torch


def test_the_shipped_row_is_what_the_reader_makes_of_the_source():
    path = installed.file_of("transformers", "training_args.py")
    version = installed.versions(["transformers"]).get("transformers")
    if path is None or version not in HISTORY.releases:
        pytest.skip(f"transformers {version} is not among the shipped releases")
    fields = arguments.parse(Path(path).read_text(encoding="utf-8"))
    assert fields == HISTORY.fields(version)
    assert releases.add(HISTORY, version, fields) == Path(releases.PATH).read_text()


def test_a_source_tree_is_read_into_the_table(tmp_path, monkeypatch, capsys):
    package = tmp_path / "tree" / "src" / "transformers"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('__version__ = "9.1.0"\n')
    (package / "training_args.py").write_text("class TrainingArguments:\n    seed: int = 7\n")
    table = tmp_path / "history.json"
    table.write_bytes(Path(releases.PATH).read_bytes())
    monkeypatch.setattr(releases, "PATH", str(table))
    releases.main([str(tmp_path / "tree")])
    assert capsys.readouterr().out == "transformers 9.1.0: 1 fields\n"
    written = releases.load()
    assert written.releases == (*HISTORY.releases, "9.1.0")
    assert written.fields("9.1.0") == {"seed": Argument("int", 7)}
    assert written.fields("5.23.0") == HISTORY.fields("5.23.0")


def test_what_is_no_source_tree_is_said(tmp_path):
    with pytest.raises(ValueError, match="no source tree of transformers"):
        releases.read_tree(str(tmp_path))


def test_the_table_is_small():
    assert os.path.getsize(releases.PATH) < 25_000


def test_facts_that_may_not_carry_from_release_to_release():
    old, new = HISTORY.fields("4.46.3"), HISTORY.fields("5.23.0")
    assert old["evaluation_strategy"].default is None
    assert "evaluation_strategy" not in new
    assert (old["warmup_steps"].type, new["warmup_steps"].type) == ("int", "float")
    assert new["save_steps"] == Argument("float", 500)
    assert new["gradient_checkpointing"].default is None
    assert old["gradient_checkpointing"].default is False
    assert new["optim"].default is UNKNOWN
    assert "_n_gpu" not in old
    assert [len(HISTORY.fields(release)) for release in ("4.57.6", "5.0.0")] == [132, 109]


def test_the_installed_version_is_read_from_its_source(subject):
    version = installed.versions(["transformers"]).get("transformers")
    if version is None:
        pytest.skip("transformers is not installed")
    measured = of_version(subject, version)
    assert measured.installed
    assert (measured.version, measured.release) == (version, version)
    assert measured.fields == arguments.read_installed()
    assert version in measured.releases


@pytest.mark.parametrize(
    ("asked", "release"),
    [
        ("4.46.3", "4.46.3"),
        ("4.50.0", "4.46.3"),
        ("5.22.0", "5.21.1"),
        ("3.0.0", "4.40.2"),
        ("99.0", "5.23.0"),
        ("4.57.6.dev0", "4.57.6"),
    ],
)
def test_another_version_has_the_fields_of_the_nearest_one_before_it(subject, asked, release):
    measured = of_version(subject, asked)
    assert (measured.version, measured.release, measured.installed) == (asked, release, True)
    assert measured.fields == HISTORY.fields(release)


def test_without_transformers_the_newest_release_is_assumed(subject):
    measured = of_version(subject, None)
    assert not measured.installed
    assert measured.version == measured.release == HISTORY.releases[-1]


@pytest.mark.parametrize(("version", "assumed"), [(None, True), ("4.57.6", False)])
def test_the_first_line_says_that_a_release_is_assumed(subject, version, assumed):
    machine = {"transformers": version, "gpus": 0}
    pipeline = subject(settings={"learning_rate": 1e-4}, environment=machine)
    told = {"fact": "Settings", **pipeline.fact(Settings).summary()}
    (words,) = examination.subject([told])
    assert ("assumed, it is not installed" in words) == assumed
    assert words.startswith(f"transformers {version or HISTORY.releases[-1]}")


def test_history_tells_when_a_name_came_and_went(subject):
    new = of_version(subject, "5.23.0")
    assert new.removed_after("evaluation_strategy") == "4.46.3"
    assert new.removed_after("warmup_ratio") == "5.12.1"
    assert new.removed_after("no_such_name") is None
    old = of_version(subject, "4.40.2")
    assert old.added_in("eval_strategy") == "4.46.3"
    assert old.removed_after("eval_strategy") is None


def test_a_release_that_is_not_in_the_table_is_counted_in():
    known, names = HISTORY.with_release("5.22.0", ["save_steps", "brand_new"])
    assert known[-2:] == ("5.22.0", "5.23.0")
    assert names["brand_new"] == ("5.22.0",)
    assert names["save_steps"] == known
    assert "5.22.0" not in names["warmup_ratio"]


VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.just([])
FIELDS = st.dictionaries(
    st.sampled_from("abcdef"),
    st.builds(Argument, st.sampled_from(["int", "str"]), VALUES | st.just(UNKNOWN)),
)


@given(st.dictionaries(st.sampled_from(["4.9", "4.10", "5.0", "5.1"]), FIELDS, min_size=1))
def test_what_was_packed_is_unpacked(rows):
    table = json.loads(releases.pack(rows))
    history = releases.History(table["releases"], table["types"], table["fields"])
    assert set(history.releases) == set(rows)
    for release, fields in rows.items():
        unpacked = history.fields(release)
        assert unpacked == fields
        for name, argument in fields.items():
            assert type(unpacked[name].default) is type(argument.default)
    for name, had in history.names().items():
        assert had == tuple(release for release in history.releases if name in rows[release])


SOURCE = '''
default = "x"
class Other:
    wrong: int = 1
@dataclass
class TrainingArguments:
    """Text."""
    framework = "pt"
    shared: ClassVar[int] = 3
    plain: int = -1
    required: str
    told: float | None = field(default=1e-8, metadata={"help": "x"})
    computed: Union[Names, str] = field(default=default)
    many: list[str] = field(default_factory=list)
    made: Thing = field(default_factory=Thing)
    hidden: int = field(init=False, default=2)
    dotted: "str" = dataclasses.field(default=None)
    def method(self): ...
'''


def test_what_counts_as_an_argument():
    assert arguments.parse(SOURCE) == {
        "plain": Argument("int", -1),
        "required": Argument("str"),
        "told": Argument("float | None", 1e-8),
        "computed": Argument("Union[Names, str]"),
        "many": Argument("list[str]", []),
        "made": Argument("Thing"),
        "dotted": Argument("'str'", None),
    }


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A transformers of our own, and a cache of its own."""
    package = tmp_path / "site" / "transformers"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package.parent / "transformers-9.9.dist-info").mkdir()
    source = package / "training_args.py"
    source.write_text(SOURCE)
    monkeypatch.setattr(sys, "path", [str(package.parent)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return source


def cached(library):
    (entry,) = Path(cache.folder()).glob("training-arguments-*.json")
    return entry


def test_the_source_is_parsed_once(library, monkeypatch):
    first = arguments.read_installed()
    monkeypatch.setattr(arguments, "parse", lambda source: pytest.fail("parsed again"))
    assert arguments.read_installed() == first
    assert first["computed"].default is UNKNOWN


def test_a_source_that_changed_is_parsed_anew(library):
    arguments.read_installed()
    library.write_text(SOURCE.replace("plain", "renamed"))
    assert "renamed" in arguments.read_installed()


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "{",
        "[]",
        "null",
        '{"key": 0}',
        "[" * 100_000,
        '{"key": KEY, "value": []}',
        '{"key": KEY, "value": {}}',
        '{"key": KEY, "value": {"plain": "int"}}',
        '{"key": KEY, "value": {"plain": []}}',
        '{"key": KEY, "value": {"plain": [3]}}',
        '{"key": KEY, "value": {"plain": ["int", 1, 2]}}',
    ],
)
def test_a_broken_cache_is_ignored(library, entry):
    first = arguments.read_installed()
    path = cached(library)
    key = json.dumps(json.loads(path.read_text())["key"])
    path.write_text(entry.replace("KEY", key))
    assert arguments.read_installed() == first


def test_a_cache_that_can_not_be_written_changes_nothing(library, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert "plain" in arguments.read_installed()


@pytest.mark.parametrize("source", ["def broken(", "x = 1", "\0", b"\xff\xfe"])
def test_a_source_that_can_not_be_read_gives_way_to_the_table(library, subject, source):
    library.write_bytes(source if isinstance(source, bytes) else source.encode())
    measured = of_version(subject, "9.9")
    assert (measured.version, measured.release) == ("9.9", HISTORY.releases[-1])
