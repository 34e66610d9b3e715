import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.checkpoints.safetensors_read_by_torch_load import (
    safetensors_read_by_torch_load as check,
)

LOAD = 'import os, torch\nstate = torch.load({}"model.safetensors"{})\n'


def told(text, torch):
    return outcome(check, script=text, environment={"torch": torch})


@pytest.mark.parametrize("torch", ["2.6.0", "2.11.0+cu128", "1.13.1"])
def test_versions_that_take_it_for_a_pickle(torch):
    (finding,) = told(LOAD.format("", ""), torch).findings
    assert finding.remedy == 'safetensors.torch.load_file("model.safetensors")'


def test_a_joined_path():
    text = 'import os, torch\ntorch.load(os.path.join(out, "model.safetensors"))'
    assert told(text, "2.6.0").findings


def test_between_the_releases_nothing_is_claimed():
    assert told(LOAD.format("", ""), "2.12.0").status is Status.SKIPPED


@pytest.mark.parametrize("more", ["", ', map_location="cpu"', ", map_location=device"])
def test_versions_that_read_it(more):
    assert told(LOAD.format("", more), "2.13.0+cpu").status is Status.PASSED


def test_a_map_of_devices_is_refused():
    (finding,) = told(LOAD.format("", ', map_location={"cuda:0": "cpu"}'), "2.13.0").findings
    assert finding.remedy == 'map_location="cpu"'


def test_the_installed_torch_does_what_is_said(tmp_path):
    torch = pytest.importorskip("torch")
    save_file = pytest.importorskip("safetensors.torch").save_file
    version = tuple(int(part) for part in torch.__version__.split(".")[:2])
    if version < (2, 13):
        pytest.skip("this torch is older than 2.13")
    path = tmp_path / "model.safetensors"
    save_file({"w": torch.ones(2)}, path)
    assert torch.load(path)["w"].sum() == 2
    with pytest.raises(RuntimeError, match="dict map_location"):
        torch.load(path, map_location={"cuda:0": "cpu"})


def test_other_files_are_pickles():
    assert told('import torch\ntorch.load("model.pt")', "2.6.0").status is Status.PASSED
