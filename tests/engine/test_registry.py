from __future__ import annotations

import json
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from pipedoctor import generate, index, plugins, registry
from pipedoctor.facts import MODULES
from pipedoctor.plugins import Plugin

SOURCE = '''
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings


@check("{code}", Severity.NOTE, stage=Stage.ARGUMENTS)
def {name}(settings: Settings) -> Iterator[Finding]:
    """{doc}"""
    yield Finding("always", "never mind")
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two checks of a third party."""
    folder = tmp_path / "third_party_checks"
    (folder / "inner").mkdir(parents=True)
    for part in (folder, folder / "inner"):
        (part / "__init__.py").write_text("")
    (folder / "one.py").write_text(SOURCE.format(code="XXX001", name="one", doc="One."))
    (folder / "inner" / "two.py").write_text(SOURCE.format(code="XXX002", name="two", doc="Two."))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    for name in [name for name in sys.modules if name.startswith("third_party_checks")]:
        del sys.modules[name]


def test_ours_come_in_by_the_door_that_others_use() -> None:
    declared = {(p.name, p.value) for p in entry_points(group="pipedoctor.checks")}
    assert ("builtin", "pipedoctor_checks") in declared
    assert {(p.name, p.module) for p in plugins.entries(plugins.CHECKS)} == declared
    adapters = {(p.name, p.value) for p in entry_points(group="pipedoctor.frameworks")}
    assert {(p.name, p.module) for p in plugins.frameworks().values()} == adapters
    assert registry.load().problems == ()


def test_the_engine_never_imports_the_built_in_checks() -> None:
    source = Path(registry.__file__).parent
    named = [p for p in source.rglob("*.py") if "import pipedoctor_checks" in p.read_text()]
    assert named == []


def test_a_package_without_index_is_imported(package: Path) -> None:
    found = registry.collect([Plugin("third", "third_party_checks")])
    assert [row.code for row in found.rows] == ["XXX001", "XXX002"]
    assert found["XXX002"].summary == "Two."


def test_an_index_spares_the_import(package: Path) -> None:
    (package / index.NAME).write_text(index.text("third_party_checks"))
    for name in [name for name in sys.modules if name.startswith("third_party_checks")]:
        del sys.modules[name]
    found = registry.collect([Plugin("third", "third_party_checks")])
    assert [row.summary for row in found.rows] == ["One.", "Two."]
    assert "third_party_checks" not in sys.modules


def test_a_module_that_the_index_does_not_fit_is_read_anew(package: Path) -> None:
    (package / index.NAME).write_text(index.text("third_party_checks"))
    text = SOURCE.format(code="XXX003", name="three", doc="Three.")
    (package / "three.py").write_text(text)
    del sys.modules["third_party_checks.one"]
    changed = SOURCE.format(code="XXX001", name="one", doc="One, changed.")
    (package / "one.py").write_text(changed)
    found = registry.collect([Plugin("third", "third_party_checks")])
    assert [row.summary for row in found.rows] == ["One, changed.", "Two.", "Three."]


def test_a_broken_plugin_hides_no_other(package: Path) -> None:
    found = registry.collect(
        [Plugin("broken", "no_such_module"), Plugin("third", "third_party_checks")]
    )
    assert len(found.rows) == 2
    assert found.problems == (
        "plugin broken: ModuleNotFoundError: No module named 'no_such_module'",
    )


def test_a_code_that_is_taken_is_told(package: Path) -> None:
    text = SOURCE.format(code="XXX001", name="again", doc="Again.")
    (package / "zzz.py").write_text(text)
    found = registry.collect([Plugin("third", "third_party_checks")])
    assert found.row("XXX001").summary == "One."
    assert "XXX001 of third_party_checks.zzz is left out" in found.problems[0]


def test_what_is_generated_is_fresh() -> None:
    assert generate.stale() == []


def test_every_row_leads_to_its_check() -> None:
    for row in registry.load().rows:
        check = row.load()
        assert (check.code, check.name) == (row.code, row.rule.name)
        assert all(want.fact in MODULES for want in row.wants), row.code


def test_the_index_is_plain_json() -> None:
    folder = index.folder_of("pipedoctor_checks")
    assert folder is not None
    data = json.loads(Path(folder, index.NAME).read_text(encoding="utf-8"))
    assert data["format"] == index.FORMAT


def test_a_symptom_that_is_no_regular_expression_is_told(package: Path) -> None:
    text = SOURCE.format(code="XXX004", name="four", doc="Four.")
    (package / "four.py").write_text(text.replace("ARGUMENTS)", 'ARGUMENTS, symptoms={"(": "x"})'))
    found = registry.collect([Plugin("third", "third_party_checks")])
    assert "XXX004: the symptom '(' is no regular expression" in found.problems[0]
