"""None of the files that would run something passes for one that wouldn't, and nothing is run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from checkpoints.malicious import FILES

from pipedoctor.checkpoints import pickles
from pipedoctor.checkpoints.contents import Verdict

OTHER = {
    "seven.7z": Verdict.UNSUPPORTED,
    "seven_renamed.bin": Verdict.UNSUPPORTED,
    "script_plain.pt": Verdict.NEEDS_TRUST,
    # The bytes of the pickle can't be had, or loaders disagree on which they are.
    "hidden_member.bin": Verdict.MALFORMED,
    "torch_bzip2.bin": Verdict.MALFORMED,
    "torch_no_header.bin": Verdict.MALFORMED,
    "torch_unknown_method.bin": Verdict.MALFORMED,
    "two_ends_bad_first.bin": Verdict.MALFORMED,
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
    assert found.verdict is OTHER.get(name, Verdict.UNSAFE)
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
