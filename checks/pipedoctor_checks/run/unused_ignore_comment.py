from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import IgnoreComments, UselessComment


@check("RUN004", Severity.NOTE, stage=Stage.ARGUMENTS)
def unused_ignore_comment(comments: IgnoreComments) -> Iterator[Finding]:
    """
    A comment asks for a finding to be ignored that is not there.

    `# pipedoctor: ignore[HYP003]` on the line of a finding, or `# pipedoctor: ignore-file[HYP003]`
    anywhere in the file, says that somebody has looked at it and accepts it. Once the value is
    mended, the comment stays behind, and hides the same fault when it comes back. A comment is
    only told of if each check that it names came to an answer: one that was skipped, say for want
    of depth, might have found something there.

    Fails:

        run = {"comments": [{"line": 12, "codes": ["HYP003"], "unused": ["HYP003"]}]}

    Passes:

        run = {"comments": []}
    """
    for comment in comments.useless:
        yield Finding(
            message=_message(comment),
            where=comment.where,
            evidence={
                "codes": list(comment.codes),
                "unused": list(comment.unused),
                "unknown": list(comment.unknown),
            },
            remedy=_remedy(comment),
        )


def _message(comment: UselessComment) -> str:
    place = "in this file" if comment.whole_file else f"on line {comment.where.line}"
    if not comment.codes:
        return f"The comment {place} names 0 codes, so it ignores nothing"
    told = []
    if comment.unused:
        told.append(f"{', '.join(comment.unused)} found nothing {place}")
    if comment.unknown:
        told.append(f"there is no check {', '.join(comment.unknown)}")
    return f"The comment ignores {', '.join(comment.codes)}, but {', and '.join(told)}"


def _remedy(comment: UselessComment) -> str:
    word = "ignore-file" if comment.whole_file else "ignore"
    if not comment.codes:
        return f"name the code of a finding: # pipedoctor: {word}[HYP003]; or delete the comment"
    useless = {*comment.unused, *comment.unknown}
    left = [code for code in comment.codes if code not in useless]
    return f"write # pipedoctor: {word}[{','.join(left)}]" if left else "delete the comment"
