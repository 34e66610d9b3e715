from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Arguments, Environment, ModelFiles, Settings
from pipedoctor.facts.arguments import version_key
from pipedoctor.probes import habits

HALF = {"F16": "float16", "BF16": "bfloat16"}
REPORTED_BY = ("logging_dir", "run_name", "wandb_project", "trackio_space_id", "project")
"""Arguments of the tools that get the figures: who states one expects them to arrive."""


@check("VER010", Severity.WARNING, stage=Stage.ENVIRONMENT)
def defaults_changed_in_silence(
    settings: Settings, environment: Environment, model: ModelFiles | None
) -> Iterator[Finding]:
    """
    The run was written for another version of transformers, and a default it relies on changed.

    Nothing fails, and nothing is said. Up to version 4 figures went to every tool that is
    installed, from version 5 on to none; `from_pretrained` loaded all weights as float32, now as
    the checkpoint has them, so that a float16 checkpoint is trained in float16. This is told only
    where it changes this run, and where the run is known to be written for the other version: it
    states an argument that was removed since, or `--target` asks about a version that is not the
    installed one.

    Fails:

        settings = {"run_name": "first", "no_cuda": False}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"run_name": "first", "no_cuda": False, "report_to": "wandb"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"run_name": "first", "logging_steps": 50}
        environment = {"transformers": "5.23.0"}

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    arguments = settings.arguments
    written = _written_for(settings, environment)
    if written is None or (_is_5(written) == _is_5(arguments.version)):
        return
    wanted = [key for key in REPORTED_BY if settings.stated.get(key)]
    if "report_to" not in settings.stated and wanted:
        before, after = ("all", "none") if _is_5(arguments.version) else ("none", "all")
        yield Finding(
            message=f"report_to is not stated: transformers {written}, for which this was written, "
            f'reports to "{before}" by default and {arguments.version} to "{after}", though '
            f"{wanted[0]} is stated",
            where=replace(settings.where("report_to"), key="report_to"),
            evidence={"default": "report_to", "before": before, "after": after, "for": written},
            remedy=f"set {settings.entry('report_to', _tool(wanted))}",
        )
    stored = _stored(model)
    loaded = {"dtype", "torch_dtype"} & set(settings.stated)
    if stored is not None and not loaded and habits.KEEPS_DTYPE.known(arguments.version):
        yield Finding(
            message=f"dtype is not stated: the weights are {stored}; transformers {written}, for "
            f"which this was written, loads them as float32 and {arguments.version} as {stored}",
            where=replace(settings.where("dtype"), key="dtype"),
            evidence={"default": "dtype", "before": "float32", "after": stored, "for": written},
            remedy="load the model with dtype=torch.float32 to train it as before",
        )


def _written_for(settings: Settings, environment: Environment) -> str | None:
    """Return the version that the run was written for, where that is known and another one."""
    arguments = settings.arguments
    former = environment.former.get("transformers")
    if former is not None and former != arguments.version:
        return former
    had = [
        arguments.removed_after(key) for key in settings.stated if key not in settings.script_keys
    ]
    releases = [release for release in had if release is not None]
    # The newest release that still knows all of them.
    return min(releases, key=version_key, default=None) if _fits(arguments, releases) else None


def _fits(arguments: Arguments, releases: list[str]) -> bool:
    return bool(releases) and all(release in arguments.releases for release in releases)


def _is_5(version: str) -> bool:
    return version_key(version) >= (5,)


def _stored(model: ModelFiles | None) -> str | None:
    """Return the type of half the width that the weights are stored in, if they are."""
    if model is None:
        return None
    stated = str(model.config.get("dtype") or model.config.get("torch_dtype") or "")
    if stated.removeprefix("torch.") in HALF.values():
        return stated.removeprefix("torch.")
    kinds = {tensor.dtype for tensor in model.tensors.values() if tensor.floating}
    return HALF.get(*kinds) if len(kinds) == 1 and not stated else None


def _tool(wanted: list[str]) -> str:
    tools = {"logging_dir": "tensorboard", "wandb_project": "wandb", "trackio_space_id": "trackio"}
    return tools.get(wanted[0], "all")
