"""
Pickles, and the files that are made of them, read without running them.

`reader` is a machine that follows a pickle's opcodes and writes down what it would import and
call; `verdicts` judges that by two lists, `allowed` and `trusted`; `inventory` names the tensors
and values. The other modules know a format each: pickles one after the other, PyTorch's three,
NumPy's, joblib's, and compressed streams. What reading costs is bounded by `limits`.
"""

from __future__ import annotations

from pipedoctor.checkpoints.contents import Contents

_STREAMS = (
    b"\x1f\x8b",
    b"x\x01",
    b"x\x5e",
    b"x\x9c",
    b"x\xda",
    b"BZh",
    b"\xfd7zXZ",
    b"\x5d\x00\x00",
    b"7z\xbc\xaf",
    b"Rar!\x1a\x07",
    b"\x28\xb5\x2f\xfd",
    b"\x04\x22\x4d\x18",
)


def read(path: str) -> Contents | None:
    """
    Return what a file of pickles holds, whatever it is called, or None where it is no such file.

    What the operating system has against reading it is raised as `OSError`.
    """
    with open(path, "rb") as file:
        begin = file.read(512)
    if begin.startswith(b"PK\x03\x04"):
        from pipedoctor.checkpoints.pickles import torch_zip

        return torch_zip.read(path)
    if begin.startswith(b"\x93NUMPY"):
        from pipedoctor.checkpoints.pickles import numpy_file

        return numpy_file.read(path)
    if begin[257:262] == b"ustar":
        from pipedoctor.checkpoints.pickles import legacy_tar

        return legacy_tar.read(path)
    if begin.startswith(_STREAMS):
        from pipedoctor.checkpoints.pickles import compressed

        return compressed.read(path)
    from pipedoctor.checkpoints.pickles import pickle_file

    found = pickle_file.read(path)
    return found if found.metadata.get("pickles", 1) else None
