"""
What needs no network to tell the labels: ridge regression on bags of tokens, or on numbers.

Each is solved exactly from the inner products of the rows, so that every row can be answered
without having been learned from, and any order of the labels costs no more than a multiplication.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

RIDGES = (0.1, 1.0, 10.0)
"""How much is taken off large coefficients, relative to the mean of the eigenvalues."""

ORDERS = 400
"""So many orders of the labels are tried."""

WIDEST = 4096
"""Rows of more numbers than this are averaged over neighbours until they have no more."""

MOST_COLUMNS = 32
"""Of more classes, or more numbers to a label, the first ones by how often they occur count."""


@dataclass(frozen=True)
class Kernel:
    """The inner products of all rows by one reading of the inputs."""

    name: str
    products: Any


@dataclass(frozen=True)
class Told:
    """
    What a baseline tells of rows that it did not learn from.

    `answers` has a row for each row; `p` and `z` compare with other orders of the labels, the
    search for the best baseline among them.
    """

    name: str
    answers: Any
    p: float
    z: float


def kernels(inputs: Mapping[str, Sequence[Any]]) -> list[Kernel]:
    """
    Return the readings of the inputs that there are, for arrays by name with a row for each row.

    Token ids, which are whole numbers in rows of any length, become bags of tokens; numbers are
    taken as they are, and by their distances.
    """
    import numpy as np

    found: list[Kernel] = []
    tokens = inputs.get("input_ids")
    if tokens is not None:
        found += _of_tokens(tokens, inputs.get("attention_mask"), inputs.get("token_type_ids"))
    else:
        arrays = [np.asarray(rows) for rows in inputs.values() if _alike(rows)]
        whole = [a for a in arrays if a.dtype.kind in "iu" and a.ndim == 2 and a.max() > 255]
        for array in whole:
            found += _of_tokens(list(array), None, None)
        dense = [a for a in arrays if not any(a is b for b in whole)]
        found += _of_numbers(dense)
    return [kernel for kernel in found if float(np.trace(kernel.products)) > 0]


def best(kernels: Sequence[Kernel], labels: Any, seed: int = 0) -> Told | None:
    """Return the best baseline for labels with a column for each class or number."""
    import numpy as np

    if not kernels or len(labels) < 8:
        return None
    labels = np.asarray(labels, dtype="float64").reshape(len(labels), -1)
    busiest = np.argsort(-labels.var(0), kind="stable")[:MOST_COLUMNS]
    if labels.shape[1] == 2 and bool((labels.sum(1) == 1).all()):
        busiest = busiest[:1]  # the one class is what the other is not
    kept = labels[:, np.sort(busiest)]
    kept = (kept - kept.mean(0)).astype("float32")
    random = np.random.default_rng(seed)
    orders = np.stack(
        [np.arange(len(kept))] + [random.permutation(len(kept)) for _ in range(ORDERS)]
    )
    every = kept[orders].transpose(1, 0, 2)  # row, order, column
    size = every.reshape(len(kept), -1)
    most, top = np.full(ORDERS + 1, -np.inf), None
    for kernel in kernels:
        values, vectors = np.linalg.eigh(_centred(kernel.products))
        values = np.maximum(values, 0.0)
        for ridge in RIDGES:
            shrunk = values / (values + ridge * max(values.mean(), 1e-12))
            hat = ((vectors * shrunk) @ vectors.T).astype("float32")
            own = np.minimum(np.diag(hat), 1 - 1e-6)[:, None]
            left_out = (hat @ size - own * size) / (1 - own)
            score = (left_out * size).reshape(every.shape).sum((0, 2))
            norm = (left_out**2).reshape(every.shape).sum((0, 2)) ** 0.5
            score = score / np.maximum(norm, 1e-12)
            if top is None or score[0] > most[0]:
                wide = labels - labels.mean(0)
                top = (kernel.name, (hat @ wide - own * wide) / (1 - own))
            most = np.maximum(most, score)
    assert top is not None  # there is a kernel
    others = most[1:]
    p = (int((others >= most[0] * (1 - 1e-12)).sum()) + 1) / (ORDERS + 1)
    z = float((most[0] - others.mean()) / max(float(others.std()), 1e-12))
    return Told(top[0], top[1], p, z)


def across(kernel: Kernel, labels: Any, learned: Any, asked: Any) -> Any:
    """Return answers to some rows, learned from others: as a network gets them, for a fair match."""
    import numpy as np

    labels = np.asarray(labels, dtype="float64").reshape(len(labels), -1)
    within = kernel.products[np.ix_(learned, learned)]
    between = kernel.products[np.ix_(asked, learned)]
    middle = labels[learned].mean(0)
    mean = within.mean(0)
    values, vectors = np.linalg.eigh(_centred(within))
    values = np.maximum(values, 0.0)
    rotated = vectors.T @ (labels[learned] - middle)
    chosen, least = RIDGES[0], np.inf
    for ridge in RIDGES:
        shrunk = values / (values + ridge * max(values.mean(), 1e-12))
        hat = (vectors * shrunk) @ vectors.T
        rest = (labels[learned] - middle - vectors @ (shrunk[:, None] * rotated)) / (
            1 - np.minimum(np.diag(hat), 1 - 1e-6)
        )[:, None]
        if float((rest**2).sum()) < least:
            chosen, least = ridge, float((rest**2).sum())
    weights = vectors @ (rotated / (values + chosen * max(values.mean(), 1e-12))[:, None])
    return middle + (between - between.mean(1, keepdims=True) - mean + mean.mean()) @ weights


def _of_tokens(tokens: Sequence[Any], masks: Any, kinds: Any) -> Iterator[Kernel]:
    """Yield what bags of tokens are like; of pairs of texts, what both have in common as well."""
    import numpy as np

    rows = [_visible(ids, None if masks is None else masks[n]) for n, ids in enumerate(tokens)]
    names = np.unique(np.concatenate(rows)) if rows else np.zeros(0)
    bags = np.zeros((len(rows), len(names)), dtype="float32")
    for place, row in enumerate(rows):
        there, times = np.unique(row, return_counts=True)
        bags[place, np.searchsorted(names, there)] = np.log1p(times)
    seen = (bags > 0).sum(0)
    # A token of a single row tells nothing of another one, and one of all rows nothing at all.
    bags = bags[:, (seen > 1) & (seen < len(rows))]
    seen = (bags > 0).sum(0)
    bags = bags * np.log((1 + len(rows)) / (1 + seen))
    bags /= np.maximum(np.linalg.norm(bags, axis=1, keepdims=True), 1e-6)
    yield Kernel("a bag of words", (bags @ bags.T).astype("float64"))
    if kinds is None:
        return
    common = []
    for ids, which in zip(tokens, kinds, strict=True):
        row, kind = np.asarray(ids), np.asarray(which)[: len(ids)]
        first, second = set(row[kind == 0].tolist()), set(row[kind == 1].tolist())
        both = len(first & second)
        common.append([both / max(1, len(second)), both / max(1, len(first)), len(row)])
    if any(row[0] for row in common):
        yield Kernel("how many words two texts share", _scaled(np.asarray(common)))


def _visible(ids: Any, mask: Any) -> Any:
    import numpy as np

    row = np.asarray(ids).reshape(-1)
    return row if mask is None else row[np.asarray(mask).reshape(-1)[: len(row)] != 0]


def _of_numbers(arrays: Sequence[Any]) -> Iterator[Kernel]:
    """Yield what rows of numbers are like: their products, and what is near by distance."""
    import numpy as np

    wide = [_narrowed(array.reshape(len(array), -1).astype("float64")) for array in arrays]
    wide = [array for array in wide if array.size]
    if not wide:
        return
    rows = np.nan_to_num(np.concatenate(wide, axis=1), nan=0.0, posinf=0.0, neginf=0.0)
    spread = rows.std(0)
    rows = (rows - rows.mean(0))[:, spread > 0] / spread[spread > 0]
    if not rows.size:
        return
    rows = np.clip(rows, -10, 10)
    products = rows @ rows.T / rows.shape[1]
    yield Kernel("a linear model", products)
    sizes = np.diag(products)
    apart = np.maximum(sizes[:, None] + sizes[None, :] - 2 * products, 0.0)
    middle = float(np.median(apart[np.triu_indices(len(apart), 1)])) or 1.0
    yield Kernel("what rows are near to", np.exp(-apart / middle))


def _narrowed(rows: Any) -> Any:
    """Return rows of no more numbers than are worth their time: neighbours are averaged."""
    import numpy as np

    while rows.shape[1] > WIDEST:
        even = rows.shape[1] // 2 * 2
        rows = np.asarray(rows[:, :even].reshape(len(rows), -1, 2).mean(2))
    return rows


def _scaled(rows: Any) -> Any:
    spread = rows.std(0)
    rows = (rows - rows.mean(0)) / (spread + (spread == 0))
    return rows @ rows.T


def _centred(products: Any) -> Any:
    middle = products.mean(0)
    return products - middle - middle[:, None] + products.mean()


def _alike(rows: Any) -> bool:
    import numpy as np

    try:
        array = np.asarray(rows)
    except ValueError:  # rows of unequal length
        return False
    return array.dtype.kind in "biuf" and array.ndim >= 1
