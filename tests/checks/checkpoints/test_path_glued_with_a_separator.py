import pytest
from facts import outcome

from pipedoctor_checks.checkpoints.any_code_of_a_file_run import any_code_of_a_file_run
from pipedoctor_checks.checkpoints.path_glued_with_a_separator import (
    path_glued_with_a_separator as check,
)

HEAD = (
    "import os, torch\nfrom transformers import AutoModel, Trainer\noutput_dir = {!r}\n"
    "trainer = Trainer(model, args)\n"
)


def findings(text, folder="out"):
    return outcome(check, script=HEAD.format(folder) + text).findings


@pytest.mark.parametrize(
    "use",
    [
        "AutoModel.from_pretrained({})",
        "trainer.train(resume_from_checkpoint={})",
        "torch.load({})",
        "path = {}\nAutoModel.from_pretrained(path)",
    ],
)
def test_no_separator_between_folder_and_checkpoint(use):
    (finding,) = findings(use.format('output_dir + "checkpoint-500"'))
    assert '"outcheckpoint-500"' in finding.message
    assert finding.remedy == 'os.path.join(output_dir, "checkpoint-500")'


@pytest.mark.parametrize("folder", ["out/", "out\\", "out-", "runs/a_"])
def test_a_folder_that_ends_in_a_separator_or_a_prefix(folder):
    assert not findings('AutoModel.from_pretrained(output_dir + "checkpoint-500")', folder)


def test_a_join_that_throws_the_folder_away():
    (finding,) = findings('torch.load(os.path.join(output_dir, "a", "/checkpoint-5/x.pt"))')
    assert '"/checkpoint-5/x.pt"' in finding.message
    assert finding.remedy == 'os.path.join(output_dir, "a", "checkpoint-5/x.pt")'


@pytest.mark.parametrize(
    "text",
    [
        'AutoModel.from_pretrained(output_dir + "/checkpoint-500")',
        'AutoModel.from_pretrained(os.path.join(output_dir, "checkpoint-500"))',
        'AutoModel.from_pretrained(os.path.join("/", "/data/model"))',
        'AutoModel.from_pretrained(os.environ["D"] + "checkpoint-500")',
        'output_dir = input()\nAutoModel.from_pretrained(output_dir + "checkpoint-5")',
        'print(output_dir + "checkpoint-500")',
        "AutoModel.from_pretrained(os.path.join(output_dir, name))",
        'p = output_dir + "checkpoint-5"\nmodel.save_pretrained(p)\nAutoModel.from_pretrained(p)',
    ],
)
def test_what_is_right_or_not_known(text):
    assert not findings(text)


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ('torch.load("a/optimizer.pt", weights_only=False)', 1),
        ('torch.load(os.path.join(output_dir, "pytorch_model.bin"), weights_only=False)', 1),
        ('torch.load("a/optimizer.pt")', 0),
        ('torch.load("a/mine.pt", weights_only=False)', 0),
        ('torch.load("a/optimizer.pt", weights_only=trusted)', 0),
    ],
)
def test_files_of_trainer_that_need_no_code(call, number):
    found = outcome(any_code_of_a_file_run, script=HEAD.format("out") + call).findings
    assert [one.remedy for one in found] == ["weights_only=True"] * number
