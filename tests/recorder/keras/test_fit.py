"""A fit is stopped before the update that would spoil it, with all as it stood before that step."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras_fits import keras
from recorder.poisoned_fit import BAD_ROW, BATCH, STEP, build, data

from pipedoctor import FitRecorder, Poisoned
from pipedoctor.recorder import capsule as of_torch
from pipedoctor.recorder.keras import capsule


def fitted(recorder: FitRecorder, **words: Any) -> Any:
    """Fit until the recorder stops it, and return the model."""
    options = {"batch_size": BATCH, "shuffle": False, "verbose": 0, **words.pop("options", {})}
    model = build(**words)
    with pytest.raises(Poisoned) as stopped:
        model.fit(*data(), callbacks=[recorder], **options)
    assert f"step {STEP}: " in str(stopped.value)
    assert stopped.value.capsule == recorder.capsule
    return model


def weights(model: Any) -> list[Any]:
    return [np.array(keras.ops.convert_to_numpy(one)) for one in model.variables]


def test_it_stops_with_the_weights_and_states_of_the_step_before(tmp_path: Path) -> None:
    model = fitted(FitRecorder(tmp_path))
    x, y = data()
    alone = build()
    alone.fit(
        x[: (STEP - 1) * BATCH],
        y[: (STEP - 1) * BATCH],
        batch_size=BATCH,
        shuffle=False,
        verbose=0,
    )
    assert int(model.optimizer.iterations) == STEP - 1
    for one, other in zip(weights(model), weights(alone), strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_the_capsule_holds_the_step_and_names_its_rows_though_fit_shuffles(tmp_path: Path) -> None:
    recorder = FitRecorder(tmp_path)
    model = build()
    with pytest.raises(Poisoned):
        model.fit(*data(), batch_size=BATCH, verbose=0, callbacks=[recorder])
    kept = capsule.read(str(recorder.capsule))
    assert BAD_ROW in kept.batch.rows
    x, y = data()
    assert (kept.batch.x == x[list(kept.batch.rows)]).all()
    assert (kept.batch.y.reshape(-1) == y[list(kept.batch.rows)]).all()
    for (_, one), other in zip(kept.weights, weights(model), strict=True):
        assert (one == other).all()


def test_a_later_fit_goes_on_from_there(tmp_path: Path) -> None:
    model = fitted(FitRecorder(tmp_path))
    x, y = data()
    good = np.arange(len(x)) != BAD_ROW
    losses = model.fit(x[good], y[good], batch_size=BATCH, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_that_one_update_is_left_out_where_the_fit_is_to_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recorder, model = FitRecorder(tmp_path, stop=False), build()
    model.fit(*data(), batch_size=BATCH, verbose=0, callbacks=[recorder])
    assert recorder.capsule is not None
    assert capsys.readouterr().err.count("this update is left out") == 1
    assert all(np.isfinite(one).all() for one in weights(model))
    assert int(model.optimizer.iterations) == 59


def test_a_good_fit_is_what_it_is_without_a_recorder(tmp_path: Path) -> None:
    x, y = data()
    x[BAD_ROW, 0] = 1.0
    histories = []
    for callbacks in ([], [FitRecorder(tmp_path)]):
        model = build()
        losses = model.fit(
            x, y, batch_size=BATCH, epochs=2, verbose=0, validation_split=0.1, callbacks=callbacks
        )
        histories.append(losses.history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(values, histories[1][name], rtol=1e-5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "how", [{"run_eagerly": True}, {"jit_compile": False}, {"steps_per_execution": 4}], ids=str
)
def test_however_the_step_is_run(how: dict[str, Any], tmp_path: Path) -> None:
    model = fitted(FitRecorder(tmp_path), **how)
    assert all(np.isfinite(one).all() for one in weights(model))


def test_updates_that_a_scaler_leaves_out_are_its_own_business(tmp_path: Path) -> None:
    x, y = data()
    x[BAD_ROW, 0] = 1.0
    recorder = FitRecorder(tmp_path)
    adam = keras.optimizers.Adam()
    model = build(optimizer=keras.optimizers.LossScaleOptimizer(adam, initial_scale=2.0**127))
    model.fit(x, y, batch_size=BATCH, verbose=0, callbacks=[recorder])
    assert recorder.capsule is None
    assert 0 < int(model.optimizer.inner_optimizer.iterations) < 60


def test_a_disk_that_takes_no_capsule_is_no_reason_to_train_on(tmp_path: Path) -> None:
    recorder = FitRecorder(tmp_path, largest=100)
    fitted(recorder)
    assert recorder.capsule is None
    assert list(tmp_path.iterdir()) == []


def test_a_capsule_that_was_tampered_with_is_refused(tmp_path: Path) -> None:
    recorder = FitRecorder(tmp_path)
    fitted(recorder)
    folder = Path(str(recorder.capsule))
    told = folder / of_torch.DESCRIPTION
    known = json.loads(told.read_text())
    for key in ("paths", "batch", "rows", "step"):
        told.write_text(json.dumps({**known, key: "none"}))
        with pytest.raises(of_torch.CapsuleError, match="contradicts itself"):
            capsule.read(str(folder))
    told.write_text(json.dumps(known))
    with (folder / of_torch.TENSORS).open("ab") as file:
        file.write(b"more")
    with pytest.raises(of_torch.CapsuleError, match="is not the file"):
        capsule.read(str(folder))
    os.remove(folder / of_torch.TENSORS)
    with pytest.raises(of_torch.CapsuleError, match="no whole capsule"):
        capsule.read(str(folder))


def test_a_model_of_another_shape_is_refused(tmp_path: Path) -> None:
    recorder = FitRecorder(tmp_path)
    fitted(recorder)
    kept = capsule.read(str(recorder.capsule))
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
    with pytest.raises(of_torch.CapsuleError, match="2 variables, and the capsule's"):
        capsule.prepare(kept, other)
