"""Generators, attributes and lists of the user's data are as they were."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from pipedoctor.frameworks.restoring.undisturbed import MOST_OBJECTS, reach, undisturbed

GLOBAL = np.random.default_rng(5)


def augment() -> float:
    return float(GLOBAL.random())


class Own:
    CLASS_WIDE = random.Random(3)

    def __init__(self) -> None:
        self.rng = np.random.default_rng(0)
        self.old = np.random.RandomState(0)
        self.python = random.Random(0)
        self.torch = torch.Generator().manual_seed(0)
        self.queue = [1, 2, 3]
        self.cache: dict[int, int] = {}
        self.seen = 0
        self.inner = [functools.partial(self.python.gauss, 0.0)]
        closed = np.random.default_rng(9)
        self.closure = lambda: float(closed.random())

    def draw(self) -> list[float]:
        self.seen += 1
        self.queue.pop()
        self.cache[self.seen] = self.seen
        return [
            float(self.rng.random()),
            float(self.old.rand()),
            self.python.random(),
            float(torch.rand(1, generator=self.torch)),
            self.inner[0](1.0),
            self.closure(),
            augment(),
            self.CLASS_WIDE.random(),
            random.random(),
            float(np.random.rand()),  # noqa: NPY002 - the state that users' code draws from
            float(torch.rand(1)),
        ]


def test_what_is_drawn_afterwards_is_what_would_have_been_drawn() -> None:
    data = Own()
    with undisturbed(data):
        before = data.draw()
    assert (data.seen, data.queue, data.cache) == (0, [1, 2, 3], {})
    with undisturbed(data):
        again = data.draw()
    assert before == again
    data.draw()
    assert data.draw() != before


def test_it_is_put_back_when_the_code_raises() -> None:
    data = Own()

    def fail() -> None:
        with undisturbed(data):
            data.seen = 7
            data.queue.clear()
            _ = 1 // 0

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (data.seen, data.queue) == (0, [1, 2, 3])


def test_data_within_data_is_reached() -> None:
    class Around:
        def __init__(self, inner: Any) -> None:
            self.parts = [inner]

        def draw(self) -> Any:
            return self.parts[0].draw()

    data = Around(Own())
    with undisturbed(data):
        first = data.draw()
    with undisturbed(data):
        assert data.draw() == first


def test_long_lists_are_not_walked_through() -> None:
    class Many:
        def __init__(self) -> None:
            self.rows = [object() for _ in range(100_000)]

    assert len(list(reach(Many()))) < MOST_OBJECTS


def test_a_ring_of_objects_ends() -> None:
    one: list[Any] = []
    one.append(one)
    action: Callable[[], Any] = lambda: one  # noqa: E731 - a closure is what is wanted
    assert len(list(reach(one, action))) == 2
