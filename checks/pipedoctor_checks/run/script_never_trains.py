from collections.abc import Iterator

from pipedoctor import Finding, Location, Severity, Stage, Unavailable, check
from pipedoctor.facts import Call, Script, Trainings

OTHERS = (".fit", "train_on_batch")
"""The calls of Keras, and of what has a `fit` that is none of Keras."""
KERAS = ("keras", "tensorflow", "tf_keras")
"""The packages whose `fit` is seen when it begins."""
LIGHTNING = ("lightning", "pytorch_lightning")
"""Those whose `fit` is not."""
PROCESSES = ("multiprocessing", "subprocess", "os.system", "spawn", "notebook_launcher")
"""What starts processes, in which a training can't be seen."""


@check(
    "RUN002",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        "EOFError: EOF when reading a line": "check gives the script no input: pass what it asks "
        "for as arguments, or answer it under `pipedoctor run`"
    },
)
def script_never_trains(trainings: Trainings, script: Script | None = None) -> Iterator[Finding]:
    """
    The script ends without having started a training.

    A missing `if __name__ == "__main__"` call, `do_train` that was not passed on, or an argument
    that the script asks for: it prints its help and leaves, and the job is over before it began.
    Seen are trainings by `Trainer.train()`, by `fit()` of Keras, and loops of torch that call
    `backward()`. Nothing is said of a script that calls a `fit()` which was not seen or starts
    other processes, which may train in a way of their own, and of one that only has models answer.

    Fails:

        run = {"trainings": 0, "ended": "ran to its end"}

    Passes:

        run = {"trainings": 1, "ended": "reached its training"}
    """
    if trainings.started:
        return
    if script is not None:
        _refuse_what_is_not_seen(trainings, script)
    loops = trainings.known("passes")
    own = _backward(script) if loops and script is not None else None
    if own is not None:
        yield Finding(
            message=f"The script {trainings.ended}, and line {own.line}, which computes the "
            "gradients, was reached 0 times",
            where=own.where,
            evidence={"trainings": 0, "ended": trainings.ended, "backward": own.line},
            remedy=f"look at what leads to line {own.line}: a loader without batches (drop_last with "
            "fewer rows than batch_size), an empty range, an argument that was not passed",
        )
        return
    fit = next(iter(_fits(script)), None) if script is not None else None
    named = "Trainer.train()" if fit is None else f"{fit.text}() of line {fit.line}"
    yield Finding(
        message=f"The script {trainings.ended}, and {named} was called 0 times"
        + (", and so was backward()" if loops else ""),
        where=fit.where if fit is not None else Location(),
        evidence={"trainings": 0, "ended": trainings.ended},
        remedy="pass the arguments that make it train: "
        "pipedoctor check train.py -- --do_train --output_dir out",
    )


def _fits(script: Script) -> list[Call]:
    """Return the calls of `fit()` and its like, of Keras or of anything else."""
    return [call for call in script.calls if call.text.endswith(OTHERS)]


def _backward(script: Script) -> Call | None:
    """Return the first call that would have computed gradients."""
    return next((call for call in script.calls if call.text.endswith(".backward")), None)


def _refuse_what_is_not_seen(trainings: Trainings, script: Script) -> None:
    """Raise `Unavailable` where the script may well train, or is not meant to."""
    watched = trainings.known("passes")
    fits = _fits(script)
    packages = {item.name.partition(".")[0] for item in script.imports}
    of_keras = not packages.isdisjoint(KERAS) and packages.isdisjoint(LIGHTNING)
    if fits and (not of_keras or any(call not in script.trainings for call in fits)):
        raise Unavailable("the script has a fit() that was not reached, or not seen")
    apart = any(
        word in call.name or word in call.text for call in script.calls for word in PROCESSES
    )
    loops = _backward(script) is not None
    if (fits and apart) or (loops and (not watched or apart)):
        raise Unavailable("the script trains in a way of its own, which was not seen")
    if watched and trainings.calls and not (loops or fits):
        raise Unavailable(
            f"the script only has its models answer, {trainings.calls:,} times, and trains none"
        )
