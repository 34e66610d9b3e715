from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script
from pipedoctor_checks.keras._models import keras

_MAKERS = (
    "image_dataset_from_directory",
    "text_dataset_from_directory",
    "audio_dataset_from_directory",
    "timeseries_dataset_from_array",
)
_FLOWS = (".flow", ".flow_from_directory", ".flow_from_dataframe")


@check(
    "KER016",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"`validation_split` is only supported for": (
            "split the dataset yourself, and pass the smaller part as validation_data"
        )
    },
)
def validation_split_of_a_dataset(script: Script) -> Iterator[Finding]:
    """
    `fit` is to split off validation data from a dataset or generator, which it can't.

    `validation_split` takes the last rows of an array. What yields batches has no last rows to
    take, so that `fit` stops with a ValueError at once. A dataset is split by `take` and `skip`,
    a folder of files where it is read.

    Fails:

        script = '''
        import keras

        data = keras.utils.image_dataset_from_directory("photos", batch_size=32)
        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.fit(data, validation_split=0.1)
        '''

    Passes:

        script = '''
        import keras

        data, held_out = keras.utils.image_dataset_from_directory(
            "photos", batch_size=32, validation_split=0.1, subset="both", seed=1
        )
        model = keras.Sequential([keras.layers.Dense(10, activation="softmax")])
        model.fit(data, validation_data=held_out)
        '''

    See also: <https://keras.io/api/models/model_training_apis/#fit-method>.
    """
    for fit in script.trainings:
        share = fit.argument("validation_split", 6)
        if (
            share is None
            or (share.known and not share.get())
            or "validation_data" in fit.arguments
        ):
            continue
        made = script.makers(fit.argument("x", 0))
        if len(made) != 1 or not _yields(script, made[0]):
            continue
        yield Finding(
            message=f"validation_split={share.text} takes rows of an array, and line {fit.line} "
            f"trains on what {made[0].text} makes in line {made[0].line}",
            where=share.where,
            evidence={"validation_split": share.get(share.text), "data": made[0].text},
            remedy="split the data first: fit(data.skip(n), validation_data=data.take(n))"
            if not made[0].text.endswith(_FLOWS)
            else "ImageDataGenerator(validation_split=…), and a flow with subset= for each part",
        )


def _yields(script: Script, call: Call) -> bool:
    """Whether a call makes a dataset or generator of batches."""
    if keras(call, *_MAKERS) or any(n.startswith("tensorflow.data.") for n in call.names):
        return True
    makers = script.receivers(call)
    return call.text.endswith(_FLOWS) and any(keras(m, "ImageDataGenerator") for m in makers)
