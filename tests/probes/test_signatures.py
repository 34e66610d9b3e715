"""What constructors take, read from source texts and from the table of known releases."""

from __future__ import annotations

import pytest

from pipedoctor.fact import Unavailable
from pipedoctor.facts import Signatures
from pipedoctor.probes.signatures import FILES, parse

SOURCE = '''
class Other:
    def __init__(self, tokenizer):
        pass


class Trainer(Base):
    """Words."""

    @deprecate_kwarg("tokenizer", new_name="processing_class", version="5.0.0")
    def __init__(
        self,
        model: Model | None = None,
        *,
        args: Arguments = None,
    ) -> None:
        self.x = 1

    def train(self, resume=None):
        pass


@dataclass
class Config(Base):
    length: int = field(default=3)
    kept: str = "a"
'''


def test_parameters_and_what_a_decorator_accepts_still() -> None:
    found = parse(SOURCE, "Trainer")
    assert found["names"] == ["model", "args", "tokenizer"]
    assert not found["open"]


def test_the_fields_of_a_dataclass() -> None:
    found = parse(SOURCE, "Config")
    assert found["fields"] == {"length": ["int", 3], "kept": ["str", "a"]}
    assert found["open"], "a base class may take more"


def test_a_class_that_is_not_there() -> None:
    assert parse(SOURCE, "Missing")["names"] == []


def signature(subject, name: str, **versions):
    return subject(environment=versions).fact(Signatures).of(name)


def test_a_known_release(subject) -> None:
    old = signature(subject, "transformers.Trainer", transformers="4.57.6")
    new = signature(subject, "transformers.Trainer", transformers="5.0.0")
    assert (old.takes("tokenizer"), new.takes("tokenizer")) == (True, False)
    assert new.removed_after("tokenizer") == "4.57.6"


def test_between_releases_that_differ_nothing_is_claimed(subject) -> None:
    between = signature(subject, "trl.SFTTrainer", trl="0.13.0")
    with pytest.raises(Unavailable, match=r"max_seq_length in trl 0\.13\.0 is not known"):
        between.takes("max_seq_length")
    assert between.takes("model")
    assert not between.takes("nonsense")


def test_a_package_that_is_not_installed(subject) -> None:
    with pytest.raises(Unavailable, match="trl is not installed"):
        signature(subject, "trl.SFTTrainer", trl=None)


def test_older_than_anything_known(subject) -> None:
    with pytest.raises(Unavailable, match=r"not known of 4\.1\.0"):
        signature(subject, "transformers.Trainer", transformers="4.1.0")


def test_a_class_that_is_not_looked_up(subject) -> None:
    with pytest.raises(Unavailable, match=r"signature of trl\.Other"):
        signature(subject, "trl.Other", trl="1.16.0")


@pytest.mark.parametrize("name", FILES)
def test_the_source_of_what_is_installed_agrees_with_importing_it(name: str) -> None:
    import inspect
    from importlib import import_module
    from importlib.metadata import version

    package, _, last = name.partition(".")
    pytest.importorskip(package)
    from facts import pipeline

    found = pipeline(environment={package: version(package)}).fact(Signatures).of(name)
    real = inspect.signature(getattr(import_module(package), last)).parameters
    assert found.parameters <= set(real)
    assert found.open or found.parameters == set(real)
