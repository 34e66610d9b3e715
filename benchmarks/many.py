"""
How long many configs take in one call, as a pre-commit hook checks them, against one of them.

    python benchmarks/many.py [--configs 1000] [--rounds 3] [--save]
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import tempfile
from pathlib import Path

from measuring import cpu_seconds, report, side_by_side

EXAMPLES = Path(__file__).parent.parent / "examples" / "qnli"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--configs", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()

    static = [sys.executable, "-m", "pipedoctor", "check", "--depth", "static"]
    with tempfile.TemporaryDirectory() as folder:
        configs = [str(path) for path in written(Path(folder), arguments.configs)]
        several = f"{arguments.configs:,} configs"
        formats = {name: [*static, "--output-format", name, *configs] for name in FORMATS}
        measures = {"one config": functools.partial(cpu_seconds, [*static, configs[0]])}
        measures |= {
            f"{several}, {name}": functools.partial(cpu_seconds, words)
            for name, words in formats.items()
        }
        taken = side_by_side(measures, arguments.rounds)
    report("many: configs in one call", taken, "one config", save=arguments.save)


FORMATS = ("concise", "sarif", "junit")


def written(folder: Path, number: int) -> list[Path]:
    """Write so many configs, each unlike the others, half of them broken."""
    stated = [
        json.loads((EXAMPLES / name).read_text()) for name in ("healthy.json", "broken.json")
    ]
    paths = []
    for count in range(number):
        path = folder / f"train_{count:05}.json"
        path.write_text(json.dumps(stated[count % 2] | {"seed": count}, indent=1))
        paths.append(path)
    return paths


if __name__ == "__main__":
    main()
