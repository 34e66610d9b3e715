from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment
from pipedoctor.facts.arguments import version_key
from pipedoctor.finding import Location
from pipedoctor_checks.environment._allocator import VARIABLES, corrected, faults

BACKENDS = ("tensorflow", "torch", "jax")
"""What keras 3.15 trains with; it knows openvino and numpy besides, which only predict."""


@check("ENV022", Severity.WARNING, stage=Stage.ENVIRONMENT)
def variable_with_a_wrong_value(environment: Environment) -> Iterator[Finding]:
    """
    A variable of the environment is set to a value that the library which reads it can't use.

    The error comes late, and seldom names the variable: a rank that is no number raises "invalid
    literal for int()", an unknown `KERAS_BACKEND` makes the import of Keras fail as if the package
    were broken, and a GPU that stands twice in `CUDA_VISIBLE_DEVICES` hides all of them.

    Fails:

        environment = {
            "keras": "3.15.1", "torch": "2.13.0", "variables": {"KERAS_BACKEND": "theano"}
        }

    Fails:

        environment = {
            "torch": "2.13.0",
            "variables": {"PYTORCH_ALLOC_CONF": "expandable_segment:True"},
        }

    Passes:

        environment = {
            "keras": "3.15.1",
            "torch": "2.13.0",
            "variables": {"KERAS_BACKEND": "torch", "CUDA_VISIBLE_DEVICES": "0,1", "RANK": "0"},
        }

    See also: <https://keras.io/getting_started/#configuring-your-backend>,
    <https://docs.pytorch.org/docs/stable/notes/cuda.html#environment-variables>.
    """
    variables, versions = environment.variables, environment.versions
    if "KERAS_BACKEND" in variables and version_key(versions.get("keras", "0")) >= (3,):
        yield from _backend(variables["KERAS_BACKEND"], environment)
    if "torch" in versions:
        for name in VARIABLES:
            yield from _allocator(name, variables.get(name, ""))
        yield from _processes(environment)
        yield from _devices(variables.get("CUDA_VISIBLE_DEVICES", ""))
    yield from _threads(variables.get("OMP_NUM_THREADS"))


def _backend(value: str, environment: Environment) -> Iterator[Finding]:
    known = {*BACKENDS, "openvino", "numpy"}
    if not value or (value in known and (value not in BACKENDS or value in environment.versions)):
        return
    there = [name for name in BACKENDS if name in environment.versions]
    remedy = " or ".join(f"export KERAS_BACKEND={name}" for name in there)
    remedy = remedy or "unset KERAS_BACKEND"
    what = (
        "which is no backend of Keras; to import keras raises ValueError: Unable to import "
        f"backend : {value}"
    )
    if value in known:
        remedy = f"pip install {value}, or {remedy}"
        what = (
            f"and {value} is not installed; to import keras raises ModuleNotFoundError: No module "
            f"named '{value}'"
        )
    yield _finding("KERAS_BACKEND", value, what, remedy, Severity.ERROR)


def _allocator(name: str, value: str) -> Iterator[Finding]:
    right = corrected(value)
    for what, _ in faults(value):
        yield _finding(name, value, what, f"export {name}={right}" if right else f"unset {name}")


def _processes(environment: Environment) -> Iterator[Finding]:
    numbers = {}
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "MASTER_PORT"):
        value = environment.variables.get(name)
        if value is None:
            continue
        try:
            numbers[name] = int(value)
        except ValueError:
            what = (
                "which is no number; what starts several processes raises ValueError: invalid "
                "literal for int()"
            )
            remedy = f"unset {name}; torchrun and accelerate launch set it"
            yield _finding(name, value, what, remedy, Severity.ERROR)
    rank, size = numbers.get("RANK"), numbers.get("WORLD_SIZE")
    if rank is not None and size is not None and size > 0 and not 0 <= rank < size:
        what = (
            f"and WORLD_SIZE is {size}, so that ranks go from 0 to {size - 1}; the processes wait "
            "for each other in vain"
        )
        remedy = "unset RANK WORLD_SIZE; torchrun and accelerate launch set them"
        yield _finding("RANK", str(rank), what, remedy, Severity.ERROR)


def _devices(value: str) -> Iterator[Finding]:
    listed = [part.strip() for part in value.split(",") if part.strip()]
    once = list(dict.fromkeys(listed))
    for part in once:
        if listed.count(part) > 1:
            what = f"in which {part} stands {listed.count(part)} times; CUDA then hides all GPUs"
            remedy = f"export CUDA_VISIBLE_DEVICES={','.join(once)}"
            yield _finding("CUDA_VISIBLE_DEVICES", value, what, remedy)
            return


def _threads(value: str | None) -> Iterator[Finding]:
    if not value or all(p.strip().isdecimal() and int(p) for p in value.split(",")):
        return
    name = "OMP_NUM_THREADS"
    what = "which is no number of threads; it is ignored, and each processor gets one"
    yield _finding(name, value, what, f"unset {name}", Severity.NOTE)


def _finding(
    name: str, value: str, what: str, remedy: str, severity: Severity | None = None
) -> Finding:
    return Finding(
        message=f"{name} is {value}, {what}",
        where=Location(key=name),
        evidence={"variable": name, "value": value},
        remedy=remedy,
        severity=severity,
    )
