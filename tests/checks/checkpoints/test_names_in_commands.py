"""A name that somebody else chose is one word of a command, whatever stands in it."""

import shlex

import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.config_is_no_json import config_is_no_json
from pipedoctor_checks.checkpoints.file_is_no_checkpoint import file_is_no_checkpoint
from pipedoctor_checks.checkpoints.format_other_than_the_suffix import (
    format_other_than_the_suffix,
)
from pipedoctor_checks.checkpoints.latest_names_a_missing_folder import (
    latest_names_a_missing_folder,
)
from pipedoctor_checks.checkpoints.weights_refused_by_default import weights_refused_by_default

NAMES = ["a;curl x|sh;", "two words", "-f", "it's"]
TENSORS = {"w": ("F32", (4, 4))}


def remedy(check, environment=None, **saved):
    files = {"saved": saved}
    given = {"environment": environment} if environment else {}
    (finding,) = outcome(check, files=files, **given).findings
    return finding


@pytest.mark.parametrize("name", NAMES)
def test_a_file_is_renamed_by_one_word_each(name):
    held = {"format": "PyTorch zip archive", "tensors": TENSORS, "size": 99}
    found = remedy(
        format_other_than_the_suffix, kind="file", files={f"{name}.safetensors": held}
    ).remedy
    path = f"./{name}" if name.startswith("-") else name
    assert shlex.split(found) == [
        *("mv", f"{path}.safetensors", f"{path}.bin", "&&", "pipedoctor", "checkpoint"),
        *(f"{path}.bin", "--convert", f"{path}.safetensors"),
    ]
    held = {"format": "safetensors", "tensors": TENSORS, "size": 99}
    found = remedy(format_other_than_the_suffix, kind="file", files={f"{name}.bin": held}).remedy
    assert shlex.split(found) == ["mv", f"{path}.bin", f"{path}.safetensors"]


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_is_named_by_one_word(name):
    file = f"{name}/mp_rank_00_model_states.pt"
    found = remedy(
        latest_names_a_missing_folder,
        kind="deepspeed",
        path=name,
        files={file: {"format": "PyTorch zip archive", "tensors": TENSORS}},
        tag="global_step1000",
    ).remedy
    command = found.partition("load the one that is here: ")[2]
    assert shlex.split(command) == ["printf", "%s", name, ">", f"{name}/latest"]


@pytest.mark.parametrize("name", NAMES)
def test_a_config_is_named_by_one_word(name):
    finding = remedy(
        config_is_no_json,
        kind="model",
        path=name,
        files={"model.safetensors": {"tensors": TENSORS}},
        unread={"config.json": "Unterminated string"},
    )
    command = finding.alternatives[0].partition("by hand: ")[2]
    assert shlex.split(command)[-1] == f"{name}/config.json"


@pytest.mark.parametrize("name", [*NAMES, 'x"); print("hello'])
def test_a_path_in_python_is_one_text(name):
    held = {"format": "PyTorch zip archive", "verdict": "needs trust", "offender": "a.B"}
    finding = remedy(
        weights_refused_by_default, {"torch": "2.13.0"}, kind="file", files={f"{name}.pt": held}
    )
    line = finding.remedy.partition("your own: ")[2]
    assert compile(line, "", "eval").co_consts[:1] == (f"{name}.pt",)


def test_what_a_file_says_decides_no_cure():
    message = "it is a text of 9 bytes that begins with 'empty lfs html stream FILE'"
    flaws = [("not a checkpoint", message)]
    for form, cure in (
        ("text", "name the file of the weights"),
        ("Git LFS pointer", "git lfs pull"),
        ("gzip stream", "gunzip < FILE.pt > FILE.pt.unpacked, and"),
    ):
        held = {"format": form, "verdict": "malformed", "flaws": flaws, "size": 9}
        found = remedy(file_is_no_checkpoint, kind="file", files={"FILE.pt": held}).remedy
        assert cure in found
