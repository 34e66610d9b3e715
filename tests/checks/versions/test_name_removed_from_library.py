import pytest
from facts import outcome

from pipedoctor.report import Status
from pipedoctor_checks.versions.name_removed_from_library import GONE
from pipedoctor_checks.versions.name_removed_from_library import name_removed_from_library as check

NEW = {"transformers": "5.23.0", "datasets": "5.2.0"}


@pytest.mark.parametrize("full", GONE)
def test_each_import_is_told(full):
    package, _, name = full.partition(".")
    text = f"from {package} import {name}"
    (finding,) = outcome(check, script=text, environment=NEW).findings
    assert finding.evidence["name"] == full
    assert finding.remedy == GONE[full][1]


@pytest.mark.parametrize(
    "text",
    [
        "from torch.optim import AdamW",
        "try:\n    from transformers import AdamW\nexcept ImportError:\n    AdamW = None",
        "def unused():\n    from transformers import AdamW",
    ],
)
def test_what_is_no_fault(text):
    assert outcome(check, script=text, environment=NEW).status is Status.PASSED


def test_older_releases_are_not_judged():
    text = "from transformers import AdamW"
    told = outcome(check, script=text, environment={"transformers": "4.40.2"})
    assert told.status is Status.SKIPPED


@pytest.mark.parametrize("full", GONE)
def test_the_installed_packages_lack_them(full):
    package, _, name = full.partition(".")
    assert not hasattr(pytest.importorskip(package), name)
