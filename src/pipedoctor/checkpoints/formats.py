"""Which reader reads a file: told by its structure and first bytes, never by its name."""

from __future__ import annotations

from collections.abc import Callable

from pipedoctor.checkpoints import not_checkpoints
from pipedoctor.checkpoints.contents import Contents, Flaw, FlawKind, Verdict
from pipedoctor.checkpoints.opening import NotAFile, Source, opened
from pipedoctor.fact import Unavailable

Reader = Callable[[str], Contents]

HEAD = 4096

HDF5 = b"\x89HDF\r\n\x1a\n"
NUMPY = b"\x93NUMPY"
ZIP = (b"PK\x03\x04", b"PK\x05\x06")
COMPRESSED = (
    b"\x1f\x8b",  # gzip
    b"BZh",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",  # zstd
    b"\x04\x22\x4d\x18",  # lz4
    b"ZF",  # joblib, long ago
)
ZLIB = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
TEXTS = ("text", "Python source")
"""The formats of texts, as far as they are told apart."""
TABLE = (0xDB4775248B80FB57).to_bytes(8, "little")
"""The last bytes of a table as TensorFlow and LevelDB write it."""


def read(path: str) -> Contents:
    """
    Return what a file holds, whatever it is.

    A folder is read if it is a SavedModel; another one, a pipe or a device is no checkpoint.

    Raises:
        Unavailable: The file isn't there or can't be opened.

    """
    try:
        with opened(path) as source:
            reader = _reader(source)
    except NotAFile as other:
        if other.what == "folder":
            from pipedoctor.checkpoints import tensorflow_checkpoint

            return tensorflow_checkpoint.folder(path)
        return not_checkpoints.no_file(other.what)
    if isinstance(reader, Contents):
        return reader
    try:
        return reader(path)
    except OSError as error:
        raise Unavailable(f"{path} can't be read: {error.strerror or error}") from None
    except (MemoryError, RecursionError) as error:
        return _beyond(type(error).__name__)


def _reader(source: Source) -> Reader | Contents:
    """Return the reader of a file, or at once what it is."""
    from pipedoctor.checkpoints import safetensors

    head = source.read(0, HEAD)
    if not head:
        return not_checkpoints.empty()
    magic = _by_magic(source, head)
    if magic is not None:
        return magic
    if safetensors.looks_like(head):
        return safetensors.read
    found = not_checkpoints.recognised(source)
    if found is not None:
        return found
    if not_checkpoints.JSON.match(head):
        from pipedoctor.checkpoints import sharded

        return sharded.read
    return _without_magic(source, head)


def _by_magic(source: Source, head: bytes) -> Reader | None:
    """Return the reader that the first or the last bytes call for."""
    # A block of the user's may stand before HDF5: 512 bytes, 1024, 2048...
    if any(source.read(place, 8) == HDF5 for place in (0, 512, 1024, 2048)):
        from pipedoctor.checkpoints import hdf5

        return hdf5.read
    if head.startswith(b"GGUF"):
        from pipedoctor.checkpoints import gguf

        return gguf.read
    if head.startswith(NUMPY):
        from pipedoctor.checkpoints.pickles import numpy_file

        return numpy_file.read
    if head.startswith(ZIP):
        return _zip(source)
    if head.startswith(COMPRESSED + ZLIB):
        from pipedoctor.checkpoints.pickles import compressed

        return compressed.read
    if source.size >= 48 and source.read(source.size - 8, 8) == TABLE:
        from pipedoctor.checkpoints import tensorflow_checkpoint

        return tensorflow_checkpoint.read
    return None


def _zip(source: Source) -> Reader:
    """Return the reader of a zip archive, by the names in it."""
    from pipedoctor.checkpoints import zip_names

    if source.path.endswith(".distcp"):  # only the list beside it tells where each one ends
        from pipedoctor.checkpoints.pickles import parts

        return parts.read
    names = zip_names.names(source)
    if {"config.json", "metadata.json"} & names and not any("/data.pkl" in n for n in names):
        from pipedoctor.checkpoints import keras_archive

        return keras_archive.read
    if names and all(name.endswith(".npy") for name in names):
        from pipedoctor.checkpoints.pickles import numpy_file

        return numpy_file.read
    from pipedoctor.checkpoints.pickles import torch_zip

    return torch_zip.read


def _without_magic(source: Source, head: bytes) -> Reader | Contents:
    """Return the reader of a format that is known only by how it goes on."""
    from pipedoctor.checkpoints import tar_header, zip_names

    if tar_header.begins(head):
        from pipedoctor.checkpoints.pickles import legacy_tar

        return legacy_tar.read
    if head[:1] == b"\x80":
        from pipedoctor.checkpoints.pickles import pickle_file

        return pickle_file.read
    from pipedoctor.checkpoints import msgpack

    if msgpack.looks_like(head):
        return msgpack.read
    if zip_names.has_end(source):
        # Something before an archive: Python's zipfile and others look for it from the end.
        return _zip(source)
    return _old_pickle


def _old_pickle(path: str) -> Contents:
    """Return what an unmarked pickle holds, else what the file seems to be."""
    from pipedoctor.checkpoints import tensorflow_checkpoint

    with opened(path) as source:
        beside = tensorflow_checkpoint.data_beside(path, source)
        if beside is not None:
            return beside
        otherwise = not_checkpoints.unknown(source)
        if otherwise.format in TEXTS and not _begins_with_a_name(source.read(0, HEAD)):
            return otherwise
    from pipedoctor.checkpoints.pickles import pickle_file

    # Protocols 0 and 1 have no mark of their own: what can be read to its end as one, is one.
    found = pickle_file.read(path)
    if found.verdict is Verdict.MALFORMED and not found.offender:
        return otherwise
    return found


def _begins_with_a_name(head: bytes) -> bool:
    """
    Whether a text can be an old pickle that names a module first, if it does.

    "import os" is such an opcode and the module "mport os": what can't be imported ends the
    loading there, before anything is run.
    """
    if head[:1] not in {b"c", b"i"}:
        return True
    module = head[1:].partition(b"\n")[0].decode("utf-8", "replace")
    return all(part.isidentifier() for part in module.split("."))


def _beyond(what: str) -> Contents:
    message = f"reading it took more than is allowed here ({what})"
    flaw = Flaw(FlawKind.LIMIT, message)
    return Contents("unknown format", Verdict.UNSUPPORTED, message, flaws=(flaw,))
