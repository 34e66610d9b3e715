"""What a static answer may import on its way: the list is short, and each entry is there knowingly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipedoctor.cli import verbs

HEAVY = {
    "accelerate",
    "asyncio",
    "concurrent",
    "datasets",
    "email",
    "importlib.metadata",
    "keras",
    "numpy",
    "pandas",
    "pathlib",
    "pyarrow",
    "rich",
    "shutil",
    "subprocess",
    "tempfile",
    "tensorflow",
    "tokenize_rt",
    "torch",
    "traceback",
    "transformers",
    "typing_extensions",
    "yaml",
}

EXAMPLE = Path(__file__).parents[2] / "examples" / "qnli" / "healthy.json"
DIALECTS = Path(__file__).parents[2] / "examples" / "dialects"

PROGRAM = """
import json, sys
before = set(sys.modules)
from pipedoctor.cli import main
status = main(sys.argv[1:])
sys.stdout = sys.__stdout__
print("\\n" + json.dumps([status, sorted(set(sys.modules) - before)]))
"""


def imported(*words: str) -> set[str]:
    """Return the modules that a command imports besides those that Python starts with."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *words], capture_output=True, text=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status in {0, 1}, done.stdout
    return set(modules)


def test_a_static_check_of_a_config_imports_nothing_heavy() -> None:
    words = ("check", os.fspath(EXAMPLE), "--depth", "static")
    imported(*words)  # fills the cache
    assert imported(*words) & HEAVY == set()


def test_a_config_of_plain_arguments_pays_for_no_dialect() -> None:
    words = ("check", os.fspath(EXAMPLE), "--depth", "static")
    imported(*words)
    modules = imported(*words)
    assert {name for name in modules if "dialects" in name} == {"pipedoctor.targets.dialects"}
    assert not any(name.endswith((".readings", ".companions", ".command")) for name in modules)
    assert "pipedoctor_checks.environment.configs_disagree" not in modules


@pytest.mark.parametrize("name", ["trl_sft", "llamafactory_lora", "axolotl_lora"])
def test_a_config_of_another_tool_imports_nothing_heavy_but_yaml(name: str) -> None:
    words = ("check", os.fspath(DIALECTS / f"{name}.yaml"), "--depth", "files")
    imported(*words)
    assert imported(*words) & HEAVY == {"yaml"}


def test_what_accepts_findings_and_formats_reports_is_imported_where_it_is_asked_for() -> None:
    words = ("check", os.fspath(EXAMPLE), "--depth", "static")
    modules = imported(*words)
    rare = ("pipedoctor.ignoring", "pipedoctor.cli.accepting", "pipedoctor.cli.several")
    rare += ("pipedoctor.cli.formats", "pipedoctor.reporters.together", "hashlib", "urllib")
    assert not [name for name in modules if name.startswith(rare)]
    assert "pipedoctor_checks.run.unused_ignore_comment" not in modules
    assert imported(*words, "--output-format", "sarif") & HEAVY == set()
    assert imported(*words, "--output-format", "junit") & HEAVY == set()


def test_neither_does_a_check_of_its_files() -> None:
    words = ("check", os.fspath(EXAMPLE), "--depth", "files")
    imported(*words)
    assert imported(*words) & HEAVY == set()


def test_neither_does_a_plan() -> None:
    words = ("plan", os.fspath(EXAMPLE))
    imported(*words)
    assert imported(*words) & HEAVY == set()


def test_neither_does_a_static_check_of_a_script(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("from transformers import Trainer\nTrainer(tokenizer=t).train()\n")
    words = ("check", os.fspath(script), "--depth", "static")
    imported(*words)
    modules = imported(*words)
    assert modules & HEAVY == set()
    assert "pipedoctor.probes.script" in modules
    assert "pipedoctor_checks.labels.label_out_of_range" not in modules, "there is no data"


def test_what_changes_files_is_imported_only_to_change_them() -> None:
    words = ("check", os.fspath(EXAMPLE), "--depth", "static")
    assert not [name for name in imported(*words) if name.startswith("pipedoctor.fixing")]
    assert "pipedoctor.fixing.plan" in imported(*words, "--diff")


def test_what_reads_scripts_is_imported_for_scripts_only() -> None:
    modules = imported("check", os.fspath(EXAMPLE), "--depth", "static")
    assert not [name for name in modules if name.startswith("pipedoctor.probes.script")]


def test_only_checks_that_can_run_are_imported() -> None:
    modules = imported("check", os.fspath(EXAMPLE), "--depth", "static")
    assert "pipedoctor_checks.hyperparameters.warmup_outlasts_training" in modules
    assert "pipedoctor_checks.loss.loss_at_start_far_from_chance" not in modules


def test_the_list_of_checks_imports_none_of_them() -> None:
    assert not [name for name in imported("rules") if name.startswith("pipedoctor_checks")]


def test_importing_the_package_imports_no_framework() -> None:
    code = "import sys, pipedoctor, pipedoctor.facts; print(sorted(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    frameworks = {"torch", "tensorflow", "keras", "transformers", "datasets", "numpy"}
    assert not frameworks & set(out.stdout.replace("'", " ").replace(",", " ").split())


def test_only_the_words_of_the_verb_asked_for_are_imported() -> None:
    begin = "pipedoctor.cli.verbs."
    modules = {name.removeprefix(begin) for name in imported("rules") if name.startswith(begin)}
    assert modules == {"rules"}


def test_every_module_of_a_verb_is_listed() -> None:
    folder = Path(verbs.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "sharing"}
    assert modules == {name.replace("-", "_") for name in verbs.VERBS}
