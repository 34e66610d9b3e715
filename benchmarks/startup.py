"""
How long a static answer takes, as a ratio to starting Python and to importing TrainingArguments.

    python benchmarks/startup.py [--rounds 15] [--save]
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
from pathlib import Path

from measuring import cpu_seconds, report, side_by_side

EXAMPLE = Path(__file__).parent.parent / "examples" / "qnli" / "healthy.json"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()

    python = sys.executable
    pipedoctor = str(Path(python).with_name("pipedoctor"))
    static = [pipedoctor, "check", str(EXAMPLE), "--depth", "static"]
    with tempfile.TemporaryDirectory() as cache:
        warm = {"XDG_CACHE_HOME": cache}
        cpu_seconds(static, warm)

        def cold() -> float:
            with tempfile.TemporaryDirectory() as fresh:
                return cpu_seconds(static, {"XDG_CACHE_HOME": fresh})

        taken = side_by_side(
            {
                "python -c pass": functools.partial(cpu_seconds, [python, "-c", "pass"]),
                "check --depth static": functools.partial(cpu_seconds, static, warm),
                "check --depth static, nothing cached": cold,
                "check --depth files": functools.partial(
                    cpu_seconds, [*static[:-1], "files"], warm
                ),
            },
            arguments.rounds,
        )
        taken |= side_by_side(
            {
                "from transformers import TrainingArguments": functools.partial(
                    cpu_seconds, [python, "-c", "from transformers import TrainingArguments"]
                )
            },
            3,
        )
    report("startup: a static answer", taken, "python -c pass", save=arguments.save)


if __name__ == "__main__":
    main()
