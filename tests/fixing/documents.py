"""Random configs in JSON, YAML and TOML, oddly laid out, with remarks and any line ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from pipedoctor.fixing.values import json_like, written

NAMES = ("seed", "optim", "max_steps", "learning_rate", "run_name", "fp16", "fsdp_config", "é t")
NUMBERS = st.integers(-(10**6), 10**6) | st.floats(-1e6, 1e6, allow_nan=False).map(
    lambda value: 0.5 if value == int(value) else value
)
TEXTS = st.text("abü #:,=[]{}\"'\\/no1.-", max_size=9)
SCALARS = st.booleans() | NUMBERS | TEXTS
VALUES = (
    SCALARS
    | st.lists(SCALARS, max_size=3)
    | st.dictionaries(st.sampled_from(["a", "b c"]), SCALARS, max_size=2)
)
BLANK = st.sampled_from(["", " ", "  ", "\t"])
SPACES = st.sampled_from(["", " ", "   "])
REMARK = st.sampled_from(["", " # why, then", "  #: {x}", " #"])
ABOVE = st.sampled_from(["", "\n", "# above: 1\n", "\n\n# [x]\n"])
NEWLINES = st.sampled_from(["\n", "\r\n", "\r"])


@dataclass(frozen=True)
class Document:
    """A text, and what it states."""

    dialect: str
    text: str
    stated: dict[str, object]


def toml(value: object) -> str:
    return written(value, ("true", "false", ""), lambda key, text: f"{json.dumps(key)} = {text}")


@st.composite
def json_documents(draw: Callable[..., object]) -> Document:
    stated = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    gap = st.sampled_from(["", " ", "\n", "\n  ", "\n\t", " \n\n "])
    items = []
    for key, value in stated.items():
        indent = draw(st.sampled_from([None, 2]))
        colon = f"{draw(BLANK)}:{draw(BLANK)}"
        items.append(
            f"{draw(gap)}{json.dumps(key)}{colon}{json.dumps(value, indent=indent)}{draw(BLANK)}"
        )
    text = f"{draw(BLANK)}{{{','.join(items)}{draw(gap)}}}{draw(gap)}"
    return _ended(draw, "json", text, stated)


@st.composite
def yaml_documents(draw: Callable[..., object]) -> Document:
    stated = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    indent = draw(st.sampled_from(["", "  "]))
    lines = [
        f"{draw(ABOVE)}{indent}{_yaml_key(draw, key)}{draw(SPACES)}: {draw(SPACES)}"
        f"{_yaml_value(draw, value, indent)}"
        for key, value in stated.items()
    ]
    head = draw(st.sampled_from(["", "---\n", "# first\n---  # here\n"]))
    text = head + "\n".join(lines) + draw(st.sampled_from(["", "\n", "\n\n# last\n", "\n...\n"]))
    return _ended(draw, "yaml", text, stated)


@st.composite
def flow_documents(draw: Callable[..., object]) -> Document:
    stated = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    gap = st.sampled_from(["", " ", "\n  ", " # so\n    ", "\n # above\n  "])
    items = [f"{draw(gap)}{json.dumps(k)}: {json_like(v)}" for k, v in stated.items()]
    tail = draw(st.sampled_from(["", ",", ", # last\n", "\n"]))
    return _ended(draw, "yaml", f"{{{','.join(items)}{tail}}}\n", stated)


@st.composite
def toml_documents(draw: Callable[..., object]) -> Document:
    stated = draw(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1))
    lines = []
    for key, value in stated.items():
        name = json.dumps(key, ensure_ascii=False)
        if key.isascii() and " " not in key and draw(st.booleans()):
            name = key
        told = toml(value)
        if isinstance(value, list) and draw(st.booleans()):
            told = "[ # list\n" + "".join(f"  {toml(item)}, # ]\n" for item in value) + "]"
        equals = f"{draw(SPACES)}={draw(SPACES)}"
        lines.append(f"{draw(ABOVE)}{draw(SPACES)}{name}{equals}{told}{draw(REMARK)}")
    tail = draw(st.sampled_from(["", "\n", "\n\n# about\n[table] # x\nseed = 1\n"]))
    if "[table]" in tail:
        stated = {**stated, "table": {"seed": 1}}
    return _ended(draw, "toml", "\n".join(lines) + tail, stated)


def _yaml_key(draw: Callable[..., object], key: str) -> str:
    quote = draw(st.sampled_from(["", "'", '"']))
    return f"{quote}{key}{quote}"


def _yaml_value(draw: Callable[..., object], value: object, indent: str) -> str:
    remark = draw(REMARK)
    if isinstance(value, list) and value and draw(st.booleans()):
        return remark + "".join(f"\n{indent}- {json_like(item)}" for item in value)
    if isinstance(value, dict) and value and draw(st.booleans()):
        pairs = value.items()
        return remark + "".join(f"\n{indent}   {json.dumps(k)}: {json_like(v)}" for k, v in pairs)
    if isinstance(value, str) and "\n" not in value and value.strip() == value != "":
        style = draw(st.sampled_from(["quotes", "block"]))
        if style == "block":
            return f"|-{remark}\n{indent}    {value}"
    return json_like(value) + remark


def _ended(
    draw: Callable[..., object], dialect: str, text: str, stated: dict[str, object]
) -> Document:
    newline = draw(NEWLINES)
    if dialect == "toml" and newline == "\r":
        newline = "\n"  # in TOML, that ends no line
    return Document(dialect, text.replace("\n", str(newline)), stated)


documents = json_documents() | yaml_documents() | flow_documents() | toml_documents()
