import pytest
from facts import outcome

from pipedoctor_checks.memory.history_keeps_graphs import history_keeps_graphs as check

LOOP = """import torch
total, losses = 0.0, []
for x, y in data:
    loss = criterion(model(x), y)
    {}
    loss.backward()
    {}
{}
"""


def found(line, after="pass", end=""):
    return outcome(check, script=LOOP.format(line, after, end)).findings


@pytest.mark.parametrize(
    "line", ["total += loss", "losses.append(loss)", "total = total + loss", "total += loss.cpu()"]
)
def test_what_keeps_the_graphs(line):
    (finding,) = found("pass", line)
    assert ".item()" in finding.remedy
    assert finding.where.line == 7


@pytest.mark.parametrize(
    ("line", "after", "end"),
    [
        ("pass", "total += loss.item()", ""),
        ("pass", "losses.append(loss.detach())", ""),
        ("pass", "total += float(loss)", ""),
        ("total += loss", "pass", "total.backward()"),
        ("losses.append(loss)", "pass", "torch.stack(losses).mean().backward()"),
        ("pass", "with torch.no_grad():\n        total += loss", ""),
        ("pass", "total += x", ""),
        ("pass", "pass", "total += loss"),
    ],
)
def test_what_is_no_fault(line, after, end):
    assert found(line, after, end) == ()


PIECES = """import torch
def chunked(x, y):
    parts = []
    for piece, wanted in zip(x.chunk(4), y.chunk(4)):
        loss = criterion(model(piece), wanted)
        parts.append(loss)
        torch.autograd.backward(loss)
        {}
    return sum(parts) / 4
for x, y in data:
    total = chunked(x, y)
"""


@pytest.mark.parametrize(
    ("line", "number"), [("pass", 0), ("optimizer.step()", 1), ("self.optimizer_step(loss)", 1)]
)
def test_the_pieces_of_one_batch_end_with_it(line, number):
    assert len(outcome(check, script=PIECES.format(line)).findings) == number
