"""What the words of `check` ask for: a target as it is, or as it would stand elsewhere."""

from __future__ import annotations

import argparse

from pipedoctor.options import Options
from pipedoctor.targets import Target, resolve


def asked(
    name: str | None, arguments: argparse.Namespace, options: Options
) -> tuple[Target, Options]:
    """
    Return a target and the wishes for it.

    Raises:
        TargetError: It can't be read.
        UsageError: The versions that it is to be judged with are of no known package.

    """
    target = resolve(name, arguments.arguments, arguments.dialect, tuple(arguments.beside))
    if not arguments.versions:
        return target, options
    from pipedoctor.cli import elsewhere

    return elsewhere.with_versions(target, options, dict(arguments.versions))
