"""The weights of a model held against the config.json beside them: what `from_pretrained` refuses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipedoctor.fact import Unavailable
from pipedoctor.facts.checkpoint import Checkpoint
from pipedoctor.facts.model_files import HEADS, Tensor

EMBEDDINGS = (
    "embeddings.word_embeddings.weight",
    "embed_tokens.weight",
    "wte.weight",
    "shared.weight",
    "word_embedding.weight",
    "embed_in.weight",
)
"""The table of the tokens, under the name that each family of Transformers gives it."""

TASKS = ("SequenceClassification", "TokenClassification", "ImageClassification")

WIDTHS = ("hidden_size", "n_embd", "d_model", "dim")
"""The width of a model, by the name that its family gives it."""

AS_WIDE = frozenset(
    [
        "bart",
        "bert",
        "camembert",
        "distilbert",
        "gemma",
        "gemma2",
        "gpt2",
        "gpt_neo",
        "llama",
        "mistral",
        "mixtral",
        "mpnet",
        "qwen2",
        "qwen3",
        "roberta",
        "t5",
        "xlm-roberta",
    ]
)
"""The families whose tables of tokens are as wide as the model."""

NARROWER = ("embedding_size", "word_embed_proj_dim")
"""With these in config.json, the table of the tokens does not tell the width of the model."""

ROWS = (
    ("embeddings.position_embeddings.weight", "max_position_embeddings"),
    ("embeddings.token_type_embeddings.weight", "type_vocab_size"),
    ("wpe.weight", "n_positions"),
)
"""Tables by the end of their names, and the value of config.json that is their number of rows."""

PREFIXES = {
    "albert": "albert",
    "bert": "bert",
    "camembert": "roberta",
    "deberta": "deberta",
    "deberta-v2": "deberta",
    "distilbert": "distilbert",
    "electra": "electra",
    "longformer": "longformer",
    "mobilebert": "mobilebert",
    "mpnet": "mpnet",
    "roberta": "roberta",
    "xlm-roberta": "roberta",
}
"""The encoders whose weights begin with the name of their family, by `model_type`."""

MARKS = {
    "transformer.h.": "gpt2",
    "model.layers.": "llama",
    "model.decoder.layers.": "opt",
    "gpt_neox.layers.": "gpt_neox",
    "encoder.block.": "t5",
    "decoder.block.": "t5",
    "vit.encoder.": "vit",
}
"""What the layers of other families begin with; none of the encoders has such a name."""

CLASSES = {
    "Albert": "albert",
    "Bert": "bert",
    "Camembert": "camembert",
    "Deberta": "deberta",
    "DebertaV2": "deberta-v2",
    "DistilBert": "distilbert",
    "Electra": "electra",
    "Longformer": "longformer",
    "MPNet": "mpnet",
    "MobileBert": "mobilebert",
    "Roberta": "roberta",
    "XLMRoberta": "xlm-roberta",
}
"""The `model_type` of the classes of Transformers, by what their names begin with."""

_CLASS = re.compile(rf"({'|'.join(CLASSES)})(?:For[A-Z]\w+|Model|PreTrainedModel)")


@dataclass(frozen=True)
class Misfit:
    """A value of config.json, the `tensor` that shows another, and that one."""

    key: str
    value: int
    tensor: str
    shape: tuple[int, ...]
    stored: int


@dataclass(frozen=True)
class Family:
    """
    The `model_type` of config.json, and that which the names of the tensors begin with.

    `right` is the `model_type` of the class that config.json names, `fits` whether the weights are
    of that class. So many tensors of all have those names: `share` of `count`.
    """

    stated: str
    stored: str
    architecture: str
    right: str
    fits: bool
    share: int
    count: int


def plain(checkpoint: Checkpoint) -> bool:
    """
    Whether the config speaks of one model whose tensors have the shapes that it states.

    Those of several models have a config in the config for each; quantised ones are packed.
    """
    if checkpoint.kind not in {"model", "trainer"} or checkpoint.adapter:
        return False
    config = checkpoint.config
    parts = any(isinstance(v, dict) and "model_type" in v for v in config.values())
    return "model_type" in config and "quantization_config" not in config and not parts


def embeddings(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Yield the tables of the tokens."""
    for name, tensor in tensors.items():
        if len(tensor.shape) == 2 and _ends(name, EMBEDDINGS):
            yield name, tensor


def head(checkpoint: Checkpoint) -> Misfit | None:
    """Return the classifier that has another number of outputs than there are labels."""
    config = checkpoint.config
    named = config.get("architectures")
    if not isinstance(named, list) or not str((named or [""])[0]).endswith(TASKS):
        return None
    if _of_others(checkpoint):
        return None
    labels = config.get("id2label")
    # Two is what a config without either means: it is the default, which is not written.
    wanted = len(labels) if isinstance(labels, dict) else config.get("num_labels", 2)
    for name, tensor in checkpoint.tensors.items():
        if name in HEADS and len(tensor.shape) == 2 and tensor.shape[0] != wanted:
            key = "id2label" if isinstance(labels, dict) else "num_labels"
            value = wanted if isinstance(wanted, int) else 2
            return Misfit(key, value, name, tensor.shape, tensor.shape[0])
    return None


def vocabulary(checkpoint: Checkpoint) -> Misfit | None:
    """Return the table of the tokens that has other rows than `vocab_size`."""
    size = checkpoint.config.get("vocab_size")
    found = dict(embeddings(checkpoint.tensors))
    rows = {tensor.shape[0] for tensor in found.values()}
    if type(size) is not int or len(rows) != 1 or rows in ({size}, {0}):
        return None
    if _of_others(checkpoint):
        return None
    name, (stored,) = next(iter(found)), rows
    return Misfit("vocab_size", size, name, found[name].shape, stored)


def sizes(checkpoint: Checkpoint) -> Misfit | None:
    """
    Return the size in config.json that the weights don't have.

    Where the table of the tokens may be narrower than the model, its width counts as another one
    only if no tensor has it as a side that can be one.
    """
    if _of_others(checkpoint):
        return None
    tensors, config = checkpoint.tensors, checkpoint.config
    tables = list(embeddings(tensors))
    key = next((k for k in WIDTHS if type(config.get(k)) is int), None)
    if tables and key is not None and all(t.size for t in tensors.values()):
        name, table = tables[0]
        wanted = config[key]
        assert isinstance(wanted, int)
        sides = {tensor.shape[-1] for tensor in tensors.values() if tensor.shape}
        sure = config["model_type"] in AS_WIDE and not any(key in config for key in NARROWER)
        if wanted not in sides or (sure and wanted != table.shape[1]):
            return Misfit(key, wanted, name, table.shape, table.shape[1])
    for end, key in ROWS:
        wanted = config.get(key)
        for name, tensor in tensors.items():
            if (
                _ends(name, (end,))
                and len(tensor.shape) == 2
                and type(wanted) is int
                and tensor.shape[0] not in {wanted, 0}
            ):
                return Misfit(key, wanted, name, tensor.shape, tensor.shape[0])
    return None


def family(checkpoint: Checkpoint) -> Family | None:
    """
    Return the family that the weights are of, if it is another one than `model_type`.

    Only where config.json names a class of Transformers: one's own may call its encoder anything.
    """
    config, tensors = checkpoint.config, checkpoint.tensors
    stated, named = config.get("model_type"), config.get("architectures")
    architecture = str(named[0]) if isinstance(named, list) and named else ""
    match = _CLASS.fullmatch(architecture)
    if stated not in PREFIXES or "auto_map" in config or match is None:
        return None
    first = [name.partition(".")[0] for name in tensors]
    if PREFIXES[str(stated)] in first:
        return None
    right = CLASSES[match[1]]
    for prefix in sorted(set(PREFIXES.values())):
        share = first.count(prefix)
        if 2 * share > len(first):
            fits = PREFIXES[right] == prefix
            return Family(str(stated), prefix, architecture, right, fits, share, len(first))
    for mark, other in MARKS.items():
        share = sum(name.startswith(mark) for name in tensors)
        if 2 * share > len(first):
            return Family(str(stated), other, architecture, right, False, share, len(first))
    return None


def _of_others(checkpoint: Checkpoint) -> bool:
    """Whether the weights are of another model altogether, so that none of their sizes matters."""
    found = family(checkpoint)
    return found is not None and not found.fits


def refusal(checkpoint: Checkpoint) -> str:
    """Return what `from_pretrained` raises where a tensor has another shape, "" where none has."""
    try:
        if not plain(checkpoint):
            return ""
        found = head(checkpoint) or vocabulary(checkpoint) or sizes(checkpoint)
    except Unavailable:
        return ""  # without a config, or with weights that can't be read
    if found is None:
        return ""
    return (
        "RuntimeError: You set `ignore_mismatched_sizes` to `False`, thus raising an error: "
        f"{found.key} {found.value:,} of config.json, and {found.stored:,} in {found.tensor}"
    )


def foreign(checkpoint: Checkpoint) -> Family | None:
    """Return what `family` finds, None where that can't be told."""
    try:
        return family(checkpoint) if plain(checkpoint) else None
    except Unavailable:
        return None


def _ends(name: str, ends: tuple[str, ...]) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends)
