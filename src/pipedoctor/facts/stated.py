"""What is stated in a script, of which some values are known only when it runs."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, Mapping
from typing import Any

from pipedoctor.fact import Unavailable, Unknown


class Expression(Unknown):
    """A value that is known only when the script runs, as it is written there."""

    def __init__(self, text: str, reason: str = "") -> None:
        """Keep the text, to be carried over into a remedy."""
        super().__init__(reason or f"{text} is known only when the script runs")
        self.text = text

    def __repr__(self) -> str:
        """Return what is written."""
        return self.text


class Stated(Mapping[str, Any]):
    """
    Names and values as a script states them.

    All names are there. A value that is not known can't be read: asking for it raises
    `Unavailable`, and `items` leaves it out; `written` returns it as an `Expression`.
    """

    def __init__(self, written: Mapping[str, Any]) -> None:
        """Take the values; those of the type `Unknown` are not known."""
        self._written = dict(written)

    def __getitem__(self, name: str) -> Any:
        """Return a value, if it is known."""
        value = self._written[name]
        if isinstance(value, Unknown):
            raise Unavailable(f"{name} of the settings: {value.reason}")
        return value

    def __contains__(self, name: object) -> bool:
        """Whether it is stated, known or not."""
        return name in self._written

    def __iter__(self) -> Iterator[str]:
        """Iterate over all names."""
        return iter(self._written)

    def __len__(self) -> int:
        """Count all names."""
        return len(self._written)

    def items(self) -> ItemsView[str, Any]:
        """Return the names whose values are known."""
        written = self._written.items()
        return {n: value for n, value in written if not isinstance(value, Unknown)}.items()

    def written(self, name: str) -> Any:
        """Return a value, or the expression that stands for it."""
        return self._written[name]
