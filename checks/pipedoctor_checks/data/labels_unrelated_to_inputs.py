from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Unavailable, check
from pipedoctor.facts import Learnability
from pipedoctor.facts.learnability import INCONCLUSIVE, NUMBERS, UNRELATED


@check("DAT020", Severity.WARNING, stage=Stage.UPDATE)
def labels_unrelated_to_inputs(learnability: Learnability) -> Iterator[Finding]:
    """
    Some hundred rows show no relation at all between their labels and their inputs.

    Labels that were shuffled without their inputs, joined by the wrong key, or read in another
    order are learned by heart like any others: the training loss falls, and nothing is gained. So
    does data whose samples were mixed by a reshape. One half of some hundred rows is trained on and
    the other is asked for, and the other way round; then one half is learned again with its labels
    shuffled. This is told only if the rows were learned by heart, and neither the model nor a
    baseline without a network tells unseen rows any better than labels in other orders would have
    it, and the labels were no easier to learn than shuffled ones.

    What so few rows don't show may still be there: a relation that takes thousands of rows to be
    seen looks like none. More rows (`pipedoctor overfit --learnability --rows 2000`) make it surer.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(8, 256)
                self.head = torch.nn.Linear(256, 2)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(240, 8)
        labels = (x[torch.randperm(240), 0] > 0).long()
        train_data = [{"x": x[n].tolist(), "labels": int(labels[n])} for n in range(240)]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50, "rows": 240}

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.body = torch.nn.Linear(8, 256)
                self.head = torch.nn.Linear(256, 2)

            def forward(self, x, labels=None):
                logits = self.head(torch.relu(self.body(x)))
                return {"loss": torch.nn.functional.cross_entropy(logits, labels), "logits": logits}

        torch.manual_seed(0)
        model = Model()
        x = torch.randn(240, 8)
        labels = (x[:, 0] > 0).long()
        train_data = [{"x": x[n].tolist(), "labels": int(labels[n])} for n in range(240)]
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        settings = {"learning_rate": 1e-2, "max_steps": 1000}
        overfit = {"steps": 50, "rows": 240}

    See also: <https://arxiv.org/abs/1611.03530>.
    """
    if learnability.verdict == INCONCLUSIVE:
        raise Unavailable(f"inconclusive: {learnability.reason}")
    if learnability.verdict != UNRELATED or learnability.baseline is None:
        return
    model, baseline = learnability.model, learnability.baseline
    if learnability.kind == NUMBERS:
        told = (
            f"the model's answers to unseen rows correlate with their labels by {model.value:.2f} ± "
            f"{model.error:.2f}, those of {baseline.name} by {baseline.value:.2f}"
        )
    else:
        told = (
            f"of unseen rows the model tells {model.value:.1%} ± {100 * model.error:.1f}, "
            f"{baseline.name} {baseline.value:.1%}, and the best constant answer "
            f"{learnability.chance:.1%}"
        )
    if learnability.smallest is not None:
        told += f" ({learnability.smallest:.0%} would have been noticed)"
    yield Finding(
        message=f"The labels of {learnability.rows:,} rows are learned by heart and nothing else: "
        f"{told}; with shuffled labels {model.p:.0%} and {baseline.p:.0%} of all orders fit as well",
        where=Location(split="train"),
        evidence=dict(learnability.figures()),
        remedy="look at 20 rows and their labels with `pipedoctor batch`: were labels and inputs "
        "shuffled, sorted, joined or reshaped apart? If they look right, the relation takes more "
        "rows to show: --rows 2000",
    )
