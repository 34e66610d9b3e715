import re
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Script

_BACKENDS = ("jax", "torch")  # tensorflow comes under several names of packages
_STATED = re.compile(r"""environ\[["']KERAS_BACKEND["']\]\s*=\s*["'](\w+)["']""")


@check("KER032", Severity.ERROR, stage=Stage.ENVIRONMENT, explains=("RUN001",))
def backend_not_installed(script: Script, environment: Environment) -> Iterator[Finding]:
    """
    Keras is to compute with a backend that is not installed.

    Keras 3 computes with TensorFlow, torch or JAX, whichever KERAS_BACKEND names, and imports it
    when it is imported itself. That ends there if the package is missing.

    Fails:

        environment = {"keras": "3.10.0", "jax": None, "variables": {"KERAS_BACKEND": "jax"}}
        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(1)])
        '''

    Passes:

        environment = {"keras": "3.10.0", "jax": "0.7.0", "variables": {"KERAS_BACKEND": "jax"}}
        script = '''
        import keras

        model = keras.Sequential([keras.layers.Dense(1)])
        '''

    See also: <https://keras.io/getting_started/#configuring-your-backend>.
    """
    used = next((one for one in script.imports if one.name.partition(".")[0] == "keras"), None)
    if used is None or not environment.versions.get("keras", "").startswith("3."):
        return
    stated = [found[1] for line in script.lines if (found := _STATED.search(line))]
    backend = (stated or [environment.variables.get("KERAS_BACKEND", "")])[0]
    if backend not in _BACKENDS or backend in environment.versions:
        return
    yield Finding(
        message=f"KERAS_BACKEND is {backend}, and the package {backend} is not installed: "
        "to import keras raises ModuleNotFoundError",
        where=used.where,
        evidence={"backend": backend, "keras": environment.versions["keras"]},
        remedy=f"pip install {backend}",
        alternatives=tuple(
            f"KERAS_BACKEND={one}" for one in _BACKENDS if one in environment.versions
        ),
    )
