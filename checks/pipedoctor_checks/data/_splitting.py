"""How rows of all classes are taken, in the words of what holds the rows."""

from __future__ import annotations

from pipedoctor.facts import Fit
from pipedoctor.facts.fit import ARRAYS

SKLEARN = "sklearn.model_selection.train_test_split"


def part_of_all_classes(fit: Fit | None) -> str:
    """Return how to take some rows so that all classes are among them."""
    if fit is None:
        return (
            "take rows of all classes: data.shuffle(seed=42).select(range(n)) instead of "
            "data.select(range(n))"
        )
    if fit.data == ARRAYS:
        return (
            f"take rows of all classes: x, _, y, _ = {SKLEARN}(x, y, train_size=n, stratify=y) "
            "instead of x[:n], y[:n]"
        )
    return "take rows of all classes: shuffle all rows before some of them are taken"


def split_by_class(fit: Fit | None, column: str) -> str:
    """Return how to split the rows so that each class is in both parts."""
    how = "split the data at random, by class: "
    if fit is None:
        return f"{how}data.train_test_split(test_size=0.1, stratify_by_column={column!r})"
    if fit.data == ARRAYS:
        return (
            f"{how}x, x_val, y, y_val = {SKLEARN}(x, y, test_size=0.1, stratify=y), and "
            "fit(x, y, validation_data=(x_val, y_val))"
        )
    return f"{how}with {SKLEARN}(x, y, test_size=0.1, stratify=y), before the batches are made"
