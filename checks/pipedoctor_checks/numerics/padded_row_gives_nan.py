from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, Train, check
from pipedoctor.facts import Masked, Masks, Trace
from pipedoctor.units import count

FAMILY = "nothing-but-masked"


@check("NUM007", Severity.ERROR, stage=Stage.FORWARD, explains=("NUM020", "NUM011", "LOS001"))
def padded_row_gives_nan(trace: Trace, masks: Train[Masks]) -> Iterator[Finding]:
    """
    Attention gives NaN for rows in which a position has nothing but padding to attend to.

    Where padding stands on the left, the first positions of a causal model see nothing but
    padding; an empty text is padding as a whole. If the mask holds -inf there, softmax divides 0
    by 0. Some implementations of attention guard against it, others don't, and that differs
    between releases. Such rows give NaN, and with the next update all weights are.

    Fails:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.words = torch.nn.Embedding(50, 8)
                self.attention = torch.nn.Linear(8, 8)

            def forward(self, input_ids, attention_mask, labels=None):
                h = self.words(input_ids)
                scores = self.attention(h) @ h.transpose(1, 2)
                causal = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
                seen = causal & attention_mask.bool()[:, None]
                h = torch.softmax(scores.masked_fill(~seen, float("-inf")), -1) @ h
                return {"loss": h.square().mean(), "logits": h}

        model = Model()
        train_data = [
            {"input_ids": [0] * n + [7] * (8 - n), "attention_mask": [0] * n + [1] * (8 - n)}
            for n in (0, 0, 3, 0, 0, 0, 0, 0)
        ]

    Passes:

        import torch

        class Model(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.words = torch.nn.Embedding(50, 8)
                self.attention = torch.nn.Linear(8, 8)

            def forward(self, input_ids, attention_mask, labels=None):
                h = self.words(input_ids)
                scores = self.attention(h) @ h.transpose(1, 2)
                causal = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
                seen = causal & attention_mask.bool()[:, None]
                low = torch.finfo(scores.dtype).min
                h = torch.softmax(scores.masked_fill(~seen, low), -1) @ h
                return {"loss": h.square().mean(), "logits": h}

        model = Model()
        train_data = [
            {"input_ids": [0] * n + [7] * (8 - n), "attention_mask": [0] * n + [1] * (8 - n)}
            for n in (0, 0, 3, 0, 0, 0, 0, 0)
        ]

    See also: <https://github.com/pytorch/pytorch/issues/110213>.
    """
    origin = trace.origin
    if origin is None or not trace.rows:
        return
    told = (origin, *trace.causes)
    if not any(birth.family == FAMILY for birth in told):
        return
    rows = {row: mask for batch in masks.batches for row, mask in batch.items()}
    if any(row not in rows or not _blind(rows[row]) for row in trace.rows):
        return
    empty = [row for row in trace.rows if not rows[row].open]
    left = [row for row in trace.rows if rows[row].open]
    what = [f"{count(len(left))} padded on the left"] if left else []
    what += [f"{count(len(empty))} all padding"] if empty else []
    birth = next(birth for birth in told if birth.family == FAMILY)
    yield Finding(
        message=f"{count(len(trace.rows))} of {count(trace.batch_rows)} rows of a batch give NaN in "
        f"{birth.operation}: {' and '.join(what)}, so that a position has nothing to attend to",
        where=replace(birth.line, layer=birth.module or None, split="train", rows=trace.rows),
        evidence={
            "rows": list(trace.rows),
            "left": len(left),
            "empty": len(empty),
            "operation": birth.operation,
        },
        remedy='set tokenizer.padding_side = "right" for training'
        if left
        else "drop rows without tokens: dataset.filter(lambda row: len(row['input_ids']) > 0)",
        alternatives=(
            'another implementation: from_pretrained(..., attn_implementation="sdpa") or "eager"',
            "mask with torch.finfo(scores.dtype).min instead of -inf, in a model of your own",
        ),
        shows=trace.shows,
    )


def _blind(mask: Masked) -> bool:
    """Whether a position may have nothing to attend to."""
    return not mask.open or mask.closed_before > 0
