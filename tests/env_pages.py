"""`pipedoctor env` on the real command line, and what of its page is the same on every machine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

import pipedoctor
import pipedoctor_checks

OF_THE_MACHINE = frozenset({"GPUs", "Processors", "Memory", "Disk", "Hub cache"})
"""Of these paragraphs only the name is the same everywhere."""

TOLD = (
    *("HF_", "TRANSFORMERS_", "KERAS_", "TF_", "USE_T", "WANDB_", "NCCL_", "PYTORCH_", "OMP_"),
    *("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_", "CUDA_VISIBLE_DEVICES"),
)
"""The beginnings of variables that the page speaks of."""

HEAD = re.compile(r"\[(.)\] (.+?)(?: · (.*))?$")


def run(python: str, *words: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Start it from a folder, with those variables of this process that it says nothing of."""
    quiet = {n: v for n, v in os.environ.items() if not n.startswith(TOLD)}
    return subprocess.run(
        [python, "-m", "pipedoctor", "env", *words],
        cwd=cwd,
        env={**quiet, "PYTHONPATH": "", "HF_HOME": str(cwd), "NO_COLOR": "1", **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def paths() -> str:
    """Return the PYTHONPATH by which children find what is tested here."""
    ours = (pipedoctor, pipedoctor_checks)
    return os.pathsep.join(str(Path(one.__file__ or "").parents[1]) for one in ours)


def paragraphs(page: str) -> dict[str, list[str]]:
    """Return the lines of each paragraph by its name, its head without the name first."""
    found: dict[str, list[str]] = {}
    for line in page.splitlines():
        head = HEAD.match(line)
        if head is not None:
            found[head[2]] = [f"[{head[1]}]{'' if head[3] is None else f' {head[3]}'}"]
        elif found and line:
            found[list(found)[-1]].append(line.strip())
    return found


def steady(page: str, hidden: Mapping[str, str]) -> str:
    """Return a page without what the machine makes of it; `hidden` are texts, and their names."""
    return "\n".join(_steady(page.splitlines(), hidden)) + "\n"


def _steady(lines: Iterable[str], hidden: Mapping[str, str]) -> Iterable[str]:
    machine = False
    for line in lines:
        head = HEAD.match(line)
        if head is not None:
            machine = head[2] in OF_THE_MACHINE
        elif not line.startswith(" "):
            machine = False
        if machine:
            if head is not None:
                yield f"[ ] {head[2]}"
            continue
        text = line
        for value, name in hidden.items():
            text = text.replace(value, name)
        # How many checks pass and are skipped hangs on what the machine tells.
        yield re.sub(r"\d+ checks passed.*", "… checks passed", text)
