"""Measuring: CPU time of whole commands, side by side in one run, and results that are kept."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import resource
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def cpu_seconds(command: Sequence[str], environment: Mapping[str, str] | None = None) -> float:
    """Return user and system time of a command that must not fail worse than "found"."""
    variables = {**os.environ, **(environment or {})}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # users have their modules compiled
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=variables, capture_output=True, check=False)
    if done.returncode not in {0, 1}:
        raise SystemExit(
            f"{' '.join(command)} ended with {done.returncode}: {done.stderr.decode()}"
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def side_by_side(
    measures: Mapping[str, Callable[[], float]], rounds: int
) -> dict[str, list[float]]:
    """Return the seconds of each measure in each round; the rounds are interleaved."""
    taken: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            taken[name].append(measure())
    return taken


def timed(function: Callable[[], object]) -> float:
    """Return the CPU seconds of a call in this process."""
    start = time.process_time()
    function()
    return time.process_time() - start


def report(title: str, taken: Mapping[str, Sequence[float]], base: str, *, save: bool) -> None:
    """Print the least time of each measure and its ratio to the base; keep it if asked to."""
    least = {name: min(seconds) for name, seconds in taken.items()}
    width = max(map(len, least))
    print(title)
    for name, seconds in least.items():
        print(
            f"  {name:<{width}}  {seconds * 1000:9.1f} ms  {seconds / least[base]:8.4f} x {base}"
        )
    if save:
        RESULTS.mkdir(exist_ok=True)
        today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
        record = {
            "title": title,
            "date": today,
            "python": platform.python_version(),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores",
            "load": round(os.getloadavg()[0], 1),
            "base": base,
            "rounds": len(next(iter(taken.values()))),
            "least_ms": {name: round(seconds * 1000, 2) for name, seconds in least.items()},
            "ratio": {name: round(seconds / least[base], 4) for name, seconds in least.items()},
        }
        path = RESULTS / f"{title.partition(':')[0].replace(' ', '-')}-{today}.json"
        path.write_text(json.dumps(record, indent=1) + "\n")
        print(f"  kept in {path.relative_to(Path.cwd())}")
