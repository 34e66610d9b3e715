"""A fit that is only run to reach the next one leaves nothing in the user's folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from keras_fits import keras, rows, sequential

from pipedoctor.frameworks.fitting import aside


class Own(keras.callbacks.Callback):
    """One of the user's, whose attributes are the user's too."""

    def __init__(self, filename: str) -> None:
        super().__init__()
        self.filename, self.seen = filename, [""]

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seen.append(self.filename)


class Saving(keras.callbacks.ModelCheckpoint):
    """A writer of Keras under another name."""


def fitted(callbacks: Any, scratch: Path) -> Any:
    x, y = rows()
    call = {"x": x, "y": y, "callbacks": callbacks}
    return aside.fit(sequential(), keras.Model.fit, call, str(scratch))


def test_the_folder_of_the_user_stays_empty(tmp_path: Path) -> None:
    theirs, scratch = tmp_path / "theirs", tmp_path / "scratch"
    theirs.mkdir()
    callbacks = [
        keras.callbacks.BackupAndRestore(str(theirs / "backup"), delete_checkpoint=False),
        keras.callbacks.CSVLogger(str(theirs / "log.csv")),
        Saving(str(theirs / "best.keras")),
    ]
    fitted(callbacks, scratch)
    assert list(theirs.iterdir()) == []
    assert {path.name for path in scratch.rglob("*.*")} == {"log.csv", "best.keras"}
    assert [one.filename for one in callbacks[1:2]] == [str(theirs / "log.csv")]
    assert len(callbacks) == 3


@pytest.mark.parametrize("held", [False, True], ids=["alone", "in a CallbackList"])
def test_callbacks_given_otherwise_write_there_neither(held: bool, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    saving = Saving(str(theirs / "best.keras"))
    model = sequential()
    backup = keras.callbacks.BackupAndRestore(str(theirs / "backup"), delete_checkpoint=False)
    several = keras.callbacks.CallbackList([backup, saving], model=model, add_history=True)
    x, y = rows()
    call = {"x": x, "y": y, "callbacks": several if held else saving}
    aside.fit(model, keras.Model.fit, call, str(tmp_path / "scratch"))
    assert list(theirs.iterdir()) == []
    assert saving.filepath == str(theirs / "best.keras")
    assert backup in several.callbacks


def test_what_a_callback_of_the_users_own_holds_is_left_alone(tmp_path: Path) -> None:
    own = Own("words.txt")
    fitted([own], tmp_path)
    assert own.seen == ["", "words.txt"]
