"""JSON configs: lines of keys, and faults in plain words."""

import json
import math

import pytest

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import read_document


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "c.json").write_text(text, encoding="utf-8", newline="")
        return read_document("c.json")

    return written


def test_values_and_lines(read):
    document = read('{\n  "a": 1,\n\n  "b c": {"a": [1, {"x": 2}]}, "é\\n": "a: {[",\n"z": null}')
    assert dict(document) == {"a": 1, "b c": {"a": [1, {"x": 2}]}, "é\n": "a: {[", "z": None}
    assert {k: v.line for k, v in document.locations.items()} == {
        "a": 2,
        "b c": 4,
        "é\n": 4,
        "z": 5,
    }
    assert document.locations["a"].source == '"a": 1,'
    assert document.problems == ()


def test_infinite_and_undefined_numbers_are_read_as_python_does(read):
    document = read('{"a": NaN, "b": -Infinity, "c": 1e999, "d": 1e-5}')
    assert math.isnan(document["a"])
    assert (document["b"], document["c"], document["d"]) == (-math.inf, math.inf, 1e-5)


def test_of_a_key_stated_twice_the_last_counts_and_it_is_told(read):
    document = read('{\n"lr": 1,\n"x": {"lr": 5},\n"lr": 2,\n"lr": 3\n}')
    assert document["lr"] == 3
    assert document.locations["lr"].line == 5
    assert document.problems == (
        'c.json:2: "lr" is stated again on line 4, and that one counts; remove one of them',
        'c.json:4: "lr" is stated again on line 5, and that one counts; remove one of them',
    )


def test_byte_order_mark_is_told_since_the_scripts_stop_at_it(read):
    (problem,) = read('\ufeff{"a": 1}').problems
    assert problem == (
        "c.json begins with a byte-order mark, at which HfArgumentParser stops; "
        "save it as UTF-8 without one"
    )


def test_the_scripts_do_stop_at_a_byte_order_mark(read, tmp_path):
    transformers = pytest.importorskip("transformers")
    read('\ufeff{"output_dir": "out"}')
    parser = transformers.HfArgumentParser(transformers.TrainingArguments)
    with pytest.raises(ValueError, match="BOM"):
        parser.parse_json_file(str(tmp_path / "c.json"))


FAULTS = {
    '{\n// rate\n"a": 1}': "c.json:2: JSON has no comments; remove this one",
    '{\n"a": 1, // rate\n"b": 2}': "c.json:2: JSON has no comments; remove this one",
    '{\n"a": 1 /* rate */}': "c.json:2: JSON has no comments; remove this one",
    '# rate\n{"a": 1}': "c.json:1: JSON has no comments; remove this one",
    '{\n"a": 1,\n}': "c.json:2: the comma before the closing } is one too many; remove it",
    '{\n"a": [1,\n2,\n]}': "c.json:3: the comma before the closing ] is one too many; remove it",
    '{\n"a": 1\n"b": 2}': "c.json:2: a comma is missing at the end of this line; add it",
    '{\n"a": 1 "b": 2}': 'c.json:2: a comma is missing before "b"; add it',
    '{"a": [1 2]}': "c.json:1: a comma is missing before 2; add it",
    '{\n"a": 1,, "b": 2}': "c.json:2: a key is missing before this ,; remove it or write the key",
    '{"a": 1; "b": 2}': "c.json:1: ; stands where a comma should; replace it",
    "{\n'a': 1}": "c.json:2: JSON takes double quotes only; replace the single ones",
    "{\n\"a\": 'x'}": "c.json:2: JSON takes double quotes only; replace the single ones",
    "{\nlr: 1}": 'c.json:2: the key lr needs double quotes; write "lr"',
    '{\n"a": bert}': 'c.json:2: the text bert needs double quotes; write "bert"',
    '{\n"a": True}': "c.json:2: JSON does not know True; write true",
    '{\n"a": None}': "c.json:2: JSON does not know None; write null",
    '{\n"a": nan}': "c.json:2: JSON does not know nan; write NaN",
    '{\n"a": .5}': "c.json:2: .5 is no JSON number; write it like 1000, 0.5 or 5e-5",
    '{\n"a": 1_000}': "c.json:2: this is no JSON number; write it like 1000, 0.5 or 5e-5",
    '{\n"a": 05}': "c.json:2: this is no JSON number; write it like 1000, 0.5 or 5e-5",
    '{\n"a" = 1}': "c.json:2: = stands where the colon after a key should; write a colon",
    '{\n"a": ,\n"b": 1}': "c.json:2: a value is missing before ,; write one, or remove the key",
    '{\n"a": }': "c.json:2: a value is missing before }; write one, or remove the key",
    '{\n"a": "C:\\models"}': 'c.json:2: JSON reads a backslash as an escape; write "\\\\" for it, '
    'or "/" in a path',
    '{\n"a": "bert,\n"b": 1}': "c.json:2: the string is not closed on this line; "
    "add the double quote",
    '{\n"a": "bert': "c.json:2: the string that begins here is not closed; add the double quote",
    '{"a": "x\ty"}': "c.json:1: a string can't hold a tab as such; write \\t",
    '{"a": "x\x1by"}': "c.json:1: a string can't hold the character '\\x1b' as such; "
    "write it as \\u001b",
    '{\n"a": {"b": 1},\n"c": 2\n': "c.json:3: the file ends too early; add the rest, "
    "at least the closing brace",
    '{"a": 1}\n{"a": 2}': "c.json:2: something follows the closing brace; a config is one object, "
    "so remove it",
    "[1, 2]": "c.json holds a list; a config maps names of arguments to values",
    "null": "c.json holds nothing; a config maps names of arguments to values",
    '"bert"': "c.json holds a text; a config maps names of arguments to values",
    '"lr:5"': "c.json holds a text; put a space after the colon behind each name",
    "true": "c.json holds a truth value; a config maps names of arguments to values",
    "3": "c.json holds something else; a config maps names of arguments to values",
    '{"a": "\\ud83d"}': "c.json holds half of a surrogate pair (\\ud800 to \\udfff); "
    "write the character itself",
    '{\n"a": ' + "9" * 5000 + "}": "c.json:2: the number 99999999… has 5,000 digits; shorten it",
    '{"a": ' * 100_000: "c.json is nested too deeply; a config maps names to plain values",
    "[" * 100_000: "c.json is nested too deeply; a config maps names to plain values",
    "{" + ",".join(f'"k{i}": 1' for i in range(20_001)) + "}": "c.json has 20,001 keys, too many "
    "for a config; name the file that holds the arguments",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=lambda text: repr(text[:30]))
def test_fault(read, text, message):
    with pytest.raises(TargetError) as caught:
        read(text)
    assert str(caught.value) == message


def test_whole_surrogate_pairs_are_one_character(read):
    assert read('{"a": "\\ud83d\\ude00"}')["a"] == "😀"


def test_trailing_comma_is_explained_in_the_words_of_newer_pythons_too(monkeypatch, read):
    def complain(text, **_options):
        raise json.JSONDecodeError("Illegal trailing comma before end of object", text, 7)

    monkeypatch.setattr(json, "loads", complain)
    with pytest.raises(TargetError) as caught:
        read('{"a": 1,\n }')
    assert str(caught.value) == (
        "c.json:1: the comma before the closing } is one too many; remove it"
    )
