"""Where the user's code made what takes part in a fit."""

from __future__ import annotations

from typing import Any

from pipedoctor.capture.recorder import Recorder
from pipedoctor.capture.sites import Site, of
from pipedoctor.finding import NOWHERE, Location
from pipedoctor.pipeline import Pipeline


def site(pipeline: Pipeline, name: str) -> Site | None:
    """Return where a part was made, or where "fit" or "compile" was called."""
    return of(pipeline.parts, name)


def made(pipeline: Pipeline, thing: Any) -> Site | None:
    """Return where an object was made: a layer, a loss, an optimizer, a callback."""
    sites = pipeline.parts.get("sites", {})
    recorder = sites.get("recorder")
    return recorder.site(thing) if isinstance(recorder, Recorder) and thing is not None else None


def at(pipeline: Pipeline, thing: Any, *names: str) -> Location:
    """Return the line of one of these keywords of an object, else that of the call that made it."""
    found = made(pipeline, thing)
    return NOWHERE if found is None else found.where(*names)
