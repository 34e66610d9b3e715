from __future__ import annotations

import pytest

from pipedoctor.facts import Environment, Packages
from pipedoctor_checks.versions.accelerate_unfit_for_transformers import (
    accelerate_unfit_for_transformers,
)
from pipedoctor_checks.versions.packages_known_to_break_together import (
    packages_known_to_break_together,
)


@pytest.mark.parametrize(
    ("transformers", "accelerate", "fits"),
    [
        ("4.36.2", "0.34.2", True),
        ("4.36.2", "1.0.1", False),
        ("4.37.2", "1.15.0", False),
        ("4.38.2", "1.0.1", True),  # not looked up: nothing is said
        ("4.51.3", "1.2.1", True),
        ("4.52.4", "1.2.1", False),
        ("4.52.4", "1.3.0", True),
        ("5.23.0", "0.34.2", False),
        ("5.23.0", "1.15.0", True),
    ],
)
def test_accelerate_and_transformers(transformers, accelerate, fits):
    versions = {"transformers": transformers, "accelerate": accelerate, "torch": "2.2.0"}
    assert (not list(accelerate_unfit_for_transformers(Environment("3.11", versions)))) is fits


@pytest.mark.parametrize(
    ("versions", "fits"),
    [
        ({"torch": "2.2.2+cu121", "numpy": "2.0.0"}, False),
        ({"torch": "2.2.2", "numpy": "1.26.4"}, True),
        ({"torch": "2.3.0", "numpy": "2.4.6"}, True),
        ({"peft": "0.17.1", "transformers": "5.23.0"}, False),
        ({"peft": "0.18.0", "transformers": "5.23.0"}, True),
        ({"trl": "0.7.11", "transformers": "5.23.0"}, False),
        ({"bitsandbytes": "0.44.1", "torch": "2.6.0"}, False),
        ({"bitsandbytes": "0.45.5", "torch": "2.6.0"}, True),
        ({"numpy": "2.4.6"}, True),
    ],
)
def test_other_pairs(versions, fits):
    assert says_nothing(versions) is fits


WITHOUT = {"transformers": "4.57.6", "tensorflow": "2.19.0", "keras": "3.10.0"}


@pytest.mark.parametrize(
    ("more", "variables", "fits"),
    [
        ({}, {}, False),
        ({"tf_keras": "2.19.0"}, {}, True),
        ({"keras": "2.15.0"}, {}, True),
        ({"transformers": "5.0.0"}, {}, True),
        ({}, {"USE_TF": "0"}, True),
        ({}, {"USE_TORCH": "true"}, True),
        ({}, {"USE_TF": "auto"}, False),
    ],
)
def test_keras_three_where_transformers_knows_of_two(more, variables, fits):
    assert says_nothing({**WITHOUT, **more}, variables) is fits


def test_without_tensorflow_nothing_asks_for_keras():
    assert says_nothing({n: v for n, v in WITHOUT.items() if n != "tensorflow"})


def says_nothing(versions, variables=None):
    packages = Packages("3.11", "/venv", versions)
    environment = Environment("3.11", versions, variables=variables or {})
    return not list(packages_known_to_break_together(environment, packages))
