"""The settings of a run: a mapping of a config or a snippet, or an object with their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.arguments import Arguments
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(Settings, Cost.STATIC, "settings")
def settings(pipeline: Pipeline, _split: Split) -> Settings:
    """
    Take over what is stated, and what a config knows besides: its lines, and whose keys it has.

    Of an object like `TrainingArguments`, what differs from the declared default is taken as
    stated; that includes what it worked out by itself when it was made.
    """
    part = pipeline.part("settings")
    if not isinstance(part, Mapping):
        return Settings(dict(_changed(part)), pipeline.fact(Arguments))
    return Settings(
        stated={str(name): value for name, value in part.items()},
        arguments=pipeline.fact(Arguments),
        locations=getattr(part, "locations", {}),
        script_keys=frozenset(getattr(part, "script_keys", ())),
        script=getattr(part, "script", None),
    )


def _changed(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the fields of a dataclass that differ from their defaults, or all of an object's."""
    declared = getattr(type(part), "__dataclass_fields__", None)
    try:
        values = vars(part)
    except TypeError:
        raise Unavailable(
            f"the settings are of type {type(part).__name__}, not a mapping of names to values"
        ) from None
    for name, value in values.items():
        if name.startswith("_") or (declared is not None and name not in declared):
            continue
        # Trainer makes enums of words; the word is what was, or could have been, stated.
        plain = value.value if isinstance(value, str) and hasattr(value, "value") else value
        if declared is None or not _is_default(declared[name], plain):
            yield name, plain


def _is_default(field: Any, value: object) -> bool:
    default = field.default_factory() if callable(field.default_factory) else field.default
    # 1 and True are equal, but do not mean the same.
    return type(value) is type(default) and value == default
