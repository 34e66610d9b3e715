"""Scripts that call fit are examined as they are, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from keras_fits import BACKEND

from pipedoctor.capture import factory
from pipedoctor.capture.session import Proceed, Session

SCRIPT = """
import numpy as np
import keras
from keras import layers


def rows(count=40):
    x = np.random.default_rng(0).normal(size=(count, 8)).astype("float32")
    return x, (x[:, 0] > 0).astype("int64")


def batches():
    place = 0
    while True:
        yield np.full((4, 8), place, "float32"), np.zeros((4, 1), "float32")
        place += 1


def build(**words):
    model = keras.Sequential()
    model.add(keras.Input((8,)))
    model.add(layers.Dense(4,
                           activation="relu"))
    model.add(layers.Dense(2, activation="softmax"))
    model.compile(
        optimizer=keras.optimizers.Adam(
            learning_rate=0.01,
        ),
        loss="sparse_categorical_crossentropy",
        **words,
    )
    return model


first = build()
saving = keras.callbacks.ModelCheckpoint("out/best.keras", monitor="loss")
first.fit(*rows(), epochs=2, callbacks=[saving], verbose=0)
second = keras.Sequential([keras.Input((8,))])
second.add(layers.Dense(1, use_bias=False, kernel_initializer="ones"))
second.compile(keras.optimizers.SGD(0.0), "mae")
history = second.fit(batches(), steps_per_epoch=3, validation_data=(np.ones((8, 8)), np.ones((8, 1))), verbose=0)
print("LOSS", history.history["loss"])
"""


def start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipedoctor", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The report on a script with two fits, and its folder."""
    folder = tmp_path_factory.mktemp("checked")
    (folder / "train.py").write_text(SCRIPT)
    done = start(folder, "check", "train.py", "--output-format", "json", "--time", "300")
    return json.loads(done.stdout), folder


def told(report: dict[str, Any], fact: str) -> list[dict[str, Any]]:
    return [one for one in report["facts"] if one["fact"] == fact]


def test_a_script_is_examined_at_its_first_fit(checked: tuple[dict[str, Any], Path]) -> None:
    report, _ = checked
    assert [one["code"] for one in report["findings"]] == []
    (fit,) = told(report, "Fit")
    assert (fit["epochs"], fit["rows"], fit["steps"]) == (2, 40, 2)
    (compiled,) = told(report, "Compiled")
    assert (compiled["backend"], compiled["learning_rate"]) == (BACKEND, 0.01)


def test_both_fits_are_reached_and_nothing_is_written(
    checked: tuple[dict[str, Any], Path],
) -> None:
    report, folder = checked
    assert not any("not examined" in problem for problem in report["problems"])
    # Of a fit with validation data there is an evaluation split, which only the second one has.
    assert {one["split"] for one in told(report, "Forward")} == {"train", "eval"}
    assert [path.name for path in folder.iterdir()] == ["train.py"]


def test_what_a_fit_lacks_is_said_in_its_own_words(checked: tuple[dict[str, Any], Path]) -> None:
    report, _ = checked
    reasons = {one["reason"] for one in report["checks"] if one["status"] == "skipped"}
    assert "fit of Keras takes no TrainingArguments" in reasons
    assert not any("Fed" in reason for reason in reasons)
    assert not [one for one in report["checks"] if one["status"] == "crashed"]


def test_run_gives_a_generator_every_batch_that_was_read_ahead(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    done = start(tmp_path, "run", "train.py")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout.splitlines()[-1] == "LOSS [8.0]"
    )  # the batches 0, 1 and 2: 8 times 1 on average
    assert (tmp_path / "out" / "best.keras").exists()


@pytest.mark.deep
def test_what_fit_itself_refuses_is_told_at_the_line_that_calls_it(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(
        "import keras, numpy as np\n"
        "model = keras.Sequential([keras.layers.Dense(3)])\n"
        "model.fit(np.zeros((4, 3)), np.zeros((4,)))\n"
    )
    done = start(tmp_path, "check", "train.py", "--output-format", "json")
    (found,) = json.loads(done.stdout)["findings"]
    assert "You must call `compile()`" in found["message"]
    assert (found["code"], found["where"]["line"]) == ("RUN001", 3)


FACTORY = """
import keras
import numpy as np

X, Y = np.zeros((12, 8), "float32"), np.zeros((12,), "int64")


def model():
    made = keras.Sequential([keras.Input((8,)), keras.layers.Dense(2, name="last")])
    made.compile("adam", "sparse_categorical_crossentropy")
    return made


def pair():
    return model(), (X, Y)


def words():
    return model(), X, Y, {"epochs": 7}


def mapping():
    return {"model": model(), "x": X, "y": Y, "validation_split": 0.25}
"""


@pytest.mark.parametrize(
    ("name", "rows", "epochs"), [("pair", 12, 1), ("words", 12, 7), ("mapping", 9, 1)]
)
def test_a_factory_returns_a_model_and_its_data(
    name: str, rows: int, epochs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}_made.py").write_text(FACTORY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(factory, "watched", lambda _: {})  # leaves Keras as it is for other tests
    parts = factory.parts(f"{name}_made:{name}", Session(lambda _: Proceed.UNDISTURBED))
    assert len(parts["train_data"]) == rows
    assert parts["call"].get("epochs", 1) == epochs
    assert ("eval_data" in parts) is (name == "mapping")
