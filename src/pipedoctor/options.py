"""
What the user asked for: on the command line, and in `[tool.pipedoctor]` of pyproject.toml.

    [tool.pipedoctor]
    select = ["LAB", "CKP001"]
    ignore = ["HYP009"]
    severity = { HYP001 = "error" }
    targets = ["config.json", "train.py -- --epochs 1"]
    extend-select = ["EVA"]
    per-file-ignores = { "old/*.json" = ["HYP"] }
    max-warnings = 3
    baseline = "pipedoctor-baseline.json"

    [tool.pipedoctor.checks.HYP003]
    share = 0.5
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pipedoctor.fact import Cost
from pipedoctor.finding import Severity
from pipedoctor.registry import Registry, Row

if TYPE_CHECKING:
    from pipedoctor.ignoring.patterns import PerFile

SECONDS = 120.0
"""
How long loading and probing may take. Models of BERT's size on two cores take some ten seconds,
most of it for importing the frameworks; from a cold disk that alone can take a minute.
"""


class UsageError(Exception):
    """What the user asked for makes no sense: one sentence, exit status 2."""


TRAINED = {
    "Learnability": "overfit",
    "Overfit": "overfit",
    "Step": "overfit",
    "RangeTest": "range_test",
}
"""The facts that are measured by training, which is done where it is asked for by these parts."""


@dataclass(frozen=True)
class Options:
    """
    The wishes of one examination.

    `select` and `ignore` hold codes or their beginnings ("LAB"); `extend_select` adds to what is
    selected; `seconds` bounds what the child process may take; `targets` are those that `pytest
    --pipedoctor` examines. `per_file` and `baseline` (a path) say which findings are accepted;
    so many warnings as `max_warnings` leave the exit status 0.
    """

    depth: Cost = Cost.TRAINING
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severities: Mapping[str, Severity] = field(default_factory=dict)
    checks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    preview: bool = False
    verbose: bool = False
    seconds: float = SECONDS
    targets: tuple[str, ...] = ()
    shown: tuple[int, ...] = ()
    """The rows that are to be shown, where those are not the first batch and the longest."""
    stated: Mapping[str, Any] = field(default_factory=dict)
    """Parts that the user states beside the target: `train_rows`, and room in `environment`."""
    extend_select: tuple[str, ...] = ()
    per_file: tuple[PerFile, ...] = ()
    max_warnings: int | None = None
    baseline: str | None = None

    def choose(self, rows: Iterable[Row]) -> list[Row]:
        """
        Return the rows that are selected and not ignored.

        Of a code and its beginning the longer word decides, and of two equal ones "ignore". Checks
        of a short training are left out where none was asked for.
        """
        selected = (*(self.select or ("",)), *self.extend_select)
        return [
            row
            for row in rows
            if _longest(row, selected) > _longest(row, self.ignore)
            and all(
                TRAINED.get(want.fact, "") in {"", *self.stated} or want.optional
                for want in row.wants
            )
        ]

    def of(self, code: str) -> Mapping[str, Any]:
        """Return the options of one check."""
        return self.checks.get(code, {})


def _longest(row: Row, words: Iterable[str]) -> int:
    """Return the length of the longest word that the row's code begins with, -1 if there is none."""
    return max((len(word) for word in words if row.code.startswith(word)), default=-1)


def read_settings(start: str) -> tuple[dict[str, Any], str | None]:
    """
    Return `[tool.pipedoctor]` of the nearest pyproject.toml at or above a folder, and its path.

    Raises:
        UsageError: The file that holds it is no TOML.

    """
    folder = os.path.abspath(start)
    while True:
        path = os.path.join(folder, "pyproject.toml")
        try:
            with open(path, "rb") as file:
                raw = file.read(1 << 22)
        except OSError:
            raw = b""
        if b"tool.pipedoctor" in raw:
            return _parse(raw, path), path
        above = os.path.dirname(folder)
        if above == folder:
            return {}, None
        folder = above


def _parse(raw: bytes, path: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        settings = tomllib.loads(raw.decode()).get("tool", {}).get("pipedoctor", {})
    except ValueError as error:
        raise UsageError(f"{path} is not valid TOML: {error}") from None
    if not isinstance(settings, dict):
        raise UsageError(f"{path}: tool.pipedoctor is no table; write [tool.pipedoctor]")
    return settings


KEYS = {
    *("baseline", "checks", "extend-select", "ignore", "max-warnings", "per-file-ignores"),
    *("preview", "select", "severity", "targets", "time"),
}


def merge(settings: Mapping[str, Any], source: str | None, registry: Registry) -> Options:
    """
    Return the options that a table of settings states.

    Raises:
        UsageError: It names a check, an option or a value that there is none of.

    """
    for key in settings:
        if key not in KEYS:
            raise UsageError(
                f"{source}: unknown key {key!r} in [tool.pipedoctor]; there are {', '.join(sorted(KEYS))}"
            )
    severities = table(settings, "severity", source)
    for code in severities:
        _row(code, registry, source)
    return Options(
        select=codes(settings.get("select", []), registry, source),
        ignore=codes(settings.get("ignore", []), registry, source),
        severities={code: severity(word, source) for code, word in severities.items()},
        checks=_check_options(table(settings, "checks", source), registry, source),
        preview=_of_kind(False, settings.get("preview", False), f"{source}: preview"),
        seconds=_seconds(settings.get("time", SECONDS), f"{source}: time"),
        targets=_targets(settings, source),
        extend_select=codes(settings.get("extend-select", []), registry, source),
        **_accepting(settings, registry, source),
    )


def _accepting(
    settings: Mapping[str, Any], registry: Registry, source: str | None
) -> dict[str, Any]:
    """Return what is stated of findings that are accepted; most projects state nothing."""
    if settings.keys().isdisjoint({"per-file-ignores", "max-warnings", "baseline"}):
        return {}
    from pipedoctor.ignoring import stated

    return {
        "per_file": stated.per_file(settings.get("per-file-ignores", {}), registry, source),
        "max_warnings": stated.warnings(settings.get("max-warnings"), f"{source}: max-warnings"),
        "baseline": stated.baseline(settings.get("baseline"), source),
    }


def _targets(settings: Mapping[str, Any], source: str | None) -> tuple[str, ...]:
    if "targets" not in settings:
        return ()
    from pipedoctor import listed_targets

    return listed_targets.targets(settings["targets"], f"{source}: targets")


def table(settings: Mapping[str, Any], key: str, source: str | None) -> Mapping[str, Any]:
    """Return a table within the settings; an empty one where it is not stated."""
    value = settings.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{source}: {key} takes a table, not {value!r}")
    return value


def _check_options(
    tables: Mapping[str, Any], registry: Registry, source: str | None
) -> dict[str, dict[str, Any]]:
    for code, options in tables.items():
        row = _row(code, registry, source)
        if not isinstance(options, dict):
            raise UsageError(f"{source}: {code} takes a table of options, not {options!r}")
        for name, value in options.items():
            if name not in row.options:
                there = ", ".join(row.options) or "none"
                raise UsageError(f"{source}: {code} has no option {name!r}; it has: {there}")
            _of_kind(row.options[name], value, f"{source}: {code}.{name}")
    return dict(tables)


def _row(code: str, registry: Registry, source: str | None) -> Row:
    try:
        return registry.row(code)
    except KeyError:
        text = f"{source}: there is no check {code}; {near(code, registry, whole=True)}"
        raise UsageError(text) from None


def near(word: object, registry: Registry, *, whole: bool = False) -> str:
    """Return what may have been meant by a word that is no code; no beginnings if `whole`."""
    import difflib

    text = str(word)
    for row in registry.rows:
        if row.rule.name == text.lower():
            return f"that is the name of {row.code}"
    there = [row.code for row in registry.rows]
    if not whole:
        there += sorted({code[:3] for code in there})
    alike = difflib.get_close_matches(text.upper(), there, 1)
    return f"did you mean {alike[0]}?" if alike else "`pipedoctor rules` lists them"


def _of_kind(default: Any, value: Any, place: str) -> Any:
    """Return a value that is of the kind of the default: true or false, a number, a text."""
    numbers = isinstance(default, (int, float)) and not isinstance(default, bool)
    fits = isinstance(value, (int, float)) if numbers else isinstance(value, type(default))
    if numbers and isinstance(value, bool):
        fits = False
    if not fits:
        kinds = {bool: "true or false", str: "a text", list: "a list", dict: "a table"}
        wanted = "a number" if numbers else kinds.get(type(default), type(default).__name__)
        raise UsageError(f"{place} takes {wanted}, not {value!r}")
    return value


def _seconds(value: Any, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise UsageError(f"{place} takes a number of seconds above 0, not {value!r}")
    return float(value)


def codes(words: Any, registry: Registry, source: str | None) -> tuple[str, ...]:
    """Return codes, or beginnings of codes, each of which must stand for some check."""
    if not isinstance(words, list):
        raise UsageError(
            f"{source}: select takes a list of codes, and so do extend-select, ignore and each "
            "pattern of per-file-ignores"
        )
    for word in words:
        if not isinstance(word, str) or not _stands_for_some(word, registry):
            place = f"{source}: " if source else ""
            raise UsageError(f"{place}no check has a code like {word!r}; {near(word, registry)}")
    return tuple(words)


def _stands_for_some(word: str, registry: Registry) -> bool:
    return bool(word) and any(row.code.startswith(word) for row in registry.rows)


def severity(word: str, source: str | None) -> Severity:
    """Return the severity of a word."""
    try:
        return Severity[word.upper()]
    except (KeyError, AttributeError):
        place = f"{source}: " if source else ""
        raise UsageError(f"{place}{word!r} is no severity; write note, warning or error") from None
