from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Environment, Script
from pipedoctor.probes import habits
from pipedoctor_checks.versions._calls import severity, transformers

LISTS = {
    "len": "which counts its keys",
    "torch.tensor": "which raises an error",
    "torch.LongTensor": "which raises an error",
    "torch.as_tensor": "which raises an error",
}
"""Functions that want the list of ids, and what they do with a mapping."""


@check("VER009", Severity.ERROR, stage=Stage.DATA)
def chat_template_gives_a_mapping(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    The script takes what `apply_chat_template` returns for a list of ids; it is a mapping now.

    Up to version 4 a tokenizer returned the ids. Version 5 returns a `BatchEncoding` with
    `input_ids` and `attention_mask`, unless `return_dict=False` is passed. `len()` of it is the
    number of its keys, 2, so that a filter by length lets everything through without a word.

    Fails:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")
        ids = tokenizer.apply_chat_template(messages)
        short = len(ids) < 512
        '''

    Passes:

        environment = {"transformers": "5.23.0"}
        script = '''
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")
        ids = tokenizer.apply_chat_template(messages, return_dict=False)
        short = len(ids) < 512
        '''

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    uses = [
        (call, use)
        for call in script.calls
        if _gives_a_mapping(script, call)
        for use in script.calls
        if use.text in LISTS and 0 in use.arguments and use.arguments[0].made_by == (call.number,)
        if not _taken_out(script, call, use)
    ]
    if not uses:
        return
    version = transformers(environment)
    changed = habits.CHAT_IS_A_MAPPING.known(version)
    if changed is None:
        raise habits.CHAT_IS_A_MAPPING.unknown(version)
    for call, use in uses if changed else ():
        yield Finding(
            message=f"apply_chat_template of transformers {version} returns a mapping; line "
            f"{use.line} passes it to {use.text}(), {LISTS[use.text]}",
            where=call.where,
            evidence={"line": call.line, "used_by": use.text, "use": use.line},
            remedy=f"line {call.line}: add return_dict=False to the call of apply_chat_template",
            severity=severity(use.place),
        )


def _taken_out(script: Script, call: Call, use: Call) -> bool:
    """Whether the name is given something else on the way, such as its `input_ids`, perhaps."""
    return any(
        one.target == use.arguments[0].text
        and one.place.scope == use.place.scope
        and call.end_line < (one.value.where.line or 0) <= use.line
        for one in script.assignments
    )


def _gives_a_mapping(script: Script, call: Call) -> bool:
    """Whether a call asks a tokenizer for ids, and leaves open in which form."""
    if not call.text.endswith(".apply_chat_template") or call.open or call.place.runs == "never":
        return False
    tokenize = call.argument("tokenize")
    if "return_dict" in call.arguments or (tokenize is not None and tokenize.get() is not True):
        return False
    makers = script.receivers(call)
    return bool(makers) and all("Tokenizer.from_pretrained" in maker.text for maker in makers)
