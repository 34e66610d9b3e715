from __future__ import annotations

from typing import Any

import pytest
from facts import outcome

from pipedoctor.finding import Severity
from pipedoctor_checks.checkpoints.resume_argument_not_read import resume_argument_not_read
from pipedoctor_checks.checkpoints.trained_model_never_saved import trained_model_never_saved

SCRIPT = """
from transformers import Trainer, TrainingArguments
args = TrainingArguments(output_dir="out", {stated})
trainer = Trainer(model=model, args=args, train_dataset=data)
trainer.train({call})
{after}
"""


def told(
    check: Any, stated: str, call: str = "", after: str = "", version: str = "5.23.0"
) -> tuple[Any, ...]:
    script = SCRIPT.format(stated=stated, call=call, after=after)
    machine = {"transformers": version, "gpus": 0}
    return outcome(check, script=script, environment=machine).findings


def test_no_checkpoint_and_nothing_after_it() -> None:
    (finding,) = told(trained_model_never_saved, 'save_strategy="no"')
    assert finding.severity is None
    assert finding.remedy == "after line 5 add: trainer.save_model()"


def test_who_evaluates_may_want_the_figures_only() -> None:
    (finding,) = told(trained_model_never_saved, 'save_strategy="no"', after="trainer.evaluate()")
    assert finding.severity is Severity.NOTE


def test_the_last_steps_of_an_older_release() -> None:
    (finding,) = told(trained_model_never_saved, "max_steps=700", version="4.40.2")
    assert finding.evidence["steps_lost"] == 200
    assert told(trained_model_never_saved, "max_steps=700", version="5.23.0") == ()
    assert told(trained_model_never_saved, "max_steps=1000", version="4.40.2") == ()


@pytest.mark.parametrize(
    "after",
    [
        "trainer.save_model()",
        'model.save_pretrained("best")',
        "torch.save(model.state_dict(), 'x.pt')",
        "trainer.push_to_hub()",
    ],
)
def test_the_script_saves_it_itself(after: str) -> None:
    assert told(trained_model_never_saved, 'save_strategy="no"', after=after) == ()


def test_what_may_save_it_is_not_judged() -> None:
    assert told(trained_model_never_saved, 'save_strategy="no", push_to_hub=True') == ()
    assert told(trained_model_never_saved, "num_train_epochs=3") == ()


def test_an_argument_that_train_does_not_read() -> None:
    (finding,) = told(resume_argument_not_read, 'resume_from_checkpoint="out/checkpoint-5"')
    assert finding.remedy == 'line 5: trainer.train(resume_from_checkpoint="out/checkpoint-5")'
    (finding,) = told(resume_argument_not_read, "resume_from_checkpoint=True")
    assert finding.evidence == {"argument": True, "train": 5}


@pytest.mark.parametrize(
    ("stated", "call"),
    [
        ("seed=1", ""),
        ("resume_from_checkpoint=None", ""),
        ("resume_from_checkpoint=False", ""),
        ('resume_from_checkpoint="x"', "resume_from_checkpoint=args.resume_from_checkpoint"),
        ('resume_from_checkpoint="x"', "True"),
        ('resume_from_checkpoint="x"', "**options"),
    ],
)
def test_it_is_read_or_not_asked_for(stated: str, call: str) -> None:
    assert told(resume_argument_not_read, stated, call) == ()


def test_the_real_trainer_does_not_read_it(tmp_path: Any) -> None:
    from tiny_trainer import train

    train(tmp_path, max_steps=4, save_steps=4)
    run = train(tmp_path, max_steps=6, save_steps=2, resume_from_checkpoint=str(tmp_path))
    assert run.saves[0] == [2, 4], "it began at step 0, and saved step 2 beside the old step 4"
