"""What lies where a checkpoint should: a pointer, a page, a text, nothing; and the way out."""

from __future__ import annotations

import codecs
import re

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.opening import Source, shown

HEAD = 4096
ZEROS = 64 * 2**10
"""A file is called zero-filled after so many zeros at its beginning, its middle and its end."""

LFS = re.compile(rb"\s*version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/")
LFS_SIZE = re.compile(rb"^size ([0-9]{1,20})\s*$", re.MULTILINE)
HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|body|!--)", re.IGNORECASE)
XML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:\?xml|Error>)", re.IGNORECASE)
JSON = re.compile(rb"(?:\xef\xbb\xbf)?\s*[{\[]")

PYTHON = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s*#[^\n]*\n)*\s*"
    rb"(?:import [\w.]+|from [\w.]+ import |class \w+.*:|def \w+\(|@\w+|\"\"\"|'''|if __name__)"
)

ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7-Zip archive",
    b"Rar!\x1a\x07": "RAR archive",
    b"%PDF-": "PDF document",
    b"\x89PNG\r\n\x1a\n": "PNG image",
    b"\xff\xd8\xff": "JPEG image",
    b"PAR1": "Parquet table",
    b"ARROW1": "Arrow table",
    b"\x7fELF": "program",
    b"SQLite format 3\x00": "SQLite database",
}
"""Other things by their first bytes. In an archive, a checkpoint may lie packed."""

DOWNLOAD = "download the file again and compare its size with the one that its page states"


def empty() -> Contents:
    """Say that nothing was written."""
    return _contents(
        "empty file",
        "it has 0 bytes: the disk was full, or what wrote it was stopped; save or download it "
        "again",
        Verdict.MALFORMED,
    )


def no_file(what: str) -> Contents:
    """Say that something else than a file is there."""
    return _contents(what, f"it is a {what}, where a file is expected")


def recognised(source: Source) -> Contents | None:
    """Return what a file is, if it is one of the things that are no checkpoint."""
    head = source.read(0, HEAD)
    if LFS.match(head):
        return _pointer(head)
    if HTML.match(head):
        return _page(head, "HTML page", source.size)
    if XML.match(head):
        return _page(head, "XML answer", source.size)
    for magic, name in ARCHIVES.items():
        if head.startswith(magic):
            what = f"it is a {name}"
            how = "unpack it and name the file that is in it" if "archive" in name else DOWNLOAD
            return _contents(name, f"{what}: {how}")
    if _zeros(source):
        return _contents(
            "zero-filled file",
            f"its {source.size:,} bytes are zeros, at least at its beginning, middle and end: room "
            f"was reserved and nothing was written there, as by a stopped download; {DOWNLOAD}",
            Verdict.MALFORMED,
        )
    return None


def unknown(source: Source) -> Contents:
    """Say what a file seems to be that no reader knows."""
    head = source.read(0, HEAD)
    if _is_text(head):
        first = head.decode("utf-8", "replace").strip().partition("\n")[0].strip()
        if PYTHON.match(head):
            return _contents(
                "Python source",
                f"it is Python source of {source.size:,} bytes that begins with "
                f"{shown(first, 60)!r}; name the file that it saves, or examine it with "
                "`pipedoctor check`",
            )
        return _contents(
            "text",
            f"it is a text of {source.size:,} bytes that begins with {shown(first, 60)!r}; "
            f"{DOWNLOAD}",
        )
    return _contents(
        "unknown format",
        f"its {source.size:,} bytes begin with {head[:8].hex(' ')}, which is the beginning of no "
        f"format that is known here; {DOWNLOAD}",
    )


def json_text(size: int, said: str = "") -> Contents:
    """Say that a file holds JSON, and no tensors."""
    what = f"it is JSON of {size:,} bytes and holds no tensors"
    if said:
        what = f"it is the answer of a server: {shown(said, 120)!r}"
    return _contents("JSON", f"{what}; {DOWNLOAD}")


def _pointer(head: bytes) -> Contents:
    size = LFS_SIZE.search(head)
    whole = f" of {int(size[1]):,} bytes" if size else ""
    return _contents(
        "Git LFS pointer",
        f"it is the Git LFS pointer to a file{whole}, and that file is not here: run "
        "`git lfs install` once and then `git lfs pull` in its repository",
    )


def _page(head: bytes, what: str, size: int) -> Contents:
    title = re.search(
        rb"<(title|Message|Code)>\s*(.{1,120}?)\s*</\1>", head, re.DOTALL | re.IGNORECASE
    )
    said = f", {shown(title[2].decode('utf-8', 'replace'), 60)!r}" if title else ""
    return _contents(
        what,
        f"it is an {what} of {size:,} bytes{said}: the download got that instead of the file, as "
        f"for an address that is wrong or wants a login; {DOWNLOAD}",
    )


def _zeros(source: Source) -> bool:
    places = (0, max(0, source.size // 2 - ZEROS // 2), max(0, source.size - ZEROS))
    return not any(any(source.read(place, ZEROS)) for place in places)


def _is_text(head: bytes) -> bool:
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)  # its last letter may be cut
    except UnicodeDecodeError:
        return False
    return not any(ord(letter) < 32 and letter not in "\t\n\r\f\x1b" for letter in text)


def _contents(name: str, message: str, verdict: Verdict = Verdict.UNSUPPORTED) -> Contents:
    flaw = Flaw(FlawKind.NOT_A_CHECKPOINT, message, offset=0)
    return Contents(name, verdict, message, flaws=(flaw,))
