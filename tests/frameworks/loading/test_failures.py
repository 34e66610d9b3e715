"""What can't be had is unavailable, with the cure; what is broken is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipelines import run, write_csv, write_json

from pipedoctor.fact import Split, Unavailable
from pipedoctor.facts import Head, Labels, Model, Rows, Samples
from pipedoctor.frameworks.loading import quiet
from pipedoctor.frameworks.loading.broken import BrokenFile
from pipedoctor.frameworks.loading.run import Run
from pipedoctor.pipeline import ProbeFailed
from pipedoctor.targets.recipe import Recipe


def recipe(model: str, train: str, **more: Any) -> Recipe:
    return Recipe("text-classification", model, train_file=train, **more)


@pytest.fixture
def good(tmp_path: Path) -> str:
    return write_csv(tmp_path / "good.csv", [("a", 0), ("b", 1)], "text", "label")


@pytest.fixture
def copied(model_folder: str, tmp_path: Path) -> Path:
    """A copy of the model to damage."""
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def failure(kind: type, pipeline: Any, split: Split | None = None) -> ProbeFailed:
    with pytest.raises(ProbeFailed) as caught:
        pipeline.fact(kind, split)
    return caught.value


def test_a_model_that_is_nowhere_says_how_to_get_it(good: str) -> None:
    found = run(recipe("bert-base-cased", good))
    with pytest.raises(Unavailable) as caught:
        found.fact(Model)
    assert str(caught.value) == (
        "bert-base-cased is not a local folder and not in the local hub cache; "
        "download it with `hf download bert-base-cased`, or give a local path"
    )


def test_labels_and_rows_are_known_without_the_model(good: str) -> None:
    found = run(recipe("bert-base-cased", good))
    assert found.fact(Labels).counts == {0: 1, 1: 1}
    assert found.fact(Rows).used == 2
    with pytest.raises(Unavailable, match="hf download bert-base-cased"):
        found.fact(Samples)


@pytest.mark.parametrize("name", ["./models/none", "/models/none", "a/b/none", "~/none"])
def test_a_path_that_is_no_folder_is_not_taken_for_a_name(good: str, name: str) -> None:
    with pytest.raises(Unavailable, match=f"the folder {name} does not exist"):
        Run(recipe(name, good)).load_model()


def test_a_model_in_the_hub_cache_is_found(good: str, model_folder: str, tmp_path: Path) -> None:
    home = tmp_path / "hub" / "models--some--model"
    snapshot = home / "snapshots" / "0123456789"
    shutil.copytree(model_folder, snapshot)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("0123456789")
    loaded = Run(recipe("some/model", good, cache_dir=str(tmp_path / "hub"))).load_model()
    assert loaded.config.num_labels == 2
    (snapshot / "model.safetensors").unlink()
    with pytest.raises(
        Unavailable, match=r"only a part of some/model; .*`hf download some/model`"
    ):
        Run(recipe("some/model", good, cache_dir=str(tmp_path / "hub"))).load_model()


def test_missing_data_is_unavailable(model_folder: str, tmp_path: Path) -> None:
    found = run(recipe(model_folder, str(tmp_path / "no.csv")))
    with pytest.raises(Unavailable, match=r"the data file .*no.csv does not exist \(looked in"):
        found.fact(Labels)


def test_an_address_is_not_fetched(model_folder: str) -> None:
    with pytest.raises(Unavailable, match=r"https://x\.org/t\.csv is an address"):
        Run(recipe(model_folder, "https://x.org/t.csv")).load_data(Split.TRAIN)


def test_a_data_set_that_is_not_in_the_cache(model_folder: str) -> None:
    with pytest.raises(Unavailable, match=r"load_dataset\('owner/none'\)"):
        Run(Recipe("text-classification", model_folder, dataset="owner/none")).load_data(
            Split.TRAIN
        )


def test_a_file_of_an_unknown_format(model_folder: str, tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_bytes(b"PK")
    with pytest.raises(Unavailable, match=r"t.xlsx is of no format that is known here \(.csv"):
        Run(recipe(model_folder, str(tmp_path / "t.xlsx"))).load_data(Split.TRAIN)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.csv", b"a,label\nb,2\n1,2,3\n", "Expected 2 fields in line 3, saw 3"),
        ("t.csv", b"", "the file is empty"),
        ("t.csv", b"a,label\n", "no data"),
        ("t.csv", b"\xff\xfe\x00", "UnicodeDecodeError"),
        ("t.json", b'{"a": 1, "label": 0}\n{"a": \n', "JSON parse error"),
        ("t.json", b"", "the file is empty"),
        ("t.parquet", b"PAR1 and no more", "Parquet magic bytes not found"),
        (
            "t.csv",
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "Git LFS pointer of 63 bytes, not the file itself; run `git lfs pull`",
        ),
    ],
)
def test_an_unreadable_data_file_is_named(
    model_folder: str, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    failed = failure(Labels, run(recipe(model_folder, str(path))))
    assert str(failed).startswith(f"BrokenFile: {path}: ")
    assert words in str(failed)


def test_of_two_files_the_broken_one_is_named(
    model_folder: str, good: str, tmp_path: Path
) -> None:
    bad = tmp_path / "eval.csv"
    bad.write_text("text,label\n1,2,3\n4,5,6,7\n")
    found = run(recipe(model_folder, good, eval_file=str(bad)))
    assert str(failure(Labels, found, Split.TRAIN)).startswith(f"BrokenFile: {bad}: ")
    assert str(failure(Labels, found, Split.EVAL)).startswith(f"BrokenFile: {bad}: ")


def test_files_with_other_columns_do_not_go_together(
    model_folder: str, good: str, tmp_path: Path
) -> None:
    other = write_csv(tmp_path / "eval.csv", [("a", 0)], "sentence", "label")
    failed = failure(Labels, run(recipe(model_folder, good, eval_file=other)))
    assert "do not go together, each is readable by itself" in str(failed)
    assert "column names don't match" in str(failed)


def test_a_cut_off_weights_file_is_named(copied: Path, good: str) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    failed = failure(Model, run(recipe(str(copied), good)))
    assert str(failed).startswith(f"BrokenFile: {weights}: SafetensorError: ")


def test_a_pickle_that_is_cut_off_is_named(copied: Path, good: str, tiny: Any) -> None:
    import torch

    (copied / "model.safetensors").unlink()
    weights = copied / "pytorch_model.bin"
    torch.save({"a": torch.zeros(10_000)}, weights)
    weights.write_bytes(weights.read_bytes()[:1000])
    assert str(copied) in str(failure(Model, run(recipe(str(copied), good))))


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_broken_json_file_of_the_model_is_named(copied: Path, good: str, name: str) -> None:
    (copied / name).write_text("{")
    kind: type = Model if name == "config.json" else Samples
    assert str(copied / name) in str(failure(kind, run(recipe(str(copied), good))))


def test_a_folder_without_weights_names_itself(copied: Path, good: str) -> None:
    (copied / "model.safetensors").unlink()
    assert str(copied) in str(failure(Model, run(recipe(str(copied), good))))


def test_a_head_of_another_size_is_what_transformers_says_of_it(
    tiny: Callable[..., Any], model_folder: str, good: str, tmp_path: Path
) -> None:
    tiny(num_labels=5).save_pretrained(tmp_path / "five")
    failed = failure(Model, run(recipe(str(tmp_path / "five"), good)))
    assert "mismatch" in str(failed)
    assert "RuntimeError" in str(failed)
    ignoring = recipe(str(tmp_path / "five"), good, ignore_mismatched_sizes=True)
    model = run(ignoring).fact(Model)
    assert model.new == {"classifier.weight", "classifier.bias"}
    assert run(ignoring).fact(Head).new is True


def test_code_that_comes_with_a_model_is_not_run(copied: Path, good: str) -> None:
    (copied / "config.json").write_text(
        '{"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}'
    )
    (copied / "own.py").write_text("raise SystemExit('this was run')")
    with pytest.raises(Unavailable, match=r"trust_remote_code.*does not run"):
        Run(recipe(str(copied), good)).load_model()


def test_a_kind_that_transformers_has_itself_is_loaded_without_the_code_beside_it(
    copied: Path, good: str
) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(
        json.dumps({**config, "auto_map": {"AutoModelForSequenceClassification": "own.Model"}})
    )
    (copied / "own.py").write_text("raise SystemExit('this was run')")
    assert type(Run(recipe(str(copied), good)).load_model()).__module__.startswith("transformers.")


@pytest.mark.parametrize(
    "stated",
    [
        {"attn_implementation": "owner/kernel"},
        {"_attn_implementation": "owner/kernel"},
        {"attn_implementation": {"": "sdpa", "text_config": "owner/kernel"}},
        {"text_config": {"_attn_implementation_internal": "owner/kernel"}},
    ],
)
def test_a_kernel_of_the_hub_is_not_run(copied: Path, good: str, stated: dict[str, Any]) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, **stated}))
    with pytest.raises(Unavailable, match=r'"owner/kernel": that is a kernel of the hub'):
        Run(recipe(str(copied), good)).load_model()


def test_the_implementations_of_transformers_itself_are_loaded(copied: Path, good: str) -> None:
    config = json.loads((copied / "config.json").read_text())
    (copied / "config.json").write_text(json.dumps({**config, "attn_implementation": "eager"}))
    assert Run(recipe(str(copied), good)).load_model().config.num_labels == 2


@pytest.mark.parametrize(("version", "keyword"), [("4.55.4", "torch_dtype"), ("4.56.0", "dtype")])
def test_the_dtype_goes_by_the_name_that_this_transformers_has(
    model_folder: str, good: str, monkeypatch: pytest.MonkeyPatch, version: str, keyword: str
) -> None:
    import transformers

    given = {}

    def loaded(_name: str, **arguments: Any) -> None:
        given.update(arguments)
        raise ValueError("enough is known")

    one = Run(recipe(model_folder, good, dtype="float16"))
    one._config.get()
    monkeypatch.setattr(transformers, "__version__", version)
    monkeypatch.setattr(transformers.AutoModelForSequenceClassification, "from_pretrained", loaded)
    with pytest.raises(ValueError, match="enough"):
        one.load_model()
    assert {name: given[name] for name in given if "dtype" in name} == {keyword: "float16"}


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("/nowhere/at/all", None),
        ("../data", None),
        ("owner/*", None),
        ("owner/na me", None),
        ("owner/data", "../../secret"),
        ("owner/data", "/nowhere"),
        ("owner/data", "*"),
        ("owner/data", ".."),
    ],
)
def test_what_is_no_name_of_a_data_set_does_not_lead_anywhere(
    model_folder: str, name: str, config: str | None
) -> None:
    asked = Recipe("text-classification", model_folder, dataset=name, dataset_config=config)
    with pytest.raises(Unavailable, match=r"no name of a config|nor the name of a data set"):
        Run(asked).load_data(Split.TRAIN)


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leave a data set in a cache, as `load_dataset` does."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")

    def write(config: str, *rows: tuple[str, int]) -> None:
        source = write_csv(tmp_path / f"{config}.csv", list(rows), "text", "label")
        made = datasets.load_dataset(
            "csv", data_files=source, cache_dir=str(tmp_path / "made"), split="train"
        )
        home = tmp_path / "cache" / "owner___data" / config / "0.0.0" / "abc"
        home.mkdir(parents=True)
        shutil.copy(made.cache_files[0]["filename"], home / "data-train.arrow")
        (home / "dataset_info.json").write_text("{}")

    return write


def test_a_data_set_in_the_cache_is_found(model_folder: str, cached: Callable[..., None]) -> None:
    cached("one", ("a", 0), ("b", 1))
    asked = Recipe("text-classification", model_folder, dataset="owner/data")
    assert len(Run(asked).load_data(Split.TRAIN)) == 2


def test_of_several_configs_in_the_cache_none_is_guessed(
    model_folder: str, cached: Callable[..., None]
) -> None:
    cached("one", ("a", 0), ("b", 1))
    cached("two", ("a", 0))
    asked = Recipe("text-classification", model_folder, dataset="owner/data")
    with pytest.raises(Unavailable, match=r"2 configs of the data set owner/data \(one, two\)"):
        Run(asked).load_data(Split.TRAIN)
    stated = Recipe(
        "text-classification", model_folder, dataset="owner/data", dataset_config="two"
    )
    assert len(Run(stated).load_data(Split.TRAIN)) == 1


@pytest.mark.parametrize(
    ("version", "told"), [("3.6.0", {"trust_remote_code": False}), ("4.0.0", {})]
)
def test_a_script_in_the_folder_of_a_data_set_is_not_run(
    model_folder: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    version: str,
    told: dict[str, bool],
) -> None:
    import datasets

    def load(_name: str, _config: str | None, *, cache_dir: str, **arguments: Any) -> None:
        assert cache_dir
        assert arguments == told
        raise ValueError("Please pass the argument trust_remote_code=True")

    monkeypatch.setattr(datasets, "__version__", version)
    monkeypatch.setattr(datasets, "load_dataset", load)
    asked = Recipe("text-classification", model_folder, dataset=str(tmp_path))
    with pytest.raises(Unavailable, match="brings a script that loads it"):
        Run(asked).load_data(Split.TRAIN)


def test_rows_without_text_raise_as_the_tokenizer_would(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 0), ("NA", 1), ("", 1)], "text", "label")
    failed = failure(Samples, run(recipe(model_folder, train)))
    assert "2 of 3 rows of the training data" in str(failed)
    assert "no text in column 'text' (rows 1, 2)" in str(failed)


def test_rows_without_label_cannot_be_numbered(model_folder: str, tmp_path: Path) -> None:
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": None}]
    failed = failure(Labels, run(recipe(model_folder, write_json(tmp_path / "t.json", rows))))
    assert "1 of 2 rows of the training data" in str(failed)
    assert "no label in column 'label'" in str(failed)


def test_data_without_a_column_label(model_folder: str, tmp_path: Path) -> None:
    train = write_csv(tmp_path / "t.csv", [("a", 0)], "text", "target")
    failed = failure(Model, run(recipe(model_folder, train)))
    assert "no column 'label' to take the labels from; its columns are text, target" in str(failed)
    assert run(recipe(model_folder, train, labels=2)).fact(Model).name.startswith("Bert")


def test_a_package_that_is_not_installed_is_not_the_users_fault() -> None:
    with pytest.raises(Unavailable, match="the package nowhere is not installed; pip install"):
        quiet.need("nowhere")


def test_a_failure_is_the_same_for_every_fact(model_folder: str, tmp_path: Path) -> None:
    bad = tmp_path / "t.csv"
    bad.write_text("text,label\n1,2,3\n4,5,6,7\n")
    found = run(recipe(model_folder, str(bad)))
    assert len({str(failure(kind, found)) for kind in (Labels, Samples, Model)}) == 1
    assert isinstance(failure(Labels, found).__cause__, BrokenFile)
