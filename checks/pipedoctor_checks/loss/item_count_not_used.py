from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Accumulated, Settings


@check("LOS006", Severity.WARNING, stage=Stage.LOSS, explains=("LOS005",))
def item_count_not_used(accumulated: Accumulated, settings: Settings | None) -> Iterator[Finding]:
    """
    A `compute_loss_func` does not divide by the number of items that it is handed.

    Trainer divides the loss of a `compute_loss_func` by nothing: it hands over the number of labels
    of all batches that make an update, as `num_items_in_batch`. A function that takes a mean makes
    the gradient as many times too large as batches are accumulated. It is called with the number,
    and with twice the number: the loss has to change.

    Fails:

        import torch
        from transformers import Trainer, TrainingArguments

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(4, 16)
                self.head = torch.nn.Linear(16, 3)

            def forward(self, x, labels=None):
                return {"logits": self.head(torch.relu(self.body(x)))}

        def loss(outputs, labels, num_items_in_batch=None):
            return torch.nn.functional.cross_entropy(outputs["logits"], labels)

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [n / 8, 1.0, n % 3, 0.5], "labels": n % 3} for n in range(16)]
        args = TrainingArguments("out", use_cpu=True, gradient_accumulation_steps=4, max_steps=4)
        trainer = Trainer(model, args, train_dataset=train_data, compute_loss_func=loss)

    Passes:

        import torch
        from transformers import Trainer, TrainingArguments

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(4, 16)
                self.head = torch.nn.Linear(16, 3)

            def forward(self, x, labels=None):
                return {"logits": self.head(torch.relu(self.body(x)))}

        def loss(outputs, labels, num_items_in_batch=None):
            logits = outputs["logits"]
            if num_items_in_batch is None:
                return torch.nn.functional.cross_entropy(logits, labels)
            total = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
            return total / num_items_in_batch

        torch.manual_seed(0)
        model = Model()
        train_data = [{"x": [n / 8, 1.0, n % 3, 0.5], "labels": n % 3} for n in range(16)]
        args = TrainingArguments("out", use_cpu=True, gradient_accumulation_steps=4, max_steps=4)
        trainer = Trainer(model, args, train_dataset=train_data, compute_loss_func=loss)

    See also: <https://huggingface.co/docs/transformers/trainer_recipes>.
    """
    ignored = accumulated.own == "compute_loss_func" and accumulated.counts is False
    if not ignored or accumulated.factor is None:
        return
    yield Finding(
        message="compute_loss_func gives the same loss whatever num_items_in_batch is: over "
        f"{accumulated.steps} accumulated batches its means are added up (over 2, the gradient is "
        f"{accumulated.factor:.2f} times as large as that of one batch with the same rows)",
        where=Location() if settings is None else settings.where("gradient_accumulation_steps"),
        evidence={"factor": accumulated.factor, "steps": accumulated.steps},
        remedy='loss = torch.nn.functional.cross_entropy(…, reduction="sum") / num_items_in_batch in '
        "compute_loss_func",
    )
