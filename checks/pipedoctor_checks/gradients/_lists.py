"""Layers that the text of a script puts into a plain list."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor.facts import Call, Script
from pipedoctor.facts.script import Assignment, Class
from pipedoctor.finding import Finding
from pipedoctor_checks.gradients._modules import MODULE, is_module

_REGISTERING = (
    "add_module",
    "register_module",
    "setattr",
    "ModuleList",
    "ModuleDict",
    "Sequential",
)


def layers_in_a_list(script: Script) -> Iterator[Finding]:
    """Find modules that hold layers in a list or dict, which registers nothing, and use them."""
    for owner in script.classes:
        if not owner.is_a(MODULE) or _registers(script, owner):
            continue
        for one in script.assignments:
            name = one.target.removeprefix("self.")
            inside = one.place.owner == owner.name and one.target == f"self.{name}"
            if not inside or not name.isidentifier() or one.value.kind not in _KINDS:
                continue
            layer = _layer(script, one)
            if layer is None or not _used(script, owner, name):
                continue
            kind = "Dict" if one.value.kind.startswith("dict") else "List"
            plain = "dict" if kind == "Dict" else "list"
            value, outer = one.value.text, f"nn.Module{kind}"
            if layer.number not in one.value.calls:
                value = ""  # it is filled later
            remedy = f"self.{name} = {outer}({value})"
            if len(value) > 60:
                remedy = f"add a line after this: self.{name} = {outer}(self.{name})"
            yield Finding(
                message=f"{owner.name} keeps its layers ({layer.text}, line {layer.line}) in "
                f"self.{name}, a plain {plain}: {owner.name}.parameters() leaves them out, and "
                "they are never trained",
                where=one.value.where,
                evidence={"class": owner.name, "attribute": name, "layer": layer.text},
                remedy=remedy,
            )


_KINDS = frozenset({"list", "listcomp", "dict", "dictcomp", "tuple"})


def _layer(script: Script, one: Assignment) -> Call | None:
    """Return the call that makes a layer in the list, or that is appended to it."""
    for element in one.value.elements:
        made = script.makers(element)
        if element.kind == "call" and made and is_module(script, made[0]):
            return made[0]
    if one.value.kind in {"listcomp", "dictcomp", "dict"} and one.value.calls:
        first = script.calls[one.value.calls[0]]
        begins = re.match(rf"[\[{{][^\[\]{{}}]*?{re.escape(first.text)}\(", one.value.text)
        return first if begins and is_module(script, first) else None
    for call in script.calls:
        if call.text == f"{one.target}.append" and call.place.owner == one.place.owner:
            given = call.argument("", 0)
            made = script.makers(given)
            if given is not None and given.kind == "call" and made and is_module(script, made[0]):
                return made[0]
    return None


def _registers(script: Script, owner: Class) -> bool:
    """Whether the class registers layers by name, or wraps a list of them afterwards."""
    for call in script.calls:
        if call.place.owner == owner.name and call.text.endswith(_REGISTERING):
            named = call.text.endswith(("add_module", "register_module", "setattr"))
            given = any("self." in value.text for value in call.arguments.values())
            if named or given or (call.open and not _of_another_list(script, owner, call)):
                return True
    return False


def _of_another_list(script: Script, owner: Class, call: Call) -> bool:
    """Whether a container gets a local list, as in `Sequential(*blocks)`, that no attribute is."""
    text = " ".join(script.lines[call.line - 1 : call.end_line])
    given = re.search(rf"{re.escape(call.text)}\(\s*\*(\w+)\s*,?\s*\)", text)
    if given is None:
        return False
    inside = [one for one in script.assignments if one.place.owner == owner.name]
    own = [one for one in inside if one.target == given[1]]
    shared = {one.value.where.line for one in inside if one.target.startswith("self.")}
    word = re.compile(rf"\b{re.escape(given[1])}\b")
    return (
        bool(own)
        and not any("self." in one.value.text or one.value.where.line in shared for one in own)
        and not any(
            word.search(one.value.text) and one.value.kind in {"name", *_KINDS}
            for one in inside
            if one.target.startswith("self.")
        )
    )


def _used(script: Script, owner: Class, name: str) -> bool:
    """Whether the model computes with them, and nothing outside of it takes care of them."""
    end = max((f.end_line for f in script.functions if f.place.owner == owner.name), default=0)
    begin = owner.where.line or 0
    word = re.compile(rf"\.{re.escape(name)}\b")
    outside = [*script.lines[: begin - 1], *script.lines[end:]]
    if any(word.search(line) for line in outside):
        return False
    methods = [f for f in script.functions if f.place.owner == owner.name]
    handed_out = any(
        value.kind in {"list", "attribute", "subscript"} and word.search(value.text)
        for method in methods
        for value in method.returns
    )
    by_hand = re.compile(rf"\.{re.escape(name)}\b.*\.(grad|data)\b")
    inside = script.lines[begin - 1 : end]
    if handed_out or any(by_hand.search(line) for line in inside):
        return False
    return any(
        word.search(line)
        for method in methods
        if not method.name.endswith(".__init__")
        for line in script.lines[(method.where.line or 1) - 1 : method.end_line]
    )
