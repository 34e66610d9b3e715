from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Cuda, Environment, TriedImports
from pipedoctor.finding import Location

PACKAGES = {"google.protobuf": "protobuf", "sklearn": "scikit-learn", "PIL": "pillow"}
"""What is installed to get a module of another name."""


@check("ENV015", Severity.WARNING, stage=Stage.ENVIRONMENT)
def installed_package_broken(
    imports: TriedImports, cuda: Cuda | None, environment: Environment | None
) -> Iterator[Finding]:
    """
    A package is installed, but can't be imported.

    transformers, accelerate and datasets look whether torchvision, bitsandbytes, flash_attn,
    TensorFlow and others are installed, and then import them. One that was built for another
    torch or another NumPy raises there, and the error is shown as one of transformers: "Failed to
    import transformers.models...". To uninstall the package helps as much as to repair it. Without
    torch itself nothing trains.

    Fails:

        environment = {
            "imports": {
                "torchvision": {
                    "works": False,
                    "error": "RuntimeError: operator torchvision::nms does not exist",
                }
            }
        }

    Passes:

        environment = {"imports": {"torchvision": {"works": True}}}

    See also: <https://github.com/huggingface/transformers/issues/34850>.
    """
    if cuda is not None and cuda.refusal and not cuda.known("torch"):
        yield Finding(
            message=f"torch is installed, and to import it raises {cuda.refusal}",
            where=Location(key="torch"),
            evidence={"package": "torch", "module": "torch", "error": cuda.refusal},
            remedy="pip install --force-reinstall torch",
            severity=Severity.ERROR,
        )
    backend = "" if environment is None else environment.variables.get("KERAS_BACKEND", "")
    for name, tried in imports.of.items():
        if tried.works or tried.late:
            continue
        if backend and tried.error.endswith((f"backend : {backend}", f"named '{backend}'")):
            yield Finding(
                message=f"{name} can't be imported as long as KERAS_BACKEND is {backend}: "
                f"{tried.error}",
                where=Location(key=name),
                evidence={"module": name, "error": tried.error, "KERAS_BACKEND": backend},
                remedy="mend KERAS_BACKEND first; the package itself is not broken",
                severity=Severity.NOTE,
            )
            continue
        package = PACKAGES.get(name, name).replace("_", "-")
        yield Finding(
            message=f"{name} is installed, and to import it raises {tried.error}",
            where=Location(key=name),
            evidence={"package": package, "module": name, "error": tried.error},
            remedy=f"pip install --force-reinstall --no-deps {package} in the version that fits, "
            f"or pip uninstall {package} if nothing needs it",
        )
