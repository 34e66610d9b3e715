"""
A process that has imported the frameworks, and that becomes the child of a check when asked.

    python tests/warm_server.py SOCKET {torch,keras,legacy}

To import torch and transformers takes a child longer than most of what it then does. A copy of
this process has them already; for the rest it is what a fresh one would be. It ends with its
standard input.

Of Keras too: as long as nothing has been computed, neither TensorFlow nor JAX has started the
threads that a copy would lack.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import types
from contextlib import suppress
from importlib import import_module
from typing import Any

FRAMEWORKS = {
    "torch": (
        "datasets",
        "accelerate",
        "transformers.trainer",
        "transformers.data.data_collator",
        "transformers.models.auto.modeling_auto",
        "transformers.models.auto.tokenization_auto",
        "transformers.models.bert.modeling_bert",
        "transformers.models.bert.tokenization_bert",
    ),
    "keras": ("tensorflow", "keras"),
    "legacy": (
        "tensorflow",
        "transformers.models.bert.modeling_tf_bert",
        "transformers.models.distilbert.modeling_tf_distilbert",
        "transformers.models.auto.modeling_tf_auto",
        "transformers.models.bert.tokenization_bert_fast",
        "transformers.keras_callbacks",
    ),
}
"""By what is asked for; what is not installed is left out."""


def serve(path: str, frameworks: str) -> dict[str, Any] | None:
    """Answer requests; return None at the end of the standard input, in a copy its request."""
    with socket.socket(socket.AF_UNIX) as listening, selectors.DefaultSelector() as waiting:
        listening.bind(path)
        listening.listen()
        waiting.register(listening, selectors.EVENT_READ)
        waiting.register(0, selectors.EVENT_READ)
        ready = False
        while True:
            asked = {key.fd for key, _ in waiting.select()}
            while _reaped():
                pass
            if 0 in asked:
                return None
            connection, _ = listening.accept()
            if not ready:  # not before: many a run of tests needs no child
                for name in FRAMEWORKS[frameworks]:
                    with suppress(ImportError):
                        import_module(name)
                if frameworks == "legacy":
                    # transformers has just set TF_USE_LEGACY_KERAS, for which this asks when it
                    # is first read; a copy has the environment of whoever wants it.
                    import_module("tensorflow").keras.Model  # noqa: B018
                gc.freeze()
                ready = True
            if os.fork() == 0:
                listening.close()
                waiting.close()
                return attend(connection)
            connection.close()


def _reaped() -> bool:
    """Take leave of a copy that has ended; its time counts as ours then."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return False


def attend(connection: socket.socket) -> dict[str, Any]:
    """Tell what becomes of a child; return its request in the child itself."""
    _, descriptors, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile("r", encoding="utf-8") as lines:
        request: dict[str, Any] = json.loads(lines.readline())
    child = os.fork()
    if child == 0:
        os.setsid()
        connection.sendall(f"{os.getpid()}\n".encode())
        connection.close()
        return request | {"descriptors": descriptors}
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    with suppress(OSError):  # whoever asked may be gone
        connection.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def become(request: dict[str, Any]) -> str:
    """Be what a fresh interpreter would be in the place of the child; return its program."""
    nothing, (out, error, channel) = os.open(os.devnull, os.O_RDONLY), request["descriptors"]
    for number, descriptor in enumerate((nothing, out, error)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    _, _, program, words = request["words"]
    sys.argv = ["-c", json.dumps(json.loads(words) | {"descriptor": channel})]
    sys.modules["__main__"] = types.ModuleType("__main__")
    tempfile.tempdir = None  # TMPDIR is another one now
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()  # `random` sees to itself
    # What was frozen stays so: to look through it at the end would copy all of it, for a second.
    return str(program)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    del sys.path[0]
    asked = serve(*sys.argv[1:])
    if asked is not None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        exec(become(asked), sys.modules["__main__"].__dict__)
