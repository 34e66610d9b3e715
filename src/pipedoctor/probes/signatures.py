"""
What constructors of installed libraries take, read from their source.

Importing those libraries takes seconds. Only the text of a class up to the end of its signature
is parsed, and what was found is remembered in the user's cache. `signatures.json` has what known
releases took, for versions that are not installed here:

    python -m pipedoctor.probes.signatures SOURCE_TREE ...

adds releases to it, from unpacked archives or checkouts.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from pipedoctor import cache
from pipedoctor.fact import Cost, Split, Unknown, unknown
from pipedoctor.facts.arguments import Argument, version_key
from pipedoctor.facts.environment import Environment
from pipedoctor.facts.signatures import Signature, Signatures
from pipedoctor.pipeline import Pipeline
from pipedoctor.probe import probe
from pipedoctor.probes import classes, installed

FORMAT = 1
PATH = os.path.join(os.path.dirname(os.path.dirname(__file__)), "signatures.json")

FILES = {
    "transformers.Trainer": "trainer.py",
    "transformers.Seq2SeqTrainer": "trainer_seq2seq.py",
    "transformers.Seq2SeqTrainingArguments": "training_args_seq2seq.py",
    "trl.SFTTrainer": "trainer/sft_trainer.py",
    "trl.SFTConfig": "trainer/sft_config.py",
    "trl.DPOTrainer": "trainer/dpo_trainer.py",
    "trl.DPOConfig": "trainer/dpo_config.py",
    "trl.RewardTrainer": "trainer/reward_trainer.py",
    "trl.RewardConfig": "trainer/reward_config.py",
    "trl.GRPOConfig": "trainer/grpo_config.py",
    "trl.KTOConfig": "trainer/kto_config.py",
    "trl.RLOOConfig": "trainer/rloo_config.py",
    "trl.DistillationConfig": "trainer/distillation_config.py",
}
"""The classes that are looked up, and where their packages define them."""
BASES = {"trl": ("trainer/base_config.py", ("BaseConfig", "_BaseConfig"))}
"""What the configs of a package share in the releases of the table; installed ones are followed."""

Row = dict[str, Any]

_VERSION = re.compile(r"-(\d+(?:\.\d+)+)(?:\.dist-info)?$")
_ACCEPTED_STILL = re.compile(r'deprecate_kwarg\(\s*"(\w+)"')
_SIGNATURE = re.compile(r"^    def __init__\(.*?^    \)(?: ->[^\n]*)?:", re.MULTILINE | re.DOTALL)


@probe(Signatures, Cost.STATIC)
def signatures(pipeline: Pipeline, _split: Split) -> Signatures:
    """Read the installed source; for another version, see what the nearest known releases took."""
    versions = pipeline.fact(Environment).versions
    known = table()
    here = installed.versions(["transformers", "trl"])
    found: dict[str, Signature | Unknown] = {}
    for name in FILES:
        package = name.partition(".")[0]
        version = versions.get(package)
        if version is None:
            found[name] = unknown(f"{package} is not installed")
            continue
        row = read_installed(name) if here.get(package) == version else None
        found[name] = _signature(name, version, row, known.get(name, {}))
    return Signatures(found)


def table() -> dict[str, dict[str, Row]]:
    """Return what known releases took, by class and version."""
    with open(PATH, encoding="utf-8") as file:
        read: dict[str, dict[str, Row]] = json.load(file)
    return read


def _signature(name: str, version: str, row: Row | None, known: Mapping[str, Row]) -> Any:
    releases = {release: one for release, one in known.items() if one["names"] or one["open"]}
    if row is not None:
        releases[version] = row
    ordered = sorted(releases, key=version_key)
    history: dict[str, tuple[str, ...]] = {}
    for release in ordered:
        for parameter in releases[release]["names"]:
            history[parameter] = (*history.get(parameter, ()), release)
    older = [r for r in ordered if version_key(r) <= version_key(version)]
    newer = [r for r in ordered if version_key(r) >= version_key(version)]
    if not older:
        return unknown(f"what {name} takes is not known of {version}")
    # After the last known release, and between two that agree, nothing is assumed to change.
    before, after = releases[older[-1]], releases[newer[0] if newer else older[-1]]
    both = set(before["names"]) & set(after["names"])
    return Signature(
        name=name,
        version=version,
        parameters=frozenset(both),
        unsure=frozenset((set(before["names"]) | set(after["names"])) - both),
        own=_own(before.get("fields", {}), after.get("fields", {}), both),
        open=before["open"] or after["open"],
        history=history,
    )


def _own(before: Row, after: Row, both: set[str]) -> dict[str, Argument]:
    """Return the fields; a default that the nearest known releases disagree on is not known."""
    return {
        name: Argument(*told) if json.dumps(told) == json.dumps(after[name]) else Argument(told[0])
        for name, told in before.items()
        if name in both and name in after
    }


def read_installed(name: str) -> Row | None:
    """Return what the installed class takes, or None where that can't be read."""
    package, _, last = name.partition(".")
    path = installed.file_of(package, *FILES[name].split("/"))
    if path is None:
        return None
    if not last.endswith("Trainer"):
        return _dataclass(name, path)
    try:
        file = os.stat(path)
        key = [FORMAT, path, file.st_mtime_ns, file.st_size]
        row = cache.read(f"signature-{name}", key)
        if not isinstance(row, dict) or "names" not in row:
            row = _read([path], last, ())
            cache.write(f"signature-{name}", key, row)
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return row if row["names"] else None


def _dataclass(name: str, path: str) -> Row | None:
    """Return what a class of arguments takes, with all that it inherits."""
    found = classes.read(name, path)
    if found is None:
        return None
    fields = {n: classes.pack(a) for n, a in found.own.items()}
    return {"names": list(found.fields), "open": not found.whole, "fields": fields}


def _read(paths: Iterable[str], last: str, bases: tuple[str, ...]) -> Row:
    row: Row = {"names": [], "open": False, "fields": {}}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for wanted in (last, *bases):
            told = parse(text, wanted)
            row["names"] += [n for n in told["names"] if n not in row["names"]]
            row["open"] = row["open"] or told["open"]
            row["fields"] = {**told["fields"], **row["fields"]}
    return row


def parse(text: str, name: str) -> Row:
    """Return what a class in the text of a module takes: its `__init__`, else its fields."""
    import ast

    begin = re.search(rf"^class {name}\b.*?:$", text, re.MULTILINE)
    if begin is None:
        return {"names": [], "open": False, "fields": {}}
    end = re.search(r"^(class|def|@|if) ?\w", text[begin.end() :], re.MULTILINE)
    body = text[begin.start() : begin.end() + end.start() if end else len(text)]
    signature = _SIGNATURE.search(body)
    if signature is None:
        fields = classes.declared_by(ast.parse(body), name)
        # What a dataclass does not declare itself, the one that it is derived from may.
        packed = {n: classes.pack(a) for n, a in fields.items()}
        return {"names": list(fields), "open": True, "fields": packed}
    (node,) = ast.parse(f"class _:\n{signature[0]}\n        pass").body
    (function,) = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef)]
    given = function.args
    names = [one.arg for one in (*given.posonlyargs, *given.args, *given.kwonlyargs)][1:]
    # A decorator may accept what the signature no longer has.
    names += _ACCEPTED_STILL.findall(body[: signature.start()])
    return {"names": names, "open": given.kwarg is not None, "fields": {}}


def main(trees: Iterable[str]) -> None:
    """Read these unpacked releases, folders `package-version`, into the table that ships."""
    known = table()
    for tree in trees:
        version = _VERSION.search(os.path.basename(os.path.normpath(tree)))
        if version is None:
            raise SystemExit(f"{tree}: name the folder package-version, such as trl-1.16.0")
        for name, below in FILES.items():
            package, _, last = name.partition(".")
            shared = BASES.get(package, ("", ()))
            wanted = [below, shared[0]] if shared[0] and last.endswith("Config") else [below]
            paths = [os.path.join(tree, package, *one.split("/")) for one in wanted]
            if os.path.isfile(paths[0]):
                row = _read([p for p in paths if os.path.isfile(p)], last, shared[1])
                if not row["fields"]:
                    del row["fields"]
                known.setdefault(name, {})[version[1]] = row
    rows = ",\n".join(
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(
            f"{json.dumps(release)}: {json.dumps(releases[release])}"
            for release in sorted(releases, key=version_key)
        )
        + "\n}"
        for name, releases in sorted(known.items())
    )
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(f"{{\n{rows}\n}}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
