from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Script, Trainings

OWN = (".backward", ".fit", "train_on_batch")
"""The calls of a training loop, of Keras, and of what has a `fit` that is none of Keras."""


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
    Seen are trainings by `Trainer.train()` and by `fit()` of Keras. Of a script that calls
    `backward()` itself, or a `fit()` that was not seen, nothing is said: it trains in a way of its
    own.

    Fails:

        run = {"trainings": 0, "ended": "ran to its end"}

    Passes:

        run = {"trainings": 1, "ended": "reached its training"}
    """
    if trainings.started:
        return
    if script is not None and any(call.text.endswith(OWN) for call in script.calls):
        raise Unavailable("the script trains in a way of its own, which is not examined yet")
    yield Finding(
        message=f"The script {trainings.ended}, and Trainer.train() was called 0 times",
        evidence={"trainings": 0, "ended": trainings.ended},
        remedy="pass the arguments that make it train: "
        "pipedoctor check train.py -- --do_train --output_dir out",
    )
