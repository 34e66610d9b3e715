"""
What models are trained with: by kind, size, what is trained of them, and the optimizer.

Each row is what its source used with success, from the lowest to the highest rate. Where a source
names a single rate, the row goes from a third of it to three times that. Sources are papers,
documentation, and files of public repositories, by name and path.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

FULL, LORA, SCRATCH = "full fine-tuning", "LoRA", "training from scratch"
"""What is trained: all of a pretrained model, adapters beside it, or a model of random weights."""


@dataclass(frozen=True, repr=False, eq=False)
class Usual:
    """
    The rates that are usual for one kind of model.

    `batch` are the smallest and the largest batch of the source, in rows, where it says so and
    rates depend on it; `scaled` is what a batch far from these makes of the rates.
    """

    kind: str
    low: float
    high: float
    first: float
    """The one to try first."""
    source: str
    method: str = FULL
    optimizer: str = "AdamW"
    batch: tuple[int, int] | None = None
    scaled: float = 1.0


ENCODERS = frozenset({
    "albert", "bert", "big_bird", "camembert", "convbert", "deberta", "deberta-v2", "distilbert",
    "electra", "ernie", "eurobert", "flaubert", "funnel", "layoutlm", "longformer", "luke",
    "mobilebert", "modernbert", "mpnet", "nezha", "nomic_bert", "rembert", "roberta",
    "roberta-prelayernorm", "squeezebert", "xlm", "xlm-roberta", "xlm-roberta-xl", "xlnet",
})  # fmt: skip
DECODERS = frozenset({
    "bloom", "codegen", "cohere", "falcon", "gemma", "gemma2", "gemma3_text", "glm", "glm4", "gpt2",
    "gpt_bigcode", "gpt_neo", "gpt_neox", "gptj", "granite", "llama", "mistral", "mixtral", "mpt",
    "olmo", "olmo2", "olmo3", "opt", "phi", "phi3", "qwen2", "qwen3", "smollm3", "stablelm",
    "starcoder2",
})  # fmt: skip
T5 = frozenset({"t5", "mt5", "umt5", "longt5"})
DENOISERS = frozenset({
    "bart", "bigbird_pegasus", "blenderbot", "led", "m2m_100", "marian", "mbart", "pegasus",
    "plbart", "prophetnet",
})  # fmt: skip

NEAR = 4
"""With so many times fewer or more rows than the source had, its rates are taken as they are."""

STRANGE = 10.0
"""A rate that is so many times off what is usual is not advised on the word of a few updates."""

COMMON = "commonly used"
"""The source of what many take, and no single one is known for."""

SMALLEST = 10_000_000
"""Models below this many parameters are toys or miniatures, and take whatever rate."""

# Miniature BERTs were fine-tuned with the best of 3e-5, 5e-5, 1e-4 and 3e-4 at 8 to 128 rows, by
# their model card; 22 M is MiniLM, which in 30 steps on three classes of Reuters learned 95% at 2e-4, 88% at 1e-3, and at 3e-3 only
# to name the largest class.
SMALL_ENCODER = Usual(
    "small encoders", 3e-5, 3e-4, 1e-4, "the miniatures of BERT, arXiv:1908.08962", batch=(8, 128)
)
# BERT, appendix A.3: 2e-5, 3e-5 and 5e-5, at 16 and 32 rows; 1e-5 is common for larger ones. At
# 4e-4 BERT base hardly converges (arXiv:1905.05583).
ENCODER = Usual(
    "encoders of this size", 1e-5, 5e-5, 2e-5, "arXiv:1810.04805, appendix A.3", batch=(16, 32)
)
# Pretraining takes 6e-4 to 2.5e-4 for 125 M to 760 M parameters (see below), and who fine-tunes
# stays below that.
SMALL_DECODER = Usual("decoders of this size", 2e-5, 3e-4, 5e-5, COMMON)
# Alpaca took 2e-5 for 7 B at 128 rows.
DECODER = Usual("decoders of this size", 1e-5, 1e-4, 2e-5, "tatsu-lab/stanford_alpaca, README")
# 1e-4 to 3e-4 with AdamW by the documentation of transformers; 1e-3 is Adafactor's.
T5_LIKE = Usual("T5 models", 1e-4, 1e-3, 3e-4, "transformers, documentation of T5")
# BART took 3e-5 for summaries.
DENOISER = Usual(
    "encoder-decoders", 1e-5, 1e-4, 3e-5, "fairseq, examples/bart/README.summarization.md"
)


# QLoRA's scripts take 2e-4 for 7 B and 1e-4 for 65 B.
LORA_DECODER = Usual(
    "decoders", 1e-4, 2e-4, 2e-4, "artidoro/qlora, scripts/finetune_guanaco_*.sh", LORA
)
# LoRA's own examples: GPT-2 medium 2e-4, RoBERTa base 5e-4.
LORA_SMALL_DECODER = Usual(
    "small decoders", 7e-5, 6e-4, 2e-4, "microsoft/LoRA, examples/NLG/README.md", LORA
)
LORA_ENCODER = Usual(
    "encoders", 2e-4, 5e-4, 4e-4, "microsoft/LoRA, examples/NLU/roberta_base_mnli.sh", LORA
)

# The configs of GPT-NeoX, which are those of GPT-3: 6e-4 for 125 M, 3e-4 for 350 M, 2.5e-4 for
# 760 M, 2e-4 for 1.3 B, 1.6e-4 for 2.7 B, 1.2e-4 for 6.7 B, 1e-4 for 13 B, 6e-5 for 175 B.
PRETRAINED_GPTS = (
    (200_000_000, 6e-4), (500_000_000, 3e-4), (1_000_000_000, 2.5e-4), (2_000_000_000, 2e-4),
    (5_000_000_000, 1.6e-4), (10_000_000_000, 1.2e-4), (50_000_000_000, 1e-4),
)  # fmt: skip
LARGEST_GPT = 6e-5
# RoBERTa: 1e-4 at 256 rows, 5e-4 at 2,048, 7e-4 at 8,192.
SCRATCH_ENCODER = Usual(
    "encoders", 1e-4, 7e-4, 1e-4, "fairseq, examples/roberta/README.pretraining.md", SCRATCH
)
# 1e-3 is the default of Adam in torch and in Keras, after arXiv:1412.6980.
SCRATCH_ADAM = Usual(
    "networks", 3e-4, 3e-3, 1e-3, "the default of Adam in torch and Keras", SCRATCH, "Adam"
)
# 1e-2 is the default of SGD in Keras.
SCRATCH_SGD = Usual("networks", 3e-3, 3e-2, 1e-2, "the default of SGD in Keras", SCRATCH, "SGD")
# 0.1 for networks with batch normalisation, 0.01 for those without, at 256 rows.
CONVOLUTIONS_SGD = Usual(
    "networks of convolutions", 1e-2, 1e-1, 1e-1, "pytorch/examples, imagenet/README.md",
    SCRATCH, "SGD", (128, 256),
)  # fmt: skip
# The documentation of Adafactor in transformers takes 1e-3 for T5 where the rate is stated.
T5_ADAFACTOR = Usual(
    "T5 models", 3e-4, 3e-3, 1e-3, "transformers, documentation of Adafactor", FULL, "Adafactor"
)


@dataclass(frozen=True)
class Subject:
    """
    What is to be trained, as far as rates depend on it.

    `model_type` is that of a config of transformers, "" of other models. `convolutions` says that
    most of its weights belong to convolutions, `batch` how many rows an update sees.
    """

    model_type: str
    parameters: int
    method: str = FULL
    optimizer: str = "AdamW"
    batch: int | None = None
    convolutions: bool = False


def lookup(subject: Subject) -> Usual | None:
    """Return what is usual for a subject, scaled to its batch; None where no source is known."""
    row = _row(subject)
    if row is None or row.batch is None or not subject.batch:
        return row
    least, most = row.batch
    if row.optimizer != "SGD":  # whose rates change by less than a factor of 2 within this
        least, most = max(1, least // NEAR), most * NEAR
    factor = min(1.0, subject.batch / least) if subject.batch < least else subject.batch / most
    factor = 1.0 if least <= subject.batch <= most else factor
    if row.optimizer != "SGD":  # commonly, rates go with the square root with Adam
        factor **= 0.5
    return replace(
        row,
        low=_two_digits(row.low * factor),
        high=_two_digits(row.high * factor),
        first=_two_digits(row.first * factor),
        scaled=factor,
    )


def beyond(rate: float, low: float, high: float) -> bool:
    """Whether a rate is so far from what is usual that a few updates don't speak for it."""
    return rate > STRANGE * high or rate < low / STRANGE


def _two_digits(rate: float) -> float:
    return float(f"{rate:.1e}")


def _row(subject: Subject) -> Usual | None:
    name = subject.optimizer.lower()
    kind, size = subject.model_type, subject.parameters
    if "adafactor" in name:
        return T5_ADAFACTOR if kind in T5 and subject.method == FULL else None
    adam = name.startswith(("adam", "paged_adam", "fusedadam")) and "adamax" not in name
    if subject.method == LORA:
        return _of_lora(kind, size) if adam else None
    if subject.method == FULL:
        return usual(kind, size) if adam else None
    if name.startswith("sgd"):
        return CONVOLUTIONS_SGD if subject.convolutions else SCRATCH_SGD if not kind else None
    if not adam:
        return None
    if kind in ENCODERS and size >= SMALLEST:
        return SCRATCH_ENCODER
    if kind in DECODERS and size >= SMALLEST:
        first = next((rate for most, rate in PRETRAINED_GPTS if size < most), LARGEST_GPT)
        source = "EleutherAI/gpt-neox, configs"
        return Usual("decoders of this size", first / 3, first * 3, first, source, SCRATCH)
    return SCRATCH_ADAM


def _of_lora(kind: str, size: int) -> Usual | None:
    if kind in DECODERS:
        return LORA_SMALL_DECODER if size < 1_000_000_000 else LORA_DECODER
    return LORA_ENCODER if kind in ENCODERS else None


def usual(model_type: str, parameters: int) -> Usual | None:
    """Return the row of full fine-tuning with AdamW; None where nothing is known of the kind."""
    if parameters < SMALLEST:
        return None
    if model_type in ENCODERS:
        return SMALL_ENCODER if parameters < 60_000_000 else ENCODER
    if model_type in DECODERS:
        return SMALL_DECODER if parameters < 1_000_000_000 else DECODER
    if model_type in T5:
        return T5_LIKE
    return DENOISER if model_type in DENOISERS else None


def short(rate: float) -> str:
    """Return a rate as people write it: 2e-5, 2.5e-4."""
    digits, _, exponent = f"{rate:.2e}".partition("e")
    return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
