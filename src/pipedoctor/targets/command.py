"""A command that starts a training, as a target: what it states, and in which config it goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipedoctor.finding import Location
from pipedoctor.probes.readings import converted
from pipedoctor.targets import Target, TargetError, config, launching
from pipedoctor.targets.dialects.trl import CONFIGS
from pipedoctor.targets.document import Document, read_document
from pipedoctor.targets.scripts import OWN, SCRIPTS
from pipedoctor.targets.source import CONFIG_SUFFIXES, shown

LAUNCHERS = frozenset({"accelerate", "torchrun", "deepspeed"})
PREFIXES = frozenset({"uv", "poetry", "pipenv", "run", "launch", "nohup", "env", "time", "sudo"})
"""Words before the program itself that say nothing of the training."""

_PYTHON = re.compile(r"(?:.*/)?python[\d.]*")
_VARIABLE = re.compile(r"[A-Za-z_]\w*=")
_NUMBER = re.compile(r"-[\d.]")
_INTEGER = re.compile(r"[-+]?\d+")

MOST_WORDS = 10_000
"""A shell takes more, but no training does."""


@dataclass(frozen=True)
class Command:
    """What a command runs: a tool with a subcommand, or a script; and the words after it."""

    program: str
    subcommand: str | None
    words: tuple[str, ...]
    beside: tuple[str, ...] = ()


def read(words: Sequence[str], dialect: str | None, beside: Sequence[str]) -> Target:
    """
    Return the target of a command.

    Raises:
        TargetError: It starts no training that is known, or its config can't be read.

    """
    if len(words) > MOST_WORDS:
        raise TargetError(f"the command has {len(words):,} words, too many for a training")
    command = _parse(words)
    name = _name(command)
    beside = (*beside, *command.beside)
    if command.program.endswith(".py"):
        target = _script(command, name, dialect, beside)
    else:
        target = _tool(command, name, beside)
    told = launching.launch(words, target.parts.get("launch_config"))
    target = replace(target, parts=target.parts.also(launch=told or None))
    if target.kind == "script":
        return target
    return replace(target, arguments=tuple(words))


def _parse(words: Sequence[str]) -> Command:
    """Find the program in a command, past launchers and their options."""
    rest = list(words)
    beside: list[str] = []
    launched = False
    while rest:
        word = rest.pop(0)
        base = os.path.basename(word)
        if base in CONFIG_TOOLS and not launched:
            return _of_tool(base, rest, beside)
        if word in ("-m", "--module") and rest:
            if rest[0] in LAUNCHING:
                launched = True
                del rest[0]
                continue
            return _of_module(rest[0], rest[1:], beside)
        if word.endswith(".py"):
            return Command(word, None, tuple(rest), tuple(beside))
        option, equals, file = word.partition("=")
        if option == "--config_file":
            beside += [file] if equals else [rest.pop(0)] if rest else []
        launched = launched or base in LAUNCHERS or _PYTHON.fullmatch(word) is not None
        if not launched and base not in PREFIXES and not _VARIABLE.match(word):
            break
    raise TargetError(
        f"{shown(' '.join(words))[:80]} starts no training that is known here; write the command "
        "from python, accelerate launch, torchrun, deepspeed, trl, llamafactory-cli or axolotl on"
    )


CONFIG_TOOLS = {
    "trl": "trl",
    "llamafactory-cli": "llamafactory",
    "lmf": "llamafactory",
    "axolotl": "axolotl",
}
MODULES = {
    "axolotl.cli.train": "axolotl",
    "axolotl.cli": "axolotl",
    "llamafactory.cli": "llamafactory-cli",
    "trl": "trl",
    "trl.cli": "trl",
    **{f"trl.scripts.{name}": "trl" for name in CONFIGS},
}


LAUNCHING = frozenset({"torch.distributed.run", "torch.distributed.launch", "accelerate"})


def _of_module(module: str, rest: list[str], beside: list[str]) -> Command:
    tool = MODULES.get(module)
    if tool is None:
        raise TargetError(f"it is not known here what the module {shown(module)} trains")
    return _of_tool(tool, [*_subcommand(module), *rest], beside)


def _subcommand(module: str) -> list[str]:
    last = module.rpartition(".")[2]
    return [last] if last in CONFIGS or last == "train" else []


def _of_tool(base: str, rest: list[str], beside: list[str]) -> Command:
    subcommand = rest.pop(0) if rest and not rest[0].startswith("-") else None
    if subcommand is None or subcommand not in (*CONFIGS, "train", "preprocess"):
        raise TargetError(
            f"{base} {shown(subcommand or '')} is no training; write {base} "
            f"{'sft' if base == 'trl' else 'train'} and its arguments".replace("  ", " ")
        )
    for option in ("--accelerate_config", "--accelerate-config"):
        if option in rest[:-1]:
            at = rest.index(option)
            if rest[at + 1].endswith(CONFIG_SUFFIXES):
                beside.append(rest[at + 1])
            del rest[at : at + 2]
    return Command(CONFIG_TOOLS.get(base, base), subcommand, tuple(rest), tuple(beside))


def _name(command: Command) -> str:
    return " ".join(filter(None, (command.program, command.subcommand)))


def _script(command: Command, name: str, dialect: str | None, beside: Sequence[str]) -> Target:
    """Return the target of a script: of its text if it is the user's, else of its arguments."""
    stem = os.path.basename(command.program).removesuffix(".py")
    if stem not in SCRIPTS and os.path.isfile(command.program):
        from pipedoctor.targets import companions, script

        return companions.add(script.read(command.program, command.words), beside)
    files = [word for word in command.words if not word.startswith("-")]
    if len(command.words) == 1 and files and files[0].endswith(CONFIG_SUFFIXES):
        return config.of_document(read_document(files[0]), files[0], dialect, beside, stem)
    document = of_options(command.words, _keys(stem))
    dialect = dialect or "huggingface"  # its own arguments are not those of another tool
    return config.of_document(document, name, dialect, beside, stem)


def _keys(stem: str) -> tuple[Mapping[str, str], bool]:
    """Return the options that are known with their types, and whether there are no others."""
    from pipedoctor.probes import arguments, releases

    history = releases.load()
    fields = arguments.read_installed() or history.fields(history.releases[-1])
    types = {name: argument.type for name, argument in fields.items()}
    own = SCRIPTS[stem].keys if stem in SCRIPTS else frozenset()
    return {**dict.fromkeys(own | OWN, ""), **types}, stem in SCRIPTS


def _tool(command: Command, name: str, beside: Sequence[str]) -> Target:
    """Return the target of a tool's config, with what the command states over it."""
    words = list(command.words)
    file = None
    if command.program == "trl":
        if "--config" in words[:-1]:
            at = words.index("--config")
            file = words[at + 1]
            del words[at : at + 2]
    elif words and words[0].endswith(CONFIG_SUFFIXES):
        file = words.pop(0)
    base = read_document(file) if file is not None else None
    pairs = [w for w in words if command.program == "llamafactory" and not w.startswith("-")]
    if pairs and file is not None:  # OmegaConf's key=value
        words = [part for w in words for part in (f"--{w}" if not w.startswith("-") else w,)]
    types, complete = _types(command)
    stated = of_options(words, (types, complete))
    document = stated
    if base is not None:
        document = replace(
            base,
            arguments={**base.arguments, **stated.arguments},
            locations={**base.locations, **stated.locations},
            abbreviations=stated.abbreviations,
        )
    return config.of_document(document, file or name, command.program, beside, command.subcommand)


def _types(command: Command) -> tuple[Mapping[str, str], bool]:
    from pipedoctor.probes import dialects

    own = {name: field.type for name, field in dialects.load(command.program).fields.items()}
    if command.program == "axolotl":
        return own, False
    return {**_keys("")[0], **own}, command.program == "trl"


def of_options(words: Sequence[str], known: tuple[Mapping[str, str], bool]) -> Document:
    """Return what options state: each a place of its own, on the command line."""
    types, complete = known
    arguments: dict[str, Any] = {}
    locations: dict[str, Location] = {}
    abbreviations: dict[str, tuple[str, ...]] = {}
    problems = []
    for option, given in _options(words):
        name, values = option.replace("-", "_"), given
        off = name.removeprefix("no_")
        if name not in types and off != name and not given and types.get(off) == "bool":
            name, values = off, ["false"]
        elif name not in types and complete:
            close = tuple(
                sorted(known_name for known_name in types if known_name.startswith(name))
            )
            if close:
                abbreviations[name] = close
                name = close[0] if len(close) == 1 else name
        if name in arguments:
            problems.append(f"--{shown(name)} is stated twice, and the last one counts")
        declared = types.get(name, "")
        items = [_value(text, declared) for text in values]
        arguments[name] = True if not items else items[0] if len(items) == 1 else items
        told = shown(" ".join((f"--{option}", *given)))[:200]
        locations[name] = Location(key=name, source=told, origin="command line")
    return Document(
        arguments, locations, tuple(problems), dialect="command", abbreviations=abbreviations
    )


def _options(words: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Yield options with the words that follow each; what stands before the first is none."""
    option: str | None = None
    values: list[str] = []
    for word in words:
        if word.startswith("--") and len(word) > 2:
            if option is not None:
                yield option, values
            option, equals, value = word[2:].partition("=")
            values = [value] if equals else []
        elif option is not None and (not word.startswith("-") or _NUMBER.match(word)):
            values.append(word)
    if option is not None:
        yield option, values


def _value(text: str, declared: str) -> Any:
    """Return what argparse makes of a word, for the type of an option, as far as it is known."""
    if declared:
        return converted(text, declared)
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if _INTEGER.fullmatch(text) and len(text) < 20:
        return int(text)
    try:
        return float(text) if text[:1] in "-+.0123456789" else text
    except ValueError:
        return text
