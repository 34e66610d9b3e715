"""
A baseline: the findings that are known and accepted, so that only new ones count.

The file is JSON, an entry a finding, sorted, so that it can be reviewed and merged. Targets are
named from its folder. An entry stands for `count` findings of the same fingerprint.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache

from pipedoctor.ignoring.fingerprint import fingerprint
from pipedoctor.options import UsageError
from pipedoctor.report import Report, Rule, Status, every

FORMAT = 1
USUAL = "pipedoctor-baseline.json"


@dataclass(frozen=True)
class Known:
    """One accepted finding of a target; `name` and `message` are for those who read the file."""

    target: str
    code: str
    fingerprint: str
    name: str
    message: str
    count: int = 1


@dataclass(frozen=True)
class Baseline:
    """The accepted findings, and the file that holds them."""

    path: str
    entries: tuple[Known, ...] = ()

    @property
    def name(self) -> str:
        """The file as it is shown."""
        return os.path.relpath(self.path)

    def of(self, report: Report) -> Counter[str]:
        """Return how often each fingerprint is accepted in the target of a report."""
        target, found = self.name_of(report.target), Counter[str]()
        for entry in self.entries:
            if entry.target == target:
                found[entry.fingerprint] += entry.count
        return found

    def name_of(self, target: str) -> str:
        """Return the name of a target as seen from the folder of the file."""
        if not os.path.exists(target):
            return target
        folder = os.path.dirname(os.path.abspath(self.path))
        return os.path.relpath(os.path.realpath(target), os.path.realpath(folder)).replace(
            os.sep, "/"
        )

    def gone(self, report: Report) -> list[Known]:
        """
        Return the entries of a report's target that no longer occur.

        Of a check that came to no answer, or did not run, nothing of the kind is known.
        """
        told = {outcome.rule.code for outcome in report.outcomes if outcome.answered}
        there, target = _counted(report), self.name_of(report.target)
        gone = []
        for entry in self.entries:
            if entry.target == target and entry.code in told:
                there[entry.fingerprint] -= entry.count
                if there[entry.fingerprint] <= -entry.count:
                    gone.append(entry)
        return gone

    def renewed(self, reports: Iterable[Report]) -> Baseline:
        """Return the baseline with what is found now, without what no longer occurs."""
        entries = {(entry.target, entry.fingerprint): entry for entry in self.entries}
        for report in reports:
            for entry in self.gone(report):
                del entries[entry.target, entry.fingerprint]
            there, target = _counted(report), self.name_of(report.target)
            for rule, mark, message in _found(report):
                new = Known(target, rule.code, mark, rule.name, message, there[mark])
                entries[target, mark] = new
        order = sorted(entries.values(), key=lambda one: (one.target, one.code, one.fingerprint))
        return Baseline(self.path, tuple(order))

    def text(self) -> str:
        """Return the file's text."""
        told = {"pipedoctor_baseline": FORMAT, "findings": [asdict(one) for one in self.entries]}
        text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


def read(path: str, *, must_exist: bool = True) -> Baseline:
    """
    Return the baseline of a file.

    Raises:
        UsageError: It is not there, can't be read, or is no baseline.

    """
    name = os.path.relpath(path)
    try:
        stamp = os.stat(path)
        return _read(path, stamp.st_mtime_ns, stamp.st_size)
    except FileNotFoundError:
        if not must_exist:
            return Baseline(path)
        raise UsageError(f"there is no baseline {name}; --write-baseline writes it") from None
    except OSError as error:
        raise UsageError(f"the baseline {name} can't be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the baseline {name} is no JSON: {error}") from None


@cache
def _read(path: str, _changed: int, _size: int) -> Baseline:
    """Return the baseline of a file; for many targets it is read once."""
    name = os.path.relpath(path)
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    if not isinstance(told, dict) or told.get("pipedoctor_baseline") != FORMAT:
        raise UsageError(
            f"{name} is no baseline of this pipedoctor; name one that --write-baseline wrote"
        )
    try:
        return Baseline(path, tuple(_entry(one) for one in told["findings"]))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"the baseline {name} is damaged ({error!r}); --write-baseline after deleting it"
        ) from None


def _entry(told: dict[str, object]) -> Known:
    entry = Known(**told)  # type: ignore[arg-type]  # what JSON holds is looked at below
    texts = (entry.target, entry.code, entry.fingerprint, entry.name, entry.message)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a text was expected")
    if isinstance(entry.count, bool) or not isinstance(entry.count, int) or entry.count < 1:
        raise ValueError(entry.count)
    return entry


def _found(report: Report) -> Iterator[tuple[Rule, str, str]]:
    """Yield what a baseline may hold: all that is shown, except what stopped the examination."""
    for entry in every(report.entries):
        if entry.status is not Status.BLOCKED:
            yield entry.rule, fingerprint(entry.rule.code, entry.finding), entry.finding.message
    for one in report.suppressed:
        if one.by == "baseline":
            yield one.rule, fingerprint(one.rule.code, one.finding), one.finding.message


def _counted(report: Report) -> Counter[str]:
    return Counter(mark for _, mark, _ in _found(report))
