from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Arguments, Call, Script, Signature, Signatures
from pipedoctor_checks.versions._calls import caught, severity

CLASSES = ("SFT", "DPO", "Reward")
RENAMED = {"max_seq_length": "max_length", "tokenizer": "processing_class"}
CURE = "pass it to the config: SFTTrainer(args=SFTConfig(…)), max_seq_length under the name max_length"


@check(
    "VER005",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"(SFT|DPO|Reward)Config\.__init__\(\) got an unexpected keyword argument": CURE,
        r"(SFT|DPO|Reward)Trainer\.__init__\(\) got an unexpected keyword argument '(?!tokenizer')": CURE,
    },
)
def argument_of_trl_moved(
    script: Script, signatures: Signatures, arguments: Arguments
) -> Iterator[Finding]:
    """
    A trainer of trl, or its config, is given an argument that the installed version does not take.

    Between 0.11 and 0.20 trl moved what concerns the data and the lengths from its trainers to
    their configs, and gave some of it other names: `SFTTrainer(max_seq_length=…)` became
    `SFTConfig(max_seq_length=…)`, then `SFTConfig(max_length=…)`. Most tutorials have one of the
    older forms. The script stops with a `TypeError`, after model and data were loaded.

    Fails:

        environment = {"transformers": "5.23.0", "trl": "1.16.0"}
        script = '''
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(
            model="facebook/opt-350m",
            train_dataset=data,
            args=SFTConfig(output_dir="out"),
            max_seq_length=512,
            dataset_text_field="text",
        )
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "5.23.0", "trl": "1.16.0"}
        script = '''
        from trl import SFTConfig, SFTTrainer

        trainer = SFTTrainer(
            model="facebook/opt-350m",
            train_dataset=data,
            args=SFTConfig(output_dir="out", max_length=512, dataset_text_field="text"),
        )
        trainer.train()
        '''

    See also: <https://github.com/unslothai/unsloth/issues/10785>.
    """
    unsure: Unavailable | None = None
    for family in CLASSES:
        for kind in (f"{family}Trainer", f"{family}Config"):
            for call in script.called(f"trl.{kind}"):
                if call.name.startswith("__main__.") or _prepared(call):
                    continue  # a class of the script may take what it likes
                signature = signatures.of(f"trl.{kind}")
                for key in call.arguments:
                    try:
                        if isinstance(key, str) and _refused(signature, arguments, key):
                            yield _finding(call, key, kind, signatures, arguments)
                    except Unavailable as reason:
                        unsure = reason
    if unsure is not None:
        raise unsure


def _prepared(call: Call) -> bool:
    return call.place.runs == "never" or caught(call.place, "TypeError")


def _refused(signature: Signature, arguments: Arguments, key: str) -> bool:
    if signature.takes(key):
        return False
    if signature.name.endswith("Trainer"):
        return not signature.open and key != "tokenizer"  # VER003 speaks of that one
    # What TrainingArguments has, or had once, is spoken of by other checks.
    return bool(signature.own or signature.parameters) and key not in arguments.history


def _finding(
    call: Call, key: str, kind: str, signatures: Signatures, arguments: Arguments
) -> Finding:
    signature = signatures.of(f"trl.{kind}")
    value = call.arguments[key]
    last = signature.removed_after(key)
    return Finding(
        message=f"{kind} of {signature.package} takes no {key}"
        + (f"; {last} still did" if last else ""),
        where=value.where,
        evidence={"argument": key, "class": f"trl.{kind}", "version": signature.version},
        remedy=_remedy(key, value.text, kind, signatures, arguments),
        severity=severity(call.place),
    )


def _remedy(key: str, text: str, kind: str, signatures: Signatures, arguments: Arguments) -> str:
    config = kind.replace("Trainer", "Config")
    known = signatures.of(f"trl.{config}")
    for name in (key, RENAMED.get(key, key)):
        if name in known.parameters or name in arguments.fields:
            if kind == config:
                return f"write {name}={text}"
            return f"delete it here, and write args={config}({name}={text}, …)"
    return f"delete {key}={text}: nothing takes its place"
