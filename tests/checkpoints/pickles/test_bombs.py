"""What is made to cost time or memory costs neither, and passes for nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from checkpoints.bombs import FILES

READ = """
import json, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (5, 5))
from pipedoctor.checkpoints import pickles
answers = []
for path in sys.argv[1:]:
    found = pickles.read(path)
    answers.append([found.verdict.value, found.reason, [flaw.kind.value for flaw in found.flaws]])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(json.dumps([int(status["VmHWM"].split()[0]) // 1024, answers]))
"""
COSTLY = sorted(n for n in FILES if n.startswith(("many_", "deep_", "gzip", "xz", "over")))
CHEAP = sorted(set(FILES) - set(COSTLY))
USUAL = {"deep_tuples.pkl", "many_lists.pkl", "many_pickles.pkl", "overlapping.bin"}


def read(*paths: Path) -> list[tuple[str, str, list[str]]]:
    """Read files in a child that has 5 s of processor time; it must stay below 200 MB."""
    command = [sys.executable, "-c", READ, *map(str, paths)]
    ran = subprocess.run(command, capture_output=True, check=False, text=True)
    assert ran.returncode == 0, ran.stderr
    megabytes, answers = json.loads(ran.stdout)
    assert megabytes < 200
    return [tuple(answer) for answer in answers]


@pytest.mark.skipif(sys.platform != "linux", reason="limits and memory are read from Linux")
def test_the_cheap_ones(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in CHEAP]
    for path in paths:
        path.write_bytes(FILES[path.name]())
    for path, (verdict, reason, flaws) in zip(paths, read(*paths), strict=True):
        assert verdict == "malformed", path.name
        assert reason
        assert flaws


@pytest.mark.skipif(sys.platform != "linux", reason="limits and memory are read from Linux")
@pytest.mark.parametrize(
    "name", [n if n in USUAL else pytest.param(n, marks=pytest.mark.deep) for n in COSTLY]
)
def test_the_costly_ones(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name]())
    ((verdict, reason, flaws),) = read(path)
    assert verdict == "malformed"
    assert reason
    assert "beyond a limit" in flaws or name == "overlapping.bin"
