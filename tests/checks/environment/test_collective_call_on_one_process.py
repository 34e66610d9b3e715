from __future__ import annotations

import textwrap

import pytest
from facts import pipeline

from pipedoctor.facts import Distribution, Script
from pipedoctor.finding import Severity
from pipedoctor_checks.environment.collective_call_on_one_process import (
    collective_call_on_one_process,
)

MADE = """
import os
import torch
import torch.distributed as dist
from accelerate import Accelerator
from transformers import Trainer

trainer = Trainer(model, args, eval_dataset=rows)
trainer.train()
accelerator = Accelerator()
"""


def told(text, processes=4):
    script = pipeline(script=MADE + textwrap.dedent(text)).fact(Script)
    distribution = None if processes is None else Distribution(processes)
    return list(collective_call_on_one_process(script, distribution))


@pytest.mark.parametrize(
    "condition",
    [
        "trainer.is_world_process_zero()",
        "accelerator.is_main_process",
        "args.local_rank in [-1, 0]",
        "rank == 0",
        "dist.get_rank() == 0",
        'int(os.environ["RANK"]) == 0',
        'int(os.environ.get("LOCAL_RANK", 0)) == 0',
    ],
)
def test_an_evaluation_that_one_process_makes_alone(condition):
    (finding,) = told(f"if {condition}:\n    print(trainer.evaluate())\n")
    assert finding.severity is None
    assert finding.evidence["guard"] == finding.where.line - 1
    assert "one of 4 processes" in finding.message


def test_after_the_others_have_left():
    text = """
    def finish():
        if not trainer.is_world_process_zero():
            return
        trainer.predict(rows)

    finish()
    """
    (finding,) = told(text)
    assert finding.evidence["call"] == "trainer.predict"


@pytest.mark.parametrize(
    "text",
    [
        "metrics = trainer.evaluate()\nif accelerator.is_main_process:\n    print(metrics)\n",
        "if not accelerator.is_main_process:\n    pass\nelse:\n    print(1)\ntrainer.evaluate()\n",
        "if rank == 0:\n    trainer.save_model('out')\n",
        "if rank == 0 and args.do_eval:\n    trainer.evaluate()\n",  # not looked into
        "if rank == 0:\n    mine = Trainer(model, args)\n    mine.evaluate()\n",
        "if rank == 0:\n    trainer.evaluate()\nelse:\n    trainer.evaluate()\n",
        "if rank == 0:\n    dist.barrier()\n",
        "if rank == 0:\n    dist.all_reduce(x)\n    print(x)\nelse:\n    dist.all_reduce(x)\n",
    ],
)
def test_what_one_process_may_do(text):
    assert told(text) == []


def test_what_gathers_besides_a_trainer():
    (finding,) = told("if accelerator.is_main_process:\n    everything = accelerator.gather(x)\n")
    assert finding.evidence["call"] == "accelerator.gather"


def test_how_grave_it_is_hangs_on_the_processes():
    text = "if rank == 0:\n    trainer.evaluate()\n"
    assert told(text, processes=1) == []
    (finding,) = told(text, processes=None)
    assert finding.severity is Severity.NOTE
    (finding,) = told(f"if args.do_eval:\n    {text.replace(chr(10), chr(10) + '    ')}")
    assert finding.severity is Severity.WARNING
