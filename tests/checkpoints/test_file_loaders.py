"""Which calls load a file: only of what was read to its end is anything told."""

import pytest

from pipedoctor.checkpoints.contents import Contents, Family, Verdict
from pipedoctor.checkpoints.file_loaders import of_file
from pipedoctor.facts import StoredFile

VERSIONS = {"torch": "2.13.0", "safetensors": "0.8.0", "numpy": "2.3.0"}
OF_PICKLES = (Family.PICKLE, Family.TORCH, Family.TORCHSCRIPT, Family.EXPORT, Family.NUMPY)


def calls(form, verdict):
    contents = Contents(form, verdict, offender="os.system")
    return list(of_file(StoredFile("a.pt", "a.pt", 9, contents), VERSIONS))


@pytest.mark.parametrize("verdict", [Verdict.UNSAFE, Verdict.MALFORMED, Verdict.UNSUPPORTED])
@pytest.mark.parametrize("family", OF_PICKLES)
def test_nothing_is_told_of_a_file_that_is_unsafe_or_not_understood(family, verdict):
    for form in family.value:
        assert not calls(form, verdict)
        assert calls(form, Verdict.ALLOWED)


def test_what_is_packed_is_no_pickle_to_open():
    assert not calls("pickle packed with gzip", Verdict.ALLOWED)


def test_only_plain_values_are_called_so():
    (first, *_) = calls("pickle", Verdict.ALLOWED)
    assert first.note == "it names nothing but plain values"
    assert [way.note for way in calls("pickle", Verdict.NEEDS_TRUST)] == [
        "runs what the file says, os.system among it: only if it is your own"
    ]
