from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Unavailable, check
from pipedoctor.facts import Learnability
from pipedoctor.facts.learnability import NUMBERS

PROOF = 0.001
"""A model whose answers fit the labels better than so many other orders of them has learned."""


@check("LOS020", Severity.NOTE, stage=Stage.UPDATE)
def worse_than_a_bag_of_words(learnability: Learnability) -> Iterator[Finding]:
    """
    The model knows its rows by heart, and tells others worse than a linear model on the same rows.

    A bag of words with ridge regression takes a second and no network. Where it tells the labels
    of unseen rows, and the model, learned from the same rows until it knew them by heart, does not,
    something between the data and the model loses what the labels hang on: text that is cut, a
    wrong column, ids of another tokenizer, inputs that are mixed up. With few rows it may also be
    the model: a network that starts from random numbers needs more of them.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(64, 256)
                self.head = torch.nn.Linear(256, 2)

            def forward(self, x, labels=None):
                code = torch.sin(1e4 * x)  # what is near is torn apart
                logits = self.head(torch.relu(self.body(code)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(240, 64)
        labels = (x[:, :3].sum(1) > 0).long()
        train_data = [{"x": x[n].tolist(), "labels": int(labels[n])} for n in range(240)]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50, "rows": 240}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(64, 256)
                self.head = torch.nn.Linear(256, 2)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(240, 64)
        labels = (x[:, :3].sum(1) > 0).long()
        train_data = [{"x": x[n].tolist(), "labels": int(labels[n])} for n in range(240)]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50, "rows": 240}

    See also: <https://arxiv.org/abs/2204.03398>.
    """
    baseline = learnability.baseline
    if baseline is None:
        raise Unavailable("no baseline can read these inputs")
    model = learnability.model
    if not learnability.fitted and model.p > PROOF:
        raise Unavailable("the learned rows were not yet known by heart: that would prove nothing")
    apart, noise = learnability.difference, learnability.noise
    if not learnability.fitted or not learnability.worse or apart is None or noise is None:
        return
    if learnability.kind == NUMBERS:
        told = f"correlates with unseen rows by {model.value:.2f}, {baseline.name} by {baseline.value:.2f}"
    else:
        told = (
            f"tells {model.value:.1%} of unseen rows, {baseline.name} {baseline.value:.1%} "
            f"(by chance {learnability.chance:.1%})"
        )
    yield Finding(
        message=f"Learned from the same {learnability.rows // 2:,} rows, the model {told}: worse by "
        f"{-100 * apart:.1f} ± {100 * noise:.1f} in 100",
        where=Location(split="train"),
        evidence=dict(learnability.figures()),
        remedy="compare what enters the model with the data: `pipedoctor batch` shows both; if it is "
        "right, the model needs more rows than these, or weights that were trained before",
    )
