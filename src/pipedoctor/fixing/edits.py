"""Edits carried out on a text, one after another, and each proved by reading what came of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from pipedoctor.fix import Edit, Fix
from pipedoctor.fixing import Refused
from pipedoctor.fixing.layout import Layout, applied, normalised
from pipedoctor.targets import TargetError
from pipedoctor.targets.document import parser
from pipedoctor.targets.source import Source

UNPROVEN = "it can't be done without changing something else; make it by hand"
MOST = 200
"""A key that is stated more often than this is mended by hand."""


def edited(raw: str, file: str, fix: Fix) -> str:
    """
    Return a text with a fix carried out, whatever its line ends.

    Raises:
        Refused: It can't be carried out, or would change more than it says.

    """
    for edit in fix.edits:
        script = file.endswith(".py")
        raw = _in_script(raw, edit, fix) if script else _in_config(raw, file, edit)
    return raw


def _in_config(raw: str, file: str, edit: Edit) -> str:
    before = normalised(raw)
    parse = parser(Source(file, before))
    layout = _layout(parse.__module__)
    wanted = _expected(parse(Source(file, before)).values, edit)
    for _ in range(MOST):
        page = layout(normalised(raw))
        stated = [item for item in page.items if item.name == edit.key]
        if len(stated) < 2 or edit.action in {"set", "add"}:
            break
        raw = applied(raw, page.without(stated[0]))  # of these, the last one counts
    raw = applied(raw, page.changes(edit))
    try:
        values = parse(Source(file, normalised(raw))).values
    except TargetError:
        raise Refused(UNPROVEN) from None
    if _shown(values) != _shown(wanted):
        raise Refused(UNPROVEN)
    return raw


def _layout(module: str) -> Callable[[str], Layout]:
    if module.endswith("json_document"):
        from pipedoctor.fixing.json_text import JsonLayout

        return JsonLayout
    if module.endswith("toml_document"):
        from pipedoctor.fixing.toml_text import TomlLayout

        return TomlLayout
    from pipedoctor.fixing.yaml_text import YamlLayout

    return YamlLayout


def _expected(values: Mapping[str, Any], edit: Edit) -> dict[str, Any]:
    """Return what a document is to say when the edit is made."""
    if edit.action == "delete":
        return {key: value for key, value in values.items() if key != edit.key}
    if edit.action == "rename":
        return {edit.name if key == edit.key else key: value for key, value in values.items()}
    return {**values, edit.key: edit.value}


def _shown(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values so that 1, 1.0 and true differ, and what is no number equals itself."""
    return {key: repr(value) for key, value in values.items()}


def _in_script(raw: str, edit: Edit, fix: Fix) -> str:
    from pipedoctor.fixing.python_text import CallLayout

    assert fix.line is not None, "the fix of a script names a call"
    layout = CallLayout(normalised(raw), fix.line, fix.part)
    made = applied(raw, layout.changes(edit))
    keywords = {word.arg: ast.dump(word.value) for word in layout.node.keywords if word.arg}
    wanted = _expected(keywords, edit)
    if edit.action in {"set", "add"}:
        value = ast.parse(layout.value(edit.value), mode="eval").body
        wanted[edit.key] = ast.dump(value)
    try:
        after = CallLayout(normalised(made), layout.call.line, fix.part)
    except (SyntaxError, Refused):
        raise Refused(UNPROVEN) from None
    told = {word.arg: ast.dump(word.value) for word in after.node.keywords if word.arg}
    if told != wanted or layout.rest() != after.rest():
        raise Refused(UNPROVEN)
    return made
