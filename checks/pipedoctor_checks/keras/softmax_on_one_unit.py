from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Outputs
from pipedoctor_checks.keras import _in_text
from pipedoctor_checks.keras._outputs import layer


@check(
    "KER003",
    Severity.ERROR,
    stage=Stage.MODEL,
    explains=("LOS002", "KER015", "GRD003"),
    in_text=_in_text.softmax_on_one_unit,
)
def softmax_on_one_unit(outputs: Outputs) -> Iterator[Finding]:
    """
    The last layer has one unit and a softmax, so its output is 1 whatever goes in.

    Softmax divides each number by the sum of all. Of one number that is 1 for every row, with a
    gradient of zero: the accuracy is the share of the class 1 and stays there. One unit takes a
    sigmoid.

    Fails:

        script = '''
        from tensorflow.keras.layers import Dense
        from tensorflow.keras.models import Sequential

        model = Sequential()
        model.add(Dense(16, activation="relu"))
        model.add(Dense(1, activation="softmax"))
        model.compile(optimizer="adam", loss="binary_crossentropy")
        '''

    Passes:

        import keras
        import numpy as np

        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
        model.compile(optimizer="adam", loss="binary_crossentropy")
        x = np.random.default_rng(0).normal(size=(60, 4))
        y = np.arange(60) % 2

    See also: <https://github.com/keras-team/keras/issues/11441>.
    """
    for one in outputs.outputs:
        if one.activation == "softmax" and one.units == 1:
            shown = one.minimum if one.minimum == one.maximum else None
            yield Finding(
                message=f"{layer(one, first=True)}, has a softmax, which makes every "
                "output 1.0"
                + (" (so it is in the first batch)" if shown == 1 else "")
                + ": nothing can be learned",
                where=one.where,
                evidence={"units": 1, "activation": "softmax", "output": one.name},
                remedy=_in_text.SIGMOID,
                alternatives=(_in_text.UNITS,),
            )
