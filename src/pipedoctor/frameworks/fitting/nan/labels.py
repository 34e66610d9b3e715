"""Labels that are no class: TensorFlow refuses them, or makes NaN of them where it is compiled."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from pipedoctor.facts.trace import FORWARD, Birth
from pipedoctor.frameworks.fitting.drawing import Drawn
from pipedoctor.frameworks.fitting.library import Library, named, to_numpy
from pipedoctor.frameworks.tracing.replay import Found

REFUSED = re.compile(r"label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")


def outside(
    library: Library, batch: Drawn, run: Callable[[], Found | None], *, lent: bool
) -> Found | None:
    """
    Run a step eagerly, in which TensorFlow may refuse labels of which a compiled one makes NaN.

    A model that is `lent` is one of transformers.

    Raises:
        Exception: What the step raises otherwise.

    """
    try:
        return run()
    except Exception as error:
        match = REFUSED.search(str(error))
        if match is None or library.backend != "tensorflow":
            raise
        return Found(*_told(batch, int(match[2]), lent=lent))


def _told(
    batch: Drawn, classes: int, *, lent: bool
) -> tuple[Birth, tuple[Birth, ...], tuple[int, ...]]:
    import numpy as np

    bad: Any = np.zeros(batch.size, bool)
    shown: list[int] = []
    for _, leaf in named(batch.y, ""):
        held = to_numpy(leaf)
        if held is not None and held.ndim and len(held) == batch.size and held.dtype.kind in "iuf":
            wrong = (held < 0) | (held >= classes)
            bad |= wrong.reshape(batch.size, -1).any(1)
            shown += [int(one) for one in np.unique(held[wrong])]
    rows = tuple(int(row) for row in bad.nonzero()[0])
    wanted = max([classes - 1, *shown]) + 1
    widened = f"give the last layer {wanted} units"
    if lent:
        widened = f"from_pretrained(…, num_labels={wanted})"
    birth = Birth(
        when=FORWARD,
        what="NaN",
        operation="SparseSoftmaxCrossEntropyWithLogits",
        count=len(rows),
        size=batch.size,
        shape=(batch.size,),
        dtype="float32",
        rows=rows,
        operands=(f"the labels {', '.join(map(str, shown[:5]))} are none of 0 to {classes - 1}",),
        family="label-out-of-range",
        why=f"the model tells {classes} classes apart, and these labels are none of them; where "
        "the step is compiled (jit_compile), or on a GPU, their loss is NaN",
        cure=f"{widened}, or number the labels from 0 to {classes - 1}",
    )
    return birth, (), rows
