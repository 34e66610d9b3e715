"""What the checkpoint that a training goes on from would put back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact
from pipedoctor.facts.run_folder import Saved
from pipedoctor.finding import NOWHERE, Location


@dataclass(frozen=True)
class StoredGroup:
    """A group of parameters in a saved optimizer: how many it has, and its values by name."""

    parameters: tuple[int, ...]
    values: Mapping[str, object]


@dataclass(frozen=True, repr=False, eq=False)
class Restored(Fact):
    """
    The checkpoint that `train(resume_from_checkpoint=…)` takes, broken or not, and its state.

    `groups` are those of the saved optimizer, `moments` the shapes of what it remembers of each
    parameter, by the parameter's number: `{0: {"exp_avg": (768, 768)}}`. Both are `UNKNOWN` where
    there is no optimizer.pt that can be read. `wanted` is the kind of optimizer that this run
    makes, as `kind` names the saved one: "adamw", "sgd", "adafactor", "rmsprop" or "adagrad".
    """

    doing = "Reading the checkpoint to resume from"

    saved: Saved
    where: Location = NOWHERE
    whole: str = UNKNOWN
    """The newest checkpoint beside it that a training can go on from; "" if there is none."""
    groups: tuple[StoredGroup, ...] = UNKNOWN
    moments: Mapping[int, Mapping[str, tuple[int, ...]]] = UNKNOWN
    wanted: str = UNKNOWN
    folders: bool = False
    """Whether there are folders in it."""
    arguments: Mapping[str, object] = UNKNOWN
    """The plain ones of the arguments in training_args.bin."""

    @property
    def path(self) -> str:
        """Its folder."""
        return self.saved.checkpoint.path

    @property
    def names(self) -> frozenset[str]:
        """The names of its files."""
        held = self.saved.checkpoint
        return frozenset(file.name for file in held.files) | frozenset(
            held.beside if held.known("beside") else ()
        )

    @property
    def loads_optimizer(self) -> bool:
        """Whether Trainer puts the optimizer's state back: only if the schedule's is there, too."""
        return {"optimizer.pt", "scheduler.pt"} <= self.names

    @property
    def sharded(self) -> bool:
        """Whether DeepSpeed or FSDP saved it, which keep their states in files of their own."""
        return any("/" in name or name.startswith("pytorch_model_fsdp") for name in self.names)

    @property
    def in_parts(self) -> bool:
        """Whether weights may lie in other files than Trainer's: heads, modules, folders."""
        held = self.saved.checkpoint
        known = {file.name for file in held.weights}
        others = (file for file in held.files if file.expected and not file.state)
        return (
            "modules.json" in self.names
            or self.folders
            or any(file.name not in known for file in others)
        )

    @property
    def kind(self) -> str:
        """The kind of the saved optimizer by the names of its values; "" where it is none of these."""
        values = self.groups[0].values if self.groups else {}
        return next((kind for kind, keys in KEYS.items() if keys <= set(values)), "")

    def summary(self) -> Mapping[str, object]:
        """Tell which it is."""
        return {"path": self.path, "broken": self.saved.broken}


KEYS = {
    "adafactor": {"decay_rate", "relative_step"},
    "adamw": {"betas", "eps", "amsgrad"},
    "sgd": {"momentum", "nesterov"},
    "rmsprop": {"alpha", "centered"},
    "adagrad": {"lr_decay", "initial_accumulator_value"},
}
"""What only the groups of one kind of optimizer hold, in PyTorch and transformers."""
