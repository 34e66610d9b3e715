from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.checkpoints import lora
from pipedoctor.facts import Checkpoint
from pipedoctor_checks.checkpoints import _stored


@check("LLM015", Severity.NOTE, stage=Stage.CHECKPOINT)
def base_smaller_than_adapter(checkpoint: Checkpoint) -> Iterator[Finding]:
    """
    The adapter holds an embedding with other rows than its base, which has to be resized first.

    Where tokens were added before the training, the adapter's file holds the whole embedding
    besides its matrices. `PeftModel.from_pretrained` on the base as it is then raises "size
    mismatch for base_model.model.model.embed_tokens.weight", and so do servers that load both.

    Fails:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                    "base_model.model.model.embed_tokens.weight": ("F32", (128256, 64)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {
                        "model.layers.0.q_proj.weight": ("F32", (64, 64)),
                        "model.embed_tokens.weight": ("F32", (128000, 64)),
                    },
                },
            }
        }

    Passes:

        files = {
            "saved": {
                "kind": "adapter",
                "config": {"peft_type": "LORA", "r": 4},
                "tensors": {
                    "base_model.model.model.layers.0.q_proj.lora_A.weight": ("F32", (4, 64)),
                    "base_model.model.model.layers.0.q_proj.lora_B.weight": ("F32", (64, 4)),
                    "base_model.model.model.embed_tokens.weight": ("F32", (128000, 64)),
                },
                "base": {
                    "config": {"model_type": "llama"},
                    "tensors": {
                        "model.layers.0.q_proj.weight": ("F32", (64, 64)),
                        "model.embed_tokens.weight": ("F32", (128000, 64)),
                    },
                },
            }
        }

    See also: <https://github.com/hiyouga/LLaMA-Factory/issues/7997>.
    """
    tables = lora.resized(checkpoint)
    if not tables:
        return
    one = tables[0]
    more = f", and so {', '.join(table.name for table in tables[1:])}" if tables[1:] else ""
    yield Finding(
        message=f"{one.name} has {one.rows:,} rows in the adapter and {one.base_rows:,} in its "
        f"base{more}: the base as it is does not take the adapter",
        where=_stored.place(checkpoint.weights[0]),
        evidence={table.name: [table.rows, table.base_rows] for table in tables},
        remedy=f"base.resize_token_embeddings({one.rows}), then PeftModel.from_pretrained(base, …)",
    )
