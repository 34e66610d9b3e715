"""A config file of training arguments as a target: what it states, and what can be made of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from pipedoctor.fact import Split, Unavailable
from pipedoctor.parts import Lazy, Parts
from pipedoctor.probes.files import ARGUMENTS
from pipedoctor.targets import Target, TargetError, derive, dialects, metrics
from pipedoctor.targets.document import Document, read_document
from pipedoctor.targets.sample import NOTHING, Sample, first_rows
from pipedoctor.targets.scripts import OWN, SCRIPTS, Script, recognise
from pipedoctor.targets.source import shown

PACKAGES = {
    "model": "transformers",
    "blueprint": "transformers",
    "tokenizer": "transformers",
    "collator": "transformers",
    "train_data": "datasets",
    "eval_data": "datasets",
}
"""The parts that are loaded when they are asked for, and the adapters that know them."""

# Files in the same formats that are something else, by keys that they have and configs have not.
_FOREIGN = (
    ({"architectures"}, "the config of a model"),
    ({"hidden_size", "model_type"}, "the config of a model"),
    ({"log_history", "global_step"}, "the state of a training"),
    ({"tokenizer_class"}, "the config of a tokenizer"),
    ({"nbformat"}, "a notebook"),
)


_BLANK = re.compile(r"\$\{\w+\}|\{\{.*\}\}|<%.*%>")
TEMPLATE = 3
"""So many blanks make a template; one or two may be texts that a tool of the user's knows."""


def read(
    path: str | os.PathLike[str], dialect: str | None = None, beside: Sequence[str] = ()
) -> Target:
    """
    Return the target of a config in JSON, YAML or TOML: flat, as `HfArgumentParser` takes it.

    It may be a config of another training tool, by its keys or by the `dialect` that is named.
    `beside` are the configs of accelerate and DeepSpeed that the run is started with.

    Raises:
        TargetError: It can't be read, or holds no training arguments.

    """
    return of_document(read_document(path), os.fspath(path), dialect, beside)


def of_document(
    document: Document,
    file: str,
    dialect: str | None = None,
    beside: Sequence[str] = (),
    command: str | None = None,
) -> Target:
    """Return the target of a config that is read; `command` is the tool's subcommand for it."""
    _refuse_template(document, file)
    target = _of_document(document, file, dialect or dialects.detect(document), command)
    target = replace(target, dialect=dialect)
    if not beside and not _names_another(document):
        return target
    from pipedoctor.targets import companions

    return companions.add(target, beside)


def _names_another(document: Document) -> bool:
    return document.get("deepspeed") not in (None, "")


def _of_document(
    document: Document, file: str, dialect: str | None, command: str | None
) -> Target:
    if dialect in dialects.BESIDE:
        what = dialects.BESIDE[dialect]
        raise TargetError(
            f"{shown(file)} is a config of {what}; name the file with the arguments of the "
            f"training script, and this one beside it: --with {shown(file)}"
        )
    if dialect in dialects.READ:
        return _of_tool(dialects.normalise(document, dialect, command), file)
    _refuse_foreign(document, file)
    train = document.get("train_file")
    sample = first_rows(train) if isinstance(train, str) else NOTHING
    found = (SCRIPTS[command], True) if command in SCRIPTS else recognise(document, sample)
    parts: dict[str, Any] = {}
    subject = "training arguments"
    script = None
    if found is None:
        _require_arguments(document, file)
    else:
        script, sure = found
        _require_half(document, script, file)
        own = ", ".join(sorted(derive.own_keys(document, script)))
        subject = f"{script.name} arguments{f' and your own ({own})' if own else ''}"
        subject += "" if sure else " (assumed)"
        document = replace(
            document,
            script=script.name,
            script_keys=script.keys | OWN,
            arguments_class=script.arguments_class,
        )
        parts.update(_loaders(document, script, sample))
        if not derive.own_keys(document, script):  # else it is a script with metrics of its own
            parts["metrics"] = metrics.names(script.name, document, sample)
    parts["settings"] = document
    parts["files"] = _files(document, script)
    return Target(file, Parts(parts), (subject,), document.problems)


def _of_tool(document: Document, file: str) -> Target:
    """Return the target of another tool's config, whose data and model are not prepared here."""
    reading = document.reading
    assert reading is not None, "normalise sets it"
    if document.keys().isdisjoint(reading.keys | reading.spelling.keys()):
        some = ", ".join(shown(key)[:40] for key in [*reading.strangers, *document][:3])
        raise TargetError(
            f"no key of {shown(file)} is an argument of {reading.release} ({some or 'it has none'})"
        )
    assumed = " (assumed)" if reading.assumed else ""
    of_tool = document.script == reading.tool
    subject = [f"{reading.release if of_tool else document.script} arguments{assumed}"]
    subject += [] if of_tool else [reading.release]
    subject[-1] += "" if reading.installed else " (not installed here)"
    parts = {"settings": document, "files": _files(document, None), "tool": reading}
    return Target(
        file,
        Parts(parts),
        tuple(subject),
        document.problems,
        not_loaded=f"data and model of a config of {reading.tool} are not prepared here yet",
    )


def _loaders(document: Document, script: Script, sample: Sample) -> dict[str, Lazy]:
    """Return the parts that are loaded as the script would load them."""
    try:
        recipe = derive.recipe(document, script)
    except (TypeError, ValueError) as error:
        # The script would stop at it too, so it is told as what the user's own code raises.
        evaluates = document.get("validation_file") is not None and _evaluates(document, script)
        return {
            name: Lazy(_raising(error), package)
            for name, package in PACKAGES.items()
            if name != "eval_data" or evaluates
        }
    if recipe is None:
        return {}
    from pipedoctor.frameworks import loading

    parts = loading.parts(recipe)
    train = derive.data_obstacle(document, script, sample, Split.TRAIN)
    counted = recipe.labels is None and recipe.task.endswith("classification")
    obstacles = {
        "model": derive.model_obstacle(document) or (train if counted else None),
        "blueprint": derive.model_obstacle(document) or (train if counted else None),
        "train_data": train,
        "eval_data": derive.data_obstacle(document, script, sample, Split.EVAL),
    }
    if derive.held_out(document) is not None:
        parts.setdefault("eval_data", parts["model"])  # there is some, but not to be had here
    for name, reason in obstacles.items():
        if reason is not None and name in parts:
            parts[name] = Lazy(_raising(Unavailable(reason)), PACKAGES[name])
    if document.get("do_train") is False:
        parts.pop("train_data", None)  # the script trains nothing, it only evaluates
    if not _evaluates(document, script):
        parts.pop("eval_data", None)
    return parts


def _raising(error: Exception) -> Callable[[], Any]:
    def load() -> Any:
        raise error

    return load


def _evaluates(document: Document, script: Script) -> bool:
    """
    Whether there is evaluation data to look at.

    It is looked at also where `do_eval` is not stated: the scripts prepare it all the same, and
    users' own versions of them evaluate. Trainer sets `do_eval` where it has a strategy.
    """
    strategy = document.get("eval_strategy", document.get("evaluation_strategy"))
    wanted = strategy not in (None, False, "no") or bool(document.get("do_eval"))
    if not wanted and document.get("do_eval") is False:
        return False
    stated = (
        derive.data_source(document, script) != "train_file"
        or document.get("validation_file") is not None
        or derive.held_out(document) is not None
    )
    return wanted or stated


def _files(document: Document, script: Script | None) -> dict[str, str]:
    """Return the paths that the run would use, as they are stated."""
    left_out = set() if script is None or _evaluates(document, script) else {"eval"}
    if derive.data_source(document, script) not in {"train_file", "validation_file"}:
        left_out |= {"train", "eval"}
    if derive.held_out(document) is not None and document.get("validation_file") is None:
        left_out.add("train")  # as many rows as the file has are not what is trained on
    if derive.model_obstacle(document) is not None:
        left_out.add("model")
    found = {}
    for name, key in ARGUMENTS.items():
        value = document.get(key)
        if name not in left_out and isinstance(value, str) and value and "\0" not in value:
            found[name] = value
    return found


def _refuse_foreign(document: Document, file: str) -> None:
    for marks, what in _FOREIGN:
        if marks <= document.keys():
            raise TargetError(
                f"{shown(file)} is {what}; name the file with the arguments of the training script"
            )


def _require_half(document: Document, script: Script, file: str) -> None:
    """Refuse a file that a script's key stands in by chance, among others that mean nothing."""
    known = len(document.keys() & (script.keys | OWN))
    if 3 * known < len(document):
        _require_arguments(document, file)


def _refuse_template(document: Document, file: str) -> None:
    """Refuse a file that is to be filled in; what comes of it can be examined."""
    blank = [(k, v) for k, v in document.items() if isinstance(v, str) and _BLANK.fullmatch(v)]
    if len(blank) < TEMPLATE:
        return
    key, value = blank[0]
    raise TargetError(
        f"{shown(file)} is a template: {len(blank)} values, such as {shown(key)}: {shown(value)}, "
        "are filled in before it is used; examine the file that is made of it"
    )


def _require_arguments(document: Document, file: str) -> None:
    """Refuse a file of which nothing at all is an argument of a training."""
    from pipedoctor.probes import releases

    # `project` with keys of its own is that of a pyproject.toml, not the one that trackio asks for.
    stated = {k for k, value in document.items() if k != "project" or isinstance(value, str)}
    if stated.isdisjoint(releases.load().names()):
        some = ", ".join(shown(key)[:40] for key in list(document)[:3]) or "it has none"
        raise TargetError(
            f"no key of {shown(file)} is a training argument ({some}); "
            "name the file with the arguments of the training script"
        )
