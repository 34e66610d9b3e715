"""The child: runs the checks that need data and model, and tells each outcome at once."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, NoReturn

from pipedoctor import examination, frameworks, registry, serial
from pipedoctor.fact import Cost, Fact, Split, Unavailable
from pipedoctor.failures import attribute
from pipedoctor.options import Options
from pipedoctor.parts import Lazy, Parts
from pipedoctor.pipeline import Key, Measurement, Pipeline, figures, in_words, measured, summaries
from pipedoctor.targets import resolve


class Child:
    """What a request asks for, and the channel that the answers go to."""

    def __init__(self, request: Mapping[str, Any], channel: IO[str]) -> None:
        """Look the checks up; nothing is loaded yet."""
        known = registry.load()
        self._request = dict(request)
        self._surroundings = os.getcwd(), dict(os.environ)
        self._channel = channel
        self._process = os.getpid()
        self._path = list(sys.path)
        self._deadline: float = time.monotonic() + request["seconds"]
        self._seconds = request["seconds"]
        self._options = Options(depth=Cost[request["depth"]], checks=request["checks"])
        self._rows = [known.row(code) for code in request["run"]]
        self._everyone = [known.row(code) for code in request["known"]]
        self._figures: list[str] = request["figures"]
        self._shown: list[int] = request["shown"]
        self._stated: dict[str, Any] = request["stated"]
        self.given = Parts({})
        """Parts that are known without running anything: the text of a script."""

    @property
    def left(self) -> float:
        """The seconds that are left."""
        return self._deadline - time.monotonic()

    @property
    def asked(self) -> Mapping[str, Any]:
        """The request itself."""
        return self._request

    @property
    def forked(self) -> bool:
        """Whether this is a process that the script has forked, as launchers do."""
        return os.getpid() != self._process

    @property
    def wants_figures(self) -> bool:
        """Whether figures are asked for besides the checks."""
        return bool(self._figures)

    def examine(
        self, parts: Mapping[str, Any], training: int = 1, *, only_found: bool = False
    ) -> Pipeline | None:
        """
        Run the checks on a pipeline of these parts, and send what comes of them.

        Returns the pipeline, or None after a fault of our own, which is sent as well.
        """
        try:
            return self._examine(parts, training, only_found)
        except Exception as error:  # noqa: BLE001 - ours, and not to be taken for the user's
            self.send(fault=f"{type(error).__name__}: {error}")
            return None

    def _examine(self, parts: Mapping[str, Any], training: int, only_found: bool) -> Pipeline:
        # Checks are still to be imported, wherever the script looks for its own modules.
        sys.path.extend(folder for folder in self._path if folder not in sys.path)
        given = parts if isinstance(parts, Parts) else self.given.also(**parts)
        given = given.also(
            run={
                "time_limit": self._seconds,
                "until": self._deadline,
                "shown": self._shown,
                **given.get("run", {}),
            },
            files={**self.given.get("files", {}), **given.get("files", {})} or None,
            **self._stated,
        )
        problems: list[str] = []
        probes = frameworks.probes(given, problems)
        pipeline = Pipeline(given, probes, self._options.depth, self._watch)
        self.send(problems=problems, training=training)
        outcomes, shown, told = [], list[str](), dict[Key, Measurement]()
        rows = examination.run_rows(self._rows, pipeline, self._options, self._figures)
        for _, outcome in rows:
            outcomes.append(outcome)
            if not only_found:
                self.send(outcome=serial.outcome(outcome))
                # At once: the time may run out before all is measured.
                known = [n for n in self._figures if n not in shown and measured(pipeline, n)]
                self._show(pipeline, known)
                shown += known
                self._tell(pipeline, told)
        if not only_found:
            self._show(pipeline, [name for name in self._figures if name not in shown])
        # Last, so that what the user's code raised for the figures is told as well.
        for outcome in attribute(outcomes, pipeline, self._everyone):
            if outcome.findings or not only_found:
                self.send(outcome=serial.outcome(outcome))
        self.send(problems=pipeline.notes)
        self._tell(pipeline, told)
        self.send(examined=training)
        return pipeline

    def _tell(self, pipeline: Pipeline, told: dict[Key, Measurement]) -> None:
        """Send the facts that were not told yet."""
        more = {key: one for key, one in pipeline.measurements.items() if key not in told}
        if facts := summaries(more):
            self.send(facts=serial.plain(facts))
        told |= more

    def _show(self, pipeline: Pipeline, names: list[str]) -> None:
        for name in names:
            self.send(figures=serial.plain(figures(pipeline, [name])))

    def send(self, **message: Any) -> None:
        """
        Send one message; of the processes that a launcher forked, only the first one does.

        Where nobody listens any more, the process ends.
        """
        if self.forked and os.environ.get("LOCAL_RANK", "0") != "0":
            return
        try:
            self._channel.write(json.dumps(message, default=str) + "\n")
            self._channel.flush()
        except BrokenPipeError:
            # The parent has been told all, by a process that this one has forked, or is gone.
            os._exit(0)

    def again(self, **more: Any) -> NoReturn:
        """Begin this process anew, with more in its request; the channel stays the same."""
        from pipedoctor.process.watching import START

        descriptor = self._channel.fileno()
        os.set_inheritable(descriptor, True)
        folder, environment = self._surroundings
        os.chdir(folder)
        sys.stdout.flush()
        sys.stderr.flush()
        request = {**self._request, "seconds": self.left, "descriptor": descriptor, **more}
        words = [sys.executable, "-c", START, json.dumps(request)]
        os.execve(sys.executable, words, environment)  # noqa: S606 - ourselves, in the same interpreter

    def finish(self) -> NoReturn:
        """Say that all is told, and end the process: nothing of the user's may run after this."""
        self.send(done=True)
        with suppress(Exception):  # the script may have closed it, or put anything in its place
            sys.stderr.flush()
        os._exit(0)

    def _watch(self, kind: type[Fact], split: Split | None) -> None:
        doing = kind.doing or f"measuring the {in_words(kind.__name__)}"
        self.send(doing=doing, split=split.value if split else None)


def run_factory(child: Child, name: str) -> None:
    """Call a factory, and examine what it returns."""
    from pipedoctor.capture import factory
    from pipedoctor.capture.session import Proceed, Session

    session = Session(lambda _: Proceed.UNDISTURBED)
    try:
        parts = factory.parts(name, session)
    except Exception as error:  # noqa: BLE001 - the user's code runs in there, and may raise anything
        child.examine({**session.sites.refused(error), "run": {"error": error}})
    else:
        child.examine({**parts, "run": {"trainings": 1, "ended": "returned"}})


def run_model(child: Child, name: str) -> None:
    """Load a model that is named by its folder or by what makes it, and examine it."""
    from pipedoctor.frameworks.loading.bare import parts

    try:
        found = parts(name)
    except Exception as error:  # noqa: BLE001 - the user's code may run in there, and raise anything
        child.examine({"run": {"error": error}})
    else:
        child.examine({**found, "run": {"trainings": 1, "ended": "returned"}})


def run_blueprint(child: Child, name: str, stated: Mapping[str, Any]) -> None:
    """Build a model from its config alone, without weights, and examine it."""
    from pipedoctor.frameworks.loading.blueprint import of_folder

    settings = stated.get("settings") or {}
    parts = {"settings": settings, "files": {"output_dir": settings.get("output_dir", "out")}}
    try:
        model = of_folder(name)
    except Unavailable as reason:
        child.send(problems=[str(reason)], training=1)
        child.examine({**parts, "model": Lazy(_raising(reason), "transformers")})
    except Exception as error:  # noqa: BLE001 - a config of the user's may hold anything
        said = " ".join(str(error).split())[:300]
        refused = Unavailable(
            f"no model can be built from the config of {name}: {type(error).__name__}: {said}"
        )
        child.send(problems=[str(refused)], training=1)
        child.examine({**parts, "model": Lazy(_raising(refused), "transformers")})
    else:
        child.examine({**parts, "model": model, "run": {"trainings": 1, "ended": "returned"}})


def _raising(reason: Exception) -> Callable[[], Any]:
    def load() -> Any:
        raise reason

    return load


def _planned(stated: Mapping[str, Any]) -> bool:
    """Whether nothing but the memory is wished for, which needs no weights."""
    return bool((stated.get("memory") or {}).get("planned"))


def _weightless(parts: Parts) -> Parts:
    """Return the parts with the blueprint for the model: nothing of it is loaded then."""
    if "blueprint" in parts:
        return parts.also(model=Lazy(lambda: parts["blueprint"], *parts.packages("blueprint")))
    return parts


def main(request: Mapping[str, Any]) -> None:
    """Examine as requested, and write to the descriptor that the request names."""
    os.set_inheritable(request["descriptor"], False)  # what the script starts has no use for it
    with os.fdopen(request["descriptor"], "w", encoding="utf-8") as channel:
        child = Child(request, channel)
        if request["kind"] == "script":
            from pipedoctor.process.scripts import run_script

            run_script(child, request["target"], request["arguments"])
        elif request["kind"] == "factory":
            child.send(doing="running the factory", split=None)
            run_factory(child, request["target"])
        elif request["kind"] == "blueprint":
            child.send(doing="reading the model's config", split=None)
            run_blueprint(child, request["target"], request["stated"])
        elif request["kind"] == "model":
            child.send(doing="loading the model", split=None)
            run_model(child, request["target"])
        else:
            words = request["arguments"]  # of a command, where there are any
            name = None if words else request["target"]
            parts = resolve(name, words, request["dialect"]).parts
            child.examine(_weightless(parts) if _planned(request["stated"]) else parts)
        child.send(done=True)
