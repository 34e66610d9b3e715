from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Gradients


@check("LOS011", Severity.ERROR, stage=Stage.LOSS, explains=("LOS003",))
def loss_broadcasts(gradients: Gradients) -> Iterator[Finding]:
    """
    The loss compares each answer with the labels of all rows: shapes that differ are broadcast.

    Answers of shape (rows, 1) less labels of shape (rows,) are not rows differences but a square
    of rows x rows. The mean of its squares is smallest when every answer is the mean of all
    labels: the model learns a constant, and the loss falls to the variance of the labels and stays
    there. PyTorch's `mse_loss` warns once, a subtraction does not.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(2, 1)

            def forward(self, x, labels=None):
                answers = self.linear(x)
                return {"loss": ((answers - labels) ** 2).mean(), "logits": answers}

        model = Model()
        train_data = [{"x": [float(row), 1.0], "labels": row / 16} for row in range(16)]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(2, 1)

            def forward(self, x, labels=None):
                answers = self.linear(x).squeeze(-1)
                return {"loss": ((answers - labels) ** 2).mean(), "logits": answers}

        model = Model()
        train_data = [{"x": [float(row), 1.0], "labels": row / 16} for row in range(16)]

    See also: <https://pytorch.org/docs/stable/notes/broadcasting.html>.
    """
    if gradients.broadcast is None:
        return
    answers, labels = gradients.broadcast
    rows = answers[0]
    cure = "answers.squeeze(-1)" if len(answers) > len(labels) else "labels.squeeze(-1)"
    whose = "compute_loss" if gradients.own_loss else gradients.model
    yield Finding(
        message=f"In the loss of {whose}, answers of shape {list(answers)} and labels of shape "
        f"{list(labels)} make {rows} x {rows} = {rows * rows} differences where {rows} are meant: "
        "each answer is compared with the labels of all rows",
        where=replace(gradients.where, split="train"),
        evidence={"answers": list(answers), "labels": list(labels), "loss": gradients.loss},
        remedy=f"give both one shape before they are compared: {cure}",
    )
