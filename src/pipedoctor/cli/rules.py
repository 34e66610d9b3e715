"""`pipedoctor rules` and `pipedoctor rule CODE`: the manual, from the checks' own docstrings."""

from __future__ import annotations

import argparse
import difflib
import json

from pipedoctor import registry
from pipedoctor.cli import CLEAN
from pipedoctor.options import UsageError


def list_all(arguments: argparse.Namespace) -> int:
    """Print a line for each check."""
    rows = registry.load().rows
    if arguments.output_format == "json":
        told = [
            {
                "code": row.code,
                "name": row.rule.name,
                "severity": str(row.rule.severity),
                "stage": row.rule.stage.name.lower(),
                "summary": row.summary,
                "options": row.options,
            }
            for row in rows
        ]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return CLEAN
    width = max((len(row.rule.name) for row in rows), default=0)
    for row in rows:
        print(f"{row.code}  {row.rule.severity!s:<7}  {row.rule.name:<{width}}  {row.summary}")
    return CLEAN


def show(arguments: argparse.Namespace) -> int:
    """Print the page of one check."""
    known = registry.load()
    code = arguments.code.upper()
    names = {row.rule.name: row.code for row in known.rows}
    code = names.get(arguments.code.lower(), code)
    try:
        check = known[code]
    except KeyError:
        near = difflib.get_close_matches(code, [row.code for row in known.rows], 1)
        hint = f"did you mean {near[0]}?" if near else "`pipedoctor rules` lists them"
        raise UsageError(f"there is no check {arguments.code}; {hint}") from None
    print(f"{check.code} {check.name} ({check.severity}, stage {check.stage.name.lower()})\n")
    print(check.doc)
    if check.options:
        print("\nOptions, in pyproject.toml:\n")
        print(f"    [tool.pipedoctor.checks.{check.code}]")
        for name, default in check.options.items():
            print(f"    {name} = {json.dumps(default)}")
    return CLEAN
