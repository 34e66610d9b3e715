from __future__ import annotations

import json
import os
import struct
from contextlib import suppress

import pytest
import resources
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.fact import Unavailable
from pipedoctor.facts import ModelFiles, Tensor
from pipedoctor.probes import hub_cache, safetensors

CONFIG = {"architectures": ["BertModel"], "vocab_size": 7}


def packed(header, room=0):
    """Return the bytes of a safetensors file."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + bytes(room)


def entry(shape, begin=0, dtype="F32", size=4):
    elements = 1
    for number in shape:
        elements *= number
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + elements * size]}


WHOLE = packed({"__metadata__": {"format": "pt"}, "w": entry([2, 3]), "b": entry([3], 24)}, 36)


@pytest.fixture
def folder(tmp_path):
    """Write the files of a model."""

    def write(config=CONFIG, **files):
        path = tmp_path / "model"
        path.mkdir(exist_ok=True)
        if config is not None:
            (path / "config.json").write_text(json.dumps(config))
        for name, content in files.items():
            (path / name.replace("_DOT_", ".")).write_bytes(
                content if isinstance(content, bytes) else json.dumps(content).encode()
            )
        return path

    return write


def read(subject, path, **settings):
    return subject(files={"model": path}, settings=settings).fact(ModelFiles)


def test_a_real_model(subject):
    path = resources.minilm()
    files = read(subject, str(path))
    assert files.architecture == "BertModel"
    assert files.parameters == 22_713_216
    assert files.weights_bytes == os.path.getsize(path / "model.safetensors")
    assert files.weights_files == ("model.safetensors",)
    assert files.tensors["embeddings.word_embeddings.weight"] == Tensor((30522, 384), "F32")
    assert files.tensors["embeddings.position_ids"].dtype == "I64"
    assert files.number("hidden_size") == 384
    assert files.tokenizer_config["model_max_length"] == 512
    assert files.tokenizer_bytes > 466_247
    assert (files.name, files.path) == (str(path), str(path))


def test_the_header_is_what_the_formats_own_library_reads(subject):
    library = pytest.importorskip("safetensors")
    path = resources.minilm() / "model.safetensors"
    with library.safe_open(path, framework="numpy") as file:
        expected = {
            name: (tuple(file.get_slice(name).get_shape()), file.get_slice(name).get_dtype())
            for name in file.keys()  # noqa: SIM118 - it is no mapping
        }
    assert {n: (t.shape, t.dtype) for n, t in safetensors.read(str(path)).items()} == expected


def test_a_folder_of_ones_own(subject, folder):
    path = folder(model_DOT_safetensors=WHOLE)
    files = read(subject, path)
    assert files.tensors == {"w": Tensor((2, 3), "F32"), "b": Tensor((3,), "F32")}
    assert (files.parameters, files.weights_bytes, files.tokenizer_bytes) == (9, len(WHOLE), 0)
    assert not files.known("tokenizer_config")


def test_shards_are_one_model(subject, folder):
    index = {"weight_map": {"w": "a.safetensors", "v": "b.safetensors"}}
    one, two = packed({"w": entry([2, 3])}, 24), packed({"v": entry([3], 0, "BF16", 2)}, 6)
    path = folder(
        a_DOT_safetensors=one,
        b_DOT_safetensors=two,
        model_DOT_safetensors_DOT_index_DOT_json=index,
    )
    files = read(subject, path)
    assert files.tensors == {"w": Tensor((2, 3), "F32"), "v": Tensor((3,), "BF16")}
    assert files.weights_files == ("a.safetensors", "b.safetensors")
    assert files.weights_bytes == len(one) + len(two)


@pytest.mark.parametrize(
    ("index", "text"),
    [
        ({"weight_map": {"w": "../a.safetensors"}}, "no file beside it"),
        ({"weight_map": {"w": "/etc/passwd"}}, "no file beside it"),
        ({"weight_map": {"w": ".."}}, "no file beside it"),
        ({"weight_map": {"w": 3}}, "no file beside it"),
        ({"weight_map": {"x": "a.safetensors"}}, "in vain"),
        ({"weight_map": {"w": "missing.safetensors"}}, "missing.safetensors"),
        ({"weight_map": {}}, "no weight_map"),
        ({}, "no weight_map"),
        ([], "does not map"),
    ],
)
def test_an_index_that_does_not_fit(subject, folder, index, text):
    path = folder(
        a_DOT_safetensors=packed({"w": entry([2])}, 8),
        model_DOT_safetensors_DOT_index_DOT_json=index,
    )
    with pytest.raises(Unavailable, match=text):
        read(subject, path)


def test_a_pickle_is_weighed_and_not_opened(subject, folder):
    files = read(subject, folder(pytorch_model_DOT_bin=b"\x80\x04" + bytes(98)))
    assert files.weights_bytes == 100
    with pytest.raises(Unavailable, match=r"pytorch_model\.bin is a pickle"):
        _ = files.tensors


def test_pickles_in_pieces_are_weighed_together(subject, folder):
    index = {"weight_map": {"w": "one.bin", "v": "two.bin", "u": "two.bin"}}
    path = folder(
        one_DOT_bin=bytes(10),
        two_DOT_bin=bytes(20),
        pytorch_model_DOT_bin_DOT_index_DOT_json=index,
    )
    files = read(subject, path)
    assert (files.weights_bytes, files.weights_files) == (30, ("one.bin", "two.bin"))


def test_a_folder_without_weights_still_has_its_config(subject, folder):
    files = read(subject, folder())
    assert files.number("vocab_size") == 7
    for field in ("tensors", "weights_bytes"):
        with pytest.raises(Unavailable):
            getattr(files, field)


def test_a_config_that_is_missing_or_broken(subject, folder):
    path = folder(config=None, model_DOT_safetensors=WHOLE)
    with pytest.raises(Unavailable, match=r"config\.json can't be read: No such file"):
        read(subject, path)
    for content in (b"{", b"", b"[]", b"\xff", b"[" * 100_000, b'{"a": ' + b"1" * 10_000 + b"}"):
        (path / "config.json").write_bytes(content)
        with pytest.raises(Unavailable, match=r"config\.json"):
            read(subject, path)


def test_a_broken_tokenizer_config_costs_only_itself(subject, folder):
    files = read(subject, folder(tokenizer_config_DOT_json=b"{", tokenizer_DOT_json=bytes(50)))
    assert files.tokenizer_bytes == 51
    with pytest.raises(Unavailable, match=r"tokenizer_config\.json can't be read"):
        _ = files.tokenizer_config


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x02",
        WHOLE[:-1],
        WHOLE[:40],
        struct.pack("<Q", 2**63),
        struct.pack("<Q", 100_000_001) + b"{}",
        packed(b"{"),
        packed(b"[]"),
        packed(b"\xff\xfe"),
        packed(b"[" * 100_000),
        packed({"w": []}),
        packed({"w": {}}),
        packed({"w": {**entry([2]), "shape": [-2]}}, 8),
        packed({"w": {**entry([2]), "shape": [True, 2]}}, 8),
        packed({"w": {**entry([2]), "shape": "2"}}, 8),
        packed({"w": {**entry([2]), "shape": [2**64]}}, 8),
        packed({"w": {**entry([1]), "shape": [1] * 65}}, 8),
        packed({"w": {**entry([2]), "dtype": 32}}, 8),
        packed({"w": {**entry([2]), "data_offsets": [8, 0]}}, 8),
        packed({"w": {**entry([2]), "data_offsets": [0, 4]}}, 8),
        packed({"w": {**entry([2]), "data_offsets": [0, 8, 8]}}, 8),
        packed({"w": {**entry([2]), "data_offsets": [0.0, 8.0]}}, 8),
        b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 90868376\n",
    ],
)
def test_broken_weights_are_said_in_one_sentence(subject, folder, content):
    with pytest.raises(Unavailable, match=r"model\.safetensors") as caught:
        read(subject, folder(model_DOT_safetensors=content))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@given(st.binary(max_size=80))
def test_no_bytes_break_the_reader(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    for written in (content, packed(content), packed(content, 12)):
        path.write_bytes(written)
        with suppress(Unavailable):
            assert all(isinstance(t, Tensor) for t in safetensors.read(str(path)).values())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dtype", "shape", "data_offsets", "w", "__metadata__"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON, st.integers(0, 64))
def test_no_header_breaks_the_reader(tmp_path_factory, header, room):
    path = tmp_path_factory.getbasetemp() / "header.safetensors"
    path.write_bytes(packed(header, room))
    with suppress(Unavailable):
        assert all(isinstance(t, Tensor) for t in safetensors.read(str(path)).values())


@given(st.integers(0, len(WHOLE) - 1))
def test_every_truncation_is_noticed(tmp_path_factory, length):
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    path.write_bytes(WHOLE[:length])
    with pytest.raises(Unavailable):
        safetensors.read(str(path))


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """Write a cache of the hub, its files links out of the snapshot, as they are."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))

    def write(name="org/tiny", commit="c0ffee", ref="main", root=None, **files):
        model = (root or tmp_path / "home" / "hub") / f"models--{name.replace('/', '--')}"
        snapshot = model / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (model / "blobs").mkdir()
        (model / "refs").mkdir()
        (model / "refs" / ref).write_text(commit)
        for file, content in {"config.json": json.dumps(CONFIG).encode(), **files}.items():
            (model / "blobs" / file).write_bytes(content)
            (snapshot / file).symlink_to(model / "blobs" / file)
        return snapshot

    return write


def test_a_name_is_looked_up_in_the_cache_of_the_hub(subject, hub):
    snapshot = hub(**{"model.safetensors": WHOLE})
    files = read(subject, "org/tiny")
    assert (files.name, files.path) == ("org/tiny", str(snapshot))
    assert files.weights_bytes == len(WHOLE)


def test_a_name_without_an_organisation(subject, hub):
    hub(name="bert-base-cased")
    assert read(subject, "bert-base-cased").architecture == "BertModel"


def test_revisions_and_other_caches(subject, hub, tmp_path, monkeypatch):
    other = tmp_path / "other"
    snapshot = hub(ref="v2", root=other)
    for settings in ({"model_revision": "v2"}, {"model_revision": "c0ffee"}):
        files = read(subject, "org/tiny", cache_dir=str(other), **settings)
        assert files.path == str(snapshot)
    with pytest.raises(Unavailable, match="not in the cache"):
        read(subject, "org/tiny", cache_dir=str(other))
    monkeypatch.setenv("HF_HUB_CACHE", str(other))
    assert read(subject, "org/tiny", model_revision="v2").path == str(snapshot)


def test_the_default_cache_is_where_the_hub_library_has_it(monkeypatch, tmp_path):
    constants = pytest.importorskip("huggingface_hub.constants")
    import importlib

    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for set_too in ({}, {"XDG_CACHE_HOME": str(tmp_path)}, {"HF_HOME": str(tmp_path / "h")}):
        for variable, value in set_too.items():
            monkeypatch.setenv(variable, value)
        assert hub_cache.root_folder() == importlib.reload(constants).HF_HUB_CACHE
    monkeypatch.undo()
    importlib.reload(constants)


@pytest.mark.parametrize(
    ("name", "revision"),
    [
        ("org/missing", "main"),
        ("a/b/c", "main"),
        ("../org/tiny", "main"),
        ("org/..", "main"),
        ("", "main"),
        ("org/tiny", "../../../x"),
        ("org/tiny", ""),
        ("org/tiny", "gone"),
    ],
)
def test_what_is_not_in_the_cache(hub, name, revision):
    hub()
    with pytest.raises(Unavailable):
        hub_cache.folder(name, revision)


@pytest.mark.parametrize("commit", ["../../blobs", "/etc", "", "a b", "é"])
def test_a_reference_does_not_lead_out_of_the_cache(hub, tmp_path, commit):
    hub()
    reference = tmp_path / "home" / "hub" / "models--org--tiny" / "refs" / "main"
    reference.write_text(commit)
    with pytest.raises(Unavailable, match="not in the cache"):
        hub_cache.folder("org/tiny")


def test_a_local_folder_comes_first(subject, hub, folder, tmp_path, monkeypatch):
    hub(name="model")
    folder(config={"vocab_size": 8})
    monkeypatch.chdir(tmp_path)
    assert read(subject, "model").number("vocab_size") == 8


def test_a_home_folder_is_no_more_expanded_than_by_from_pretrained(
    subject, folder, tmp_path, monkeypatch
):
    folder()
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(Unavailable, match="the folder ~/model does not exist"):
        read(subject, "~/model")


def test_a_snapshot_without_any_config_is_a_part_only(subject, hub):
    (hub() / "config.json").unlink()
    with pytest.raises(Unavailable, match=r"only a part of org/tiny; .*hf download org/tiny"):
        read(subject, "org/tiny")


def test_a_file_is_no_model(subject, tmp_path):
    (tmp_path / "weights.bin").touch()
    with pytest.raises(Unavailable, match=r"weights\.bin is a file"):
        read(subject, str(tmp_path / "weights.bin"))


@pytest.mark.parametrize("value", [3, "a\0b", ["model"], b"model"])
def test_what_is_no_path(subject, value):
    with pytest.raises(Unavailable, match="no path"):
        read(subject, value)


def test_without_a_model_there_are_no_files(subject):
    with pytest.raises(Unavailable, match="no model was given"):
        subject(files={"train": "train.csv"}).fact(ModelFiles)


def test_a_model_that_a_snippet_describes(subject):
    described = {
        "config": {"vocab_size": 30522},
        "tensors": {"embeddings": ("F32", (30522, 768)), "head": ("BF16", [768])},
        "tokenizer_config": {"model_max_length": 512},
    }
    files = read(subject, described)
    assert files.tensors["embeddings"] == Tensor((30522, 768), "F32")
    assert files.weights_bytes == 30522 * 768 * 4 + 768 * 2
    assert files.tokenizer_config["model_max_length"] == 512
    bare = read(subject, {"config": {}, "name": "bert"})
    assert bare.name == "bert"
    assert not bare.known("tensors")
    assert not bare.known("tokenizer_config")


@pytest.mark.parametrize(
    "described",
    [{}, {"config": 3}, {"config": {}, "tensors": {"a": 3}}, {"config": {}, "tensors": {"a": ()}}],
)
def test_a_description_that_is_none(subject, described):
    with pytest.raises(Unavailable, match="described"):
        read(subject, described)


def test_nothing_is_written(subject, folder):
    path = folder(model_DOT_safetensors=WHOLE)
    before = sorted(path.iterdir())
    read(subject, path)
    assert sorted(path.iterdir()) == before
