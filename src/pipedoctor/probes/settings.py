"""The settings of a run: a mapping of a config or a snippet, or an object with their names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipedoctor.capture import sites
from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.arguments import Argument, Arguments
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import NOWHERE
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe

TRAINER = Arguments.of

REPLACED = {
    "optimizer": ("learning_rate", "weight_decay"),
    "lr_scheduler": ("lr_scheduler_type", "warmup_ratio", "warmup_steps"),
}
"""What a trainer may be given ready-made, and the settings that are without effect then."""


@probe(Settings, Cost.STATIC, "settings")
def settings(pipeline: Pipeline, _split: Split) -> Settings:
    """
    Take over what is stated, and what a config knows besides: its lines, and whose keys it has.

    Of an object like `TrainingArguments`, what differs from the declared default is taken as
    stated; that includes what it worked out by itself when it was made.
    """
    part = pipeline.part("settings")
    if not isinstance(part, Mapping):
        return _of_object(pipeline, part)
    arguments = pipeline.fact(Arguments)
    plain = Settings(
        stated={str(name): value for name, value in part.items()},
        arguments=arguments,
        locations=getattr(part, "locations", {}),
        script_keys=frozenset(getattr(part, "script_keys", ())),
        script=getattr(part, "script", None),
        made=getattr(part, "made", NOWHERE),
        dialect=getattr(part, "dialect", "json"),
        defaults_of=arguments.owner if arguments.of != TRAINER else "",
        abbreviations=getattr(part, "abbreviations", {}),
    )
    reading = getattr(part, "reading", None)
    if reading is None:
        return plain
    from pipedoctor.probes.readings import apply

    return apply(plain, reading)


def _of_object(pipeline: Pipeline, part: Any) -> Settings:
    site = sites.of(pipeline.parts, "settings")
    stated = dict(_changed(part))
    if site is not None:  # what was given is stated, also where it is what the default is
        stated |= {name: _plain(getattr(part, name)) for name in site.given if hasattr(part, name)}
    trainer = pipeline.parts.get("trainer")
    kind = type(part)
    return Settings(
        stated,
        _with_defaults(pipeline.fact(Arguments), part),
        locations=site.keywords if site is not None else {},
        script_keys=frozenset(getattr(kind, "__dataclass_fields__", ())),
        defaults_of="" if kind.__module__.startswith("transformers.") else kind.__name__,
        made=site.place if site is not None else NOWHERE,
        dialect="python",
        unused={
            name: f"the script brings its own {what}"
            for what, names in REPLACED.items()
            if getattr(trainer, what, None) is not None and not _made_by(trainer)
            for name in names
        },
    )


def _made_by(trainer: Any) -> bool:
    """
    Whether a trainer may have made its optimizer itself: it does when its training starts.

    Then the learning rate tells: that of its own optimizer is that of its arguments.
    """
    started = getattr(trainer, "is_in_train", False) or getattr(
        getattr(trainer, "state", None), "global_step", 0
    )
    groups = getattr(getattr(trainer, "optimizer", None), "param_groups", ())
    rates = {group.get("initial_lr", group.get("lr")) for group in groups}
    return bool(started) and rates == {getattr(trainer.args, "learning_rate", None)}


def _with_defaults(arguments: Arguments, part: Any) -> Arguments:
    """
    Put the defaults of the object's own class in the place of those of `TrainingArguments`.

    A class made after it, such as TRL's `SFTConfig`, has others, and fields of its own.
    """
    declared = getattr(type(part), "__dataclass_fields__", {})
    fields = dict(arguments.fields)
    for name, own in declared.items():
        default = _plain(_default(own))
        if isinstance(default, (str, int, float, list, dict, type(None))):
            known = fields.get(name)
            fields[name] = Argument(known.type if known is not None else str(own.type), default)
    return replace(arguments, fields=fields)


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
        plain = _plain(value)
        if declared is None or not _is_default(declared[name], plain):
            yield name, plain


def _plain(value: Any) -> Any:
    """Return the word where Trainer made an enum of one: it is what was stated, or could be."""
    return value.value if isinstance(value, str) and hasattr(value, "value") else value


def _default(field: Any) -> Any:
    return field.default_factory() if callable(field.default_factory) else field.default


def _is_default(field: Any, value: object) -> bool:
    default = _default(field)
    # 1 and True are equal, but do not mean the same.
    return type(value) is type(default) and value == default
