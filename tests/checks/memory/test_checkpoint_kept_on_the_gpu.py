import textwrap

import pytest
from facts import pipeline

from pipedoctor.facts import Script
from pipedoctor_checks.memory.checkpoint_kept_on_the_gpu import checkpoint_kept_on_the_gpu

LOOP = """
for inputs, labels in loader:
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(inputs), labels).backward()
    optimizer.step()
"""
FILL = 'model.load_state_dict(checkpoint["model"])\n'


def told(text):
    script = pipeline(script="import torch\n" + textwrap.dedent(text)).fact(Script)
    return list(checkpoint_kept_on_the_gpu(script))


@pytest.mark.parametrize(
    "load",
    [
        'checkpoint = torch.load("a.pt", map_location="cuda:0")\n',
        'checkpoint = torch.load("a.pt", "cuda")\n',
        'device = "cuda"\ncheckpoint = torch.load("a.pt", map_location=device)\n',
        'device = torch.device("cuda")\ncheckpoint = torch.load("a.pt", map_location=device)\n',
        (
            'device = "cuda" if torch.cuda.is_available() else "cpu"\n'
            'checkpoint = torch.load("a.pt", map_location=device)\n'
        ),
    ],
)
def test_what_is_loaded_onto_the_gpu_and_kept_is_told(load):
    (finding,) = told(load + FILL + LOOP)
    assert 'map_location="cpu"' in finding.remedy
    assert finding.alternatives[0].startswith("del checkpoint after line ")


@pytest.mark.parametrize(
    "text",
    [
        'checkpoint = torch.load("a.pt", map_location="cpu")\n' + FILL + LOOP,
        'checkpoint = torch.load("a.pt")\n' + FILL + LOOP,
        'checkpoint = torch.load("a.pt", map_location="cuda")\n'
        + FILL
        + "del checkpoint\n"
        + LOOP,
        'checkpoint = torch.load("a.pt", map_location="cuda")\n'
        + FILL
        + "checkpoint = None\n"
        + LOOP,
        'model.load_state_dict(torch.load("a.pt", map_location="cuda"))\n' + LOOP,
        'checkpoint = torch.load("a.pt", map_location="cuda")\n' + FILL + "print(model(x))\n",
        'device = pick()\ncheckpoint = torch.load("a.pt", map_location=device)\n' + FILL + LOOP,
        "def resume():\n"
        '    checkpoint = torch.load("a.pt", map_location="cuda")\n'
        "    " + FILL + "resume()\n" + LOOP,
    ],
    ids=["cpu", "unsaid", "deleted", "bound anew", "unnamed", "no loop", "unknown", "function"],
)
def test_what_is_let_go_or_not_known_is_not_spoken_of(text):
    assert not told(text)
