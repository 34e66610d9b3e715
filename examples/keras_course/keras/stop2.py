from pathlib import Path

import keras
import numpy as np

HERE = Path(__file__).parent.parent
texts = dict(np.load(HERE / "texts.npz"))
labels = texts.pop("labels")

encoder = keras.models.load_model(HERE / "encoder.keras")
ids = keras.Input((12,), dtype="int32", name="input_ids")
pooled = keras.layers.GlobalAveragePooling1D()(encoder(ids))
model = keras.Model(ids, keras.layers.Dense(2)(pooled))

model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(texts, labels, epochs=3, validation_split=1 / 3, verbose=2)
