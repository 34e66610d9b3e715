from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Environment, Script
from pipedoctor.probes import habits
from pipedoctor_checks.versions._calls import caught, severity, transformers

ARGUMENTS = ("load_in_4bit", "load_in_8bit")
OTHERS = ("Tokenizer", "Processor", "Config", "FeatureExtractor")


@check(
    "VER007",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"__init__\(\) got an unexpected keyword argument 'load_in_([48])bit'": (
            "pass quantization_config=BitsAndBytesConfig(load_in_4bit=True), or load_in_8bit"
        )
    },
)
def quantization_argument_removed(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    The script passes `load_in_4bit` or `load_in_8bit` to `from_pretrained`, which refuses them now.

    Up to version 4 transformers made a `BitsAndBytesConfig` of them. Version 5 hands them to the
    model's constructor, false or true, and that raises a `TypeError`, after the weights were
    downloaded.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoModelForCausalLM

        model = AutoModelForCausalLM.from_pretrained("facebook/opt-350m", load_in_4bit=True)
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig

        model = AutoModelForCausalLM.from_pretrained(
            "facebook/opt-350m", quantization_config=BitsAndBytesConfig(load_in_4bit=True)
        )
        '''

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    found = [(call, key) for call in script.calls for key in ARGUMENTS if _refuses(call, key)]
    if not found:
        return
    version = transformers(environment)
    refused = habits.REFUSES_LOAD_IN_BITS.known(version)
    if refused is None:
        raise habits.REFUSES_LOAD_IN_BITS.unknown(version)
    for call, key in found if refused else ():
        value = call.arguments[key]
        off = value.known and not value.value
        yield Finding(
            message=f"from_pretrained of transformers {version} takes no {key}; "
            f"{habits.REFUSES_LOAD_IN_BITS.lacking} still did",
            where=value.where,
            evidence={"argument": key, "transformers": version},
            remedy=f"delete {key}={value.text}"
            if off
            else f"write quantization_config=BitsAndBytesConfig({key}={value.text})",
            severity=severity(call.place),
        )


def _refuses(call: Call, key: str) -> bool:
    """Whether a call loads a model by transformers' own code, with this argument."""
    owner, _, method = call.name.rpartition(".")
    if key not in call.arguments or method != "from_pretrained":
        return False
    last = owner.rpartition(".")[2]
    ours = owner.startswith(("transformers.", "peft.AutoPeft"))
    return (
        ours
        and not last.endswith(OTHERS)
        and call.place.runs != "never"
        and not caught(call.place, "TypeError")
    )
