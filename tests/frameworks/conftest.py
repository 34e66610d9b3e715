"""A real model, real texts, and small models for what needs no sense."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pipelines import write_csv
from resources import minilm, reuters

CLASSES = ["acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade"]

LACKING = [name for name in ("torch", "transformers", "datasets") if find_spec(name) is None]


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out what can't run here; the tests of Keras need none of the three."""
    apart = "keras" in collection_path.relative_to(Path(__file__).parent).parts
    return True if LACKING and not apart else None


def pytest_report_header() -> str | None:
    return f"tests/frameworks: only those of Keras, without {LACKING}" if LACKING else None


@pytest.fixture(scope="session")
def model_folder() -> str:
    return str(minilm())


@pytest.fixture(scope="session")
def texts() -> list[tuple[str, int]]:
    """Texts of Reuters with the number of their class plus 4: numbers, but not from 0."""
    return [(text, CLASSES.index(label) + 4) for label, text in reuters()]


@pytest.fixture
def reuters_csv(tmp_path: Path, texts: list[tuple[str, int]]) -> Callable[..., str]:
    def write(name: str = "train.csv", rows: slice = slice(200)) -> str:
        return write_csv(tmp_path / name, texts[rows], "sentence", "label")

    return write


@pytest.fixture
def tiny() -> Callable[..., Any]:
    """A model of a few thousand parameters, of any class of transformers."""
    import transformers

    def build(kind: str = "BertForSequenceClassification", **config: Any) -> Any:
        small = {
            "vocab_size": 100,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 16,
            "max_position_embeddings": 32,
        }
        family = getattr(transformers, kind)
        return family(family.config_class(**{**small, **config}))

    return build
