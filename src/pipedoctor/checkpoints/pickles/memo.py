"""The memo of a pickle: a row, because picklers number what they put into it one by one."""

from __future__ import annotations


class Memo:
    """What was put away, by number; numbers out of turn are kept apart."""

    __slots__ = ("others", "row")

    def __init__(self) -> None:
        """Begin empty."""
        self.row: list[object] = []
        self.others: dict[int, object] = {}

    def __len__(self) -> int:
        """How many numbers are taken."""
        return len(self.row) + len(self.others)

    def get(self, index: int) -> object:
        """Return what has a number, or raise `KeyError`."""
        if 0 <= index < len(self.row):
            return self.row[index]
        return self.others[index]

    def put(self, index: int, node: object) -> object:
        """Give a number, and return what had it before."""
        row = self.row
        if index == len(row):
            row.append(node)
            return self.others.pop(index, None) if self.others else None
        if 0 <= index < len(row):
            before = row[index]
            row[index] = node
            return before
        before = self.others.get(index)
        self.others[index] = node
        return before

    def values(self) -> list[object]:
        """Return all that is in it."""
        return [*self.row, *self.others.values()]
