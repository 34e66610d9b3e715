"""Training loops of a script's own: watched from the import of torch on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pipedoctor.capture.session import Session

if TYPE_CHECKING:
    from pipedoctor.frameworks.loops.recording import Recording


def watch_loops(session: Session, _module: ModuleType) -> None:
    """Watch the loops that will come, if the session wants to know of them."""
    wish = session.loops
    if wish is None:
        return
    from pipedoctor.recorder import loop

    loop.aside = not session.undisturbed
    from pipedoctor.frameworks.loops import loads
    from pipedoctor.frameworks.loops.tracer import Tracer
    from pipedoctor.frameworks.loops.watch import Limits, Watch

    def enough(recording: Recording) -> None:
        session.training_starts(parts(session, recording))

    watch = Watch(
        Limits(wish.steps, wish.seconds, batches=wish.batches),
        session.problems,
        enough=enough,
        further=wish.further,
        bad=wish.again,
        started=session.loop_started,
    )
    if wish.failing is not None:
        watch.tracer = Tracer(watch.recording, wish.failing)
    loads.watch(session.loads, session.problems)
    watch.install()
    session.watching = watch


def parts(session: Session, recording: Recording) -> dict[str, Any]:
    """Return the parts of a loop: what was seen of it, and where its things were made."""
    recorded: dict[str, Any] = {"loop": recording, "loads": session.loads}
    sites = {}
    if recording.optimizers:
        sites["optimizer"] = session.sites.site(recording.optimizers[0].optimizer)
    return {**recorded, "sites": {name: site for name, site in sites.items() if site is not None}}


watched: Mapping[str, Callable[[Session, ModuleType], None]] = {"torch": watch_loops}
"""The module after which torch can be watched: itself."""
