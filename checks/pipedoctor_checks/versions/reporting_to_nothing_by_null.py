from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor.facts.arguments import version_key


@check(
    "VER014",
    Severity.ERROR,
    stage=Stage.ARGUMENTS,
    symptoms={r"None is not supported, only .*azure_ml": 'write "report_to": "none"'},
)
def reporting_to_nothing_by_null(settings: Settings) -> Iterator[Finding]:
    """
    `report_to` is null, which does not mean "none".

    Version 4 took null for "all": a run that was to report nothing waits at the login prompt of
    Weights & Biases, if that is installed. Version 5 takes it for the name of a tool, and
    Trainer raises `ValueError: None is not supported`. Only the word "none" switches reports off.

    Fails:

        settings = {"report_to": None}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"report_to": "none"}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/trl/issues/4249>.
    """
    if "report_to" not in settings.stated or settings.written("report_to") is not None:
        return
    declared = settings.arguments.fields.get("report_to")
    if declared is None:
        return
    version = settings.arguments.version
    old = version_key(version) < (5,)
    yield Finding(
        message="report_to is null; "
        + (
            f"transformers {version} takes that for all tools that are installed"
            if old
            else f"Trainer of transformers {version} raises ValueError: None is not supported"
        ),
        where=settings.where("report_to"),
        evidence={"report_to": None, "transformers": version},
        remedy=f"set {settings.entry('report_to', 'none')}",
        severity=Severity.WARNING if old else None,
    )
