"""
A process of its own for one target: started by pytest, examines, writes what it has to tell.

So the target runs in its own folder, what it prints is kept apart from what tests print, and
several frameworks can be met in one run of the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipedoctor import options as wishes
from pipedoctor import registry, serial
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.listed_targets import split_target
from pipedoctor.options import UsageError
from pipedoctor.targets import TargetError, resolve

START = (
    "import json, sys; sys.path[:] = [folder for folder in sys.path if folder]; "
    "from pipedoctor.pytest_plugin.examining import main; main(json.loads(sys.argv[1]))"
)
"""What the process is started with; the working directory's modules must not shadow Python's."""

PRINTED = 10_000
"""So many characters are kept of the end of what a target printed."""

PATIENCE = 10.0
"""Seconds that the process has to stop what it started, when the tests are interrupted."""


def examine(target: str, folder: str, depth: Cost) -> dict[str, Any]:
    """
    Examine a target in a process of its own, in this folder.

    Returns:
        A mapping with `report` as plain data, or `fault`: one sentence that says why there is
        none; and with `printed`, the end of what the target printed.

    """
    with tempfile.TemporaryDirectory(prefix="pipedoctor-", ignore_cleanup_errors=True) as own:
        answer = os.path.join(own, "answer.json")
        request = {"target": target, "depth": depth.name, "answer": answer}
        with open(os.path.join(own, "printed"), "w+b") as output:
            status = _run([sys.executable, "-c", START, json.dumps(request)], folder, output)
            output.seek(max(0, output.seek(0, os.SEEK_END) - PRINTED))
            printed = output.read().decode(errors="replace")
        try:
            with open(answer, encoding="utf-8") as file:
                told: dict[str, Any] = json.load(file)
        except (OSError, ValueError):
            last = next(iter(printed.strip().splitlines()[-1:]), "it printed nothing")
            told = {
                "fault": f"the process that examines {target} ended with exit status {status}, "
                f"which is pipedoctor's own fault: {last}"
            }
    return told | {"printed": printed}


def _run(command: list[str], folder: str, output: Any) -> int:
    """Run a process to its end; whatever interrupts that stops the process too."""
    # A script must not take the examination for a test of its own.
    environment = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
    process = subprocess.Popen(  # noqa: S603 - our own module, in the interpreter that runs us
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
    )
    try:
        return process.wait()
    finally:
        if process.returncode is None:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(PATIENCE)
            process.kill()
            process.wait()


def main(request: Mapping[str, Any]) -> None:
    """Examine as requested, and write the answer to the file that the request names."""
    known = registry.load()
    told: dict[str, Any]
    try:
        options = wishes.merge(*wishes.read_settings(os.getcwd()), known)
        options = replace(options, depth=Cost[request["depth"]])
        target = resolve(*split_target(request["target"]))
        told = {"report": serial.report(Examination(target, known, options).run())}
    except (TargetError, UsageError) as error:
        told = {"fault": str(error)}
    with open(request["answer"], "w", encoding="utf-8") as file:
        json.dump(told, file, default=str)
