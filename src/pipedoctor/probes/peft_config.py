"""The fields of the installed peft's `LoraConfig`, read from its source."""

from __future__ import annotations

from pipedoctor.fact import Cost, Split, Unavailable
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.peft_config import PeftConfig
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import classes, installed
from pipedoctor.probes.environment import stated_environment

LENIENT = b"_check_and_remove_unused_kwargs"
"""The function of peft that drops what it does not know: from 0.14.0 on, not yet in 0.13.2."""


@probe(PeftConfig, Cost.FILES)
def peft_config(pipeline: Pipeline, _split: Split) -> PeftConfig:
    """Take what the environment states; else parse the source of the installed version."""
    version = pipeline.fact(Environment).versions.get("peft")
    if version is None:
        raise Unavailable("peft is not installed")
    told = stated_environment(pipeline).get("peft_config")
    if isinstance(told, dict):
        return PeftConfig(version, frozenset(told["fields"]), told["lenient"])
    path = installed.file_of("peft", "tuners", "lora", "config.py")
    if path is None:
        # Before 0.4 all of it stood in one file.
        raise Unavailable(f"the source of LoraConfig is not where peft {version} should have it")
    if installed.versions(["peft"]).get("peft") != version:
        raise Unavailable(f"peft {version} is not the version that is installed")
    found = classes.read("peft.LoraConfig", path)
    base = installed.file_of("peft", "config.py")
    if found is None or "r" not in found.fields or base is None:
        raise Unavailable(f"the fields of LoraConfig of peft {version} can't be read")
    with open(base, "rb") as file:
        lenient = LENIENT in file.read()
    return PeftConfig(version, frozenset(found.fields), lenient)
