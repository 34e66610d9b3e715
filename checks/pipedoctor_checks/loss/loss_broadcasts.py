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

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(64, 3)
            y = x.sum(1)
            for _ in range(5):
                optimizer.zero_grad()
                ((model(x) - y) ** 2).mean().backward()
                optimizer.step()

    Passes:

        import torch

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(64, 3)
            y = x.sum(1)
            for _ in range(5):
                optimizer.zero_grad()
                ((model(x).squeeze(1) - y) ** 2).mean().backward()
                optimizer.step()

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
