"""Checks of what changes between versions without a renamed argument."""

from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor.report import Status
from pipedoctor_checks.versions.cache_variable_not_read import cache_variable_not_read
from pipedoctor_checks.versions.chat_template_gives_a_mapping import chat_template_gives_a_mapping
from pipedoctor_checks.versions.defaults_changed_in_silence import defaults_changed_in_silence
from pipedoctor_checks.versions.reporting_to_nothing_by_null import reporting_to_nothing_by_null
from pipedoctor_checks.versions.trainer_without_accelerate import trainer_without_accelerate

NEW = {"transformers": "5.23.0", "gpus": 0}


def told(check: Any, environment: dict[str, Any] = NEW, **parts: Any) -> tuple[Any, ...]:
    return outcome(check, environment=environment, **parts).findings


HALF = {"model": {"config": {"model_type": "llama"}, "tensors": {"w": ("BF16", (64, 64))}}}


def test_of_a_run_of_version_4_both_defaults_are_told_where_they_matter() -> None:
    stated = {"run_name": "first", "overwrite_output_dir": True}
    reports, dtype = told(defaults_changed_in_silence, settings=stated, files=HALF)
    assert reports.evidence["before"] == "all"
    assert dtype.evidence == {
        "default": "dtype",
        "before": "float32",
        "after": "bfloat16",
        "for": "4.57.6",
    }


@pytest.mark.parametrize(
    ("stated", "files"),
    [
        ({"run_name": "first"}, HALF),
        ({"overwrite_output_dir": True}, None),
        ({"overwrite_output_dir": True, "run_name": "a", "report_to": "none"}, None),
        ({"overwrite_output_dir": True, "dtype": "bfloat16"}, HALF),
        ({"overwrite_output_dir": True, "torch_dtype": "float32"}, HALF),
        ({"warmup_ratio": 0.1, "run_name": "a"}, HALF),
    ],
    ids=str,
)
def test_without_evidence_or_consequence_nothing_is_said(stated: Any, files: Any) -> None:
    assert told(defaults_changed_in_silence, settings=stated, files=files) == ()


@pytest.mark.parametrize(
    ("asked", "installed", "count"),
    [("5.23.0", "4.57.6", 1), ("4.57.6", "5.23.0", 1), ("5.0.0", "5.23.0", 0)],
)
def test_a_version_that_is_asked_about(asked: str, installed: str, count: int) -> None:
    machine = {"transformers": asked, "installed": {"transformers": installed}, "gpus": 0}
    assert len(told(defaults_changed_in_silence, machine, settings={"run_name": "a"})) == count


def test_null_is_refused_now_and_meant_all_before() -> None:
    (now,) = told(reporting_to_nothing_by_null, settings={"report_to": None})
    (before,) = told(
        reporting_to_nothing_by_null,
        {"transformers": "4.57.6", "gpus": 0},
        settings={"report_to": None},
    )
    assert (now.severity, before.severity) == (None, Severity.WARNING)
    for stated in ({}, {"report_to": []}, {"report_to": "none"}):
        assert told(reporting_to_nothing_by_null, settings=stated) == ()


def test_the_real_trainer_refuses_null(tmp_path: Any) -> None:
    from tiny_trainer import train

    with pytest.raises(ValueError, match="None is not supported"):
        train(tmp_path, report_to=None)


@pytest.mark.parametrize(
    ("accelerate", "transformers", "found"),
    [
        (None, "5.23.0", 1),
        ("1.0.1", "5.23.0", 1),
        ("1.1.0", "5.23.0", 0),
        (None, "4.57.6", 1),
        ("0.20.0", "4.57.6", 0),
    ],
)
def test_accelerate(accelerate: str | None, transformers: str, found: int) -> None:
    machine = {
        "transformers": transformers,
        "torch": "2.13.0",
        "accelerate": accelerate,
        "gpus": 0,
    }
    assert len(told(trainer_without_accelerate, machine)) == found


def test_a_machine_that_trains_nothing_needs_none() -> None:
    machine = {"transformers": "5.23.0", "torch": None, "accelerate": None, "gpus": 0}
    assert told(trainer_without_accelerate, machine) == ()


def test_what_the_installed_release_asks_for_is_in_the_table() -> None:
    import_utils = pytest.importorskip("transformers.utils.import_utils")
    from transformers import __version__

    from pipedoctor_checks.versions.trainer_without_accelerate import LEAST

    known = LEAST.get(".".join(__version__.split(".")[:2]))
    if known is None:
        pytest.skip(f"what transformers {__version__} asks for is not in the table")
    assert known == import_utils.ACCELERATE_MIN_VERSION


CHAT = """
from transformers import AutoTokenizer, AutoProcessor
import torch
tokenizer = AutoTokenizer.from_pretrained("x")
processor = AutoProcessor.from_pretrained("x")
{line}
"""


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("n = len(tokenizer.apply_chat_template(m))", 1),
        ("ids = tokenizer.apply_chat_template(m)\nx = torch.tensor(ids)", 1),
        ("ids = tokenizer.apply_chat_template(m, tokenize=True)\nx = len(ids)", 1),
        ("ids = tokenizer.apply_chat_template(m, tokenize=False)\nx = len(ids)", 0),
        ("ids = tokenizer.apply_chat_template(m, return_dict=False)\nx = len(ids)", 0),
        ("ids = tokenizer.apply_chat_template(m, **more)\nx = len(ids)", 0),
        ("ids = tokenizer.apply_chat_template(m)\nx = len(ids['input_ids'])", 0),
        ("ids = tokenizer.apply_chat_template(m).input_ids\nx = len(ids)", 0),
        ("ids = processor.apply_chat_template(m)\nx = len(ids)", 0),
        (
            "ids = tokenizer.apply_chat_template(m)\nif newer:\n    ids = ids['input_ids']\nx = len(ids)",
            0,
        ),
        ("ids = tokenizer.apply_chat_template(m)\nx = len(ids)\nids = None", 1),
        ("text = tokenizer.apply_chat_template(m)", 0),
    ],
)
def test_a_chat_that_is_counted(line: str, found: int) -> None:
    assert len(told(chat_template_gives_a_mapping, script=CHAT.format(line=line))) == found


def test_a_chat_in_another_version() -> None:
    script = CHAT.format(line="n = len(tokenizer.apply_chat_template(m))")
    old, between = {"transformers": "4.57.6"}, {"transformers": "5.1.0"}
    assert told(chat_template_gives_a_mapping, old, script=script) == ()
    status = outcome(chat_template_gives_a_mapping, script=script, environment=between).status
    assert status is Status.SKIPPED


CACHE = "import os\n{line}\nfrom transformers import Trainer\n"


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('os.environ["TRANSFORMERS_CACHE"] = "/scratch"  # big', 1),
        ('# os.environ["TRANSFORMERS_CACHE"] = "/scratch"', 0),
        ('os.environ["HF_HOME"] = "/a"\nos.environ["TRANSFORMERS_CACHE"] = "/a"', 0),
        ('print(os.environ["TRANSFORMERS_CACHE"])', 0),
    ],
)
def test_the_old_name_of_the_cache(line: str, found: int) -> None:
    findings = told(cache_variable_not_read, script=CACHE.format(line=line))
    assert len(findings) == found
    if findings:
        assert (findings[0].where.line, findings[0].where.key) == (2, "TRANSFORMERS_CACHE")
        assert '"/scratch", before' in findings[0].remedy
