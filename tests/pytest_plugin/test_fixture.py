"""The fixture `examine`, in the tests of a user."""

from __future__ import annotations

import pytest
from capture.pipelines import SCRIPT

BROKEN = """
PARTS = {
    "train_data": {"text": ["a", "b", "c"], "label": [0, 1, 2]},
    "settings": {"num_labels": 2, "max_steps": 10, "warmup_steps": 1000},
}
"""


def test_what_is_not_ready_fails_with_the_report_the_cause_first(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(BROKEN + "def test_it(examine): examine(**PARTS).assert_ready()")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError: LAB001 label-out-of-range: The data has labels 0, 1, 2 *",
            "E*LAB001 label-out-of-range*error",
            'E*fix  set "num_labels": 3',
            "E*HYP003 warmup-outlasts-training*warning",
            "E*Not ready: 1 error, 1 warning*",
        ]
    )
    result.stdout.no_fnmatch_line("*pipedoctor*report.py*")  # none of our frames
    result.stdout.fnmatch_lines("FAILED *::test_it - AssertionError: LAB001 lab*")


def test_a_plain_assertion_names_the_cause_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        BROKEN
        + """
def test_it(examine):
    report = examine(**PARTS)
    assert report.ready, report
"""
    )
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines("E*Error: <Report of train_data, settings: LAB001 label-out-of*")


def test_it_gives_a_report(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        BROKEN
        + """
def test_it(examine):
    report = examine(**PARTS)
    assert [entry.rule.code for entry in report.entries][:2] == ["LAB001", "HYP003"]
    assert not report.ready
    assert {outcome.rule.code for outcome in report.outcomes} >= {"LAB001", "LAB002"}
    assert "LAB001" in str(report)
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_codes_and_chapters_can_be_selected_and_ignored(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        BROKEN
        + """
def codes(report):
    return {outcome.rule.code for outcome in report.outcomes}

def test_it(examine):
    assert codes(examine(**PARTS, select="LAB001,HYP003")) == {"LAB001", "HYP003"}
    assert codes(examine(**PARTS, select=["LAB001"])) == {"LAB001"}
    assert {code[:3] for code in codes(examine(**PARTS, select="LAB"))} == {"LAB"}
    assert "LAB001" not in codes(examine(**PARTS, ignore="LAB"))
    assert examine(**PARTS, ignore=["LAB001", "HYP"]).ok()
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_depth_can_be_less(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        BROKEN
        + """
def test_it(examine):
    report = examine(**PARTS, depth="static")
    found = {entry.rule.code for entry in report.entries}
    assert "HYP003" in found
    assert "LAB001" not in found
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_the_project_s_table_is_heeded(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\nignore = ['LAB']\nseverity = {HYP003 = 'note'}")
    pytester.makepyfile(BROKEN + "def test_it(examine): assert examine(**PARTS).ok()")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_table_that_makes_no_sense_is_one_sentence(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\nselekt = ['LAB']")
    pytester.makepyfile("def test_it(examine): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*pyproject.toml: unknown key 'selekt' in *")
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [
        ("select='ZZZ'", "select: no check has a code like 'ZZZ'; *"),
        ("ignore=['']", "ignore: no check has a code like ''; *"),
        ("depth='deep'", "there is no depth 'deep'; there are static, *, training"),
        ("modle=1", "unknown part 'modle'; *"),
    ],
)
def test_a_wish_that_makes_no_sense(pytester: pytest.Pytester, wish: str, sentence: str) -> None:
    pytester.makepyfile(f"def test_it(examine): examine(settings={{}}, {wish})")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(f"E*Error: {sentence}")


def test_a_model_that_was_not_run_is_not_known_to_be_ready(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(examine): examine(settings={'max_steps': 1}).assert_ready()")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("E*the model was not run, so much can still be wrong")


def test_notes_can_be_made_to_fail(pytester: pytest.Pytester) -> None:
    pytester.makepyprojecttoml("[tool.pipedoctor]\nseverity = {LAB001 = 'note'}")
    pytester.makepyfile(
        BROKEN
        + """
def test_note(examine): examine(**PARTS, select="LAB001").assert_ready("note")
def test_warning(examine): examine(**PARTS, select="LAB001").assert_ready()
"""
    )
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(
        ["FAILED *::test_note - *LAB001*", "FAILED *::test_warning - *Error: the*"]
    )


def test_where_no_framework_is_installed(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import sys\n"
        "for name in ('torch', 'transformers', 'datasets', 'numpy', 'pyarrow', 'tensorflow'):\n"
        "    sys.modules[name] = None\n"
    )
    pytester.makepyfile(
        BROKEN
        + """
def test_parts(examine):
    assert examine(**PARTS).entries[0].rule.code == "LAB001"

def test_trainer(examine):
    class Trainer: pass
    examine(Trainer())
"""
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("E*TypeError: Trainer is no trainer that pipedoctor knows")


def test_a_real_trainer(pytester: pytest.Pytester) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    pytester.makepyfile(
        SCRIPT.format(body="").replace("parse_args()", "parse_args([])")
        + """
def test_healthy(examine):
    examine(build()).assert_ready()

def test_broken(examine):
    options.num_labels = 2
    examine(build()).assert_ready()
"""
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines("FAILED *::test_broken - *LAB001 lab*")


FIT = """
import keras
import numpy as np

def fit(units):
    model = keras.Sequential([
        keras.Input((4,)), keras.layers.Dense(units, activation="softmax", name="classes"),
    ])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x = np.random.default_rng(0).normal(size=(90, 4)).astype("float32")
    return model, x, np.arange(90) % 3

def test_healthy(examine):
    model, x, y = fit(3)
    examine(model, x=x, y=y, epochs=2).assert_ready()

def test_broken(examine):
    model, x, y = fit(2)
    examine(model, x=x, y=y, epochs=2).assert_ready()

def test_without_data(examine):
    examine(fit(3)[0]).assert_ready()
"""


def test_a_compiled_model_of_keras(pytester: pytest.Pytester) -> None:
    pytest.importorskip("keras")
    pytester.makepyfile(FIT)
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        "E*AssertionError: KER001 label-without-a-unit: The labels go from*"
    )
    result.stdout.fnmatch_lines("FAILED *::test_without_data - *")
