"""What a checkpoint file holds: the one record that every reader returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from pipedoctor.facts.model_files import Tensor


class Verdict(str, Enum):
    """What loading a file would run. None of them promises that a file does no harm."""

    ALLOWED = "allowed"
    """Loading it calls nothing but what `torch.load(weights_only=True)` allows, or nothing."""
    NEEDS_TRUST = "needs trust"
    """It names ordinary things beyond that, such as the arguments of a training."""
    UNSAFE = "unsafe"
    """Loading it would call something else: it can run any program."""
    MALFORMED = "malformed"
    """It can't be read to its end, so nobody knows what it would run."""
    UNSUPPORTED = "unsupported"
    """It is in a format that isn't read here."""


class Family(Enum):
    """Whose files these are, or what stands in their place; told by the format, and by nothing else."""

    SAFETENSORS = ("safetensors",)
    TORCH = ("PyTorch zip archive", "PyTorch legacy file", "PyTorch legacy tar")
    TORCHSCRIPT = ("TorchScript archive",)
    EXPORT = ("PyTorch export archive",)
    DISTRIBUTED = (
        "part of a PyTorch distributed checkpoint",
        "PyTorch distributed checkpoint's metadata",
    )
    PICKLE = ("pickle",)
    KERAS = ("Keras archive",)
    KERAS_H5 = ("Keras HDF5", "Keras HDF5 weights")
    HDF5 = ("HDF5",)
    NUMPY = ("NumPy array", "NumPy archive")
    GGUF = ("GGUF",)
    TENSORFLOW = ("TensorFlow checkpoint", "TensorFlow checkpoint data")
    SAVED_MODEL = ("TensorFlow SavedModel",)
    FLAX = ("Flax MessagePack",)
    ZIP = ("zip archive",)
    NO_FILE = ("pipe", "socket", "device", "special file")
    POINTER = ("Git LFS pointer",)
    PAGE = ("HTML page",)
    EMPTY = ("empty file",)
    GZIP = ("gzip stream",)
    STREAM = ("bzip2 stream", "xz stream", "zlib stream", "Zstandard stream", "LZ4 stream")
    SOURCE = ("Python source",)
    OTHER = ()


class FlawKind(str, Enum):
    """The ways in which a file is not what it should be; checks choose by them."""

    NOT_A_CHECKPOINT = (
        "not a checkpoint"  # LFS pointer, HTML, JSON, empty, zeros, a folder, a pipe
    )
    TRUNCATED = "truncated"
    TRAILING = "trailing bytes"
    BAD_HEADER = "bad header"
    BAD_RANGES = "bad ranges"  # overlap, hole, overflow, bytes that don't fit the shape
    DUPLICATE = "duplicate names"
    CHECKSUM = "checksum differs"
    MISSING_FILE = "missing file"  # a shard, the data beside an index
    MISPLACED = "misplaced"  # the index looks for a tensor in a file that doesn't hold it
    OUTSIDE = "outside the folder"  # absolute, ../, a link that leaves
    CODE = "carries code"
    LIMIT = "beyond a limit"  # too deep, too large, too slow to be read to the end


@dataclass(frozen=True)
class StoredTensor(Tensor):
    """
    A tensor with the place of its elements.

    `offset` is where they begin in the file, None where they are packed or unknown; `bytes` their
    length. Tensors of the same `storage` share their memory. `strides` are the steps between
    elements where those do not lie row by row, as in a matrix that was transposed.
    """

    bytes: int | None = None
    offset: int | None = None
    storage: str = ""
    strides: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Flaw:
    """One thing that is wrong: a clause with its figures, and where in the file it is."""

    kind: FlawKind
    message: str
    tensor: str = ""
    offset: int | None = None


@dataclass(frozen=True)
class Contents:
    """
    What a file holds, from its headers.

    `format` is its name in the field's words ("safetensors", "PyTorch zip archive", "Git LFS
    pointer"). `offender` is the global that decides the verdict, as "module.name", at byte
    `offset`. `values` are the plain values beside the tensors, by dotted name ("param_groups.0.lr"),
    `metadata` what the format itself states.
    """

    format: str
    verdict: Verdict
    reason: str = ""
    offender: str = ""
    offset: int | None = None
    tensors: Mapping[str, StoredTensor] = field(default_factory=dict)
    values: Mapping[str, object] = field(default_factory=dict)
    metadata: Mapping[str, object] = field(default_factory=dict)
    flaws: tuple[Flaw, ...] = ()
    whole_model: bool = False
    """Whether it needs trust for a model that was pickled with its classes, not its tensors alone."""

    @property
    def family(self) -> Family:
        """Whose file it is."""
        return _FAMILIES.get(self.format, Family.OTHER)


_FAMILIES = {name: family for family in Family for name in family.value}
