"""Data as the trainer would get it, made from the raw rows when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.loading.quiet import quiet

Preprocess = Callable[[Mapping[str, list[Any]]], Mapping[str, list[Any]]]

FIRST = 8
"""So many rows are prepared to see which columns and types the preprocessing makes."""


@dataclass(frozen=True)
class Label:
    """
    Where the labels are: the raw column, the column that the trainer gets, the numbering.

    `numbers` is None where the labels go in as they are; -1 stays -1 if `keeps_minus_one`.
    """

    source: str
    column: str
    numbers: Mapping[Any, int] | None = None
    keeps_minus_one: bool = True
    per_token: bool = False


@dataclass(frozen=True, eq=False)
class Prepared:
    """
    The rows of a split as the script's preprocessing makes them; only those asked for are made.

    `raw` is the Arrow-backed data set as the script loads it, cut to the rows that are used;
    `file` names where the data comes from. If it is not `complete`, these are the first rows of
    more, and how many those are is not known.
    """

    raw: Any
    preprocess: Preprocess | None
    file: str | None
    texts: tuple[str, ...]
    label: Label | None = None
    removes: tuple[str, ...] = ()
    complete: bool = True

    def __len__(self) -> int:
        """Count the rows that are used, or raise `Unavailable`."""
        if not self.complete:
            raise Unavailable(
                f"the texts of {self.file} are cut into blocks of tokens; how many that makes is "
                "known only when all are tokenised"
            )
        return len(self.raw)

    def __getitem__(self, row: int) -> dict[str, Any]:
        """Return one row as the trainer gets it."""
        return self.rows([row])[0]

    @property
    def column_names(self) -> list[str]:
        """The columns that the trainer gets, before it drops those that the model can't use."""
        return list(self.features)

    @cached_property
    def features(self) -> Any:
        """The types of these columns, as `datasets` has them."""
        if not len(self.raw):
            return self.raw.features
        return self._map(range(min(len(self.raw), FIRST))).features

    def rows(self, indices: Sequence[int]) -> list[dict[str, Any]]:
        """Return some rows as the trainer gets them."""
        length = len(self.raw)
        within = [index + length if index < 0 else index for index in indices]
        if any(not 0 <= index < length for index in within):
            raise IndexError(f"rows {list(indices)} of {length}")
        return [dict(row) for row in self._map(within)]

    def labels(self) -> arrow.Column:
        """Return the whole column of labels as the trainer gets it, numbered by Arrow."""
        import pyarrow as pa

        assert self.label is not None
        values = arrow.column(self.raw, self.label.source)
        if self.label.numbers is None:
            return values
        if arrow.is_list(values.type):
            return pa.chunked_array([self._number_lists(chunk) for chunk in values.chunks])
        numbered = self._number(values)
        return numbered.cast(self._label_type()) if len(numbered) else numbered

    def _label_type(self) -> Any:
        """Return the type that `datasets` leaves the numbers in: sometimes the one before."""
        label = self.label
        assert label is not None
        assert label.numbers is not None
        numbers = label.numbers
        with quiet("datasets"):
            some = self.raw.select_columns([label.source]).select(range(min(len(self.raw), FIRST)))
            made = some.map(
                lambda rows: {label.column: [numbers.get(v, v) for v in rows[label.source]]},
                batched=True,
                keep_in_memory=True,
                load_from_cache_file=False,
                new_fingerprint="numbered",
            )
        return made.features.arrow_schema.field(label.column).type

    def _number_lists(self, chunk: Any) -> Any:
        import pyarrow as pa

        chunk = chunk.cast(pa.list_(chunk.type.value_type))
        flat = self._number(chunk.flatten())
        starts = chunk.offsets.to_numpy() - chunk.offsets[0].as_py()
        return pa.ListArray.from_arrays(pa.array(starts), flat, mask=chunk.is_null())

    def _number(self, values: Any) -> Any:
        return number(values, self.label) if self.label is not None else values

    def _map(self, indices: Sequence[int] | range) -> Any:
        """Have `datasets` itself apply the preprocessing: it casts some columns back."""
        with quiet("datasets", "transformers"):
            chosen = self.raw.select(indices, keep_in_memory=True, new_fingerprint="chosen")
            if self.preprocess is None:
                return chosen
            return chosen.map(
                self.preprocess,
                batched=True,
                remove_columns=list(self.removes) or None,
                keep_in_memory=True,
                load_from_cache_file=False,
                new_fingerprint="prepared",
            )


def number(values: Any, label: Label) -> Any:
    """Replace labels by their numbers; a label without one becomes null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    assert label.numbers is not None
    known = pa.array(list(label.numbers), type=values.type)
    places = pc.index_in(values, value_set=known)
    numbered = pa.array(list(label.numbers.values()), type=pa.int64()).take(
        places.combine_chunks() if isinstance(places, pa.ChunkedArray) else places
    )
    if label.keeps_minus_one and pa.types.is_integer(values.type):
        whole = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
        numbered = pc.if_else(pc.equal(whole, -1), -1, numbered)
    return pa.chunked_array([numbered]) if isinstance(values, pa.ChunkedArray) else numbered
