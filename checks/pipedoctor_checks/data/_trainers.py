"""What the text of a script says of its Trainers: their data, their arguments, their functions."""

from __future__ import annotations

from collections.abc import Iterator

from pipedoctor.facts import Call, Script
from pipedoctor.facts.script import Function

TRAINER = "transformers.Trainer"
OWN = ("transformers.Trainer", "transformers.Seq2SeqTrainer")


def trainers(script: Script) -> Iterator[Call]:
    """Yield the calls that make a Trainer of transformers; those of trl prepare their own data."""
    for call in script.calls:
        if call.place.runs != "never" and not call.open and plain(call):
            yield call


def plain(call: Call) -> bool:
    """Whether it makes a Trainer of transformers itself."""
    names = [n for n in call.names if n.startswith("transformers.")]
    return bool(names) and call.names[0] == names[0] and call.is_a(*OWN)


def arguments(script: Script, trainer: Call) -> Call | None:
    """Return the call that makes the arguments of a Trainer, if all of them are to be seen."""
    made = script.makers(trainer.argument("args", 1))
    sure = len(made) == 1 and not made[0].open and made[0].is_a("transformers.TrainingArguments")
    return made[0] if sure else None


def drops_columns(script: Script, trainer: Call) -> bool:
    """Whether the Trainer is sure to drop the columns that the model does not name."""
    made = arguments(script, trainer)
    if made is None or "remove_unused_columns" in made.arguments:
        return False
    return not any(one.target.endswith(".remove_unused_columns") for one in script.assignments)


def function(script: Script, name: str) -> Function | None:
    """Return the function of the script of this name, for what passes a function by its name."""
    return script.function(name) if name.isidentifier() else None


def body(script: Script, found: Function) -> list[str]:
    """Return the lines of a function, without what stands in comments."""
    first = found.where.line or 1
    return [line.partition("#")[0] for line in script.lines[first - 1 : found.end_line]]
