"""
What reading a pickle without running it costs, and what it tells beside other readers.

    python benchmarks/pickles.py [--rounds 5] [--save]

A PyTorch file of 1 GiB is listed, beside `torch.load(mmap=True)` and beside reading its bytes.
Then every file of tests/checkpoints/malicious.py and every ordinary file of torch, NumPy and
Trainer's kind is shown to pipedoctor, to picklescan (as it is, and --strict) and to fickling, each
of them in a virtual environment of its own under .bench, which is made where it is missing. The
files are made here and never loaded. They are our own: the counts say what each reader makes of
the tricks that we know, and no more.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import functools
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Mapping
from pathlib import Path

from measuring import RESULTS, report, side_by_side, timed

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

SCANNERS = {"picklescan": ["picklescan"], "fickling": ["fickling", "typing_extensions"]}

PICKLESCAN = """
import json, logging, sys
logging.disable()
from picklescan.scanner import scan_file_path
answers = {}
for path in json.load(sys.stdin):
    for strict in (False, True):
        try:
            found = scan_file_path(path, strict=strict)
            told = "flagged" if found.issues_count else "error" if found.scan_err else "clean"
        except Exception as error:
            told = "error"
        answers.setdefault("picklescan --strict" if strict else "picklescan", {})[path] = told
print(json.dumps(answers))
"""

FICKLING = """
import json, sys
from fickling import is_likely_safe, scan_zip_archive
import zipfile
answers = {}
for path in json.load(sys.stdin):
    try:
        if zipfile.is_zipfile(path) and open(path, "rb").read(2) == b"PK":
            found = scan_zip_archive(path)
            clean = all(result.is_safe for result in found.values())
            told = ("clean" if clean else "flagged") if found else "not read"
        else:
            told = "clean" if is_likely_safe(path) else "flagged"
    except BaseException as error:
        told = "error"
    answers.setdefault("fickling", {})[path] = told
print(json.dumps(answers))
"""


def interpreter(scanner: str) -> Path:
    """Return the interpreter of a scanner's environment, made where it is missing."""
    folder = ROOT / ".bench" / scanner
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *SCANNERS[scanner]]
        subprocess.run(install, check=True)
        (folder / "ready").touch()
    return python


def asked(scanner: str, script: str, paths: list[str]) -> dict[str, dict[str, str]]:
    """Return what a scanner says of each file."""
    ran = subprocess.run(
        [str(interpreter(scanner)), "-c", script],
        input=json.dumps(paths),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if ran.returncode:
        raise SystemExit(f"{scanner}: {ran.stderr[-2000:]}")
    answers: dict[str, dict[str, str]] = json.loads(ran.stdout.splitlines()[-1])
    return answers


def own(paths: list[str]) -> dict[str, str]:
    """Return our own verdicts, in the words of the table."""
    from pipedoctor.checkpoints import pickles
    from pipedoctor.checkpoints.contents import Verdict

    words = {
        Verdict.ALLOWED: "clean",
        Verdict.NEEDS_TRUST: "needs trust",
        Verdict.UNSAFE: "flagged",
        Verdict.MALFORMED: "error",
        Verdict.UNSUPPORTED: "not read",
    }
    found = {path: pickles.read(path) for path in paths}
    return {path: words[each.verdict] if each else "not read" for path, each in found.items()}


def table(title: str, paths: list[str]) -> dict[str, dict[str, int]]:
    """Print and return how many files each reader flags, passes, or can't read."""
    answers = {"pipedoctor": own(paths)}
    answers |= asked("picklescan", PICKLESCAN, paths) | asked("fickling", FICKLING, paths)
    columns = ("flagged", "needs trust", "error", "not read", "clean")
    print(f"{title}: {len(paths)} files")
    print(f"  {'':<20}" + "".join(f"{column:>12}" for column in columns))
    counts = {}
    for reader, told in answers.items():
        counted = collections.Counter(told.values())
        counts[reader] = {column: counted[column] for column in columns}
        print(f"  {reader:<20}" + "".join(f"{counted[column]:>12}" for column in columns))
    return counts


def malicious(folder: Path) -> list[str]:
    """Write the files that would run something."""
    from checkpoints.malicious import FILES

    for name, build in FILES.items():
        (folder / name).write_bytes(build(str(folder / "made")))
    return [str(folder / name) for name in FILES]


def ordinary(folder: Path) -> list[str]:
    """Write the files that torch, NumPy and joblib write by themselves, without code in them."""
    from checkpoints import ordinary as files

    made = [*files.torch_files(folder), *files.pickle_files(folder), *files.array_files(folder)]
    made += [p for p in files.trainer_files(folder / "run").iterdir() if p.suffix in _TRAINER]
    made.append(files.distributed_files(folder) / ".metadata")
    return [str(p) for p in made if not p.name.startswith(("whole_model", "function"))]


_TRAINER = {".pt", ".pth", ".bin"}


def large(path: Path) -> None:
    """Write a PyTorch file of 1 GiB whose elements take no room on the disk."""
    import torch

    state = {f"layer.{n}.weight": torch.empty(2048, 2048) for n in range(64)}
    with torch.serialization.skip_data():
        torch.save(state, path)


def listed(path: Path) -> None:
    """List the tensors of a file."""
    from pipedoctor.checkpoints import pickles

    found = pickles.read(str(path))
    assert found is not None
    assert len(found.tensors) == 64


def loaded(path: Path) -> None:
    """Load it, its elements mapped and not read."""
    import torch

    torch.load(path, mmap=True, weights_only=True)


def read_whole(path: Path) -> None:
    """Read all its bytes."""
    with path.open("rb") as file:
        while file.read(2**20):
            pass


def speed(rounds: int, *, save: bool) -> None:
    """Measure the listing of a large file; the first round warms up."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.bin"
        large(path)
        measures = {
            "pipedoctor lists it": functools.partial(timed, lambda: listed(path)),
            "torch.load(mmap=True)": functools.partial(timed, lambda: loaded(path)),
            "reading its bytes": functools.partial(timed, lambda: read_whole(path)),
        }
        side_by_side(measures, 1)
        taken = side_by_side(measures, rounds)
    report("pickles: a PyTorch file of 1 GiB", taken, "reading its bytes", save=save)


def keep(tables: Mapping[str, object]) -> None:
    """Keep the tables with their date."""
    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    path = RESULTS / f"pickle-readers-{today}.json"
    path.write_text(json.dumps({"date": today, **tables}, indent=1) + "\n")
    print(f"  kept in {path.relative_to(ROOT)}")


def main() -> None:
    """Measure, and compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    speed(arguments.rounds, save=arguments.save)
    with tempfile.TemporaryDirectory() as folder:
        bad, good = Path(folder) / "bad", Path(folder) / "good"
        bad.mkdir()
        good.mkdir()
        tables = {
            "files that would run something": table("would run something", malicious(bad)),
            "ordinary files": table("ordinary", ordinary(good)),
        }
        assert not (bad / "made").exists()
    if arguments.save:
        keep(tables)


if __name__ == "__main__":
    main()
