"""
What examining a checkpoint costs: large headers in time and memory, and the scan beside reading.

    python benchmarks/large_checkpoints.py [--rounds 5] [--save]

A safetensors file of 5 GB whose elements take no room on the disk, and one of 200,000 tensors,
are each read in a process of their own, beside one that only starts. Then every element of a file
of 512 MB is looked at, as `pipedoctor checkpoint FILE --scan` does, with numpy and without,
beside reading the bytes of that file once.
"""

from __future__ import annotations

import argparse
import datetime as dt
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import RESULTS, report, side_by_side, timed

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

SCANNED = 512_000_000

CHILD = """
import sys, time
from pipedoctor.checkpoints import formats, safetensors
def peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
before, begin = peak(), time.process_time()
if len(sys.argv) > 1:
    assert formats.read(sys.argv[1]).tensors
print(time.process_time() - begin, (peak() - before) / 1000)
"""


def read(path: Path) -> tuple[float, float]:
    """Return the CPU seconds and the megabytes that reading a file adds to starting."""
    ran = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], capture_output=True, text=True, check=True
    )
    seconds, megabytes = ran.stdout.split()
    return float(seconds), float(megabytes)


def headers(folder: Path, rounds: int, *, save: bool) -> None:
    """Measure what large headers cost: the least of some rounds."""
    from checkpoints import headers as made

    results = {}
    for title, write in (("5 GB, 320 tensors", made.sparse), ("200,000 tensors", made.many)):
        path = folder / "model.safetensors"
        write(path)
        taken = [read(path) for _ in range(rounds)]
        path.unlink()
        seconds, megabytes = (min(values) for values in zip(*taken, strict=True))
        results[title] = {"ms": round(seconds * 1000, 1), "MB": round(megabytes, 1)}
        print(f"  {title:<22}{seconds * 1000:>10.1f} ms{megabytes:>10.1f} MB beyond start-up")
    if save:
        today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
        path = RESULTS / f"checkpoint-headers-{today}.json"
        record = {"date": today, "rounds": rounds, "beyond start-up": results}
        path.write_text(json.dumps(record, indent=1) + "\n")
        print(f"  kept in {path.relative_to(ROOT)}")


def weights(path: Path) -> None:
    """Write float32 weights that are neither zero nor odd."""
    from checkpoints import fixtures

    block = bytes(range(1, 60)) * 17 * 1024  # no byte of it makes an exponent full
    count = SCANNED // 16 // 4
    names = [f"layer.{n}.weight" for n in range(16)]
    header = {
        name: {
            "dtype": "F32",
            "shape": [count],
            "data_offsets": [4 * count * n, 4 * count * (n + 1)],
        }
        for n, name in enumerate(names)
    }
    with path.open("wb") as file:
        file.write(fixtures.headed(header, b""))
        left = 4 * count * len(names)
        while left:
            left -= file.write(block[:left])


def scan(path: Path, *, many: bool) -> None:
    """Look at every element, with numpy where they are `many`."""
    from pipedoctor.checkpoints import elements, formats

    tensors = formats.read(str(path)).tensors
    with path.open("rb") as file:
        for tensor in tensors.values():
            found = elements.look(file, tensor, many=many)
            assert not found.nan
            assert not found.all_zero


def read_whole(path: Path) -> None:
    """Read all bytes once."""
    with path.open("rb", buffering=0) as file:
        while file.read(2**20):
            pass


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    print("checkpoint headers")
    with tempfile.TemporaryDirectory() as folder:
        headers(Path(folder), arguments.rounds, save=arguments.save)
        path = Path(folder) / "model.safetensors"
        weights(path)
        measures = {
            "with numpy": functools.partial(timed, lambda: scan(path, many=True)),
            "without": functools.partial(timed, lambda: scan(path, many=False)),
            "reading its bytes": functools.partial(timed, lambda: read_whole(path)),
        }
        side_by_side(measures, 1)  # it lies in memory then, and numpy is imported
        taken = side_by_side(measures, arguments.rounds)
    size = f"{SCANNED // 1_000_000} MB"
    report(f"checkpoint scan: {size}", taken, "reading its bytes", save=arguments.save)


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
