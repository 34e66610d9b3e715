"""Any file whatsoever is a document or a clear error; and every key has its line."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipedoctor import frameworks
from pipedoctor.facts.settings import Settings
from pipedoctor.finding import Location
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline
from pipedoctor.targets import TargetError
from pipedoctor.targets.document import Document, read_document

SUFFIXES = st.sampled_from([".json", ".yaml", ".toml", ".yml", "", ".txt", ".JSON"])
many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CONFIG = {
    "model_name_or_path": "bert-base-cased",
    "train_file": "data/train.csv",
    "validation_file": "data/dev.csv",
    "output_dir": "out/bert",
    "max_seq_length": 128,
    "pad_to_max_length": False,
    "learning_rate": 2.0e-5,
    "num_train_epochs": 3.0,
    "eval_strategy": "epoch",
    "save_strategy": "no",
    "fp16": True,
    "seed": 1234567,
    "lr_scheduler_kwargs": {"num_cycles": 2, "power": 0.5},
    "report_to": ["tensorboard", "wandb"],
}


def as_toml(values):
    rows, tables = [], []
    for key, value in values.items():
        if isinstance(value, dict):
            tables += [f"[{json.dumps(key)}]", *(f"{k} = {v}" for k, v in value.items())]
        else:
            rows.append(f"{json.dumps(key)} = {json.dumps(value)}")
    return "\n".join([*rows, *tables])


FORMATS = {
    ".json": json.dumps(CONFIG, indent=2),
    ".yaml": yaml.safe_dump(CONFIG, sort_keys=False),
    ".toml": as_toml(CONFIG),
}


def document_or_error(folder, suffix, data):
    """Return the document, or None where reading it raised the one error that it may raise."""
    path = folder / f"c{suffix}"
    path.write_bytes(data)
    fault = None
    try:
        document = read_document(path)
    except TargetError as error:
        fault = str(error)
    if fault is not None:
        assert fault.isprintable()
        assert fault.startswith(str(path))
        return None
    assert isinstance(document, Document)
    assert set(document) == set(document.locations)
    assert all(isinstance(key, str) for key in document)
    text = data.decode("utf-8-sig")
    count = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    for key, place in document.locations.items():
        assert place.key == key
        assert 1 <= place.line <= count
    return document


@many
@given(suffix=SUFFIXES, data=st.binary(max_size=200))
@example(suffix=".json", data=b'\xef\xbb\xbf{"a": 1}')
@example(suffix=".yaml", data=b"\xff\xfea")
def test_random_bytes(tmp_path, suffix, data):
    document_or_error(tmp_path, suffix, data)


@many
@given(suffix=SUFFIXES, text=st.text(st.characters(codec="utf-8"), max_size=200))
def test_random_text(tmp_path, suffix, text):
    document_or_error(tmp_path, suffix, text.encode())


@many
@given(suffix=SUFFIXES, text=st.text("{}[]\"':,=#-!&*<|>%@`?~.\\\t\n\r aenx01:/", max_size=80))
def test_random_punctuation(tmp_path, suffix, text):
    document_or_error(tmp_path, suffix, text.encode())


plain = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)


@many
@given(value=nested)
def test_whatever_json_can_write(tmp_path, value):
    document = document_or_error(tmp_path, ".json", json.dumps(value).encode())
    surrogates = any("\ud800" <= c <= "\udfff" for c in json.dumps(value, ensure_ascii=False))
    assert (document is not None) == (isinstance(value, dict) and not surrogates)
    if document is not None:
        assert json.dumps(dict(document)) == json.dumps(value)


yaml_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.integers() | st.booleans(), inner, max_size=4)
    ),
    max_leaves=20,
)


@many
@given(value=yaml_values)
def test_whatever_yaml_can_write(tmp_path, value):
    text = yaml.safe_dump(value)
    document = document_or_error(tmp_path, ".yaml", text.encode(errors="surrogatepass"))
    if document is not None:
        assert dict(document) == value


@many
@given(data=st.data(), suffix=st.sampled_from(list(FORMATS)))
def test_a_sound_config_with_a_few_bytes_changed(tmp_path, data, suffix):
    text = bytearray(FORMATS[suffix].encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        patch = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"\n", b",", b":", b"'"])
        )
        text[at : at + data.draw(st.integers(0, 3))] = patch
    document_or_error(tmp_path, suffix, bytes(text))


KEYS = st.lists(
    st.text(
        st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), min_size=1, max_size=12
    ),
    min_size=1,
    max_size=12,
    unique=True,
)
FILLERS = {
    ".json": ["", "   ", "\t"],
    ".yaml": ["", "# b: 1", "   # x"],
    ".toml": ["", "# b = 1", "  "],
}


@many
@given(keys=KEYS, data=st.data(), suffix=st.sampled_from(list(FORMATS)))
def test_every_key_has_its_line(tmp_path, keys, data, suffix):
    lines = ["{"] if suffix == ".json" else []
    expected = {}
    for number, key in enumerate(keys):
        lines += data.draw(st.lists(st.sampled_from(FILLERS[suffix]), max_size=2))
        value = data.draw(st.sampled_from(['"x"', "1", '["a: 1", "b = 2", {}]', '"# {"']))
        equals = "=" if suffix == ".toml" else ":"
        if suffix != ".yaml":
            value = value.replace(", {}", "")
        comma = "," if suffix == ".json" and number < len(keys) - 1 else ""
        lines.append(f"{json.dumps(key, ensure_ascii=False)} {equals} {value}{comma}")
        expected[key] = len(lines)
    lines += ["}"] if suffix == ".json" else []
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    document = document_or_error(tmp_path, suffix, end.join(lines).encode())
    assert document is not None
    assert {key: place.line for key, place in document.locations.items()} == expected
    for key, place in document.locations.items():
        assert place.source == lines[expected[key] - 1].strip()


def settings_of(document):
    return Pipeline(Parts({"settings": document}), frameworks.probes(Parts({}))).fact(Settings)


def test_the_same_config_in_three_formats_gives_the_same_settings(tmp_path):
    found = {}
    for suffix, text in FORMATS.items():
        path = tmp_path / f"c{suffix}"
        path.write_text(text)
        found[suffix] = settings_of(read_document(path))
    assert dict(found[".json"].stated) == CONFIG
    for one in found.values():
        assert list(one.stated.items()) == list(found[".json"].stated.items()) or (
            # In TOML a table can only come last.
            dict(one.stated) == CONFIG
        )
        assert one.learning_rate == 2e-5
        assert type(one.num_train_epochs) is float
        assert one.fp16 is True


def test_settings_know_file_and_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.json").write_text(FORMATS[".json"])
    fact = settings_of(read_document("c.json"))
    assert fact.where("learning_rate") == Location(
        file="c.json", line=8, key="learning_rate", source='"learning_rate": 2e-05,'
    )
    assert fact.where("weight_decay").line is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1}', 1),
        ("\n  {\n'a': 1}", None),
        ("a: 1", 1),
        ("# a = 2\n\na = 1\n", 1),
        ("[a]\nb = 1\n", {"b": 1}),
        ('"a" = 1', 1),
    ],
)
def test_without_a_suffix_the_content_decides(tmp_path, text, value):
    path = tmp_path / "config"
    path.write_text(text)
    if value is None:
        with pytest.raises(TargetError, match="JSON takes double quotes only"):
            read_document(path)
    else:
        assert dict(read_document(path)) == {"a": value}


def test_a_script_is_told_from_its_config(tmp_path):
    path = tmp_path / "train.py"
    path.write_text("import torch\n")
    with pytest.raises(TargetError) as caught:
        read_document(path)
    assert str(caught.value) == (
        f"{path} is a Python script; name the JSON, YAML or TOML file that holds its arguments"
    )
