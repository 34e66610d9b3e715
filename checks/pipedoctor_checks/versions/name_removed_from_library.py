from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Environment, Script
from pipedoctor.facts.arguments import version_key
from pipedoctor_checks.versions._calls import caught, severity

GONE = {
    "transformers.AdamW": ("4.57.6", "write from torch.optim import AdamW"),
    "transformers.AutoModelWithLMHead": (
        "5.23.0",
        "use AutoModelForCausalLM, AutoModelForMaskedLM or AutoModelForSeq2SeqLM",
    ),
    "transformers.AutoModelForVision2Seq": ("5.23.0", "use AutoModelForImageTextToText"),
    "transformers.LineByLineTextDataset": (
        "5.23.0",
        'use datasets.load_dataset("text", data_files=...), and map the tokenizer over it',
    ),
    "transformers.TextDataset": (
        "5.23.0",
        'use datasets.load_dataset("text", data_files=...), and map the tokenizer over it',
    ),
    "datasets.load_metric": ("5.2.0", "use evaluate.load(...), of the package evaluate"),
}
"""A release that was seen to lack each name, and what does the same."""


@check(
    "VER017",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        rf"cannot import name '{name.rpartition('.')[2]}' from '{name.partition('.')[0]}'": cure
        for name, (_, cure) in GONE.items()
    },
)
def name_removed_from_library(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    The script imports a name that the installed transformers or datasets no longer has.

    Older tutorials import `AdamW` from transformers and `load_metric` from datasets. Both were
    removed, and so were the text data sets of transformers: the script stops at the import.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AdamW, get_linear_schedule_with_warmup
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from torch.optim import AdamW
        from transformers import get_linear_schedule_with_warmup
        '''

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    for one in script.imports:
        if one.name not in GONE or one.place.runs == "never":
            continue
        if caught(one.place, "ImportError", "AttributeError"):
            continue
        package, _, name = one.name.partition(".")
        since, cure = GONE[one.name]
        version = environment.versions.get(package)
        if version is None:
            raise Unavailable(f"{package} is not installed")
        if version_key(version) < version_key(since):
            raise Unavailable(f"whether {package} {version} has {name} is not known")
        yield Finding(
            message=f"{package} {version} has no {name}, so that this import raises ImportError",
            where=one.where,
            evidence={"name": one.name, package: version},
            remedy=cure,
            severity=severity(one.place),
        )
