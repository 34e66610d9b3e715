from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Call, Script, Signature, Signatures
from pipedoctor_checks.versions._calls import caught, severity

OLD, NEW = "tokenizer", "processing_class"
TRAINER = "transformers.Trainer"


@check(
    "VER003",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"Trainer\.__init__\(\) got an unexpected keyword argument 'tokenizer'": (
            "pass it under its new name: processing_class=tokenizer"
        )
    },
)
def tokenizer_argument_of_trainer(script: Script, signatures: Signatures) -> Iterator[Finding]:
    """
    The script passes `tokenizer=` to a Trainer that takes `processing_class=` instead.

    The argument was renamed in transformers 4.46, which still took the old name; version 5 does
    not, and neither do the trainers of trl. The script stops with `TypeError: Trainer.__init__()
    got an unexpected keyword argument 'tokenizer'`, after model and data were loaded.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoTokenizer, Trainer

        tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
        trainer = Trainer(model=model, args=args, train_dataset=data, tokenizer=tokenizer)
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoTokenizer, Trainer

        tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
        trainer = Trainer(model=model, args=args, train_dataset=data, processing_class=tokenizer)
        trainer.train()
        '''

    Passes:

        environment = {"transformers": "4.57.6"}
        script = '''
        from transformers import AutoTokenizer, Trainer

        tokenizer = AutoTokenizer.from_pretrained("bert-base-cased")
        trainer = Trainer(model=model, args=args, train_dataset=data, tokenizer=tokenizer)
        trainer.train()
        '''

    See also: <https://github.com/huggingface/trl/issues/6168>.
    """
    for call in script.called(TRAINER, f"{TRAINER}.__init__"):
        given = call.arguments.get(OLD)
        if given is None or _prepared(script, call):
            continue
        signature = _signature(script, signatures, call)
        if signature is None or signature.open or signature.takes(OLD):
            continue
        last = signature.removed_after(OLD)
        both = NEW in call.arguments
        known = signature.takes(NEW)
        yield Finding(
            message=f"{signature.name.rpartition('.')[2]} of {signature.package} takes no {OLD}; "
            + (f"{last} still did" if last else f"it has {NEW}"),
            where=given.where,
            evidence={"argument": OLD, "class": signature.name, "version": signature.version},
            remedy=f"delete {OLD}=…: {NEW} is passed as well"
            if both
            else f"write {NEW}={given.text}"
            if known
            else f"delete {OLD}=…",
            severity=severity(call.place),
        )


def _prepared(script: Script, call: Call) -> bool:
    """Whether the script catches the error, or has a branch for either version."""
    if call.place.runs == "never" or caught(call.place, "TypeError"):
        return True
    return any(
        NEW in other.arguments and other.place.excludes(call.place)
        for other in script.called(TRAINER, f"{TRAINER}.__init__")
    )


def _signature(script: Script, signatures: Signatures, call: Call) -> Signature | None:
    """Return the signature that the call has to fit; None where that is the script's own."""
    if call.name.startswith("__main__."):
        # A class of the script without a constructor of its own has that of its base.
        chain = [c for c in script.classes if f"__main__.{c.name}" in call.names]
        if any("__init__" in one.methods for one in chain):
            return None
    names = [name.removesuffix(".__init__") for name in call.names]
    library = next((name for name in names if not name.startswith("__main__.")), None)
    if library is not None:
        with suppress(Unavailable):
            return signatures.of(library)
    return None
