from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Weights

MOST = 8
"""The fact names so many rows at most; of that many, there may be more."""


@check("NUM021", Severity.ERROR, stage=Stage.MODEL, explains=("NUM020", "NUM011", "LOS001"))
def weights_not_finite(weights: Weights) -> Iterator[Finding]:
    """
    Some weights of the model are NaN or infinite before the first step.

    The first batch that uses them has a loss of NaN, and the step after it makes all weights NaN.
    Where it is a row of an embedding, that is the first batch with its token, and training may
    look healthy for hours before. Memory that was allocated and never filled, as by `torch.empty`
    for new tokens, or a checkpoint of a run that had broken gives such weights.

    Fails:

        import torch

        model = torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Linear(8, 1))
        with torch.no_grad():
            model[0].weight[7] = float("nan")

    Passes:

        import torch

        model = torch.nn.Sequential(torch.nn.Embedding(50, 8), torch.nn.Linear(8, 1))

    See also: <https://pytorch.org/docs/stable/notes/faq.html>.
    """
    if not weights.spoilt:
        return
    name, worst = next(iter(weights.spoilt.items()))
    text = f"{worst.count:,} of {worst.size:,} values of {name} are NaN or infinite"
    few = 0 < len(worst.rows) < min(MOST, worst.of_rows)
    if few:
        rows = ", ".join(f"{row:,}" for row in worst.rows)
        text += f", in row{'s' if len(worst.rows) > 1 else ''} {rows} of {worst.of_rows:,}"
    if len(weights.spoilt) > 1:
        text += f"; so are values of {len(weights.spoilt) - 1:,} more"
    yield Finding(
        message=text,
        evidence={
            "parameters": {n: one.count for n, one in list(weights.spoilt.items())[:20]},
            "rows": list(worst.rows),
        },
        remedy=f"fill them before the training: {_filled(name, worst.rows)}"
        if few
        else "go back to the last checkpoint whose weights are finite, or load the model anew",
    )


def _filled(name: str, rows: tuple[int, ...]) -> str:
    """Return code that fills these rows."""
    module, _, parameter = name.rpartition(".")
    owner = f'model.get_submodule("{module}").' if module else "model."
    loop = "" if len(rows) == 1 else f"for row in {list(rows)}: "
    index = rows[0] if len(rows) == 1 else "row"
    return f"{loop}torch.nn.init.normal_({owner}{parameter}[{index}], std=0.02)"
