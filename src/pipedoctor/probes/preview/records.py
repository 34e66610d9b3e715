"""What really enters the model: the batches that are looked at, as records for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.facts.labels import IGNORED, Labels
from pipedoctor.facts.preview import Preview
from pipedoctor.facts.rows import Rows
from pipedoctor.frameworks.data.batches import Collated
from pipedoctor.pipeline import Pipeline, ProbeFailed
from pipedoctor.probe import probe
from pipedoctor.probes.preview.arrays import described, kind, to_numpy
from pipedoctor.probes.preview.labels import (
    PER_ROW,
    PER_TOKEN,
    SEQUENCE,
    SPAN,
    SPAN_NAMES,
    VOCABULARY,
    Reading,
    label_names,
    read,
)
from pipedoctor.probes.preview.remarks import remarks
from pipedoctor.probes.preview.rows import RawRows, groups, lacking, title
from pipedoctor.probes.preview.tokens import Entry, entries, reads, tokens_in

COMPANIONS = frozenset({"input_ids", "attention_mask", "token_type_ids", "position_ids"})
"""Arrays that are told of by the tokens."""


@dataclass(frozen=True, repr=False, eq=False)
class Tokens(Fact):
    """The token ids of the batches as people read them, by array, group by group; not for checks."""

    doing = "Decoding the tokens"
    per_split = True

    groups: tuple[Mapping[str, Sequence[list[Entry]]], ...]


@probe(Tokens, Cost.MODEL, "{data}", user_code=True)
def tokens(pipeline: Pipeline, split: Split) -> Tokens:
    """Decode what the tokenizer can decode."""
    made, tokenizer = groups(pipeline, split), tokenizer_of(pipeline)
    reading = read(pipeline, split, made[0].arrays)
    return Tokens(tuple(_decoded(group.arrays, reading, tokenizer) for group in made))


@probe(Preview, Cost.MODEL, "{data}")
def preview(pipeline: Pipeline, split: Split) -> Preview:
    """Put together what is shown of a split."""
    counted = pipeline.optional(Rows, split)
    total = counted.used if counted is not None else None
    try:
        made = groups(pipeline, split)
    except (Unavailable, ProbeFailed) as reason:
        raw = pipeline.fact(RawRows, split)
        rows = [{"row": index} | _raw(value) for index, value in raw.rows.items()]
        return Preview(
            groups=({"what": "rows of the data", "rows": rows},),
            labels=_distribution(pipeline, split),
            counted=total,
            note=f"no batch can be made, so rows are shown as the data has them: {reason}",
        )
    reading = read(pipeline, split, made[0].arrays)
    decoded, source = pipeline.optional(Tokens, split), pipeline.optional(RawRows, split)
    told = []
    for place, group in enumerate(made):
        sequences = decoded.groups[place] if decoded is not None else {}
        rows = _rows(group, reading, sequences)
        if tokenizer_of(pipeline) is None and source is not None:
            rows = [row | _shown_text(source, row) for row in rows]
        told.append(_group(title(made, place, pipeline, split), group, reading, rows))
    arrays = [group.arrays for group in made]
    return Preview(
        groups=tuple(told),
        remarks=tuple(remarks(arrays, reading, tokenizer_of(pipeline))),
        labels=_distribution(pipeline, split, reading),
        counted=total,
        note=lacking(pipeline, split),
    )


def tokenizer_of(pipeline: Pipeline) -> Any:
    """Return the tokenizer, that of a processor or of the collator too; None if there is none."""
    part = pipeline.parts.get("tokenizer")
    for candidate in (part, getattr(part, "tokenizer", None), _of_collator(pipeline)):
        if hasattr(candidate, "convert_ids_to_tokens") and hasattr(candidate, "decode"):
            return candidate
    return None


def _of_collator(pipeline: Pipeline) -> Any:
    return getattr(pipeline.parts.get("collator"), "tokenizer", None)


def _decoded(
    arrays: Mapping[str, Any], reading: Reading, tokenizer: Any
) -> Mapping[str, Sequence[list[Entry]]]:
    found: dict[str, Sequence[list[Entry]]] = {}
    ids = to_numpy(arrays.get("input_ids"))
    if ids is None or ids.ndim != 2 or ids.dtype.kind not in "iu":
        return found
    mask = to_numpy(arrays.get("attention_mask"))
    masks = mask if mask is not None and mask.shape == ids.shape else [None] * len(ids)
    labels = to_numpy(arrays.get(reading.name)) if reading.name is not None else None
    by_token = labels if reading.form in {PER_TOKEN, VOCABULARY} else None
    targets = by_token if by_token is not None else [None] * len(ids)
    found["input_ids"] = [
        entries(row, shown, target, tokenizer)
        for row, shown, target in zip(ids, masks, targets, strict=True)
    ]
    if reading.form == VOCABULARY:
        for row in found["input_ids"]:
            _name_targets(row, tokenizer)
    if reading.form == SEQUENCE and reading.name is not None and labels is not None:
        taught = [row[row != IGNORED] for row in labels]
        found[reading.name] = [entries(row, None, row, tokenizer) for row in taught]
    return found


def _name_targets(row: list[Entry], tokenizer: Any) -> None:
    """Name the labels that are another token than the one they stand under."""
    for entry in row:
        label = entry.get("label", IGNORED)
        if label not in {IGNORED, entry.get("id")}:
            entry["target"] = reads(label, tokenizer)


def _rows(
    group: Collated, reading: Reading, sequences: Mapping[str, Sequence[list[Entry]]]
) -> list[dict[str, Any]]:
    """Return a record for each row of the arrays; packing collators make fewer than they get."""
    arrays = {name: to_numpy(value) for name, value in group.arrays.items()}
    sizes = [len(a) for a in arrays.values() if a is not None and a.ndim]
    count = Counter(sizes).most_common(1)[0][0] if sizes else 0
    indices = group.rows if count == len(group.rows) else [None] * count
    return [_row(index, place, group, reading, sequences) for place, index in enumerate(indices)]


def _row(
    index: int | None,
    place: int,
    group: Collated,
    reading: Reading,
    sequences: Mapping[str, Sequence[list[Entry]]],
) -> dict[str, Any]:
    told: dict[str, Any] = {"row": index}
    ids, mask = (to_numpy(group.arrays.get(n)) for n in ("input_ids", "attention_mask"))
    if "input_ids" in sequences:
        told["width"] = int(ids.shape[1])
        masked = mask is not None and mask.shape == ids.shape
        told["length"] = int((mask[place] != 0).sum()) if masked else _unpadded(sequences, place)
        told["tokens"] = sequences["input_ids"][place]
    told |= _label(place, group, reading, sequences)
    others = {
        name: described(value[place])
        for name, value in group.arrays.items()
        if name not in reading.arrays
        and (name not in COMPANIONS or "input_ids" not in sequences)
        and _reaches(value, place)
    }
    return told | ({"arrays": others} if others else {})


def _unpadded(sequences: Mapping[str, Sequence[list[Entry]]], place: int) -> int:
    found = sequences["input_ids"][place]
    return sum(tokens_in(entry) for entry in found if "padding" not in entry)


def _label(
    place: int,
    group: Collated,
    reading: Reading,
    sequences: Mapping[str, Sequence[list[Entry]]],
) -> dict[str, Any]:
    labels = group.arrays.get(reading.name) if reading.name is not None else None
    if labels is None or not _reaches(labels, place):
        return {}
    if reading.form == SPAN:
        return {"label": _span(place, group, sequences)}
    if reading.form == PER_ROW:
        return {"label": reading.of_row(labels[place])}
    row = to_numpy(labels)[place]
    places = [int(n) for n in (row != IGNORED).nonzero()[0]]
    told: dict[str, Any] = {"count": len(places), "of": int(row.size)}
    if places:
        told |= {"first": places[0], "last": places[-1]}
    target = sequences.get(reading.name or "", ()) if reading.form == SEQUENCE else ()
    return {"learned": told} | ({"target": target[place]} if target else {})


def _span(
    place: int, group: Collated, sequences: Mapping[str, Sequence[list[Entry]]]
) -> dict[str, Any]:
    """Return an answer that stands in the row: its first and last token, and how it reads."""
    first, last = (int(to_numpy(group.arrays[name])[place]) for name in SPAN_NAMES)
    told: dict[str, Any] = {"first": first, "last": last}
    if "input_ids" in sequences:
        text, number = "", 0
        for entry in sequences["input_ids"][place]:
            if first <= number <= last:
                text += entry.get("text", " … ")
            number += tokens_in(entry)
        told["reads"] = text.strip()
    return told


def _reaches(value: Any, place: int) -> bool:
    """Whether a value of a batch has an item for this row."""
    if getattr(value, "ndim", 0):
        return place < len(value)
    return isinstance(value, (list, tuple)) and place < len(value)


def _group(
    what: str, group: Collated, reading: Reading, rows: Sequence[Mapping[str, Any]]
) -> Mapping[str, object]:
    told: dict[str, Any] = {
        "what": what,
        "indices": list(group.rows),
        "arrays": {name: kind(value) for name, value in group.arrays.items()},
        "labels": {"name": reading.name, "form": reading.form, "names": _keyed(reading.names)},
        "rows": list(rows),
    }
    lengths = [(row["length"], row["width"]) for row in rows if "length" in row]
    if lengths:
        every = sum(width for _, width in lengths)
        told["tokens"] = every
        told["padding"] = every - sum(length for length, _ in lengths)
    return told


def _keyed(names: Mapping[int, str]) -> dict[str, str]:
    return {str(number): name for number, name in names.items()}


def _raw(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {"arrays": {str(name): described(item) for name, item in value.items()}}
    if isinstance(value, (list, tuple)):
        return {"arrays": {str(place): described(item) for place, item in enumerate(value)}}
    return {"arrays": {"value": described(value)}}


def _shown_text(raw: RawRows, row: Mapping[str, Any]) -> dict[str, str]:
    text = raw.texts.get(row["row"])
    return {"text": text} if text else {}


def _distribution(
    pipeline: Pipeline, split: Split, reading: Reading | None = None
) -> Mapping[str, object]:
    """Return how often each label occurs in the whole split; tokens only as learned or not."""
    labels = pipeline.optional(Labels, split)
    if labels is None:
        return {}
    told: dict[str, object] = {
        "column": labels.column,
        "unit": "token" if labels.per_token else "row",
        "missing": labels.missing,
    }
    if reading is not None and reading.form in {VOCABULARY, SEQUENCE}:
        if labels.known("counts"):
            ignored = labels.counts.get(IGNORED, 0)
            told["counts"] = {"-100": ignored, "learned": sum(labels.counts.values()) - ignored}
        return told | {"unit": "token"}
    if labels.known("counts"):
        told["counts"] = {str(value): number for value, number in labels.counts.items()}
        told["names"] = _keyed(label_names(pipeline, split))
    for name in ("distinct", "minimum", "maximum"):
        if labels.known(name):
            told[name] = getattr(labels, name)
    return told
