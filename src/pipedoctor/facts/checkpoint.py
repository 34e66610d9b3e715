"""A checkpoint as it lies on the disk: a file, or a folder of files that belong together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pipedoctor.checkpoints.contents import Contents, StoredTensor, Verdict
from pipedoctor.fact import UNKNOWN, Fact, Unavailable

WEIGHTS = (
    "adapter_model.safetensors",
    "adapter_model.bin",
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
"""The files that a loader looks for, in its order: the first that is there is taken."""

STATES = ("optimizer", "scheduler", "rng_state", "scaler", "training_args")
"""What the names of the files begin with that hold the state of a training, no weights."""

OPTIMIZER = "_optim_states.pt"
"""What the names of DeepSpeed's files with the state of the optimizer end in, one a process."""

SUFFIXES = (
    *(".bin", ".ckpt", ".data-00000-of-00001", ".dill", ".distcp", ".gguf", ".h5", ".hdf5"),
    *(".index", ".index.json", ".joblib", ".keras", ".msgpack", ".npy", ".npz", ".onnx", ".pb"),
    *(".pickle", ".pkl", ".pt", ".pt2", ".pth", ".safetensors"),
)
"""What the names of files with weights or states end in; the format is told by the bytes."""


@dataclass(frozen=True)
class StoredFile:
    """One file: its name inside the checkpoint, its bytes, and what is in it."""

    name: str
    path: str
    size: int
    contents: Contents

    @property
    def index(self) -> bool:
        """Whether it says which file holds which tensor, and holds none itself."""
        return self.name.endswith(".index.json")

    @property
    def part(self) -> bool:
        """Whether it holds pieces of tensors that the list of the checkpoint tells whole."""
        return self.name.endswith(".distcp")

    @property
    def state(self) -> bool:
        """Whether it holds the state of a training, by its name."""
        name = self.name.rpartition("/")[2]
        return name.startswith(STATES) or name.endswith(OPTIMIZER)

    @property
    def expected(self) -> bool:
        """Whether its name promises weights or a state, so that a loader may take it."""
        return self.name.endswith(SUFFIXES) or self.name.rpartition("/")[2] == ".metadata"

    @property
    def sound(self) -> bool:
        """Whether what was read of it can be relied on."""
        return not self.contents.flaws and self.contents.verdict is not Verdict.MALFORMED


@dataclass(frozen=True, repr=False, eq=False)
class Checkpoint(Fact):
    """
    The files of one checkpoint.

    `kind` is "file", "model", "adapter", "trainer", "deepspeed", "dcp", "keras", "tensorflow" or
    "unknown". `config` is its config.json or adapter_config.json, `state` its trainer_state.json;
    `missing` names the files that a whole checkpoint of its kind has and this one hasn't. `beside`
    are the names of its other files, which hold no weights, with their bytes.
    """

    doing = "Reading the checkpoint"

    path: str
    kind: str
    files: tuple[StoredFile, ...]
    missing: tuple[str, ...] = ()
    config: Mapping[str, object] = UNKNOWN
    state: Mapping[str, object] = UNKNOWN
    state_file: str = ""
    """Where the state was read: of a run that saved its model at last, in the newest checkpoint."""
    tokens: int = UNKNOWN
    """One more than the highest token id of its tokenizer."""
    base: Checkpoint = UNKNOWN
    """The model that an adapter was made for, where it lies on this machine."""
    beside: Mapping[str, int] = UNKNOWN
    tag: str = UNKNOWN
    """The folder of DeepSpeed that `latest` names as the one to load."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """The configs that are there and can't be read, each with the reason."""
    weight_map: Mapping[str, str] = UNKNOWN
    """Which file holds which tensor, as the index that is taken says."""

    @property
    def adapter(self) -> bool:
        """Whether it holds what is put on top of a model: its config is PEFT's."""
        return self.kind == "adapter" or (self.known("config") and "peft_type" in self.config)

    @property
    def zero(self) -> tuple[str, ...]:
        """The folders in it that DeepSpeed wrote, one for each save."""
        ours = (f.name for f in self.files if f.name.endswith((OPTIMIZER, "_model_states.pt")))
        return tuple(dict.fromkeys(name.rpartition("/")[0] for name in ours))

    @property
    def judged(self) -> tuple[StoredFile, ...]:
        """The files that should be checkpoints: all but what merely stands beside them."""
        if self.kind == "file":
            return self.files
        return tuple(file for file in self.files if file.expected)

    @property
    def size(self) -> int:
        """The bytes of all its files."""
        others = self.beside if self.known("beside") else {}
        return sum(file.size for file in self.files) + sum(others.values())

    @property
    def weights(self) -> tuple[StoredFile, ...]:
        """The files that a loader reads the weights from; the index first, where there is one."""
        if self.kind == "file":
            return self.files
        by_name = {file.name: file for file in self.files}
        for name in WEIGHTS:
            if name not in by_name:
                continue
            if not by_name[name].index:
                return (by_name[name],)
            shards = set(self.weight_map.values()) if self.known("weight_map") else set()
            return (by_name[name], *(file for file in self.files if file.name in shards))
        if self.kind in {"model", "adapter", "trainer"}:
            return ()
        return tuple(file for file in self.files if not file.state)

    @property
    def tensors(self) -> Mapping[str, StoredTensor]:
        """
        The tensors of its weights, by their names.

        Reading them raises `Unavailable` where a file of them is missing or damaged: which
        tensors there would be, nobody knows then.
        """
        found: dict[str, StoredTensor] = {}
        for file in self.weights:
            if not file.sound:
                raise Unavailable(f"{file.name} is damaged, which is told by itself")
            if not file.index and (self.kind == "file" or not file.part):
                found |= file.contents.tensors
        if not found:
            raise Unavailable(f"{self.path} holds no tensors that can be read here")
        return found

    @property
    def parameters(self) -> int:
        """The number of elements of the floating-point tensors, shared ones counted once."""
        alone = self.kind == "file"
        held = (file for file in self.weights if not file.index and (alone or not file.part))
        return sum(parameters(file.contents.tensors) for file in held)

    def summary(self) -> Mapping[str, object]:
        """Tell what it is."""
        return {"path": self.path, "kind": self.kind, "files": len(self.files)}

    def figures(self) -> Mapping[str, object]:
        """Return the inventory that `pipedoctor checkpoint` shows."""
        from pipedoctor.checkpoints.inventory import inventory

        return inventory(self)


def parameters(tensors: Mapping[str, StoredTensor]) -> int:
    """Return the number of elements of a file's floating-point tensors, shared ones once."""
    seen: dict[object, int] = {}
    for name, tensor in tensors.items():
        if tensor.floating:
            key: object = (tensor.storage, tensor.offset, tensor.shape) if tensor.storage else name
            seen[key] = tensor.size
    return sum(seen.values())
