from __future__ import annotations

import pytest

from pipedoctor import Location
from pipedoctor.facts import IgnoreComments, UselessComment
from pipedoctor_checks.run.unused_ignore_comment import unused_ignore_comment

HERE = Location("c.yaml", 7, source="# pipedoctor: …")


@pytest.mark.parametrize(
    ("comment", "message", "remedy"),
    [
        (
            UselessComment(("HYP003",), ("HYP003",), where=HERE),
            "The comment ignores HYP003, but HYP003 found nothing on line 7",
            "delete the comment",
        ),
        (
            UselessComment(("HYP003", "LAB"), ("LAB",), where=HERE, whole_file=True),
            "The comment ignores HYP003, LAB, but LAB found nothing in this file",
            "write # pipedoctor: ignore-file[HYP003]",
        ),
        (
            UselessComment(("HYP003", "ZZZ"), ("HYP003",), ("ZZZ",), HERE),
            (
                "The comment ignores HYP003, ZZZ, but HYP003 found nothing on line 7, and there is "
                "no check ZZZ"
            ),
            "delete the comment",
        ),
        (
            UselessComment(where=HERE),
            "The comment on line 7 names 0 codes, so it ignores nothing",
            "name the code of a finding: # pipedoctor: ignore[HYP003]; or delete the comment",
        ),
    ],
)
def test_each_says_what_is_of_no_use_and_what_is_left(
    comment: UselessComment, message: str, remedy: str
) -> None:
    (told,) = unused_ignore_comment(IgnoreComments((comment,)))
    assert (told.message, told.remedy, told.where) == (message, remedy, HERE)


def test_nothing_is_said_of_none() -> None:
    assert list(unused_ignore_comment(IgnoreComments(()))) == []


def test_the_progress_speaks_of_them_in_words() -> None:
    from pipedoctor.facts.ignore_comments import IgnoreComments

    assert IgnoreComments.doing == "Comparing the ignore comments with what was found"
