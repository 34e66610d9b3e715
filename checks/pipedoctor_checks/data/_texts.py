"""Faults of data that the text of a script shows before anything is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipedoctor.facts import Call, Script, Value
from pipedoctor.finding import Finding, Severity
from pipedoctor_checks.data._trainers import body, drops_columns, function, trainers

_DATA = ("train_dataset", "eval_dataset")
_KEPT = frozenset({
    "label", "labels", "label_ids", "input_ids", "attention_mask", "token_type_ids",
    "pixel_values", "input_values", "input_features", "decoder_input_ids", "position_ids",
})  # fmt: skip
"""Columns that forward functions name, or that Trainer keeps."""
_READ = re.compile(r"""\[\s*["'](\w+)["']\s*\](?!\s*=[^=])""")


def transform_of_dropped_columns(script: Script) -> Iterator[Finding]:
    """Find a transform that reads a column which Trainer drops before."""
    for trainer in trainers(script):
        if not drops_columns(script, trainer):
            continue
        for split in _DATA:
            given = trainer.argument(split)
            call = _transforming(script, given) if given is not None else None
            named = call.argument("transform", 0) if call is not None else None
            found = function(script, named.text) if named is not None else None
            if call is None or found is None:
                continue
            written = set(
                re.findall(r"""\[\s*["'](\w+)["']\s*\]\s*=[^=]""", "\n".join(body(script, found)))
            )
            read = set(_READ.findall("\n".join(body(script, found)))) - written - _KEPT
            if not read:
                continue
            yield Finding(
                message=f"{found.name} reads {', '.join(sorted(read))} of the rows of {split}, and "
                f"Trainer (line {trainer.line}) drops what the model does not name before that",
                where=call.where,
                evidence={"transform": found.name, "reads": sorted(read), "data": split},
                remedy="remove_unused_columns=False among the training arguments",
            )
            return


def _transforming(script: Script, given: Value) -> Call | None:
    """Return the call that gives the data of a Trainer its transform."""
    made = script.makers(given)
    if len(made) == 1 and made[0].text.endswith(".with_transform"):
        return made[0]
    for call in script.calls:
        if call.text == f"{given.text}.set_transform" and len(call.arguments) == 1:
            return call
    return None


def raw_data_beside_tokenised(script: Script) -> Iterator[Finding]:
    """Find a Trainer that gets a data set of texts, of which a tokenised copy is made and unused."""
    copies = [
        (one.target, call)
        for one in script.assignments
        for call in script.makers(one.value)
        if one.target.isidentifier() and call.text.endswith(".map") and _tokenises(script, call)
    ]
    for trainer in trainers(script):
        if not drops_columns(script, trainer):
            continue
        for split in _DATA:
            given = trainer.argument(split)
            root = re.match(r"\w+", given.text) if given is not None else None
            for copy, call in copies:
                raw = call.text.removesuffix(".map")
                beside = sum(  # the same Trainer gets it for the other split
                    re.match(rf"{re.escape(copy)}\b", other.text) is not None
                    for other in map(trainer.argument, _DATA)
                    if other is not None
                )
                if given is None or root is None or root[0] != raw or copy == raw:
                    continue
                if _bound(script, raw) != 1 or _uses(script, copy) > 1 + beside:
                    continue
                yield Finding(
                    message=f"Trainer gets {given.text} as {split}, which line {call.line} "
                    f"tokenises into {copy}; {copy} is used nowhere" + " else" * (beside > 0),
                    where=given.where,
                    evidence={"given": given.text, "tokenised": copy, "line": call.line},
                    remedy=f"{split}={copy}{given.text[len(raw) :]}",
                )
                return


def _tokenises(script: Script, call: Call) -> bool:
    named = call.argument("function", 0)
    found = function(script, named.text) if named is not None else None
    return found is not None and any("tokenizer(" in line for line in body(script, found))


def _bound(script: Script, name: str) -> int:
    return sum(one.target == name for one in script.assignments)


def _uses(script: Script, name: str) -> int:
    word = re.compile(rf"\b{re.escape(name)}\b")
    return sum(len(word.findall(line.partition("#")[0])) for line in script.lines)


_ADDING = (".add_tokens", ".add_special_tokens")
_RESIZING = re.compile(
    r"resize_token_embeddings|setup_chat_format|clone_chat_template|add_new_tokens"
)


def tokens_without_rows(script: Script) -> Iterator[Finding]:
    """Find tokens that are added to a tokenizer, and nothing that makes the embedding larger."""
    if not script.trainings or any(_RESIZING.search(line) for line in script.lines):
        return
    loaded = [c for c in script.calls if c.text.endswith(".from_pretrained")]
    models = [c for c in loaded if any("Model" in name for name in c.names[:1])]
    for call in script.calls:
        if not call.text.endswith(_ADDING) or call.place.runs == "never" or len(models) != 1:
            continue
        makers = script.receivers(call)
        given = call.argument("new_tokens", 0) or call.argument("special_tokens_dict", 0)
        new = _new(given.get() if given is not None else None)
        if len(makers) != 1 or makers[0] not in loaded or not new:
            continue
        if not any("Tokenizer" in name for name in makers[0].names[:1]):
            continue
        model = models[0]
        listed = ", ".join(new[:3]) + (f" and {len(new) - 3} more" if len(new) > 3 else "")
        yield Finding(
            message=f"Line {call.line} adds {len(new)} token{'s' * (len(new) > 1)} ({listed}) to "
            f"the tokenizer, and no line resizes the embedding of the model of line {model.line}: "
            "unless it has rows to spare, their ids lie beyond it",
            where=call.where,
            evidence={"tokens": list(new), "model_line": model.line},
            remedy=f"{call.text.rpartition('.')[0]} has grown: add "
            f"model.resize_token_embeddings(len({call.text.rpartition('.')[0]})) after line "
            f"{max(call.end_line, model.end_line)}",
            severity=Severity.WARNING,
        )
        return


def _new(held: object) -> list[str]:
    """Return the tokens that are added, without those that a tokenizer may well have."""
    if isinstance(held, str):
        return [held]
    if isinstance(held, dict):
        more = held.get("additional_special_tokens", held.get("extra_special_tokens", ()))
        held = more if isinstance(more, (list, tuple)) else ()
    return [one for one in held if isinstance(one, str)] if isinstance(held, (list, tuple)) else []
