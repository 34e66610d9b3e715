"""The chat template that a model's folder holds."""

from __future__ import annotations

import os
import re
from typing import Any

from pipedoctor.fact import UNKNOWN, Cost, Split, Unavailable
from pipedoctor.facts.chat_template import ChatTemplate
from pipedoctor.facts.model_files import ModelFiles
from pipedoctor.facts.settings import Settings
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import files

MARK = re.compile(r"\{%-?\s*generation\s*-?%\}")

LARGEST = 1 << 20
"""The longest templates have some 30 kB."""


@probe(ChatTemplate, Cost.FILES, "files")
def chat_template(pipeline: Pipeline, _split: Split) -> ChatTemplate:
    """Read the template beside the model, or the one that the settings name instead."""
    settings = pipeline.optional(Settings)
    stated = None if settings is None else settings.stated.get("chat_template_path")
    asked = settings is not None and settings.get("assistant_only_loss") is True
    if stated:
        if not isinstance(stated, str) or not stated.endswith((".jinja", ".j2")):
            raise Unavailable("the chat template is that of another tokenizer")
        return described(_text(stated), stated, asked)
    held = pipeline.fact(ModelFiles)
    beside = os.path.join(held.path, "chat_template.jinja")
    if held.path and os.path.isfile(beside):
        return described(_text(beside), beside, asked)
    told = held.tokenizer_config.get("chat_template")
    return described(told, f"the tokenizer of {held.name}", asked)


def described(template: object, source: str, asked: bool) -> ChatTemplate:
    """
    Return what there is to say of a template: a text, named ones of which one is the default.

    Whether the trainer replaces it is found out only if that is asked for.

    Raises:
        Unavailable: There are several, and none is the default.

    """
    if isinstance(template, list):
        template = {
            one.get("name"): one.get("template") for one in template if isinstance(one, dict)
        }
    if isinstance(template, dict):
        if "default" not in template:
            raise Unavailable("the tokenizer has several chat templates, and none is the default")
        template = template["default"]
    if not isinstance(template, str) or not template.strip():
        return ChatTemplate(present=False, source=source)
    marks = MARK.search(template) is not None
    replaced = _replaced(template) if asked and not marks else UNKNOWN
    return ChatTemplate(present=True, marks=marks, replaced=replaced, source=source)


def _replaced(template: str) -> Any:
    """Return whether TRL has a template with marks that it takes in the place of this one."""
    from importlib.util import find_spec

    found = find_spec("trl")
    if found is None or not found.submodule_search_locations:
        return UNKNOWN
    folder = os.path.join(next(iter(found.submodule_search_locations)), "chat_templates")
    if not os.path.isdir(folder):
        return False
    marked = {name for name in os.listdir(folder) if name.endswith("_training.jinja")}
    for name in marked:
        plain = os.path.join(folder, name.replace("_training.jinja", ".jinja"))
        if os.path.isfile(plain) and _text(plain) == template:
            return True
    return False


def _text(path: str) -> str:
    try:
        with files.opened(path, LARGEST) as file:
            return file.read().decode("utf-8")
    except (OSError, ValueError) as error:
        raise Unavailable(f"{path} can't be read: {error}") from None
