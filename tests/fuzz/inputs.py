"""Inputs by number: mutated configs, commands and scripts; the same number is the same input."""

from __future__ import annotations

import ast
import json
import random
import re
from dataclasses import dataclass
from functools import cache

from fuzz import seeds

from pipedoctor.probes import releases
from pipedoctor.probes.dialects import load

ODD_BYTES = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\r", b"\r\n", b"\t", b"\x0c", b"\x1b[31m", b"\xc3"),
    *("\u2028".encode(), "\u202e".encode(), b"\xed\xa0\x80", "\u0660".encode(), b"\\\n", b"\x85"),
    *(
        b"{",
        b"}",
        b"[",
        b"]",
        b"(",
        b")",
        b'"',
        b"'",
        b'"""',
        b"#",
        b":",
        b"- ",
        b",",
        b"&a ",
        b"*a",
    ),
    *(b"!!python/object:os.system", b"<<: ", b"1e999", b"-", b"---\n", b"...\n", b"%", b"@", b"|"),
)
ODD_VALUES: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, -(2**70), 10**400, 0.0, -0.0, 0.5, 1e-300, 1e308),
    *(float("inf"), float("-inf"), float("nan"), "", " ", "no", "None", "auto", "2e-5", "1e400"),
    *("0x1F", "1_000", "12:30:45", "2024-01-01", "٣", "½", "\x00", "\u202etxt", "😀" * 3),
    *("a" * 3000, "9" * 5000, [], {}, [[]], [None], {"a": {"b": {}}}, {"": 0}, ["x", 1, {}]),
    *(
        "adamw_torch",
        "epoch",
        "steps",
        "lora",
        "fp16",
        "../..",
        "/dev/null",
        "cosine",
        "full_shard",
    ),
)
ODD_CODE = (
    *("None", "...", "()", "[]", "{}", "x", "self", "lambda *a, **k: a", "f'{x!r:>{n}}'", "b'x'"),
    *("10**9", "1e999", "-1", "1j", "'é' * 3", "[i for i in x if i]", "{**x}", "x[1:2, ...]"),
    *(
        "(yield)",
        "await x",
        "x if y else z",
        "(a := 1)",
        "x.y.z",
        "f(*a, **k)",
        "not x",
        "a < b < c",
    ),
    *("9999999999999999999999 ** 9", "'x' % 1", "dict(a=1)", "range(10**9)", "open('x')", "~x"),
    *(
        "os.environ['A']",
        "{'a': 1}['a']",
        "TrainingArguments",
        "type('T', (), {})",
        "getattr(a, 'b')",
    ),
)
WORDS = re.compile(r"\w+|\s+|.", re.DOTALL)
MODES = ("read",) * 17 + ("check",) * 2 + ("fix",)
"""Most inputs are only read, which is where odd ones are met; the rest takes ten times as long."""


@dataclass(frozen=True)
class Input:
    """A file to be examined, or a command, and what is done with it."""

    number: int
    mode: str
    kind: str
    suffix: str = ""
    data: bytes = b""
    words: tuple[str, ...] = ()


def made(number: int) -> Input:
    """Return the input of a number."""
    chance = random.Random(number)
    mode = chance.choice(MODES)
    kind = chance.choice(("config", "config", "script", "script", "command"))
    if kind == "command" and mode != "fix":
        return Input(number, mode, kind, words=_command(chance))
    if kind == "script":
        text = chance.choice(seeds.scripts())
        if chance.random() < 0.5:
            text = _changed_code(chance, text)
        return Input(number, mode, kind, "py", _mutated(chance, text, seeds.scripts()))
    suffix, text = _config(chance)
    others = tuple(other for _, other in seeds.configs())
    return Input(number, mode, "config", suffix, _mutated(chance, text, others))


@cache
def names() -> tuple[str, ...]:
    """Return arguments of any release, and of any tool."""
    own = [name for tool in ("trl", "llamafactory", "axolotl") for name in load(tool).fields]
    return tuple(sorted({*releases.load().names(), *own, "", "a b", "é", "\x00", "1", "true"}))


def _config(chance: random.Random) -> tuple[str, str]:
    if chance.random() < 0.3:
        return chance.choice(seeds.configs())
    config = dict(chance.choice(list(seeds.CONFIGS.values())))
    for _ in range(chance.randrange(5)):
        _change(chance, config)
    suffix = chance.choice(("json", "yaml", "toml"))
    return chance.choice((suffix, suffix, suffix, "yml", "txt")), seeds.text(config, suffix)


def _change(chance: random.Random, config: dict[str, object]) -> None:
    known = list(config)
    key = chance.choice(known) if known and chance.random() < 0.6 else chance.choice(names())
    what = chance.random()
    if what < 0.7:
        config[key] = chance.choice(ODD_VALUES)
    elif what < 0.8:
        config.pop(key, None)
    elif what < 0.9:
        config[chance.choice(names())] = config.pop(key, 1)
    else:
        other = chance.choice(list(seeds.CONFIGS.values()))
        config.update(chance.sample(list(other.items()), min(3, len(other))))


def _command(chance: random.Random) -> tuple[str, ...]:
    config = dict(chance.choice(list(seeds.CONFIGS.values())))
    for _ in range(chance.randrange(4)):
        _change(chance, config)
    told = [*chance.choice(seeds.LAUNCHES), *seeds.words(config)]
    for _ in range(chance.randrange(4)):
        at = chance.randrange(len(told))
        what = chance.random()
        if what < 0.3:
            del told[at]
        elif what < 0.5:
            told.insert(
                at, chance.choice(("--", "-", "--=", "-m", "--config", "=x", "", "\udce9"))
            )
        elif what < 0.7:
            told.insert(at, told[chance.randrange(len(told))])
        else:
            told[at] = f"{told[at]}={json.dumps(chance.choice(ODD_VALUES))}"[:3000]
        told = told or ["python"]
    return tuple(told)


def _mutated(chance: random.Random, text: str, others: tuple[str, ...]) -> bytes:
    """Change words of a text, or its bytes, or neither."""
    for _ in range(chance.choice((0, 0, 1, 1, 2, 3))):
        text = _swapped(chance, text, others)
    data = text.encode("utf-8", "surrogatepass")
    for _ in range(chance.choice((0, 0, 0, 0, 1, 1, 2, 4))):
        data = _bitten(chance, data)
    return data


def _swapped(chance: random.Random, text: str, others: tuple[str, ...]) -> str:
    words = WORDS.findall(text) or [""]
    at, other = chance.randrange(len(words)), chance.randrange(len(words))
    what = chance.randrange(6)
    if what == 0:
        words[at], words[other] = words[other], words[at]
    elif what == 1:
        words[at] = ""
    elif what == 2:
        words.insert(at, words[other])
    elif what == 3:
        first, last = sorted((at, other))
        words[first:last] = []
    elif what == 4:
        strange = WORDS.findall(chance.choice(others)) or [""]
        begin = chance.randrange(len(strange))
        words[at:at] = strange[begin : begin + chance.choice((1, 3, 30))]
    else:
        words[at] = chance.choice((*ODD_CODE, *names()[:: len(names()) // 40]))
    return "".join(words)


def _bitten(chance: random.Random, data: bytes) -> bytes:
    at = chance.randrange(len(data) + 1)
    what = chance.randrange(5)
    if what == 0:
        return data[:at] + chance.choice(ODD_BYTES) + data[at:]
    if what == 1:
        return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
    if what == 2:
        return data[:at]
    if what == 3:
        return data[:at] + data[at : at + 9] * chance.choice((2, 50)) + data[at:]
    return data[:at] + chance.randbytes(chance.randrange(1, 9)) + data[at:]


class _Change(ast.NodeTransformer):
    """Put odd expressions in the place of some, and take arguments away."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def visit(self, node: ast.AST) -> ast.AST:
        """Change an expression, seldom; else what is in it."""
        if isinstance(node, ast.expr) and not isinstance(getattr(node, "ctx", None), ast.Store):
            if self.chance.random() < 0.02:
                return ast.parse(self.chance.choice(ODD_CODE), mode="eval").body
        elif isinstance(node, ast.keyword) and self.chance.random() < 0.03:
            node.arg = self.chance.choice(names()) or None
        return super().visit(node)


def _changed_code(chance: random.Random, text: str) -> str:
    try:
        tree = _Change(chance).visit(ast.parse(text))
        body = tree.body
        if len(body) > 1 and chance.random() < 0.3:
            chance.shuffle(body)
        return ast.unparse(tree)
    except (SyntaxError, ValueError, TypeError, AttributeError):  # what came of it is no tree
        return text
