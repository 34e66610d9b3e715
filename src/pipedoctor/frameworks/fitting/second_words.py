"""What is advised in the words of Keras 3, in those of Keras 2, which has no `keras.ops`."""

from __future__ import annotations

import re

from pipedoctor.frameworks.fitting.library import Library

OPS = {
    "clip": "clip_by_value",
    "divide_no_nan": "math.divide_no_nan",
    "log": "math.log",
    "logsumexp": "reduce_logsumexp",
    "normalize": "math.l2_normalize",
    "softmax": "nn.softmax",
    "softplus": "nn.softplus",
    "var": "math.reduce_variance",
}
"""The operations of Keras 3 that TensorFlow has under other names."""

_OP = re.compile(r"\bkeras\.ops\.(\w+)")
_MODULE = re.compile(r"(?<![\w.])keras\.")


def worded(text: str, library: Library) -> str:
    """Return an advice in the words of the Keras that the model is of."""
    if not library.second:
        return text
    of_tensorflow = _OP.sub(lambda match: f"tf.{OPS.get(match[1], match[1])}", text)
    told = of_tensorflow.replace("keras.ops", "operations of tf")
    return _MODULE.sub("tf_keras.", told)
