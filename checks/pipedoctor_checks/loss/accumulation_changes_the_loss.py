from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Accumulated, Optimizer, Settings

ADAPTIVE = ("adam", "adafactor", "rmsprop", "adagrad", "lion", "lamb")
"""Optimizers whose update stays the same if every gradient is multiplied by one number."""


@check("LOS005", Severity.WARNING, stage=Stage.LOSS)
def accumulation_changes_the_loss(
    accumulated: Accumulated, settings: Settings | None, optimizer: Optimizer | None
) -> Iterator[Finding]:
    """
    The same rows give another gradient when they are accumulated in several batches.

    Since 4.46, Trainer counts the labels of all batches that make an update and hands the number on
    as `num_items_in_batch`; who is handed it has to divide by it. A loss of one's own that takes a
    mean instead is added up: with 8 batches the gradient and the logged loss are 8 times too large.
    The first batch is put through the trainer's own training step in one piece and in two halves,
    without dropout; the gradient of the whole has to be the sum of those of the halves. Losses that
    compare rows with each other have none to be put together, and are let alone. Adam and its kin
    divide by the size of the gradient: there a model of transformers' own gets a note, since only
    the logged loss and the clipping are off.

    Fails:

        import torch
        from transformers import Trainer, TrainingArguments

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(4, 16)
                self.head = torch.nn.Linear(16, 3)

            def forward(self, x, labels=None, **more):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [n / 8, 1.0, n % 3, 0.5], "labels": n % 3} for n in range(16)]
        args = TrainingArguments("out", use_cpu=True, gradient_accumulation_steps=4, max_steps=4)
        trainer = Trainer(model, args, train_dataset=train_data)

    Passes:

        import torch
        from transformers import Trainer, TrainingArguments

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(4, 16)
                self.head = torch.nn.Linear(16, 3)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [n / 8, 1.0, n % 3, 0.5], "labels": n % 3} for n in range(16)]
        args = TrainingArguments("out", use_cpu=True, gradient_accumulation_steps=4, max_steps=4)
        trainer = Trainer(model, args, train_dataset=train_data)

    See also: <https://huggingface.co/blog/gradient_accumulation>.
    """
    half = accumulated.rows // 2
    where = Location() if settings is None else settings.where("gradient_accumulation_steps")
    evidence = {
        "shares": list(accumulated.shares),
        "residual": accumulated.residual,
        "whole": accumulated.whole,
        "parts": accumulated.parts,
        "items": None if accumulated.items is None else list(accumulated.items),
    }
    if accumulated.factor is not None:
        yield Finding(
            message=f"Accumulated in 2 batches of {half}, the gradient of {accumulated.rows} rows is "
            f"{accumulated.factor:.2f} times as large as in one batch; the run accumulates "
            f"{accumulated.steps}: {_who(accumulated)}",
            where=where,
            evidence=evidence,
            remedy=_remedy(accumulated),
            severity=Severity.NOTE if accumulated.foreign and _adaptive(optimizer) else None,
        )
    elif accumulated.uneven and accumulated.own:
        one, other = accumulated.shares
        items = ""
        if accumulated.items is not None:
            items = " with {:,} and {:,} labels".format(*accumulated.items)
        yield Finding(
            message=f"Accumulated in 2 batches of {half}{items}, the first counts {1 / one:.2f} times "
            f"and the second {1 / other:.2f} times as much as in one batch of {accumulated.rows}: "
            f"{accumulated.own} takes the mean of each batch, whatever it holds",
            where=where,
            evidence=evidence,
            remedy="divide the sum of the losses by num_items_in_batch, which Trainer hands to it",
        )


def _adaptive(optimizer: Optimizer | None) -> bool:
    return optimizer is not None and any(kind in optimizer.name.lower() for kind in ADAPTIVE)


def _who(fact: Accumulated) -> str:
    if fact.own:
        return f"{fact.own} takes a mean, and nobody divides it by the number of batches"
    return (
        f"forward() of {fact.model} takes any argument, so that Trainer leaves the division to it, "
        "and it does not divide by num_items_in_batch"
    )


def _remedy(fact: Accumulated) -> str:
    if fact.own == "compute_loss_func":
        return (
            'loss = torch.nn.functional.cross_entropy(…, reduction="sum") / num_items_in_batch in '
            "compute_loss_func"
        )
    if fact.settable:
        return "trainer.loss_is_scaled_for_ga = False, before trainer.train()"
    return "trainer.model_accepts_loss_kwargs = False, before trainer.train()"
