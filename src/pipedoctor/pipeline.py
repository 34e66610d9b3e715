"""The subject of an examination: one training run, as a set of facts each measured once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

from pipedoctor.fact import Cost, Elsewhere, Fact, OverBudget, Split, Unavailable
from pipedoctor.finding import Finding
from pipedoctor.parts import Parts
from pipedoctor.probe import Probe

F = TypeVar("F", bound=Fact)
Key = tuple[type[Fact], Split | None]


class ProbeFailed(Exception):  # noqa: N818 - the error is the user's, this is the message about it
    """
    The user's own code raised while a fact was measured; nothing is skipped quietly then.

    `__cause__` is what it raised; `doing` and `rows` say at what, where a probe knows it better
    than the fact: "Reading row 7 of the training data".
    """

    def __init__(
        self,
        fact: type[Fact],
        split: Split | None,
        error: BaseException,
        doing: str = "",
        rows: tuple[int, ...] = (),
    ) -> None:
        """Keep what was measured when it happened."""
        self.text = text_of(error)
        super().__init__(f"{type(error).__name__}: {self.text}".rstrip(": "))
        self.fact = fact
        self.split = split
        self.doing = doing
        self.rows = rows
        self.__cause__ = error


def text_of(error: BaseException) -> str:
    """
    Return what an error says; nothing, where even that raises, as a user's own may.

    What makes letters bold on a terminal is left out: libraries colour what they say.
    """
    try:
        return re.sub("\x1b\\[[0-9;]*m", "", str(error))
    except Exception:  # noqa: BLE001 - the user's code runs in there, and may raise anything
        return ""


@dataclass(frozen=True, repr=False, eq=False)
class Measurement:
    """What became of one fact: the record or the reason why there is none, and the time."""

    fact: Fact | None
    failure: Unavailable | ProbeFailed | None
    seconds: float


@dataclass(repr=False, eq=False)
class Pipeline:
    """
    A training pipeline: parts, the probes that know them, and what was measured so far.

    `budget` is the dearest cost that may be spent; `watch` is told what is about to be measured.
    """

    parts: Parts
    probes: Sequence[Probe] = ()
    budget: Cost = Cost.TRAINING
    watch: Callable[[type[Fact], Split | None], None] | None = None
    measurements: dict[Key, Measurement] = field(default_factory=dict)
    _open: list[Key] = field(default_factory=list)
    """What is being measured just now: each for the sake of the one before it."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the report: what was done to look at it that its user should know."""

    @property
    def splits(self) -> tuple[Split, ...]:
        """The splits that there are data for; training, if nothing is known of the data."""
        given = tuple(split for split in Split if f"{split.value}_data" in self.parts)
        return given or (Split.TRAIN,)

    def part(self, name: str) -> Any:
        """
        Return a part.

        Raises:
            Unavailable: It was not given, or can't be had here.

        """
        if name not in self.parts:
            raise Unavailable(_not_given(name))
        return self.parts[name]

    def data(self, split: Split) -> Any:
        """Return the data of a split, or raise `Unavailable`."""
        return self.part(f"{split.value}_data")

    def fact(self, kind: type[F], split: Split | None = None) -> F:
        """
        Return the fact, measuring it at the first call.

        Raises:
            Unavailable: It cannot be known; the same at every call.
            ProbeFailed: The user's own code raised; the same at every call.

        """
        key = (kind, split or Split.TRAIN if kind.per_split else None)
        if key not in self.measurements:
            self.measurements[key] = self._measure(*key)
        measurement = self.measurements[key]
        if measurement.failure is not None:
            raise measurement.failure
        assert isinstance(measurement.fact, kind)
        return measurement.fact

    def optional(self, kind: type[F], split: Split | None = None) -> F | None:
        """Return the fact, or None where it cannot be known."""
        try:
            return self.fact(kind, split)
        except (Unavailable, ProbeFailed):
            return None

    def cheapest(self, fact: str) -> Cost:
        """Return the cost of the cheapest source of a fact, by the name of its class."""
        costs = [probe.cost for probe in self._by_fact.get(fact, ())]
        return min(costs, default=Cost.STATIC)

    def in_users_words(self, finding: Finding) -> Finding:
        """Return a finding in which each argument has the name that the user's tool gave it."""
        reading = getattr(self.parts.get("settings", None), "reading", None)
        if reading is None:
            return finding
        return replace(
            finding,
            message=reading.said(finding.message),
            remedy=reading.said(finding.remedy),
            alternatives=tuple(map(reading.said, finding.alternatives)),
        )

    def out_of_reach(self, fact: str) -> str | None:
        """Return why a fact can't be known whatever is spent, by the name of its class."""
        missing = ""
        for probe in self._by_fact.get(fact, ()):
            lacking = [[p for p in probe.needs(s) if p not in self.parts] for s in Split]
            if not all(lacking):
                return None
            missing = missing or _not_given(lacking[0][0])
        return missing or f"nothing was given that tells the {in_words(fact)}"

    @cached_property
    def _by_fact(self) -> dict[str, list[Probe]]:
        """The probes by the names of the classes of their facts."""
        found: dict[str, list[Probe]] = {}
        for probe in self.probes:
            found.setdefault(probe.provides.rpartition(".")[2], []).append(probe)
        return found

    def _measure(self, kind: type[Fact], split: Split | None) -> Measurement:
        start, before = time.perf_counter(), len(self._open)
        fact: Fact | None = None
        failure: Unavailable | ProbeFailed | None = None
        try:
            fact = self._try_probes(kind, split)
        except (Unavailable, ProbeFailed) as reason:
            failure = reason
        finally:
            if len(self._open) > before:
                del self._open[before:]
                if self.watch is not None and self._open:
                    self.watch(*self._open[-1])
        return Measurement(fact, failure, time.perf_counter() - start)

    def _measured_by(self, probe: Probe, kind: type[Fact], split: Split | None) -> Fact:
        try:
            return probe.measure(self, split or Split.TRAIN)
        except (Unavailable, ProbeFailed):
            raise  # of another fact that this one is made from; it says itself what failed
        except Exception as error:  # the user's code runs in there, and may raise anything
            lacking = _not_installed(error)
            if lacking is not None:
                raise lacking from error
            if not probe.user_code or _is_our_bug(error):
                raise
            raise ProbeFailed(kind, split, error) from error

    def _try_probes(self, kind: type[Fact], split: Split | None) -> Fact:
        probes = sorted((p for p in self.probes if p.of(kind)), key=lambda p: p.cost)
        reasons: list[Unavailable] = []
        for probe in probes:
            missing = [p for p in probe.needs(split or Split.TRAIN) if p not in self.parts]
            if missing:
                # First in the list: what a probe that ran has to say tells more.
                reasons.insert(0, Unavailable(_not_given(missing[0])))
                continue
            if probe.cost > self.budget:
                depth = probe.cost.name.lower()
                reasons.append(OverBudget(f"needs --depth {depth}", probe.cost))
                continue
            if self.watch is not None:
                self.watch(kind, split)
            self._open.append((kind, split))
            try:
                return self._measured_by(probe, kind, split)
            except Unavailable as reason:
                place = 0 if isinstance(reason, Elsewhere) else len(reasons)
                reasons.insert(place, reason)
        if not reasons:
            raise Unavailable(f"nothing was given that tells the {in_words(kind.__name__)}")
        # A dearer source that may still be tried outranks a cheaper one that could not tell.
        raise next((r for r in reasons if isinstance(r, OverBudget)), reasons[-1])


def _not_given(part: str) -> str:
    """Return the sentence that says that a part is lacking."""
    if part == "surroundings":
        return "only `pipedoctor env` looks at that"
    return (
        f"no {part.replace('_', ' ')} {'were' if part in {'files', 'settings'} else 'was'} given"
    )


def in_words(fact: str) -> str:
    """Return the name of a fact as words: ModelFiles are model files."""
    return "".join(f" {char.lower()}" if char.isupper() else char for char in fact).strip()


_OURS = {"pipedoctor", "pipedoctor_checks"}


def _not_installed(error: Exception) -> Unavailable | None:
    """Return the sentence of a package that our own code, not the user's, imports in vain."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    name = error.name.partition(".")[0]
    if name in _OURS or _raised_in(error) not in _OURS:
        return None
    return Unavailable(
        f"{name} is not installed for this Python; start pipedoctor with the one that trains"
    )


def _is_our_bug(error: Exception) -> bool:
    """
    Whether an error can only be of pipedoctor's own making: a name missing in its own code.

    A TypeError may come from calling the user's function, even where our own line raised it.
    """
    if isinstance(error, ImportError):
        return str(error.name).partition(".")[0] in _OURS
    return isinstance(error, NameError) and _raised_in(error) == "pipedoctor"


def _raised_in(error: Exception) -> str:
    """Return the package of the innermost line."""
    trace = error.__traceback__
    package = ""
    while trace is not None:
        package = str(trace.tb_frame.f_globals.get("__package__"))
        trace = trace.tb_next
    return package.partition(".")[0]


def figures(pipeline: Pipeline, names: Sequence[str]) -> dict[str, list[dict[str, object]]]:
    """
    Return what facts of these names show, one entry for each split that they are measured for.

    An entry without figures has the reason under the key `unavailable`.
    """
    from pipedoctor import facts

    told: dict[str, list[dict[str, object]]] = {}
    for name in names:
        kind: type[Fact] = getattr(facts, name)
        splits: tuple[Split | None, ...] = pipeline.splits if kind.per_split else (None,)
        told[name] = []
        for split in splits:
            entry: dict[str, object] = {"split": split.value} if split is not None else {}
            try:
                entry |= pipeline.fact(kind, split).figures()
            except (Unavailable, ProbeFailed) as reason:
                entry["unavailable"] = str(reason)
            told[name].append(entry)
    return told


def measured(pipeline: Pipeline, name: str) -> bool:
    """Whether the facts of this name are known by now, or known to be out of reach."""
    from pipedoctor import facts

    kind: type[Fact] = getattr(facts, name)
    splits: tuple[Split | None, ...] = pipeline.splits if kind.per_split else (None,)
    return all((kind, split) in pipeline.measurements for split in splits)


def summaries(measurements: Mapping[Key, Measurement]) -> list[dict[str, object]]:
    """Return what was measured, for a report: name, split, seconds and the fact's own figures."""
    told = []
    for (kind, split), measurement in measurements.items():
        if measurement.fact is None:
            continue
        row: dict[str, object] = {"fact": kind.__name__, "seconds": round(measurement.seconds, 4)}
        if split is not None:
            row["split"] = split.value
        told.append(row | dict(measurement.fact.summary()))
    return told
