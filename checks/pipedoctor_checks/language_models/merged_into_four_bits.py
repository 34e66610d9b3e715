from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

QUANTISED = ("load_in_4bit", "load_in_8bit")


@check("LLM017", Severity.WARNING, stage=Stage.CHECKPOINT)
def merged_into_four_bits(script: Script) -> Iterator[Finding]:
    """
    An adapter is merged into weights of 4 or 8 bits, which rounds away a part of what it learned.

    What an adapter adds to a weight is mostly smaller than a step of a 4-bit scale. Merged in 16
    bits it is kept; merged into the quantised weights it is rounded with them, and the merged
    model answers otherwise than base and adapter did together. PEFT warns of "rounding errors"
    and goes on.

    Fails:

        script = '''
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig

        four = BitsAndBytesConfig(load_in_4bit=True)
        base = AutoModelForCausalLM.from_pretrained("base", quantization_config=four)
        model = PeftModel.from_pretrained(base, "adapter")
        merged = model.merge_and_unload()
        '''

    Passes:

        script = '''
        from peft import PeftModel
        from transformers import AutoModelForCausalLM

        base = AutoModelForCausalLM.from_pretrained("base", dtype="bfloat16")
        model = PeftModel.from_pretrained(base, "adapter")
        merged = model.merge_and_unload()
        '''

    See also: <https://github.com/huggingface/peft/issues/2321>.
    """
    for call in script.calls:
        if call.place.runs == "never" or not call.text.endswith(".merge_and_unload"):
            continue
        for adapter in script.receivers(call):
            load = _quantised(script, adapter)
            if load is None or len(script.receivers(call)) > 1:
                continue
            yield Finding(
                message=f"Line {call.line} merges the adapter into the model of line {load[0].line}, "
                f"which is loaded with {load[1]}=True",
                where=call.where,
                evidence={"merge": call.line, "load": load[0].line, "by": load[1]},
                remedy="load the base once more in 16 bits for it: base = AutoModelForCausalLM"
                '.from_pretrained(…, dtype="bfloat16"); merged = PeftModel.from_pretrained(base, '
                "folder_of_the_adapter).merge_and_unload()",
            )


def _quantised(script: Script, adapter: Call) -> tuple[Call, str] | None:
    """Return the call that loads the base in few bits, and the argument that says so."""
    if not adapter.is_a("peft.PeftModel.from_pretrained", "peft.get_peft_model"):
        return None
    bases = script.makers(adapter.argument("model", 0))
    if len(bases) != 1:
        return None
    base = bases[0]
    for name in QUANTISED:
        stated = base.argument(name)
        if stated is not None and stated.get() is True:
            return base, name
    for config in script.makers(base.argument("quantization_config")):
        for name in QUANTISED:
            stated = config.argument(name)
            if stated is not None and stated.get() is True:
                return base, name
    return None
