"""Which calls start a training, and after which of them another one may start."""

from __future__ import annotations

import pytest

from pipedoctor.probes.script.reader import read

HEAD = "from transformers import Trainer, AutoModel\nimport keras\nt = Trainer()\n"


def lines(text: str) -> list[int]:
    return [call.line - 3 for call in read(HEAD + text).trainings]


def further(text: str, line: int) -> bool:
    return read(HEAD + text).further_than(line + 3)


@pytest.mark.parametrize(
    "text",
    [
        "t.train()",
        "trainer.train()",
        "self.trainer.train()",
        "my_trainer.fit(model)",
        "m = keras.Sequential([])\nm.fit(x)",
        "m = keras.models.load_model('x')\nm.fit(x)",
        "model.fit(x)",
        "class M(keras.Model): pass\nM().fit(x)",
        "import lightning as L\nL.Trainer().fit(m)",
        "from trl import SFTTrainer\nSFTTrainer().train()",
        "from other import BaseTrainer\nclass T(BaseTrainer): pass\nT().train()",
    ],
)
def test_a_training(text: str) -> None:
    assert len(lines(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "m = AutoModel.from_pretrained('x')\nm.train()",
        "model.train()",
        "from sklearn.svm import SVC\nSVC().fit(x, y)",
        "from sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\nscaler.fit(x)",
        "tokenizer.train(files)",
        "def never():\n    t.train()",
        "g = keras.preprocessing.image.ImageDataGenerator()\ng.fit(x)",
        "t.evaluate()",
        "train()",
    ],
)
def test_no_training(text: str) -> None:
    assert lines(text) == []


def test_a_class_of_the_scripts_own_is_looked_into() -> None:
    text = "class Train" + "er2:\n    def train(self):\n        t.train()\nTrainer2().train()"
    assert lines(text) == [3]
    assert not further(text, 3)


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("t.train()", 1, False),
        ("t.train()\nt.train()", 1, True),
        ("t.train()\nt.train()", 2, False),
        ("for i in r:\n    t.train()", 2, True),
        ("[t.train() for i in r]", 1, True),
        ("if a:\n    t.train()\nelse:\n    t.train()", 2, False),
        ("for i in r:\n  if a:\n    t.train()\n  else:\n    t.train()", 3, True),
        ("def go():\n    t.train()\ngo()", 2, False),
        ("def go():\n    t.train()\ngo()\ngo()", 2, True),
        ("def go():\n    t.train()\nif a:\n    go()\nelse:\n    go()", 2, False),
        ("def go():\n    t.train()\nfor i in r:\n    go()", 2, True),
        ("def go():\n    t.train()\nrun(go)", 2, True),
        ("def a():\n    t.train()\ndef b():\n    t.train()\na()\nb()", 2, True),
        ("def a():\n    t.train()\ndef b():\n    t.train()\na()\nb()", 4, False),
        ("def a():\n    t.train()\ndef b():\n    t.train()\nb()\na()", 2, False),
        ("def a():\n    if x:\n        t.train()\n        return\n    t.train()\na()", 3, False),
        ("t.train(\n    resume_from_checkpoint=True\n)\nx = 1", 2, False),
        ("class R:\n    def go(self):\n        t.train()\nR().go()", 3, False),
        ("class R:\n    def go(self):\n        t.train()\nfor i in r:\n    R().go()", 3, True),
        ("class R:\n    def go(self):\n        t.train()\nelsewhere(R)", 3, True),
    ],
)
def test_whether_another_one_may_follow(text: str, line: int, expected: bool) -> None:
    assert further(text, line) is expected


def test_a_line_that_is_none_of_them() -> None:
    assert further("t.train()", 99)
    assert not read("x = 1").further_than(1)
