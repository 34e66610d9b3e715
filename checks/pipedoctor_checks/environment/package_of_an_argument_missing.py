from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, Unavailable, check
from pipedoctor.facts import Environment, Settings

REPORTERS = {
    "tensorboard": ("tensorboard", "tensorboardx"),
    "mlflow": ("mlflow", "mlflow_skinny"),
    **{name: (name,) for name in ("clearml", "codecarbon", "comet_ml", "dagshub", "dvclive")},
    **{name: (name,) for name in ("swanlab", "trackio", "wandb")},
}
"""The packages for each value of `report_to` that needs one; any of them will do."""

OPTIMIZERS = {
    "bitsandbytes": (
        *("adamw_bnb_8bit", "adamw_8bit", "lion_8bit", "lion_32bit", "ademamix", "ademamix_8bit"),
        *("paged_adamw_32bit", "paged_adamw_8bit", "paged_lion_32bit", "paged_lion_8bit"),
        *("paged_ademamix_32bit", "paged_ademamix_8bit"),
        *("rmsprop_bnb", "rmsprop_bnb_8bit", "rmsprop_bnb_32bit"),
    ),
    "galore_torch": (
        *("galore_adamw", "galore_adamw_8bit", "galore_adafactor"),
        *("galore_adamw_layerwise", "galore_adamw_8bit_layerwise", "galore_adafactor_layerwise"),
    ),
    "apollo_torch": ("apollo_adamw", "apollo_adamw_layerwise"),
    "lomo_optim": ("lomo", "adalomo"),
    "grokadamw": ("grokadamw",),
    "schedulefree": ("schedule_free_radam", "schedule_free_adamw", "schedule_free_sgd"),
    "torchao": ("adamw_torch_4bit", "adamw_torch_8bit"),
    "torch_optimi": ("stable_adamw",),
}
"""The optimizers of each package besides PyTorch's own; transformers 5.23.0."""

ON_GPUS = frozenset({"bitsandbytes", "deepspeed", "liger_kernel", "apollo_torch", "galore_torch"})
"""Packages that are of no use without a GPU, so that a machine without one may well lack them."""


@check(
    "ENV009",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"(Wandb|TensorBoard|MLflow|Comet|ClearML|DVCLive|SwanLab|Trackio|CodeCarbon|DagsHub)"
        r"Callback requires": 'install the package that the text names, or set "report_to": "none"',
    },
)
def package_of_an_argument_missing(
    settings: Settings, environment: Environment
) -> Iterator[Finding]:
    """
    An argument asks for a package that is not installed, and Trainer stops at it.

    `report_to` names the tools that get the figures of the run, `optim` may name an optimizer of
    bitsandbytes or galore, `deepspeed` and `use_liger_kernel` say it themselves. Trainer looks
    for the package when it is made, or when the training starts: after model and data were
    loaded. Only an environment in which transformers and torch are installed is judged, since
    another one will not train; nor will this one, if the tool whose config it is is not there.

    Fails:

        settings = {"report_to": "wandb"}
        environment = {"transformers": "5.23.0", "torch": "2.13.0", "wandb": None}

    Fails:

        settings = {"optim": "paged_adamw_8bit"}
        environment = {
            "transformers": "5.23.0",
            "torch": "2.13.0",
            "bitsandbytes": None,
            "gpus": 1,
        }

    Passes:

        settings = {"report_to": ["wandb"], "optim": "paged_adamw_8bit"}
        environment = {
            "transformers": "5.23.0",
            "torch": "2.13.0",
            "wandb": "0.27.0",
            "bitsandbytes": "0.50.0",
        }

    See also: <https://huggingface.co/docs/transformers/main_classes/callback>.
    """
    if not {"transformers", "torch"} <= set(environment.versions):
        return
    tool = settings.reading
    if tool is not None and not tool.installed:
        raise Unavailable(
            f"{tool.tool} is not installed here, so it trains in another environment"
        )
    here = not environment.known("gpus") or environment.gpus > 0
    for key, value, packages in _asked(settings):
        if packages[0] in ON_GPUS and not here:
            continue  # this is not the machine that trains
        if any(package in environment.versions for package in packages):
            continue
        name = packages[0].replace("_", "-")
        yield Finding(
            message=f"{key} is {value!r}, which needs the package {name}; it is not installed here, "
            "and Trainer raises an error",
            where=settings.where(key),
            evidence={"argument": key, "value": value, "package": name},
            remedy=f"pip install {name}",
            alternatives=(_without(settings, key, value),),
        )


def _asked(settings: Settings) -> Iterator[tuple[str, object, tuple[str, ...]]]:
    """Yield the arguments that ask for packages, with their values and the packages."""
    reporters = settings.get("report_to") if "report_to" in settings.stated else None
    for reporter in reporters if isinstance(reporters, (list, tuple)) else (reporters,):
        if isinstance(reporter, str) and reporter in REPORTERS:
            yield "report_to", reporter, REPORTERS[reporter]
    if "optim" in settings.stated:
        optimizer = settings.word("optim")
        for package, names in OPTIMIZERS.items():
            if optimizer in names:
                yield "optim", optimizer, (package,)
    if settings.stated.get("deepspeed"):
        yield "deepspeed", settings.get("deepspeed"), ("deepspeed",)
    if settings.get("use_liger_kernel") is True:
        yield "use_liger_kernel", True, ("liger_kernel",)


def _without(settings: Settings, key: str, value: object) -> str:
    """Return the line that does without the package."""
    if key == "optim":
        return f"set {settings.entry('optim', 'adamw_torch')}"
    if key == "report_to":
        stated = settings.stated["report_to"]
        others = [one for one in stated if one != value] if isinstance(stated, list) else []
        return f"set {settings.entry('report_to', others or 'none')}"
    return f"delete {key}"
