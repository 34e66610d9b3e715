"""How a training tool of its own reads a config, told in the names of Hugging Face."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipedoctor.fact import Fact
from pipedoctor.facts.arguments import Argument
from pipedoctor.finding import Location


@dataclass(frozen=True, repr=False, eq=False)
class Reading(Fact):
    """
    What a tool such as Axolotl or LLaMA-Factory makes of its config.

    `version` is the release that its `keys` are those of, `installed` whether it is here.
    """

    tool: str
    version: str
    installed: bool
    keys: frozenset[str]
    defaults: Mapping[str, Argument] = field(default_factory=dict)
    """Those that differ from Trainer's, and the tool's own arguments."""
    spelling: Mapping[str, str] = field(default_factory=dict)
    """The tool's own key of each argument that it calls otherwise."""
    strangers: Mapping[str, Any] = field(default_factory=dict)
    """What is stated under keys that the tool does not know, and passes over in silence."""
    places: Mapping[str, Location] = field(default_factory=dict)
    """Where those stand."""
    blank: frozenset[str] = frozenset()
    """Keys that are stated as null, which is as if they were not."""
    unused: Mapping[str, str] = field(default_factory=dict)
    """Names whose values this run does not use, and why."""
    converts: bool = False
    """Whether a text is made a number or a truth value where one is due."""
    strict: bool = False
    """Whether the tool checks types itself, before Trainer sees anything."""
    assumed: bool = False
    """Whether the keys leave open which of the tool's commands the config is for."""
    newest: str | None = None
    """The newest transformers that this release of the tool works with."""

    @property
    def release(self) -> str:
        """The tool, with its version."""
        return f"{self.tool} {self.version}"

    def spelled(self, name: str) -> str:
        """Return the tool's own key of an argument."""
        return self.spelling.get(name, name)

    def said(self, text: str) -> str:
        """Return a text in which each argument has the name that the user wrote."""
        return self._names.sub(lambda found: self.spelling[found[0]], text)

    @cached_property
    def _names(self) -> re.Pattern[str]:
        # Where the user wrote the usual name, a finding has to repeat it.
        names = sorted(self.spelling.keys() - self.strangers.keys())
        return re.compile(rf"\b({'|'.join(names)})\b" if names else r"(?!)")
