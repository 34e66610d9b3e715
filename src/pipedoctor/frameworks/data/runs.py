"""Runs: stretches of rows that have one label, and how many of them chance makes."""

from __future__ import annotations

from collections.abc import Sequence


def random_runs(counts: Sequence[int]) -> tuple[float, float]:
    """
    Return how many runs a random order of so many labels of each class has, and how surely.

    The mean and the deviation are those of the runs test of Wald and Wolfowitz, for any number of
    classes (Mood 1940).
    """
    total = float(sum(counts))
    if total < 2:
        return total, 0.0
    squares = sum(float(size) ** 2 for size in counts)
    cubes = sum(float(size) ** 3 for size in counts)
    variance = squares * (squares + total * (total + 1)) - 2 * total * cubes - total**3
    variance /= total**2 * (total - 1)
    return 1 + total - squares / total, max(0.0, variance) ** 0.5
