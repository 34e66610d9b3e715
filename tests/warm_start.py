"""
`pipedoctor`, whose child is a copy of a process that has imported the frameworks.

    python tests/warm_start.py SOCKET WORDS…

All else is as with `python -m pipedoctor`: the process that the user starts is a fresh one. Of
`pipedoctor run`, which has no child, all is done by the copy.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import IO, Any

FREE = frozenset({
    "COLUMNS", "FORCE_COLOR", "MINILM", "NO_COLOR", "OLDPWD", "PWD", "TERM", "TMPDIR",
})  # fmt: skip
"""What is not read where a module is imported."""


class Child:
    """What `subprocess.Popen` would be for a child that is started the ordinary way."""

    def __init__(
        self,
        path: str,
        words: Sequence[str],
        files: Sequence[int],
        env: Mapping[str, str],
    ) -> None:
        """Have it started."""
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(path)
        socket.send_fds(self._connection, [b"\n"], list(files))
        request = {"words": list(words), "environment": dict(env), "folder": os.getcwd()}
        self._connection.sendall(json.dumps(request).encode() + b"\n")
        self._rest = b""
        self.pid = int(self._line(None))
        self.returncode: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit status when there is one."""
        if self.returncode is None:
            self.returncode = int(self._line(timeout))
        return self.returncode

    def _line(self, timeout: float | None) -> bytes:
        while b"\n" not in self._rest:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("child", timeout or 0)
            more = self._connection.recv(64)
            assert more, "the process that has the frameworks is gone"
            self._rest += more
        line, self._rest = self._rest.split(b"\n", 1)
        return line


def starting(path: str) -> Any:
    """Return what stands in for `subprocess.Popen` where a child is started."""

    def start(  # the arguments that are given there
        words: Sequence[str],
        *,
        stdin: int,
        stdout: IO[Any],
        stderr: IO[Any],
        env: Mapping[str, str],
        pass_fds: tuple[int],
        start_new_session: bool,
    ) -> Any:
        with open(f"{path}.environment", encoding="utf-8") as file:
            before = json.load(file)
        names = {n for n in env.keys() | before.keys() if env.get(n) != before.get(n)}
        differing = {name for name in names if not name.startswith("PYTEST_")}
        if differing <= FREE:
            files = (stdout.fileno(), stderr.fileno(), *pass_fds)
            return Child(path, words, files, env)
        return subprocess.Popen(
            words,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            env=env,
            pass_fds=pass_fds,
            start_new_session=start_new_session,
        )

    return start


RUN = (
    "import json, os, sys; sys.path.insert(0, os.getcwd()); "
    "sys.argv[:] = ['pipedoctor', *json.loads(sys.argv[1])['argv']]; "
    "from pipedoctor.cli import main; sys.exit(main())"
)
"""What a copy does for `pipedoctor run`."""


def run(path: str) -> int:
    """Have a copy run our words; return its exit status, as a shell would tell it."""
    words = [sys.executable, "-c", RUN, json.dumps({"argv": sys.argv[1:]})]
    with open(os.devnull, "w") as channel:
        status = Child(path, words, (1, 2, channel.fileno()), os.environ).wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    where = sys.argv.pop(1)
    if sys.argv[1] == "run":
        sys.exit(run(where))
    if not getattr(sys.flags, "safe_path", False):
        sys.path[0] = os.getcwd()  # as with -m
    from pipedoctor.cli import main
    from pipedoctor.process import watching

    ordinary = {"DEVNULL": subprocess.DEVNULL, "TimeoutExpired": subprocess.TimeoutExpired}
    watching.subprocess = SimpleNamespace(Popen=starting(where), **ordinary)
    sys.exit(main())
