"""A config becomes a target: settings, files, metrics, and what can be loaded when asked for."""

import json
import subprocess
import sys

import pytest
from configs import codes, examined, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.fact import Unavailable
from pipedoctor.targets import TargetError, resolve
from pipedoctor.targets.config import read
from pipedoctor.targets.scripts import OWN, SCRIPTS

CONFIG = {
    "model_name_or_path": "models/bert",
    "train_file": "train.csv",
    "validation_file": "dev.csv",
    "output_dir": "out",
    "max_seq_length": 128,
    "eval_strategy": "epoch",
}
LOADED = {"model", "tokenizer", "collator", "train_data", "eval_data"}


@pytest.fixture
def target(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("text,label\ngood,1\nbad,0\n")

    def made(**stated):
        config = CONFIG | stated
        (tmp_path / "c.json").write_text(
            json.dumps({key: value for key, value in config.items() if value is not ...}, indent=1)
        )
        return read("c.json")

    return made


def test_target_of_a_config(target):
    found = target()
    assert found.name == "c.json"
    assert found.subject == ("run_glue arguments",)
    assert found.problems == ()
    assert set(found.parts) == LOADED | {"blueprint", "settings", "files", "metrics"}
    assert found.parts["files"] == {
        "output_dir": "out",
        "model": "models/bert",
        "train": "train.csv",
        "eval": "dev.csv",
    }
    assert found.parts["metrics"] == ("accuracy",)
    stated = found.parts["settings"]
    assert dict(stated) == CONFIG
    assert stated.script == "run_glue"
    assert {"task_name", "max_seq_length", "num_labels", "lora_r"} <= stated.script_keys
    assert stated.locations["output_dir"].line == 5


def test_adapters_are_known_before_anything_is_loaded(target):
    parts = target().parts
    assert {parts.packages(name) for name in ("model", "tokenizer", "collator")} == {
        ("transformers",)
    }
    assert {parts.packages(name) for name in ("train_data", "eval_data")} == {("datasets",)}


def test_reading_a_config_imports_no_framework(target, tmp_path):
    target()
    program = (
        "import sys; from pipedoctor.targets import resolve; resolve('c.json'); "
        "print([m for m in ('torch', 'transformers', 'datasets', 'numpy', 'pyarrow', 'yaml', "
        "'rich', 'tomllib', 'difflib') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"


def test_nothing_is_written(target, tmp_path):
    target()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    read("c.json")
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_it_is_told_where_a_script_is_only_assumed(target):
    assert target(label_all_tokens=True).subject == ("run_ner arguments",)
    assert target(train_file="gone.csv").subject == ("run_glue arguments (assumed)",)


def test_training_arguments_of_an_unknown_script(target):
    found = target(train_file=..., validation_file=..., max_seq_length=...)
    assert found.subject == ("training arguments",)
    assert set(found.parts) == {"settings", "files"}
    assert found.parts["files"] == {"output_dir": "out", "model": "models/bert"}
    assert found.parts["settings"].script is None
    assert found.parts["settings"].script_keys == frozenset()


def test_a_task_that_can_not_be_prepared_has_settings_and_files_only(target):
    found = target(doc_stride=64)
    assert found.subject == ("run_qa arguments",)
    assert set(found.parts) == {"settings", "files", "metrics"}


def test_files_that_the_script_would_not_read_are_left_out(target):
    for more in ({"task_name": "mrpc"}, {"dataset_name": "imdb"}):
        assert target(**more).parts["files"] == {"output_dir": "out", "model": "models/bert"}


def test_metrics_of_a_script_of_ones_own_are_not_known(target):
    assert "metrics" not in target(num_labels=2).parts


def test_evaluation_data_is_there_if_it_is_named_and_not_switched_off(target):
    assert "eval_data" in target(eval_strategy=...).parts
    assert "eval_data" in target(do_eval=False).parts, "Trainer sets it where there is a strategy"
    for off in ({"eval_strategy": ...}, {"eval_strategy": "no"}, {"eval_strategy": False}):
        parts = target(do_eval=False, **off).parts
        assert "eval_data" not in parts
        assert "eval" not in parts["files"]
    parts = target(validation_file=...).parts
    assert "eval_data" not in parts
    assert "eval" not in parts["files"]


def test_language_models_hold_some_training_data_out_if_they_evaluate(target):
    lm = {"train_file": "a.txt", "validation_file": ..., "max_seq_length": ..., "block_size": 8}
    assert "eval_data" in target(**lm).parts
    assert "eval_data" not in target(**lm, eval_strategy=...).parts


def test_without_training_there_is_no_training_data(target):
    parts = target(do_train=False).parts
    assert "train_data" not in parts
    assert {"model", "eval_data"} <= set(parts)


def test_data_split_by_the_script_itself_is_there_but_not_known(target):
    parts = target(test_size=0.1, validation_file=...).parts
    for name in ("train_data", "eval_data", "model"):
        with pytest.raises(Unavailable, match="test_size takes rows of the training data away"):
            parts[name]
    assert set(parts["files"]) == {"output_dir", "model"}


def test_an_adapter_on_the_model_is_not_guessed(target):
    parts = target(lora_r=8).parts
    with pytest.raises(Unavailable, match="lora_r makes another model of it"):
        parts["model"]
    assert "model" not in parts["files"]
    assert "train_data" in parts


def test_a_value_that_stops_the_script_stops_what_is_loaded(target):
    parts = target(max_seq_length="128").parts
    for name in LOADED:
        with pytest.raises(TypeError) as caught:
            parts[name]
        assert str(caught.value) == (
            "c.json:6: max_seq_length is '128', but run_glue needs a whole number"
        )


def test_only_texts_are_files(target):
    parts = target(train_file=["a", "b"], output_dir="", model_name_or_path="a\0b").parts
    assert parts["files"] == {"eval": "dev.csv"}


def test_what_is_odd_about_the_file_is_told(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("output_dir: a\nseed: 1\noutput_dir: b\n")
    (problem,) = read(path).problems
    assert problem.startswith(f'{path}:1: "output_dir" is stated again on line 3')


def test_the_command_line_names_a_config(target, tmp_path):
    target()
    assert resolve("c.json").subject == ("run_glue arguments",)
    assert resolve(str(tmp_path / "c.json")).name == str(tmp_path / "c.json")
    with pytest.raises(TargetError):
        resolve("none.json")


CURE = "name the file with the arguments of the training script"


@pytest.mark.parametrize(
    ("stated", "text"),
    [
        ({"architectures": ["BertModel"], "hidden_size": 8}, f"is the config of a model; {CURE}"),
        ({"model_type": "bert", "hidden_size": 8}, f"is the config of a model; {CURE}"),
        (
            {"log_history": [], "global_step": 3, "max_steps": 5},
            f"is the state of a training; {CURE}",
        ),
    ],
)
def test_files_of_other_kinds(tmp_path, stated, text):
    path = tmp_path / "c.json"
    path.write_text(json.dumps(stated))
    with pytest.raises(TargetError) as caught:
        read(path)
    assert str(caught.value) == f"{path} {text}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{}", "it has none"),
        ('{"name": "app", "version": "1", "\\u001b[1m": 2, "x": 3}', r"name, version, \x1b[1m"),
    ],
)
def test_a_file_without_any_training_argument(tmp_path, text, told):
    path = tmp_path / "package.json"
    path.write_text(text)
    with pytest.raises(TargetError) as caught:
        read(path)
    assert str(caught.value) == f"no key of {path} is a training argument ({told}); {CURE}"


values = (
    st.none()
    | st.booleans()
    | st.integers(-3, 500)
    | st.floats()
    | st.sampled_from(["", "no", "mrpc", "train.csv", "a.txt", "a,b", "a\0b", "\x1b[1m", "~", "/"])
    | st.lists(st.text(max_size=3), max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
)
keys = st.sampled_from(
    sorted(
        OWN.union(CONFIG, *(script.keys for script in SCRIPTS.values())) | {"do_train", "do_eval"}
    )
)


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stated=st.dictionaries(keys, values, max_size=12), base=st.booleans())
def test_any_values_of_known_arguments_make_a_target(tmp_path, monkeypatch, stated, base):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "train.csv").write_text("text,label\ngood,1\n")
    config = {"output_dir": "out"} | (CONFIG if base else {}) | stated
    (tmp_path / "c.json").write_text(json.dumps(config))
    found = read("c.json")
    assert dict(found.parts["settings"]).keys() == config.keys()
    assert all(
        isinstance(path, str) and "\0" not in path for path in found.parts["files"].values()
    )
    assert all(found.parts.packages(name) for name in LOADED & set(found.parts))


def test_a_template_is_to_be_filled_in_first(tmp_path):
    blank = "seed: ${SEED}\nlearning_rate: ${LR}\n"
    with pytest.raises(TargetError, match=r"is a template: 3 values, such as seed: \$\{SEED\},"):
        resolve(write(tmp_path, blank + "output_dir: '{{ out }}'\n"))
    assert codes(examined(write(tmp_path, blank + "output_dir: ${HOME}/out\n")))


@pytest.mark.parametrize(
    "text",
    [
        "language: en\nreviews: {high: true}\nchat: {auto: true}\ntone: dry\n",
        "block_size: [1, 2]\nqueue_depth: 4\nthreads: 8\nsubmit: true\n",
        "project: {name: p, version: '1'}\ntool: {}\nbuild-system: {requires: []}\n",
    ],
)
def test_a_key_that_stands_there_by_chance_makes_no_config(tmp_path, text):
    with pytest.raises(TargetError, match="is a training argument"):
        resolve(write(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "block_size: 64\n",
        "language: en\nlearning_rate: 2.0e-5\na: 1\nb: 2\nc: 3\n",
        "project: p\n",
    ],
)
def test_few_keys_are_enough(tmp_path, text):
    assert resolve(write(tmp_path, text)).kind == "config"
