import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.checkpoints.resume_that_is_none import resume_that_is_none as check

SCRIPT = """
from transformers import AutoModelForCausalLM, Trainer, TrainingArguments
OUT = "runs/a"
model = AutoModelForCausalLM.from_pretrained({model})
args = TrainingArguments({args})
trainer = Trainer(model, args, train_dataset=data)
trainer.train({train})
"""
OWN = '"runs/a/checkpoint-500"'


def told(model=OWN, args="OUT", train=""):
    return outcome(check, script=SCRIPT.format(model=model, args=args, train=train))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"model": 'f"{OUT}/checkpoint-500"'},
        {"model": '"runs/a/checkpoint-500/"', "args": 'output_dir="./runs/a/"'},
        {"train": "resume_from_checkpoint=None"},
        {"train": "resume_from_checkpoint=False"},
    ],
)
def test_weights_alone_are_no_resume(given):
    (finding,) = told(**given).findings
    assert finding.where.line == 4
    assert "trainer.train(resume_from_checkpoint=" in finding.remedy
    assert finding.evidence["train"] == 7


@pytest.mark.parametrize(
    "given",
    [
        {"model": '"gpt2"'},
        {"model": '"runs/b/checkpoint-500"'},
        {"model": "last"},
        {"model": '"runs/a"'},
        {"args": "output_dir=args.out"},
        {"args": '"runs/c"'},
        {"train": "True"},
        {"train": "resume_from_checkpoint=True"},
        {"train": "resume_from_checkpoint=last"},
        {"train": "**more"},
    ],
)
def test_what_is_a_resume_or_another_run(given):
    assert told(**given).status is Status.PASSED


def test_an_output_dir_that_is_changed_later():
    script = SCRIPT.format(model=OWN, args="OUT", train="").replace(
        "trainer =", "args.output_dir = 'b'\ntrainer ="
    )
    assert outcome(check, script=script).status is Status.PASSED
