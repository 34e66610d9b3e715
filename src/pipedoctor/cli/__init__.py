"""
The command line: parse, call the engine, print. Nothing is decided here.

Exit status: 0 clean, 1 something was found, 2 wrong usage or a target that can't be read, 3 a
fault of pipedoctor's own, 4 not settled (nothing was found, but the time ran out, or what was tried
proves nothing), 130 interrupted.
"""

from __future__ import annotations

import os
import sys

CLEAN, FOUND, USAGE, INTERNAL, UNSETTLED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def main(argv: list[str] | None = None) -> int:
    """Run a command and return the exit status."""
    from pipedoctor.cli import collecting

    with collecting.rarely():
        return _main(argv)


def _main(argv: list[str] | None) -> int:
    from pipedoctor.cli.parser import parse
    from pipedoctor.options import UsageError
    from pipedoctor.targets import TargetError

    try:
        arguments = parse(argv)
        status = int(arguments.command(arguments))
        sys.stdout.flush()
    except (UsageError, TargetError) as error:
        print(f"pipedoctor: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print("pipedoctor: interrupted; nothing was changed", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader, `head` for instance, has seen enough; the interpreter must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return CLEAN
    except Exception as error:  # noqa: BLE001 - the last resort: one line instead of a traceback
        return _own_fault(error)
    return status


def _own_fault(error: Exception) -> int:
    if os.environ.get("PIPEDOCTOR_TRACEBACK"):
        import traceback

        traceback.print_exc()
    print(
        f"pipedoctor: internal error, not your pipeline's fault: {type(error).__name__}: {error}; "
        "PIPEDOCTOR_TRACEBACK=1 shows where",
        file=sys.stderr,
    )
    return INTERNAL
