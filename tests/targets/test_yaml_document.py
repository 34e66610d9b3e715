"""YAML configs: values as PyYAML gives them, lines of keys, faults in plain words."""

import datetime as dt
from itertools import pairwise

import pytest

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import read_document


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "c.yaml").write_text(text, encoding="utf-8", newline="")
        return read_document("c.yaml")

    return written


def lines(document):
    return {key: place.line for key, place in document.locations.items()}


def test_values_and_lines(read):
    document = read(
        "# run\n\na: 1\n'b c': {x: [1, 2]}\n? d\n: |\n  e: 1\n\"f\": # none\ng:\n- 1\n- h: 2\n"
    )
    assert dict(document) == {
        "a": 1,
        "b c": {"x": [1, 2]},
        "d": "e: 1\n",
        "f": None,
        "g": [1, {"h": 2}],
    }
    assert lines(document) == {"a": 3, "b c": 4, "d": 5, "f": 8, "g": 9}
    assert document.locations["b c"].source == "'b c': {x: [1, 2]}"


def test_numbers_and_truth_values_are_those_of_yaml_1_1(read):
    document = read("a: 2e-5\nb: 2.0e-5\nc: no\nd: on\ne: 1_000\nf: 010\ng: 2024-01-02\nh: ~\n")
    assert dict(document) == {
        "a": "2e-5",
        "b": 2e-5,
        "c": False,
        "d": True,
        "e": 1000,
        "f": 8,
        "g": dt.date(2024, 1, 2),
        "h": None,
    }


def test_of_a_key_stated_twice_the_last_counts_and_it_is_told(read):
    document = read("lr: 1\nx: {lr: 5}\nlr: 2\n")
    assert (document["lr"], lines(document)["lr"]) == (2, 3)
    assert document.problems == (
        'c.yaml:1: "lr" is stated again on line 3, and that one counts; remove one of them',
    )


def test_merged_keys_stand_where_they_are_written(read):
    document = read("base: &base {lr: 1, epochs: 3}\n<<: *base\nlr: 2\n")
    assert dict(document) == {"base": {"lr": 1, "epochs": 3}, "epochs": 3, "lr": 2}
    assert lines(document) == {"epochs": 1, "base": 1, "lr": 3}
    assert document.problems == (), "to override what is merged is what merging is for"


def test_aliases_give_the_same_value(read):
    assert read("a: &x [1, 2]\nb: *x\n")["b"] == [1, 2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(read, end):
    assert lines(read(end.join(["a: 'x\u2028y'", "b: 1", "", "c: 2"]))) == {"a": 1, "b": 2, "c": 4}


def test_byte_order_mark_does_no_harm(read):
    document = read("\ufeffa: 1")
    assert dict(document) == {"a": 1}
    assert document.problems == ()


def bomb(item, reference):
    names = "abcdefghij"
    rows = [f"a: &a {item}"]
    for before, name in pairwise(names):
        rows.append(f"{name}: &{name} " + reference.format(", ".join([f"*{before}"] * 10)))
    return "\n".join(rows)


TOO_MANY = (
    "c.yaml holds more than 20,000 values, aliases expanded; "
    "a config has a few dozen, so write them out"
)
DEEP = "c.yaml is nested too deeply; a config maps names to plain values"
FAULTS = {
    "a: 1\nb:\n\tc: 2": "c.yaml:3: this line is indented with a tab; use spaces",
    "a: 1\n\tb: 2": "c.yaml:2: this line is indented with a tab; use spaces",
    "a: 1\n  b: 2": "c.yaml:2: there is a second colon or a wrong indentation; "
    "put the value in quotes or align the key",
    "a: x: y": "c.yaml:1: there is a second colon or a wrong indentation; "
    "put the value in quotes or align the key",
    "a: 1\nb\nc: 2": "c.yaml:2: this key has no colon; write it as key: value",
    "a:1\nb:2": "c.yaml holds a text; put a space after the colon behind each name",
    'a: 1\nb: "C:\\Users"': "c.yaml:2: a backslash in double quotes; use single quotes instead",
    'a: 1\nb: "C:\\models"': "c.yaml:2: a backslash in double quotes; use single quotes instead",
    "a: 1\nb: 'x\nc: 2\n": "c.yaml:2: the quote that opens here is not closed; close it",
    "a: 1\nb: 'x' y": "c.yaml:2: something follows the value here; put the whole value in quotes",
    "a: [1, 2]]": "c.yaml:1: something follows the value here; put the whole value in quotes",
    "a: {b: 1": "c.yaml:1: the comma or the closing } is missing before this; add it",
    "a: [1\nb: 2": "c.yaml:2: the comma or the closing ] is missing before this; add it",
    "  a: 1\n b: 2": "c.yaml:2: this line is indented unlike its neighbours; align it with them",
    "a: @x": "c.yaml:1: a value can't begin with @; put it in quotes",
    "a: %x": "c.yaml:1: a value can't begin with %; put it in quotes",
    "a: `x`": "c.yaml:1: a value can't begin with a backtick; put it in quotes",
    "a: *x": "c.yaml:1: the alias has no anchor of its name; write the value itself",
    "a: 1\n---\nb: 2": "c.yaml:2: a second document begins here; a config is one, so remove it",
    "a: 1\nno: 2": "c.yaml:2: this key is read as False, not as text; put it in quotes",
    "1: 2": "c.yaml:1: this key is read as 1, not as text; put it in quotes",
    "? [a]\n: 1": "c.yaml:1: this key is read as ['a'], not as text; put it in quotes",
    "a: 1\nb: 2024-13-45": "c.yaml:2: this is no value of type !!timestamp "
    "(month must be in 1..12); put it in quotes",
    "a: !!bool maybe": "c.yaml:1: this is no value of type !!bool ('maybe'); put it in quotes",
    "a: 1\nb: !env HOME": "c.yaml:2: the tag !env is none that YAML knows; remove it",
    "a: 1\nb: \x07": "c.yaml:2: YAML can't hold the character '\\x07'; remove it",
    'a: "\\ud800"': "c.yaml:1: half of a surrogate pair (\\ud800 to \\udfff); "
    "write the character itself",
    'a: "\\U00110000"': "c.yaml is no YAML (chr() arg not in range(0x110000)); "
    "put texts in single quotes",
    "<<: 3": "c.yaml:1: this is no YAML (while constructing a mapping, expected a mapping or "
    "list of mappings for merging, but found scalar); correct the line",
    "- a": "c.yaml holds a list; a config maps names of arguments to values",
    "42": "c.yaml holds something else; a config maps names of arguments to values",
    "# only a comment": "c.yaml is empty; write the arguments of the training into it",
    "a: &a [*a]": "c.yaml:1: this value contains itself; write it out",
    "a: &a {<<: *a}": "c.yaml:1: this value contains itself; write it out",
    "a: " + "9" * 5000: "c.yaml:1: the number 99999999… has 5,000 characters; shorten it",
    "a: 1" + ":1" * 5000: "c.yaml:1: the number 1:1:1:1:… has 10,001 characters; shorten it",
    bomb("[x, x]", "[{}]"): TOO_MANY,
    bomb("{k: 1}", "{{<<: [{}]}}"): TOO_MANY,
    "a: 1\n" * 20_000: TOO_MANY,
    "[" * 2000: DEEP,
    "- " * 2000: DEEP,
    "a: " + "x" * (1 << 20): "c.yaml has 1.0 MB, too much for a YAML config; "
    "name the file that holds the arguments",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=lambda text: repr(text[:30]))
def test_fault(read, text, message):
    with pytest.raises(TargetError) as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.mkdir [executed]",
        "!!python/object/new:os.mkdir [executed]",
        "!<tag:yaml.org,2002:python/object/apply:os.mkdir> [executed]",
    ],
)
def test_nothing_in_a_config_is_executed(read, value, tmp_path):
    with pytest.raises(TargetError) as caught:
        read(f"output_dir: out\na: [1, {value}]")
    assert str(caught.value).startswith("c.yaml:2: the tag !!python/object/")
    assert str(caught.value).endswith(
        " would make Python objects, of which nothing was executed; remove it"
    )
    assert not (tmp_path / "executed").exists()
