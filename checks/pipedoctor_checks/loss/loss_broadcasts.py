from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Loop

FUNCTIONS = {"mse": "MSELoss", "smooth_l1": "SmoothL1Loss", "huber": "HuberLoss"}


@check("LOS011", Severity.ERROR, stage=Stage.LOSS, explains=("LOS003",))
def loss_broadcasts(loop: Loop) -> Iterator[Finding]:
    """
    Predictions and targets differ in shape, so that each prediction is compared with all targets.

    A column of shape (64, 1) and a row of shape (64,) are both blown up to (64, 64): the loss is
    that of 4,096 pairs, of which only the 64 on the diagonal belong together. The best that a
    model can do then is to predict the mean of the batch for every row. The training runs, the
    loss falls to the variance of the targets, and stays there. All pairs that are asked for, by
    `x[:, None] - x[None]` or a transposition, are no fault.

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
                loss = ((model(x) - y) ** 2).mean()
                loss.backward()
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
                loss = ((model(x).squeeze(1) - y) ** 2).mean()
                loss.backward()
                optimizer.step()

    See also: <https://pytorch.org/docs/stable/notes/broadcasting.html>.
    """
    for term in loop.terms:
        if term.broadcast is None or term.target is None:
            continue
        one, other = map(_shown, (term.prediction, term.target))
        loss = FUNCTIONS.get(term.kind, "The loss")
        wide = len(term.prediction) > len(term.target)
        yield Finding(
            message=f"{loss} compares predictions of shape {one} with targets of shape {other}: "
            f"both are blown up to {_shown(term.broadcast)}, each prediction against all "
            f"{term.broadcast[-1]} targets",
            where=term.where,
            evidence={
                "prediction": list(term.prediction),
                "target": list(term.target),
                "broadcast": list(term.broadcast),
            },
            remedy="give both one shape: "
            + ("predictions.squeeze(-1)" if wide else "targets.squeeze(-1)")
            + ", before the loss",
            alternatives=("targets.unsqueeze(-1)" if wide else "predictions.unsqueeze(-1)",),
        )


def _shown(shape: tuple[int, ...]) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"
