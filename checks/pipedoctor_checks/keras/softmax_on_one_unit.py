from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Script
from pipedoctor_checks.keras._models import compiled


@check("KER003", Severity.ERROR, stage=Stage.MODEL, explains=("LOS002", "KER015"))
def softmax_on_one_unit(script: Script) -> Iterator[Finding]:
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

        script = '''
        from tensorflow.keras.layers import Dense
        from tensorflow.keras.models import Sequential

        model = Sequential()
        model.add(Dense(16, activation="relu"))
        model.add(Dense(1, activation="sigmoid"))
        model.compile(optimizer="adam", loss="binary_crossentropy")
        '''

    See also: <https://github.com/keras-team/keras/issues/11441>.
    """
    seen: set[int] = set()
    for one in compiled(script):
        last = one.last
        if last is None or last.activation != "softmax" or last.units != 1:
            continue
        if last.call.number in seen:
            continue
        seen.add(last.call.number)
        yield Finding(
            message=f"Line {last.call.line} gives the last layer 1 unit and a softmax, which makes "
            "every output 1.0: nothing can be learned",
            where=last.call.where,
            evidence={"units": 1, "activation": "softmax"},
            remedy='activation="sigmoid" with loss="binary_crossentropy", for two classes',
            alternatives=("a unit for each class, with a loss for categories",),
        )
