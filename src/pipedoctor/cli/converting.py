"""`pipedoctor checkpoint PATH --convert OUT.safetensors`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, replace

from pipedoctor.checkpoints import converting
from pipedoctor.fact import Unavailable
from pipedoctor.options import UsageError
from pipedoctor.probes.checkpoint import read_checkpoint
from pipedoctor.report import Report
from pipedoctor.targets import Target


def refuse(target: Target, out: str, *, overwrite: bool) -> None:
    """
    Refuse a file that can't be, or must not be, written.

    Raises:
        UsageError: So it is.

    """
    source = target.parts["files"]["saved"]
    if not out.endswith(".safetensors"):
        raise UsageError(
            f"--convert writes a safetensors file, whose name has to end in .safetensors; {out} ends "
            "otherwise"
        )
    if os.path.lexists(out) and not overwrite:
        raise UsageError(f"{out} is there already; --overwrite replaces it")
    if os.path.lexists(out) and (not os.path.isfile(out) or os.path.samefile(out, source)):
        raise UsageError(f"{out} is what is to be converted, or no file; name another")
    if os.path.isdir(source) and os.path.lexists(out) and _inside(out, source):
        raise UsageError(f"{out} is one of the files of what is to be converted; name another")
    if not os.path.isdir(os.path.dirname(out) or os.curdir):
        raise UsageError(f"the folder of {out} does not exist")


def _inside(path: str, folder: str) -> bool:
    real, home = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath((real, home)) == home


def convert(
    report: Report,
    target: Target,
    out: str,
    watch: Callable[[str], None],
    *,
    overwrite: bool,
) -> Report:
    """
    Write the weights of the target; return the report with what was written.

    Raises:
        UsageError: They can't be converted.

    """
    try:
        checkpoint = read_checkpoint(target.parts["files"]["saved"])
        told = converting.convert(checkpoint, out, overwrite=overwrite, watch=watch)
    except (converting.Refused, Unavailable) as reason:
        raise UsageError(f"{target.name} is not converted: {reason}") from None
    except OSError as error:
        raise UsageError(f"{out} can't be written: {error.strerror}") from None
    return replace(report, figures={**report.figures, "Converted": (asdict(told),)})
