"""Training loops with a planted fault each, and the check that has to name it first."""

from __future__ import annotations

BEGIN = """
import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(512, 8)
y = (x[:, :4].sum(1) > 0).long() + (x[:, 4:].sum(1) > 0).long()
"""

MODEL = """
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 3))
"""

LOOP = """
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range({epochs}):
    for i in range(0, 512, 32):
        xb, yb = x[i : i + 32], y[i : i + 32]
        optimizer.zero_grad()
        loss = criterion(model(xb), yb)
        loss.backward()
        optimizer.step()
"""


def loop(epochs: int = 2, model: str = MODEL, begin: str = BEGIN, **changes: str) -> str:
    """Return a script; `changes` are lines of the loop, by the words they begin with."""
    text = LOOP.format(epochs=epochs)
    for start, line in changes.items():
        lines = text.split("\n")
        place = next(n for n, one in enumerate(lines) if one.strip().startswith(_words(start)))
        space = lines[place][: len(lines[place]) - len(lines[place].lstrip())]
        put = f"for {line}:" if start == "inner" else line
        lines[place] = "\n".join(space + part for part in put.split("\n"))
        text = "\n".join(lines)
    return begin + model + text


def _words(name: str) -> str:
    return {
        "clears": "optimizer.zero_grad",
        "computes": "loss = ",
        "differentiates": "loss.backward",
        "steps": "optimizer.step",
        "takes": "xb, yb",
        "makes": "optimizer = ",
        "epoch": "for epoch",
        "inner": "for i",
    }[name]


SORTED = """
order = y.argsort()
x, y = x[order], y[order]
"""

LONG = """
x, y = x.repeat(40, 1), y.repeat(40)
"""

LOADER = """xb, yb in torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(x, y), batch_size=32
    )"""

DEEP = """
model = nn.Sequential(
    nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(),
    nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3)
)
"""

IN_A_DICT = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = {"first": nn.Linear(8, 32), "second": nn.Linear(32, 32)}
        self.last = nn.Linear(32, 3)

    def forward(self, x):
        x = torch.relu(self.parts["first"](x))
        return self.last(torch.relu(self.parts["second"](x)))

model = Net()
"""

DETACHED_TRUNK = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 32))
        self.last = nn.Linear(32, 3)

    def forward(self, x):
        return self.last(self.trunk(x).detach())

model = Net()
"""

SOFTMAX_INSIDE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Linear(8, 32), nn.Linear(32, 3)

    def forward(self, x):
        return finish(self.last(torch.relu(self.first(x))))

def finish(scores):
    return scores.softmax(-1)

model = Net()
"""

TWO = """
encoder = nn.Sequential(nn.Linear(8, 32), nn.ReLU())
head = nn.Linear(32, 3)
"""

REGRESSION = """
y = x.sum(1)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 1))
"""

MASKED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.last = nn.Linear(1, 1), nn.Linear(8, 3)

    def forward(self, x):
        score = self.score(x[..., None])[..., 0].masked_fill(x.abs() < {least}, float("-inf"))
        return self.last(score.softmax(-1) * x)

model = Net()
"""

FAULTS: dict[str, tuple[str, str]] = {
    "layers in a dict": ("GRD005", loop(model=IN_A_DICT)),
    "never cleared": (
        "GRD007",
        loop(clears="pass", makes="optimizer = torch.optim.SGD(model.parameters(), lr=0.01)"),
    ),
    "cleared now and then": (
        "GRD007",
        loop(clears="if i % 128 == 0:\n    optimizer.zero_grad()"),
    ),
    "cleared too soon": (
        "GRD020",
        loop(clears="pass", steps="optimizer.zero_grad()\noptimizer.step()"),
    ),
    "evaluation from the second epoch on": (
        "GRD008",
        loop(takes="if epoch: model.train(False)\nxb, yb = x[i : i + 32], y[i : i + 32]"),
    ),
    "evaluation from the start": (
        "GRD008",
        loop(
            model="\nmodel = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3)).eval()\n"
        ),
    ),
    "loss taken off its graph": (
        "LOS012",
        loop(differentiates="loss = loss.detach().requires_grad_()\nloss.backward()"),
    ),
    "loss of what was chosen": (
        "LOS012",
        loop(
            computes="chosen = model(xb).argmax(1).float()\nloss = (chosen - yb).square().mean().requires_grad_()"
        ),
    ),
    "loss that needs no gradient": (
        "LOS012",
        loop(computes="loss = criterion(model(xb).detach(), yb)"),
    ),
    "trunk cut off": ("GRD003", loop(model=DETACHED_TRUNK)),
    "head replaced": (
        "GRD004",
        loop(
            makes="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\nmodel[3] = nn.Linear(32, 3)"
        ),
    ),
    "optimizer of a copy": (
        "GRD004",
        loop(
            makes="import copy\noptimizer = torch.optim.Adam(copy.deepcopy(model).parameters(), lr=1e-3)"
        ),
    ),
    "head forgotten": (
        "GRD004",
        loop(
            model=TWO,
            makes="optimizer = torch.optim.Adam(encoder.parameters(), lr=1e-3)",
            computes="loss = criterion(head(encoder(xb)), yb)",
        ),
    ),
    "softmax twice": ("LOS010", loop(model=SOFTMAX_INSIDE)),
    "scores for probabilities": (
        "LOS010",
        loop(computes="loss = nn.functional.nll_loss(model(xb), yb)"),
    ),
    "each with all": (
        "LOS011",
        loop(model=REGRESSION, computes="loss = nn.functional.mse_loss(model(xb), yb)"),
    ),
    "each with all by hand": (
        "LOS011",
        loop(model=REGRESSION, computes="loss = (yb - model(xb)).abs().mean()"),
    ),
    "prefix lacking": (
        "CKP070",
        loop(
            model=MODEL + 'state = dict(nn.ModuleDict({"net": model}).state_dict())\n'
            "model = nn.Sequential(*model)\nmodel.load_state_dict(state, strict=False)\n"
        ),
    ),
    "rate gone after an epoch": (
        "HYP011",
        loop(
            epochs=10,
            makes="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n"
            "schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9)",
            steps="optimizer.step()\nschedule.step()",
        ),
    ),
    "a rate that is too high": (
        "GRD002",
        loop(
            model="\ny = x.sum(1)\nmodel = nn.Linear(8, 1)\n",
            makes="optimizer = torch.optim.SGD(model.parameters(), lr=1.1)",
            computes="loss = (model(xb)[:, 0] - yb).square().mean()",
        ),
    ),
    "a row of NaN": ("NUM020", loop(begin=BEGIN + "x[200] = float('nan')\n")),
    "a root of zero": (
        "NUM020",
        loop(
            computes="loss = criterion(model(xb), yb) + (model[0].weight - model[0].weight.detach()).square().sum().sqrt()"
        ),
    ),
    "everything masked": ("NUM020", loop(model=MASKED.format(least=1.2))),
    "a rate that diverges": (
        "NUM020",
        loop(
            epochs=12,
            model=REGRESSION,
            makes="optimizer = torch.optim.SGD(model.parameters(), lr=3.0)",
            computes="loss = (model(xb)[:, 0] - yb).square().mean()",
        ),
    ),
    "a rate that wipes out the weights": (
        "HYP040",
        loop(
            epochs=6,
            model=DEEP,
            makes="optimizer = torch.optim.Adam(model.parameters(), lr=1.0)",
        ),
    ),
    "rows sorted by their label": ("DAT012", loop(begin=BEGIN + SORTED)),
    "rows sorted by their label, from a loader": (
        "DAT012",
        loop(begin=BEGIN + SORTED, inner=LOADER, takes="pass"),
    ),
    "a cosine over the epochs stepped each batch": (
        "HYP011",
        loop(
            epochs=5,
            inner=LOADER,
            takes="pass",
            makes="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n"
            "schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=5)",
            steps="optimizer.step()\nschedule.step()",
        ),
    ),
    "a decay for epochs stepped each batch": (
        "HYP011",
        loop(
            begin=BEGIN + LONG,
            inner=LOADER,
            takes="pass",
            makes="optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)\n"
            "schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.95)",
            steps="optimizer.step()\nschedule.step()",
        ),
    ),
    "head forgotten with the half of the trunk": (
        "GRD004",
        loop(
            model="\nmodel = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 3))\n",
            makes="optimizer = torch.optim.Adam(model[0].parameters(), lr=1e-3)",
        ),
    ),
}
