from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor_checks.hyperparameters._synonyms import meant

SHOWN = 4
"""Of the options that a word may stand for, so many are named."""


@check(
    "HYP007",
    Severity.WARNING,
    stage=Stage.ARGUMENTS,
    symptoms={r"error: ambiguous option: --": "write the whole name of the option"},
)
def option_abbreviated(settings: Settings) -> Iterator[Finding]:
    """
    An option on the command line is only the beginning of an argument's name.

    argparse takes the beginning of a name for the name, where only one begins so. A word from
    another library, such as `--lr`, may so set something else than was meant, or nothing: where
    several names begin so, the run stops. And what is right today stops working when an argument
    with such a name is added.

    Fails:

        class Command(dict):
            abbreviations = {"lr": ("lr_scheduler_kwargs", "lr_scheduler_type")}

        settings = Command(lr=2e-5)
        environment = {"transformers": "5.23.0"}

    Passes:

        class Command(dict):
            abbreviations = {}

        settings = Command(learning_rate=2e-5)
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/issues/28701>.
    """
    for written, names in settings.abbreviations.items():
        intended = meant(settings, written)
        if len(names) > 1:
            some = ", ".join(f"--{name}" for name in names[:SHOWN])
            more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
            value = settings.stated.get(written)
            yield Finding(
                message=f"--{written} is the beginning of {len(names)} options ({some}{more}); "
                "argparse stops at it",
                where=settings.where(written),
                evidence={"option": written, "names": list(names)},
                remedy=f"write {settings.entry(intended, value)}"
                if intended is not None
                else "write the whole name of the option",
                severity=Severity.ERROR,
            )
            continue
        (name,) = names
        other = intended is not None and intended not in (written, name)
        yield Finding(
            message=f"--{written} is taken for --{name}, the 1 option that begins so"
            + (f"; elsewhere it means {intended}" if other else ""),
            where=settings.where(name),
            evidence={"option": written, "name": name},
            remedy=f"write --{name}" if not other else f"write --{intended}, or --{name}",
            severity=None if other else Severity.NOTE,
        )
