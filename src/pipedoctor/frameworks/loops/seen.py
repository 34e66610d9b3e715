"""What was seen of a loop, as a fact that others are made of; a function is run for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pipedoctor.capture.loops import batches_wanted
from pipedoctor.fact import Fact, Unavailable
from pipedoctor.facts.loaded_states import StateLoad
from pipedoctor.frameworks.loops import loads
from pipedoctor.frameworks.loops.digest import Digest
from pipedoctor.frameworks.loops.recording import Recording
from pipedoctor.frameworks.loops.tracer import Tracer
from pipedoctor.frameworks.loops.watch import Limits, Watch
from pipedoctor.pipeline import Pipeline


@dataclass(frozen=True, repr=False, eq=False)
class Seen(Fact):
    """A watched loop; not for checks."""

    doing = "Watching the first steps of the loop"

    digest: Digest
    loads: tuple[StateLoad, ...] = ()


class _Enough(BaseException):
    """The function has shown enough; an Exception might be caught by it."""


def watched(pipeline: Pipeline) -> Seen:
    """
    Return what was seen of the loop; a function is called, and left after its first steps.

    What such a function trains stays trained: it is expected to make its model itself.
    """
    part = pipeline.part("loop")
    if isinstance(part, Recording):
        return Seen(Digest(part), tuple(pipeline.parts.get("loads", ())))
    if not callable(part):
        raise Unavailable(f"the loop is a {type(part).__name__}, which can't be called")
    limits = Limits(batches=batches_wanted(pipeline.parts))
    recording, held = run(part, limits=limits)
    if recording.failed_at is not None:  # once more, with each operation of that step looked at
        again, _ = run(part, recording.failed_at)
        recording.trace = again.trace
    return Seen(Digest(recording), held)


def run(
    loop: Callable[[], Any], failing: int | None = None, limits: Limits | None = None
) -> tuple[Recording, tuple[StateLoad, ...]]:
    """Call a function, and return what was seen of it; of step `failing` each operation."""
    import torch

    def enough(_recording: Recording) -> None:
        raise _Enough

    problems: list[str] = []
    held: list[StateLoad] = []
    watch = Watch(limits or Limits(), problems, enough=enough)
    if failing is not None:
        watch.tracer = Tracer(watch.recording, failing)
    load = loads.watch(held, problems)
    watch.install()
    try:
        loop()
        watch.recording.ended = "it ended"
    except _Enough:
        pass
    except Exception as error:
        if not watch.recording.backwards:
            raise
        watch.recording.ended, watch.recording.error = "it raised", error
    finally:
        watch.uninstall()
        torch.nn.Module.load_state_dict = load
        if watch.tracer is not None:
            watch.tracer.leave()
    if problems:
        raise Unavailable(problems[0])
    return watch.recording, tuple(held)
