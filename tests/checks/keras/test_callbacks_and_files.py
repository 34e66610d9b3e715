"""What Keras' callbacks watch and write, and what fit() can split: KER009, 12 and 16."""

import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.keras.checkpoint_file_suffix import checkpoint_file_suffix as suffix
from pipedoctor_checks.keras.monitored_name_not_produced import (
    monitored_name_not_produced as monitor,
)
from pipedoctor_checks.keras.validation_split_of_a_dataset import (
    validation_split_of_a_dataset as split,
)

KERAS3 = {"keras": "3.15.1"}
HEAD = """import os, keras, tensorflow as tf
from keras.callbacks import EarlyStopping, ModelCheckpoint, ReduceLROnPlateau
m = keras.Sequential([keras.layers.Dense(3, 'softmax')])
m.compile('adam', 'sparse_categorical_crossentropy', metrics={})
"""


def found(check, text, metrics="['accuracy']", environment=KERAS3):
    return outcome(check, script=HEAD.format(metrics) + text, environment=environment).findings


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("ModelCheckpoint('a/cp.ckpt', save_weights_only=True)", "name it cp.weights.h5"),
        (
            "ModelCheckpoint(os.path.join(d, 'cp.ckpt'), save_weights_only=True)",
            "name it cp.weights.h5",
        ),
        ("ModelCheckpoint('best.hdf5')", "name it best.keras"),
        ("ModelCheckpoint('w.{epoch}.tf')", "name it w.{epoch}.keras"),
        ("m.save_weights('a/w.h5')", "name it w.weights.h5"),
        ("m.save('folder')", "name it folder.keras"),
    ],
)
def test_suffixes_that_keras_3_refuses(text, remedy):
    (finding,) = found(suffix, text)
    assert finding.remedy == remedy


@pytest.mark.parametrize(
    "text",
    [
        "ModelCheckpoint('a/cp.weights.h5', save_weights_only=True)",
        "ModelCheckpoint('cp.keras')",
        "ModelCheckpoint('cp.h5')",
        "ModelCheckpoint(path)",
        "ModelCheckpoint('cp.ckpt', save_weights_only=weights)",
        "m.save('m.keras')",
        "m.save('folder', zipped=False)",
        "os.environ['TF_USE_LEGACY_KERAS'] = '1'\nm.save('folder')",
        "torch_model.save('folder')",
    ],
)
def test_suffixes_that_are_no_fault(text):
    assert found(suffix, text) == ()


def test_keras_2_takes_any_path_and_without_keras_nothing_is_known():
    text = "ModelCheckpoint('cp.ckpt')"
    assert found(suffix, text, environment={"keras": "2.15.0"}) == ()
    told = outcome(suffix, script=HEAD + text, environment={"keras": None})
    assert told.status is Status.SKIPPED


FIT = "m.fit(x, y, {}, callbacks=[{}])\n"


def test_no_validation_data():
    (finding,) = found(monitor, FIT.format("epochs=3", "EarlyStopping(patience=2)"))
    assert "gets no validation data" in finding.message
    assert finding.severity is None


def test_an_old_name_stops_keras_3():
    text = FIT.format("validation_split=0.1", "EarlyStopping('val_acc')")
    (finding,) = found(monitor, text)
    assert finding.remedy == 'monitor="val_accuracy"'
    assert "Keras 3 stops with ValueError" in finding.message
    (older,) = found(monitor, text, environment={"keras": "2.15.0"})
    assert older.severity is None


def test_callbacks_in_a_list_of_their_own():
    text = "cb = [ReduceLROnPlateau(monitor='val_f1', mode='max')]\nm.fit(x, y, validation_data=v, callbacks=cb)"
    (finding,) = found(monitor, text)
    assert finding.severity is None


@pytest.mark.parametrize(
    ("text", "metrics"),
    [
        (FIT.format("validation_split=0.1", "EarlyStopping('val_accuracy')"), "['accuracy']"),
        (FIT.format("validation_split=0.1", "EarlyStopping('val_acc')"), "['acc']"),
        (FIT.format("validation_data=v", "EarlyStopping('val_auc')"), "[keras.metrics.AUC()]"),
        (
            FIT.format("validation_data=v", "EarlyStopping('val_my')"),
            "[keras.metrics.AUC(name='my')]",
        ),
        (FIT.format("validation_data=v", "EarlyStopping('val_mine')"), "[mine]"),
        (FIT.format("validation_data=v", "EarlyStopping('val_mine')"), "chosen"),
        (FIT.format("epochs=2", "EarlyStopping('loss')"), "['accuracy']"),
        (FIT.format("epochs=2", "ModelCheckpoint('a.keras')"), "['accuracy']"),
        (FIT.format("**more", "EarlyStopping()"), "['accuracy']"),
        (FIT.format("epochs=2", "Mine(monitor='val_loss')"), "['accuracy']"),
        ("m.fit(x, y, callbacks=chosen)", "['accuracy']"),
    ],
)
def test_names_that_are_no_fault(text, metrics):
    assert found(monitor, text, metrics) == ()


@pytest.mark.parametrize(
    "data",
    [
        "keras.utils.text_dataset_from_directory('d')",
        "tf.data.Dataset.from_tensor_slices(a).batch(8)",
        "keras.preprocessing.image.ImageDataGenerator().flow_from_directory('d')",
    ],
)
def test_what_can_not_be_split(data):
    assert found(split, f"d = {data}\nm.fit(d, validation_split=0.2)")


@pytest.mark.parametrize(
    "text",
    [
        "m.fit(x, y, validation_split=0.2)",
        "import numpy as np\nx = np.zeros(3)\nm.fit(x, x, validation_split=0.2)",
        "d = tf.data.Dataset.range(3)\nm.fit(d, validation_data=v)",
        "d = tf.data.Dataset.range(3)\nm.fit(d, validation_split=0.0)",
    ],
)
def test_what_can_be_split(text):
    assert found(split, text) == ()
