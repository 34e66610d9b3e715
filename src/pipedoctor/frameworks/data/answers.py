"""The fact `Answers`: the lengths of stored prompts and answers, by Arrow over all rows."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.answers import Answers
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.data.source import source
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

PROMPT = "prompt_ids"
ANSWERS = ("chosen_ids", "rejected_ids", "completion_ids")
"""The columns in which the trainers of TRL keep the tokens of a prompt, and of what follows it."""

SHOWN = 3
SHARES = (0.9, 0.98, 1.0)


@probe(Answers, Cost.DATA, "{data}")
def answers(pipeline: Pipeline, split: Split) -> Answers:
    """Measure what the collator will leave of each row."""
    import numpy as np

    found = source(pipeline, split)
    names = found.raw.column_names
    held = tuple(name for name in ANSWERS if name in names)
    if PROMPT not in names or not held:
        raise Unavailable("the data has no tokens of prompts with answers")
    settings = pipeline.fact(Settings)
    limit = settings.get("max_length")
    if not isinstance(limit, int) or limit < 1:
        raise Unavailable("nothing limits the length of prompt and answer")
    keeps = "end" if settings.get("truncation_mode") == "keep_end" else "start"
    stored = [_lengths(found.raw, name) for name in (PROMPT, *held)]
    prompt, each = stored[0], np.stack(stored[1:])
    whole = prompt + each
    room = np.clip(limit - prompt, 0, None) if keeps == "start" else np.full_like(prompt, limit)
    left = np.minimum(each, room)
    order = getattr(found.raw, "_indices", None)
    kept = np.arange(len(prompt)) if order is None else np.unique(order.column(0).to_numpy())
    cut = (left < each).any(0)
    here = cut if order is None else cut[order.column(0).to_numpy()]
    # A filter that took out rows for another reason has left some out that would fit.
    out = np.ones(len(prompt), bool)
    out[kept] = False
    dropped = int(out.sum()) if out.any() and bool((prompt[out] >= limit).all()) else 0
    return Answers(
        columns=(PROMPT, *held),
        rows=len(kept) + dropped,
        dropped=dropped,
        limit=limit,
        keeps=keeps,
        cut=int(cut[kept].sum()),
        bare=int(((left == 0) & (each > 0)).any(0)[kept].sum()),
        lost=int((each - left)[:, kept][:, cut[kept]].sum()),
        tokens=int(each[:, kept][:, cut[kept]].sum()),
        first=tuple(np.flatnonzero(here)[:SHOWN].tolist()),
        needs=_needs(whole.max(0)),
        where=Location(file=found.file, column=held[0], split=split.value),
    )


def _lengths(raw: Any, name: str) -> Any:
    """Return the lengths of the lists of a column, in the order in which they are stored."""
    import pyarrow.compute as pc

    values = arrow.plain(raw.data.column(name))
    if not arrow.is_list(values.type) or not len(values):
        raise Unavailable(f"the column {name} holds no lists of tokens")
    return pc.fill_null(pc.list_value_length(values), 0).cast("int64").to_numpy()


def _needs(whole: Any) -> tuple[int, int, int]:
    import numpy as np

    ranked = np.sort(whole)
    places = [min(len(ranked) - 1, int(share * len(ranked))) for share in SHARES]
    low, most, every = (int(ranked[place]) for place in places)
    return low, most, every
