"""TOML configs: lines of keys, tables as nested values, faults in plain words."""

import time

import pytest

from pipedoctor.targets import TargetError
from pipedoctor.targets.document import read_document


@pytest.fixture
def read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def written(text):
        (tmp_path / "c.toml").write_text(text, encoding="utf-8", newline="")
        return read_document("c.toml")

    return written


def lines(document):
    return {key: place.line for key, place in document.locations.items()}


def test_values_and_lines(read):
    document = read(
        "# run = 1\n"
        "\n"
        "a = 2e-5\n"
        '"b c" = [\n  "x = 1", # y = 2\n  3,\n]\n'
        "d.e = 1\n"
        "d.f = { g = 2 }\n"
        'h = """\ni = 3\n\\""" j = 4"""""\n'
        "k = '''\nl = 5'''\n"
        "[m]\nn = 6\n[m.o]\np = 7\n"
        "[[q]]\nr = 8\n[[q]]\n"
    )
    assert dict(document) == {
        "a": 2e-5,
        "b c": ["x = 1", 3],
        "d": {"e": 1, "f": {"g": 2}},
        "h": 'i = 3\n""" j = 4""',
        "k": "l = 5",
        "m": {"n": 6, "o": {"p": 7}},
        "q": [{"r": 8}, {}],
    }
    assert lines(document) == {"a": 3, "b c": 4, "d": 8, "h": 10, "k": 13, "m": 15, "q": 19}
    assert document.locations["a"].source == "a = 2e-5"
    assert document.problems == ()


def test_keys_are_known_however_they_are_quoted(read):
    document = read('"a\\u0062" = 1\n\'c\' = 2\n"d".e = 3\nd.f = 4\n')
    assert lines(document) == {"ab": 1, "c": 2, "d": 3}
    assert document.problems == ()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends(read, end):
    assert lines(read(end.join(["a = 1", "", "b = 2"]))) == {"a": 1, "b": 3}


BACKSLASH = "a backslash in double quotes; use single quotes instead"
NO_TOML = "this value is no TOML; put texts in double quotes, and write true or false"
FAULTS = {
    "a = 1\nb = bert": f"c.toml:2: {NO_TOML}",
    "a = 1\nb = True": f"c.toml:2: {NO_TOML}",
    "a = 1\nb 2": "c.toml:2: an equals sign is missing; write key = value",
    "a = 1\nb: 2": "c.toml:2: an equals sign is missing; write key = value",
    "a = 1\nb = 2\na = 3": "c.toml:3: this key is stated twice; remove one of them",
    "[a]\nb = 1\n[a]": "c.toml:3: this table is stated twice; remove one of them",
    'a = "C:\\Users"': f"c.toml:1: {BACKSLASH}",
    'a = "C:\\models"': f"c.toml:1: {BACKSLASH}",
    "a = 1 b = 2": "c.toml:1: one value a line; remove what follows it, or put the text in quotes",
    'a = "x': "c.toml:1: the string is not closed; add the quote",
    "a = 'x": "c.toml:1: the string is not closed; add the quote",
    'a = "x\nb = 1': "c.toml:1: the string is not closed on this line; add the quote",
    "a = [1, 2": "c.toml:1: the list is not closed; add the closing ]",
    "= 3": "c.toml:1: this is no TOML (Invalid statement); correct the line",
    "# none": "c.toml is empty; write the arguments of the training into it",
    "a." * 60 + "b = 1": "c.toml:1: this key has more than 50 dots; shorten it",
    "a = " + "[" * 2000: "c.toml is nested too deeply; a config maps names to plain values",
    "a = '" + "x" * (1 << 20) + "'": "c.toml has 1.0 MB, too much for a TOML config; "
    "name the file that holds the arguments",
}


@pytest.mark.parametrize(("text", "message"), FAULTS.items(), ids=lambda text: repr(text[:30]))
def test_fault(read, text, message):
    with pytest.raises(TargetError) as caught:
        read(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text",
    ["a = {" + "b." * 5000 + "c = 1}", "[" + "b." * 5000 + "c]", 'a = """' + '\\"""' * 100_000],
    ids=["inline table", "header", "unclosed string"],
)
def test_what_a_parser_would_chew_on_for_minutes_is_refused(read, text):
    start = time.process_time()
    with pytest.raises(TargetError):
        read(text)
    # With no bound the first two take over a minute; this is no measurement of speed.
    assert time.process_time() - start < 20


def test_dots_in_texts_lists_and_comments_are_no_nesting(read):
    text = f"a = 1 # {'.' * 100}\nb = [{'0.1, ' * 100}]\nc = '{'a.' * 100}'\n"
    assert lines(read(text)) == {"a": 1, "b": 2, "c": 3}
