"""Files in each dialect that state the same arguments, and what the fixes of a check make of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipedoctor import registry
from pipedoctor.examination import pipeline, run_rows
from pipedoctor.fact import Cost
from pipedoctor.fixing import plan
from pipedoctor.fixing.values import json_like, written
from pipedoctor.options import Options
from pipedoctor.report import Report
from pipedoctor.targets import resolve

DIALECTS = ("json", "yaml", "toml", "py")
KNOWN = registry.load()

BEFORE_SCRIPT = '''"""A script."""  # with a remark
from transformers import Trainer, TrainingArguments

arguments   =  TrainingArguments(  # odd, but kept
'''
AFTER_SCRIPT = """)
Trainer(model, arguments).train()  # é
"""


@dataclass(frozen=True)
class Written:
    """A file: what stands before and after its arguments, and each argument with its lines."""

    head: str
    lines: Mapping[str, str]
    tail: str

    @property
    def text(self) -> str:
        return self.head + "".join(self.lines.values()) + self.tail


def write(dialect: str, stated: Mapping[str, Any]) -> Written:
    """Return a text of one argument a line, with remarks where the dialect has them."""
    last = list(stated)[-1]
    if dialect == "json":
        lines = {
            k: f"  {json.dumps(k)}:  {json.dumps(v)}{'' if k == last else ','}\n"
            for k, v in stated.items()
        }
        return Written("{\n", lines, "}\n")
    if dialect == "yaml":
        lines = {k: f"{k}:   {json_like(v)}  # why {k}\n" for k, v in stated.items()}
        return Written("# what is trained\n---\n", lines, "\n# the end\n")
    if dialect == "toml":
        lines = {k: f"{k}  = {toml(v)}   # why {k}\n" for k, v in stated.items()}
        return Written("# what is trained\n\n", lines, "\n# the end\n")
    lines = {k: f"    {k}={v!r},  # why {k}\n" for k, v in stated.items()}
    return Written(BEFORE_SCRIPT, lines, AFTER_SCRIPT)


def toml(value: Any) -> str:
    return written(value, ("true", "false", ""), lambda key, text: f"{key} = {text}")


def examined(path: str, codes: tuple[str, ...], **parts: Any) -> Report:
    """Return what these checks say of a file, with further parts besides it."""
    target = resolve(path)
    target = replace(target, parts=target.parts.also(**parts))
    made = pipeline(target, Cost.DATA, [])
    rows = [row for row in KNOWN.rows if row.code in codes]
    outcomes = tuple(outcome for _, outcome in run_rows(rows, made, Options(depth=Cost.DATA)))
    return Report(target.name, outcomes)


def mended(path: Path, codes: tuple[str, ...], *, unsafe: bool = True, **parts: Any) -> plan.Draft:
    """Make the fixes of a file that these checks offer, once, and write what came of it."""
    raw = path.read_bytes().decode()
    draft = plan.drafted(examined(str(path), codes, **parts), raw, unsafe=unsafe)
    path.write_bytes(draft.text.encode())
    return draft
