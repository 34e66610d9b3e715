"""Arrow-backed data under one roof: a `datasets.Dataset`, or what a config's script makes of one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import Fact, Split, Unavailable
from pipedoctor.frameworks.data import arrow
from pipedoctor.frameworks.loading.prepared import Prepared

if TYPE_CHECKING:
    from pipedoctor.pipeline import Pipeline


@dataclass(frozen=True)
class Source:
    """The data of a split: `raw` holds its columns, `prepared` makes its rows if they are made."""

    raw: Any
    prepared: Prepared | None = None

    def __len__(self) -> int:
        """Count the rows at hand."""
        return len(self.raw)

    @property
    def file(self) -> str | None:
        """Where the data comes from, if that is known."""
        return self.prepared.file if self.prepared is not None else None

    @property
    def transform(self) -> Any:
        """The function that makes rows when they are asked for; None if there is none."""
        stated = getattr(self.raw, "format", None) or {}
        if stated.get("type") != "custom":
            return None
        return stated["format_kwargs"].get("transform")

    def types(self) -> Mapping[str, str]:
        """Return the columns that the trainer gets, and their types in Arrow's words."""
        features = self.raw.features if self.prepared is None else self.prepared.features
        return {field.name: arrow.word(field.type) for field in features.arrow_schema}

    def rows(self, indices: Sequence[int]) -> list[Mapping[str, Any]]:
        """Return rows as the trainer gets them."""
        if self.prepared is not None:
            return list(self.prepared.rows(indices))
        return [self.raw[index] for index in indices]

    def label(self, names: Sequence[str]) -> str:
        """Return the name of the column of labels that the trainer gets, the first of these."""
        if self.prepared is not None:
            if self.prepared.label is None:
                raise Unavailable("the data has no labels")
            return self.prepared.label.column
        for name in names:
            if name in self.raw.column_names:
                return str(name)
        raise Unavailable(
            f"the data has no column of labels; it has {', '.join(self.raw.column_names)}"
        )

    def labels(self, name: str) -> arrow.Column:
        """Return the whole column of labels, as the trainer gets it."""
        if self.prepared is not None:
            return self.prepared.labels()
        return arrow.column(self.raw, name)

    def label_feature(self, name: str) -> Any:
        """Return what `datasets` knows of the labels; the inner part, where they are lists."""
        label = None if self.prepared is None else self.prepared.label
        source = name if label is None else label.source
        feature = self.raw.features[source]
        return getattr(feature, "feature", feature)

    def measures_length(self) -> tuple[str, ...]:
        """Return the raw columns by whose length one can tell which rows are long."""
        if self.prepared is not None:
            return self.prepared.texts
        types = {name: self.raw.data.column(name).type for name in self.raw.column_names}
        lists = [name for name, kind in types.items() if arrow.is_list(kind)]
        texts = [name for name, kind in types.items() if arrow.is_text(kind)]
        if "input_ids" in lists:
            return ("input_ids",)
        return tuple(lists or texts)

    def texts(self, rows: Sequence[int], most: int) -> Mapping[int, str]:
        """Return the beginning of the text of some rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        names = self._text_columns() if self.prepared is None else self.prepared.texts
        columns = []
        for name in names:
            values = arrow.plain(self.raw.select(list(rows)).with_format("arrow")[:][name])
            if arrow.is_list(values.type) and arrow.is_text(values.type.value_type):
                values = pc.binary_join(values.cast(pa.list_(pa.string())), " ")
            if arrow.is_text(values.type):
                columns.append(pc.utf8_slice_codeunits(values, 0, most).to_pylist())
        told = [" | ".join(part for part in parts if part) for parts in zip(*columns, strict=True)]
        return {row: text for row, text in zip(rows, told, strict=False) if text}

    def _text_columns(self) -> tuple[str, ...]:
        types = {name: self.raw.data.column(name).type for name in self.raw.column_names}
        return tuple(name for name, kind in types.items() if arrow.is_text(kind))[:2]


@dataclass(frozen=True, repr=False, eq=False)
class Data(Fact):
    """The loaded data of a split, or None in `source` where it is a stream; not for checks."""

    doing = "Loading the data"
    per_split = True

    source: Source | None
    stream: Any = None


def fetched(found: Source, rows: Sequence[int], names: Sequence[str] | None) -> list[Any]:
    """
    Return rows as the data loader gets them from Trainer, which drops columns before.

    A transform is applied to what is left, and to a whole batch: it may pad.
    """
    if found.prepared is not None:
        whole = found.rows(rows)
        reaching(found.prepared, names)
        return [{n: v for n, v in row.items() if names is None or n in names} for row in whole]
    left = reaching(found.raw, names)
    if found.transform is not None:
        return list(left.__getitems__(list(rows)))
    return [left[row] for row in rows]


def reaching(data: Any, names: Sequence[str] | None) -> Any:
    """
    Return a data set as Trainer hands it on: without the columns that it drops.

    Raises:
        ValueError: None is left; as Trainer says it.

    """
    if names is None:
        return data
    if not set(names) & set(data.column_names):
        raise ValueError(
            "No columns in the dataset match the model's forward method signature: "
            f"it takes {', '.join(names)}, the data has {', '.join(data.column_names)}"
        )
    dropped = [name for name in data.column_names if name not in names]
    return data.remove_columns(dropped) if dropped and hasattr(data, "remove_columns") else data


def source(pipeline: Pipeline, split: Split) -> Source:
    """Return the data of a split as a table of rows, or raise `Unavailable`."""
    found = pipeline.fact(Data, split).source
    if found is None:
        raise Unavailable("streaming data has no columns that could be looked at as a whole")
    return found
