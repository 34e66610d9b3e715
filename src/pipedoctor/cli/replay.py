"""`pipedoctor replay CAPSULE`: the step that was stopped, run again."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace

from pipedoctor import registry
from pipedoctor.cli import CLEAN, FOUND, reports
from pipedoctor.cli.progress import Progress
from pipedoctor.examination import Examination
from pipedoctor.options import UsageError
from pipedoctor.parts import Parts
from pipedoctor.recorder import capsule
from pipedoctor.targets import FACTORY, Target, resolve

CHECKS = ("RUN", "NUM020")
"""The checks that speak of what is shown."""


def run(arguments: argparse.Namespace) -> int:
    """Show where NaN is born in the step of a capsule; return 0 if there is none now."""
    reports.refuse_overwriting(arguments)
    arguments.depth = "backward"
    known = registry.load()
    target = _target(arguments)
    options = reports.options(arguments, known)
    wishes = {"capsule": os.path.abspath(arguments.capsule)}
    options = replace(options, stated={**options.stated, "trace": wishes})
    if arguments.select is None:
        options = replace(options, select=CHECKS)
    with Progress(sys.stderr) as progress:
        report = Examination(target, known, options, progress, figures=("Trace",)).run()
    reports.publish(report, arguments, verb="replay")
    status = reports.status(arguments, options, report)
    told = next(iter(report.figures.get("Trace", ())), {})
    if status == CLEAN and not told.get("finite") and not arguments.exit_zero:
        return FOUND  # what can't be looked at is not proved finite
    return status


def _target(arguments: argparse.Namespace) -> Target:
    if os.path.basename(arguments.capsule) in {capsule.DESCRIPTION, capsule.TENSORS}:
        arguments.capsule = os.path.dirname(arguments.capsule) or os.curdir
    try:
        described = capsule.described(arguments.capsule)
    except capsule.CapsuleError as error:
        raise UsageError(str(error)) from None
    if arguments.with_fix is not None:
        if arguments.target is not None:
            raise UsageError("replay takes either a TARGET or --with-fix, not both")
        if not FACTORY.fullmatch(arguments.with_fix):
            raise UsageError(f"--with-fix {arguments.with_fix}: that is no module:callable")
        return Target(arguments.with_fix, Parts({}), ("mended",), kind="model")
    if arguments.target is None:
        if not str(described.get("model")).startswith("transformers."):
            # A file may not name code of the user's to be run.
            raise UsageError(
                f"the model of {arguments.capsule} is {described.get('model')}, a class of your "
                "own: name what builds it, as in `pipedoctor replay CAPSULE train.py` or "
                "`CAPSULE module:build_model`"
            )
        return Target(arguments.capsule, Parts({}), ("capsule",), kind="model")
    if FACTORY.fullmatch(arguments.target) and not os.path.exists(arguments.target):
        return Target(arguments.target, Parts({}), ("capsule",), kind="model")
    target = resolve(arguments.target, arguments.arguments)
    if described.get("loop") and target.kind == "script":
        name = os.path.splitext(os.path.basename(arguments.target))[0]
        raise UsageError(
            f"{arguments.target} trains in a loop of its own, which can't be entered at step "
            f"{described.get('step')}: name a function that builds the model (and the loss, where "
            "the model does not compute it), as in `pipedoctor replay CAPSULE "
            f"{name}:build`; it returns the model, or "
            '{"model": model, "loss": loss_function}'
        )
    return target
