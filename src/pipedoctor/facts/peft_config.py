"""What the installed peft takes for the config of an adapter."""

from __future__ import annotations

from dataclasses import dataclass

from pipedoctor.fact import Fact


@dataclass(frozen=True, repr=False, eq=False)
class PeftConfig(Fact):
    """
    The fields of `LoraConfig` in one version of peft.

    `lenient` says that a config with other fields is loaded without them, with a warning; a
    version that is not raises `TypeError`.
    """

    doing = "Reading the fields of peft's configs"

    version: str
    fields: frozenset[str]
    lenient: bool
