from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Packages
from pipedoctor_checks.versions._pairs import Pair, findings

PAIRS = (
    Pair(
        "torch",
        ("", "2.2"),
        "numpy",
        ("2.0", ""),
        "torch was compiled for NumPy 1; it says so when it is imported, and tensors and arrays "
        "can't be made of each other",
        'pip install "numpy<2", or torch from 2.3 on',
        "https://github.com/pytorch/pytorch/issues/107302",
    ),
    Pair(
        "peft",
        ("0.16.0", "0.17"),
        "transformers",
        ("5.23.0", ""),
        "to import peft raises ImportError: cannot import name 'HybridCache' from 'transformers'",
        'pip install --upgrade "peft>=0.18"',
        "sources of peft 0.16.0, 0.17.1 and transformers 5.23.0",
    ),
    Pair(
        "trl",
        ("0.7.11", "0.7"),
        "transformers",
        ("4.39.3", ""),
        "to import trl raises ImportError: cannot import name 'top_k_top_p_filtering' from "
        "'transformers'",
        "pip install --upgrade trl",
        "sources of trl 0.7.11 and transformers 4.38.2 (fits) and 4.39.3",
    ),
    Pair(
        "bitsandbytes",
        ("0.41.3", "0.44"),
        "torch",
        ("2.6", ""),
        "to import bitsandbytes raises ModuleNotFoundError: No module named 'triton.ops', which "
        "the triton of this torch is without",
        'pip install --upgrade "bitsandbytes>=0.45"',
        "https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1492",
    ),
    Pair(
        "transformers",
        ("4.46.3", "4.57"),
        "keras",
        ("3", ""),
        "where TensorFlow is installed and tf-keras is not, to import Trainer raises ValueError: "
        "Your currently installed version of Keras is Keras 3, but this is not yet supported",
        "pip install tf-keras, or export USE_TF=0 where TensorFlow is not to be used",
        "sources of transformers 4.46.3, 4.51.3 and 4.57.6; tried with the last",
        beside="tensorflow",
        unless="tf_keras",
    ),
)

YES = frozenset({"1", "ON", "YES", "TRUE"})
"""What transformers takes for a yes in USE_TF and USE_TORCH."""


@check("VER018", Severity.ERROR, stage=Stage.ENVIRONMENT)
def packages_known_to_break_together(
    environment: Environment, packages: Packages
) -> Iterator[Finding]:
    """
    Two installed packages are known to break each other, although their metadata allow the pair.

    A package can't foresee what a later release of another one will remove. The pairs are those
    whose sources were read, or whose error is on record; what is not in the table may break too.
    Those of accelerate are told by VER011.

    Fails:

        environment = {"torch": "2.2.2", "numpy": "2.1.0", "packages": {}}

    Fails:

        environment = {
            "transformers": "4.57.6",
            "tensorflow": "2.19.0",
            "keras": "3.10.0",
            "tf_keras": None,
            "variables": {},
            "packages": {},
        }

    Passes:

        environment = {"torch": "2.3.0", "numpy": "2.1.0", "packages": {}}

    See also: <https://github.com/pytorch/pytorch/issues/107302>,
    <https://github.com/bitsandbytes-foundation/bitsandbytes/issues/1492>.
    """
    del packages  # a whole environment is looked at: a run may do without either of a pair
    versions = dict(environment.versions)
    if _without_tensorflow(environment.variables):
        versions.pop("tensorflow", None)
    yield from findings(PAIRS, versions)


def _without_tensorflow(variables: Mapping[str, str]) -> bool:
    """Whether transformers leaves TensorFlow alone although it is installed."""
    wanted, torch = (variables.get(name, "AUTO").upper() for name in ("USE_TF", "USE_TORCH"))
    return wanted not in {*YES, "AUTO"} or torch in YES
