"""Comments that ignore nothing: told by whoever held them against what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.ignore_comments import IgnoreComments, UselessComment
from pipedoctor.finding import Location
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe


@probe(IgnoreComments, Cost.STATIC, "run")
def ignore_comments(pipeline: Pipeline, _split: Split) -> IgnoreComments:
    """Take over what was told."""
    told = pipeline.part("run")
    if "comments" not in told:
        raise Unavailable("no file of a target was searched for comments")
    return IgnoreComments(tuple(map(_comment, told["comments"])))


def _comment(told: UselessComment | Mapping[str, Any]) -> UselessComment:
    """Return a comment; as plain data it is told by pages of the manual."""
    if isinstance(told, UselessComment):
        return told
    return UselessComment(
        codes=tuple(told.get("codes", ())),
        unused=tuple(told.get("unused", ())),
        unknown=tuple(told.get("unknown", ())),
        where=Location(line=told["line"]),
        whole_file=bool(told.get("whole_file")),
    )
