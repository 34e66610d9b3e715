"""
What pretrained models are fully fine-tuned with, by kind and size, with AdamW.

Each row is what its source used with success, from the lowest to the highest rate.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, repr=False, eq=False)
class Usual:
    """The rates that are usual for one kind of model."""

    kind: str
    low: float
    high: float
    first: float
    """The one to try first."""
    source: str


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

SMALLEST = 10_000_000
"""Models below this many parameters are toys or miniatures, and take whatever rate."""

# Miniature BERTs of up to 41 M parameters were fine-tuned with 3e-5 to 3e-4; 22 M is MiniLM,
# which in 30 steps on three classes of Reuters learned 95% at 2e-4, 88% at 1e-3, and at 3e-3 only
# to name the largest class.
SMALL_ENCODER = Usual("small encoders", 3e-5, 3e-4, 1e-4, "arXiv:1908.08962")
# BERT, appendix A.3: 2e-5 to 5e-5. RoBERTa, table 10: 1e-5 to 3e-5. At 4e-4 BERT base no longer
# converges (arXiv:1905.05583, section 5.3.2).
ENCODER = Usual("encoders of this size", 1e-5, 5e-5, 2e-5, "arXiv:1810.04805, appendix A.3")
# The fine-tuning of GPT took 6.25e-5; pretraining of 125 M to 760 M parameters 6e-4 to 2.5e-4
# (arXiv:2005.14165, table 2.1), and who fine-tunes stays below that.
SMALL_DECODER = Usual("decoders of this size", 2e-5, 3e-4, 5e-5, "arXiv:2005.14165, table 2.1")
# Alpaca took 2e-5 for 7 B; pretraining took 2e-4 for 1.3 B and 1.2e-4 for 6.7 B (same table).
DECODER = Usual("decoders of this size", 1e-5, 1e-4, 2e-5, "arXiv:2005.14165, table 2.1")
# 1e-4 to 3e-4 with AdamW by the documentation of transformers; 1e-3 is Adafactor's in the paper.
T5_LIKE = Usual("T5 models", 1e-4, 1e-3, 3e-4, "transformers, documentation of T5")
# BART took 3e-5; translation and summarisation with its kin up to 1e-4.
DENOISER = Usual("encoder-decoders", 1e-5, 1e-4, 3e-5, "arXiv:1910.13461")


def usual(model_type: str, parameters: int) -> Usual | None:
    """Return the row for a model; None where nothing is known of its kind."""
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
