from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Location, Severity, Stage, Train, check
from pipedoctor.facts import Answers, Model, Settings
from pipedoctor.units import count


@check("LLM009", Severity.WARNING, stage=Stage.DATA)
def answers_cut_at_the_limit(
    answers: Train[Answers], settings: Settings, model: Model | None, *, share: float = 0.05
) -> Iterator[Finding]:
    """
    Prompt and answer together are longer than the limit, and the answers that are compared are cut.

    DPO and KTO learn from whole answers: which of two is better is decided by how they end, too.
    TRL cuts prompt and answer together at `max_length`, 1024 unless it is stated, and drops a row
    whose prompt alone fills it. All rows are counted, by the tokens that the trainer has made of
    them. It is told where at least `share` of the rows lose a part of an answer, or are dropped,
    and is an error if that is more than half of them. In GRPO the answers are made while it
    trains; no data tells how long they will be.

    Fails:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        train_data = Dataset.from_list(
            [
                {"prompt_ids": [1] * (8 + n), "chosen_ids": [2, 3, 4, 0], "rejected_ids": [3, 0]}
                for n in range(40)
            ]
        )
        settings = {"max_length": 32}

    Passes:

        from datasets import Dataset
        from transformers import GPT2Config, GPT2LMHeadModel

        model = GPT2LMHeadModel(
            GPT2Config(vocab_size=20, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
        )
        train_data = Dataset.from_list(
            [
                {"prompt_ids": [1] * (8 + n), "chosen_ids": [2, 3, 4, 0], "rejected_ids": [3, 0]}
                for n in range(40)
            ]
        )
        settings = {"max_length": 64}

    See also: <https://huggingface.co/docs/trl/dpo_trainer>.
    """
    lost = answers.cut + answers.dropped
    if lost < share * answers.rows or lost < 2:
        return
    told = []
    if answers.cut:
        gone = answers.lost / max(1, answers.tokens)
        which = "first" if answers.keeps == "end" else "last"
        told.append(
            f"{count(answers.cut)} of {count(answers.rows)} rows ({answers.cut / answers.rows:.0%}) "
            f"are longer than max_length ({count(answers.limit)} tokens), and their answers lose "
            f"the {which} {gone:.0%} of their tokens"
        )
        if answers.bare:
            told.append(f"of {count(answers.bare)} nothing is left")
    if answers.dropped:
        told.append(
            f"{count(answers.dropped)} of {count(answers.rows)} rows were dropped, since the prompt "
            f"alone has max_length ({count(answers.limit)}) tokens or more"
        )
    yield Finding(
        message="; ".join(told),
        where=_where(settings, answers),
        evidence={
            "rows": answers.rows,
            "cut": answers.cut,
            "bare": answers.bare,
            "dropped": answers.dropped,
            "limit": answers.limit,
            "needs": list(answers.needs),
        },
        remedy=_remedy(settings, answers, model),
        severity=Severity.ERROR if lost > answers.rows / 2 else None,
    )


def _where(settings: Settings, answers: Answers) -> Location:
    return replace(settings.where("max_length"), split="train", rows=answers.first)


def _remedy(settings: Settings, answers: Answers, model: Model | None) -> str:
    """Return the length that nearly all rows fit in, if the model has so many positions."""
    wanted = 1 << max(3, (answers.needs[1] - 1).bit_length())
    room = model.positions if model is not None and model.known("positions") else None
    if room is not None and wanted > room:
        if room <= answers.limit:
            return (
                f"leave out the rows with long prompts: the model has {count(room)} positions, and "
                f"98% of the rows need {count(answers.needs[1])} or less"
            )
        wanted = room
    return f"{settings.entry('max_length', wanted)}; 98% of the rows have {count(answers.needs[1])} tokens or less"
