from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Script
from pipedoctor.finding import Location
from pipedoctor.probes import habits
from pipedoctor_checks.versions._calls import transformers

_SET = re.compile(
    r"""^\s*os\.environ\[["'](?P<name>(?:PYTORCH_)?TRANSFORMERS_CACHE)["']\]\s*=\s*(?P<value>[^#]+)"""
)


@check("VER016", Severity.WARNING, stage=Stage.ENVIRONMENT)
def cache_variable_not_read(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    The script sets `TRANSFORMERS_CACHE`, which transformers no longer reads.

    Version 5 knows `HF_HOME` and `HF_HUB_CACHE` only. Models are then downloaded again, into the
    home directory: on clusters that is the small disk, or one that the compute nodes can't see.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        import os

        os.environ["TRANSFORMERS_CACHE"] = "/scratch/models"

        from transformers import AutoModel
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        import os

        os.environ["HF_HOME"] = "/scratch/models"

        from transformers import AutoModel
        '''

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    lines = [(n, _SET.match(line)) for n, line in enumerate(script.lines, 1)]
    found = [(number, match) for number, match in lines if match is not None]
    if not found or any("HF_HOME" in line or "HF_HUB_CACHE" in line for line in script.lines):
        return
    version = transformers(environment)
    ended = habits.NO_OLD_CACHE.known(version)
    if ended is None:
        raise habits.NO_OLD_CACHE.unknown(version)
    for number, match in found if ended else ():
        value = match["value"].strip()
        here = Location(file=script.file, line=number, source=script.lines[number - 1].strip())
        yield Finding(
            message=f"{match['name']} is set to {value}, and transformers {version} does not read "
            "it: models are looked for in ~/.cache/huggingface",
            where=replace(here, key=match["name"]),
            evidence={"variable": match["name"], "transformers": version},
            remedy=f'write os.environ["HF_HUB_CACHE"] = {value}, before transformers is imported',
        )
