"""Writes what the scripts read: 240 short texts in three classes, as tokens, and small pretrained models.

    python make_data.py

The texts of a class share words, so a model can learn them; they are sorted by class, as they come
from many a folder of files. With keras, an encoder is written to encoder.keras; with transformers
4.57 and tf-keras, a DistilBERT of two layers to distilbert/. Nothing is downloaded.
"""

import importlib.util
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
WORDS, LENGTH, EACH = 60, 12, 80

random = np.random.default_rng(0)
labels = np.repeat([0, 2, 1], EACH)
common = random.integers(33, WORDS, (len(labels), LENGTH))
telling = 3 + 10 * labels[:, None] + random.integers(0, 10, (len(labels), LENGTH))
input_ids = np.where(random.random((len(labels), LENGTH)) < 0.5, telling, common).astype("int32")
np.savez(HERE / "texts.npz", input_ids=input_ids, labels=labels.astype("int32"))

if importlib.util.find_spec("tf_keras") is None:
    import keras

    keras.utils.set_random_seed(0)
    ids = keras.Input((LENGTH,), dtype="int32", name="input_ids")
    hidden = keras.layers.Embedding(WORDS, 32)(ids)
    for _ in range(2):
        attended = keras.layers.MultiHeadAttention(4, 8)(hidden, hidden)
        hidden = keras.layers.LayerNormalization()(hidden + attended)
        dense = keras.layers.Dense(32)(keras.layers.Dense(64, activation="gelu")(hidden))
        hidden = keras.layers.LayerNormalization()(hidden + dense)
    keras.Model(ids, hidden, name="encoder").save(HERE / "encoder.keras")
else:
    import tensorflow as tf
    from transformers import DistilBertConfig, TFDistilBertModel

    tf.keras.utils.set_random_seed(0)
    small = {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 4}
    config = DistilBertConfig(vocab_size=WORDS, max_position_embeddings=LENGTH, **small)
    model = TFDistilBertModel(config)
    model(model.dummy_inputs)
    model.save_pretrained(HERE / "distilbert")
