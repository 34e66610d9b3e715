from collections.abc import Iterator
from dataclasses import dataclass

from pipedoctor import Finding, Location, Severity, Stage, check
from pipedoctor.facts import Step
from pipedoctor.facts.gradients import summarised
from pipedoctor.facts.step import Move
from pipedoctor.units import rate

LARGEST = 1.0
"""
An update as large as the weights themselves leaves nothing of what they held.

The first update was 3e-4 to 2e-2 of the weights for MiniLM at 2e-4, 5e-5 to 3e-3 for a new BERT of
4 layers at 5e-5, 5e-3 to 2e-2 for a network of convolutions at 1e-3.
"""

STILL = 0.5
"""The share of what has a gradient that must stay as it is before that is told."""


@check("GRD011", Severity.WARNING, stage=Stage.UPDATE, explains=("LOS003",))
def updates_out_of_proportion(step: Step) -> Iterator[Finding]:
    """
    The first update is larger than the weights themselves, or rounding takes it away altogether.

    A weight in bfloat16 has 8 bits: it can't change by less than its 256th part. Updates at the
    rates of fine-tuning are smaller, so that most weights stay what they are, step after step, and
    the loss does not move. Mixed precision keeps the weights in float32 and has no such fault. At
    the other end, an update of the size of the weights replaces what was learned before.

    Measured by `pipedoctor overfit`, with the optimizer and rate of the run; all is put back.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(64, 4)
                torch.nn.init.uniform_(self.linear.weight, 1.0, 1.9)
                torch.nn.init.ones_(self.linear.bias)

            def forward(self, x, labels=None):
                logits = self.linear(x.bfloat16())
                return {"loss": torch.nn.functional.cross_entropy(logits.float(), labels)}

        torch.manual_seed(0)
        model = Model().bfloat16()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
        train_data = [{"x": torch.rand(64).tolist(), "labels": row % 4} for row in range(16)]
        overfit = {"steps": 50}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.linear = torch.nn.Linear(64, 4)

            def forward(self, x, labels=None):
                return {"loss": torch.nn.functional.cross_entropy(self.linear(x), labels)}

        torch.manual_seed(0)
        model = Model()
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        train_data = [{"x": torch.rand(64).tolist(), "labels": row % 4} for row in range(16)]
        overfit = {"steps": 50}

    See also: <https://arxiv.org/abs/2010.06192>.
    """
    rates = max(step.rates, default=0.0)
    still = {name: step.of[name] for name in step.still}
    if rates > 0 and still:
        elements = sum(move.size for move in still.values())
        every = sum(move.size for move in step.of.values() if move.gradient)
        if elements >= STILL * every:
            yield _still(step, still, elements, every)
            return
    large = _Large.of(step)
    if large is not None and rates > 0:
        yield large.finding(step)


def _still(step: Step, still: dict[str, Move], elements: int, every: int) -> Finding:
    kinds = sorted({move.dtype for move in still.values()})
    return Finding(
        message=f"An update of {step.optimizer} at {rate(max(step.rates))} changes no element of "
        f"{len(still):,} parameters ({elements:,} of {every:,} elements), which have a gradient: "
        f"{' and '.join(kinds)} has no number between",
        where=Location(split="train", layer=next(iter(still)).rpartition(".")[0] or None),
        evidence={"parameters": list(still)[:20], "elements": elements, "dtypes": kinds},
        remedy="keep the weights in float32 (dtype=torch.float32) and train with bf16=True, which "
        "casts them for the computation only",
    )


@dataclass(frozen=True)
class _Large:
    """The matrices whose update is larger than themselves."""

    names: tuple[str, ...]
    ratio: float

    @classmethod
    def of(cls, step: Step) -> "_Large | None":
        # A bias, or what starts at about 0 on purpose, may well grow by more than it is.
        matrices = {
            name: move.ratio
            for name, move in step.of.items()
            if move.ratio is not None and move.size >= 64 and not name.endswith("bias")
        }
        large = {name: ratio for name, ratio in matrices.items() if ratio > LARGEST}
        if not large or len(large) < STILL * len(matrices):
            return None
        return cls(tuple(large), max(large.values()))

    def finding(self, step: Step) -> Finding:
        """Say how large the updates are."""
        value = max(step.rates)
        less = value / (10 * self.ratio)
        return Finding(
            message=f"The first update of {step.optimizer} at {rate(value)} is up to "
            f"{self.ratio:.3g} times as large as the weights that it changes: "
            f"{summarised(self.names)}",
            where=Location(split="train"),
            evidence={"ratio": self.ratio, "parameters": list(self.names)[:20]},
            remedy=f"set the learning rate to {rate(float(f'{less:.0e}'))} or less",
        )
