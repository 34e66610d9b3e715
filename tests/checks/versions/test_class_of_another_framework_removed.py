import re

import pytest
from facts import outcome

from pipedoctor.finding import Confidence, Severity
from pipedoctor.report import Status
from pipedoctor_checks.versions.class_of_another_framework_removed import (
    class_of_another_framework_removed as check,
)


def told(text, version="5.23.0"):
    return outcome(check, script=text, environment={"transformers": version})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("from transformers import TFAutoModel", "TFAutoModel"),
        ("from transformers import FlaxBertModel as B\nB.from_pretrained('x')", "FlaxBertModel"),
        ("import transformers\ntransformers.TFBertModel.from_pretrained('x')", "TFBertModel"),
        ("from transformers.keras_callbacks import PushToHubCallback", "PushToHubCallback"),
        ("from transformers import create_optimizer", "create_optimizer"),
    ],
)
def test_each_is_told_once(text, name):
    (finding,) = told(text).findings
    assert finding.evidence["name"] == name


@pytest.mark.parametrize(
    "text",
    [
        "from transformers import AutoModel, TrainingArguments",
        "from mine import TFAutoModel",
        "try:\n    from transformers import TFAutoModel\nexcept ImportError:\n    TFAutoModel = None",
        "from transformers import Trainer\nt = Trainer()\nt.create_optimizer()",
        "def unused():\n    from transformers import TFAutoModel",
        "import tensorflow as tf",
    ],
)
def test_what_is_no_fault(text):
    assert told(text).status is Status.PASSED


def test_a_script_for_several_frameworks_is_not_accused_aloud():
    (finding,) = told("if framework == 'tf':\n    from transformers import TFAutoModel").findings
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.LOW)


def test_version_4_has_them():
    text = "from transformers import TFAutoModel"
    assert told(text, "4.57.6").status is Status.PASSED
    assert told(text, "4.99.0").status is Status.SKIPPED
    assert told(text, None).reason == "transformers is not installed"


def test_the_errors_are_those_of_the_installed_version():
    transformers = pytest.importorskip("transformers")
    if transformers.__version__.startswith("4."):
        pytest.skip("version 4 has them")
    with pytest.raises(ImportError) as by_name:
        exec("from transformers import TFAutoModel")
    with pytest.raises(AttributeError) as by_attribute:
        _ = transformers.TFAutoModel
    for raised in (by_name, by_attribute):
        assert any(re.search(pattern, str(raised.value)) for pattern in check.symptoms)
