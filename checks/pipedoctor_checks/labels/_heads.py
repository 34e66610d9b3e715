"""What several checks say of labels and heads in the same words."""

from __future__ import annotations

from dataclasses import replace

from pipedoctor import Location, Split, Unavailable
from pipedoctor.facts import Batch, Collator, Forward, Head, Labels
from pipedoctor.facts.settings import entry
from pipedoctor.fix import Fix, put


def dtype(labels: Labels, batch: Batch | None, collator: Collator | None) -> str:
    """
    Return the dtype of the labels in a batch: as seen, else as the usual collators make it.

    Raises:
        Unavailable: It depends on the collator, and no batch was seen.

    """
    if batch is not None and batch.labels is not None:
        return batch.labels.dtype
    usual = collator is None or collator.known("pads")
    # The collator of token labels makes int64 of everything, and true and false become int64 in
    # the default collator, in the column `label`, but stay bool in the others.
    if not usual or labels.kind not in {"int", "float"} or labels.per_token:
        raise Unavailable("what type the collator gives the labels is not known")
    return "int64" if labels.kind == "int" else "float32"


def sized(head: Head, number: int) -> str:
    """Return the change that gives the head so many outputs."""
    where = head.origin
    if where.key == "head":
        return f"give the layer that replaced the model's head {number} outputs"
    if where.source is not None and (where.file or "").endswith(".py"):
        if where.origin is None:
            return f"set num_labels={number}"
        if "from_pretrained" not in where.source:
            return f"num_labels={number} in the call at {where}"
    if head.origin.key == "num_labels" and head.origin.origin is None:
        return f"set {entry('num_labels', number, _dialect(head))}"
    return f"num_labels={number} where the model is made: from_pretrained(…, num_labels={number})"


def resized(head: Head, number: int) -> Fix | None:
    """Return the fix that gives the head so many outputs, where a line of a file states them."""
    where, change = head.origin, put("num_labels", number)
    if where.file is None:
        return None
    if not where.file.endswith(".py"):
        told = f"set {entry('num_labels', number, _dialect(head))}"
        stated = where.key == "num_labels" and where.origin is None
        return Fix(told, (change,), safe=False, file=where.file) if stated else None
    if where.origin is not None:
        change = replace(change, action="add")
    told = f"{change.action} {entry('num_labels', number, 'python')}"
    return Fix(told, (change,), safe=False, file=where.file, line=where.line, part="model")


def _dialect(head: Head) -> str:
    return "toml" if (head.origin.file or "").endswith(".toml") else "json"


def place(labels: Labels, head: Head, split: Split, rows: tuple[int, ...] = ()) -> Location:
    """Return the line that states the number of outputs, and the labels that do not fit it."""
    where = head.origin if head.origin.file or head.origin.key else labels.where
    return replace(where, column=labels.column, split=split.value, rows=rows)


def renumbered(labels: Labels, collator: Collator | None, forward: Forward | None) -> bool:
    """Whether a collator of the user's own gives rows other labels than the data has."""
    if collator is None or collator.known("pads"):
        return False  # the usual ones leave the numbers as they are
    if forward is None or not forward.known("labels"):
        return False
    made = dict(zip(forward.rows, forward.labels, strict=True))
    return any(
        row in made and made[row] != value
        for value, rows in labels.examples.items()
        for row in rows
    )


def judged(labels: Labels, head: Head) -> tuple[int, ...]:
    """Return the distinct labels that the loss does not leave out."""
    return tuple(value for value in labels.classes if value >= 0 or not head.casts_labels)
