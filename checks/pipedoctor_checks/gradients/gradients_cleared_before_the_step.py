from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Loop

ENOUGH = 2
"""So many steps in a row at least: one without gradients may be a way to begin."""


@check("GRD020", Severity.ERROR, stage=Stage.UPDATE, explains=("LOS012", "GRD003"))
def gradients_cleared_before_the_step(loop: Loop) -> Iterator[Finding]:
    """
    Gradients are computed, then cleared, and only then the optimizer steps: with nothing.

    `zero_grad()` between `backward()` and `step()` throws away what was just computed. The
    optimizer skips parameters that have no gradient, so no weight moves, or only by weight decay
    and old momentum; the training runs on, and the loss stays where it was.

    Fails:

        import torch

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(64, 3)
            for _ in range(5):
                loss = model(x).square().mean()
                loss.backward()
                optimizer.zero_grad()
                optimizer.step()

    Passes:

        import torch

        def loop():
            torch.manual_seed(0)
            model = torch.nn.Linear(3, 1)
            optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
            x = torch.randn(64, 3)
            for _ in range(5):
                loss = model(x).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()

    See also: <https://pytorch.org/docs/stable/optim.html#taking-an-optimization-step>.
    """
    for number, optimizer in enumerate(loop.optimizers):
        steps = [step for step in loop.steps if step.optimizer == number]
        empty = [step for step in steps if step.cleared]
        if len(empty) < ENOUGH or any(step.norm for step in steps):
            continue
        where = optimizer.where
        yield Finding(
            message=f"{optimizer.name} made {len(steps)} steps with no gradient left, though "
            f"gradients were computed before each of {len(empty)} that were looked at: they are "
            f"cleared between line {loop.backward.line} and line {where.line}",
            where=where,
            evidence={"steps": len(steps), "cleared": len(empty)},
            remedy=f"move {optimizer.variable}.zero_grad() in front of line {loop.backward.line}, "
            "or behind the step",
        )
