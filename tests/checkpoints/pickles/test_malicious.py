"""None of the files that would run something passes for one that wouldn't, and nothing is run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checkpoints.malicious import FILES
from pipedoctor.checkpoints import pickles
from pipedoctor.checkpoints.contents import Verdict
from pipedoctor.checkpoints.pickles import pickle_file

NOT_READ = {"seven.7z", "seven_renamed.bin"}
TRUST = {"script_plain.pt"}
MALFORMED = {
    # Nothing can run here, because no loader finds a whole pickle; or which bytes are read is open.
    "carriage_return.pkl",
}


def test_there_are_many() -> None:
    assert len(FILES) >= 60


@pytest.mark.parametrize("name", FILES)
def test_not_allowed_and_not_run(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    path = tmp_path / name
    path.write_bytes(FILES[name](str(folder)))
    before = set(sys.modules)
    found = pickles.read(str(path))
    assert found is not None
    assert found.verdict is not Verdict.ALLOWED
    assert not folder.exists()
    imported = {name.partition(".")[0] for name in set(sys.modules) - before}
    assert imported <= {
        "pipedoctor",
        "encodings",
        "zlib",
        "bz2",
        "_bz2",
        "lzma",
        "_lzma",
        "_compression",
    }
    told = [found.format, found.reason, found.offender, *(flaw.message for flaw in found.flaws)]
    assert all("safe" not in text for text in told if "weights_only" not in text)
    assert all(text.isprintable() for text in told)
    print(name, found.verdict.value, "|", found.reason, "|", [f.message for f in found.flaws][:2])
