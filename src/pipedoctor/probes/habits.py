"""What releases of transformers do differently, as far as their sources were read."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Unavailable
from pipedoctor.facts.arguments import version_key


@dataclass(frozen=True, repr=False, eq=False)
class Habit:
    """
    Something that Trainer began to do at some release.

    `lacking` is the last release known without it, `having` the first one known with it; which
    of those in between began it was not looked up.
    """

    what: str
    lacking: str
    having: str

    def known(self, version: str) -> bool | None:
        """Whether a version does it; None where that is not known."""
        if version_key(version) <= version_key(self.lacking):
            return False
        return True if version_key(version) >= version_key(self.having) else None

    def unknown(self, version: str) -> Unavailable:
        """Say why something that hangs on it can't be told for a version."""
        return Unavailable(
            f"whether transformers {version} {self.what} is not known: {self.lacking} does not, "
            f"{self.having} does"
        )


ALIGNS_TOKENS = Habit("gives the model the special tokens of its tokenizer", "4.55.4", "4.56.0")
"""When a training starts, that is, with those of Trainer's `processing_class` (pull request 38441)."""
KNOWS_DTYPE = Habit("has `dtype` for the `torch_dtype` of from_pretrained", "4.55.4", "4.56.0")
ROUNDS_SHARES = Habit("allows for the rounding of shares of all steps", "4.46.3", "5.23.0")
SHORT_GROUPS = Habit(
    "makes a step of the last batches of an epoch that fill no accumulation", "4.49.0", "4.53.3"
)
ZERO_IS_A_LIMIT = Habit("ends a training with max_steps 0 after one step", "4.46.3", "4.49.0")
CHECKPOINT_AT_END = Habit("saves the last step whatever its number", "4.40.2", "4.43.4")
EVALUATION_AT_END = Habit("evaluates at the last step whatever its number", "5.0.0", "5.6.0")
KEEPS_DTYPE = Habit("loads a model in the dtype of its checkpoint", "4.57.6", "5.0.0")
WARMUP_IS_A_SHARE = Habit("takes warmup_steps below 1 for a share", "4.57.6", "5.0.0")
REFUSES_LOAD_IN_BITS = Habit("refuses load_in_4bit in from_pretrained", "4.57.6", "5.0.0")
CHAT_IS_A_MAPPING = Habit(
    "returns a mapping from a tokenizer's apply_chat_template", "4.57.6", "5.23.0"
)
NO_OLD_CACHE = Habit("no longer reads TRANSFORMERS_CACHE", "4.57.6", "5.23.0")
TORCH_ONLY = Habit("is without TensorFlow and Flax", "4.57.6", "5.0.0")
ALLOWS_NUMPY_STATES = Habit(
    "lets torch.load read the states of NumPy's random numbers", "4.46.3", "4.47.1"
)
REFUSES_OLD_TORCH = Habit("refuses to call torch.load of torch before 2.6", "4.51.3", "4.52.4")
