"""NumPy's .npy and .npz: headers, and the pickles that arrays of objects are."""

from __future__ import annotations

import re

from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, StoredTensor, Verdict
from pipedoctor.checkpoints.pickles.arrays import CODES
from pipedoctor.checkpoints.pickles.limits import Budget
from pipedoctor.checkpoints.pickles.rebuilding import stored
from pipedoctor.checkpoints.pickles.spans import Span, of_file
from pipedoctor.checkpoints.pickles.verdicts import Judgement, shown, worst
from pipedoctor.checkpoints.pickles.walking import walk

MAGIC = b"\x93NUMPY"
_LONGEST = 65536  # of a header; NumPy itself takes 10,000
_HEADER = re.compile(
    r"""\s*\{\s*'descr'\s*:\s*(?P<descr>'[^'\\]*'|\[.*\])\s*,
    \s*'fortran_order'\s*:\s*(?P<fortran>True|False)\s*,
    \s*'shape'\s*:\s*\((?P<shape>[\d\s,L]*)\)\s*,?\s*\}\s*""",
    re.VERBOSE | re.DOTALL,
)


def read(path: str) -> Contents:
    """Read a .npy file, or the .npy members of a .npz file."""
    with open(path, "rb") as file:
        span = of_file(file)
        if span.at(0, 4) == b"PK\x03\x04":
            return _archive(span)
        return array(span, Budget())


def _archive(span: Span) -> Contents:
    from pipedoctor.checkpoints.pickles import torch_zip

    return torch_zip.contents(span, Budget())


def array(span: Span, budget: Budget) -> Contents:
    """Read one .npy: its header, and the pickle after it where its elements are objects."""
    head = span.at(0, 12)
    wide = head[6:7] > b"\x01"
    length = int.from_bytes(head[8 : 12 if wide else 10], "little")
    begin = 12 if wide else 10
    cut = f"its header ends after its {span.size:,} bytes"
    if len(head) < 12:
        return _bad(FlawKind.TRUNCATED, cut)
    if not head.startswith(MAGIC) or head[6:8] not in {b"\x01\x00", b"\x02\x00", b"\x03\x00"}:
        return _bad(FlawKind.BAD_HEADER, f"its version is {head[6]}.{head[7]}")
    if begin + length > span.size:
        return _bad(FlawKind.TRUNCATED, cut)
    if length > _LONGEST:
        return _bad(FlawKind.LIMIT, f"its header has {length:,} bytes")
    text = span.at(begin, length).decode("utf-8", "replace")
    told = _HEADER.fullmatch(text)
    if told is None:
        return _bad(FlawKind.BAD_HEADER, "its header is none of NumPy's")
    shape = tuple(int(n) for n in re.findall(r"\d{1,18}", told["shape"]))
    data = begin + length
    if _of_objects(told["descr"]):
        return _objects(span, data, budget)
    return _plain(span, told["descr"].strip("'"), shape, data)


def _of_objects(descr: str) -> bool:
    """Whether elements, or a field of them, are objects: the code of their type is an O."""
    return bool(re.search(r"'[|<>=]?O\d*'", descr))


def _plain(span: Span, descr: str, shape: tuple[int, ...], data: int) -> Contents:
    code = descr.lstrip("<>|=")
    dtype = CODES.get(code, shown(descr))
    digits = re.fullmatch(r"[a-zA-Z](\d{1,9})", code)
    width = None
    if digits and code[0] != "M":
        width = int(digits[1]) * (4 if code[0] == "U" else 1)
    tensor = StoredTensor(shape, dtype)
    flaws: list[Flaw] = []
    if width is not None:
        size = tensor.size * width
        # Elements that begin with their highest byte aren't read here.
        place = None if descr.startswith(">") else span.start + data
        tensor = StoredTensor(shape, dtype, bytes=size, offset=place)
        missing = data + size - span.size
        if missing > 0:
            message = f"its array takes {size:,} bytes, and {missing:,} of them are missing"
            flaws.append(Flaw(FlawKind.TRUNCATED, message, offset=span.size))
        elif missing < 0:
            message = f"{-missing:,} bytes follow the array"
            flaws.append(Flaw(FlawKind.TRAILING, message, offset=data + size))
    cut = bool(flaws) and flaws[0].kind is FlawKind.TRUNCATED
    return Contents(
        "NumPy array",
        Verdict.MALFORMED if cut else Verdict.ALLOWED,
        flaws[0].message if cut else "",
        tensors={"": tensor},
        flaws=tuple(flaws),
    )


def _objects(span: Span, data: int, budget: Budget) -> Contents:
    span.file.seek(span.start + data)
    found = walk(span.file, budget, span.start + span.size)
    flaws = list(found.flaws)
    rest = span.start + span.size - found.end
    if found.whole and rest:
        flaws.append(Flaw(FlawKind.TRAILING, f"{rest:,} bytes follow the pickle"))
    trust = Judgement(
        Verdict.NEEDS_TRUST, "it is an array of objects, which are a pickle that NumPy runs"
    )
    judgement = worst([found.judgement, trust])
    return Contents(
        "NumPy array",
        judgement.verdict,
        judgement.reason,
        judgement.offender,
        judgement.offset,
        whole_model=judgement.whole_model,
        tensors={name: stored(t, None) for name, t in found.inventory.tensors.items()},
        values=found.inventory.values,
        flaws=tuple(flaws),
    )


def _bad(kind: FlawKind, message: str) -> Contents:
    return Contents("NumPy array", Verdict.MALFORMED, message, flaws=(Flaw(kind, message),))
