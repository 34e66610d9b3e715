from pathlib import Path

import numpy as np
import tf_keras
from transformers import TFAutoModelForSequenceClassification

HERE = Path(__file__).parent.parent
texts = dict(np.load(HERE / "texts.npz"))

model = TFAutoModelForSequenceClassification.from_pretrained(HERE / "distilbert", num_labels=3)

model.compile(optimizer=tf_keras.optimizers.Adam(5e-5))
model.fit(texts, epochs=3, validation_split=1 / 3, verbose=2)
