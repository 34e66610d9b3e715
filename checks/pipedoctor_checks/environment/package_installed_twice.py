from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Copies, Packages


@check("ENV013", Severity.WARNING, stage=Stage.ENVIRONMENT)
def package_installed_twice(packages: Packages) -> Iterator[Finding]:
    """
    A package of the training stack is installed more than once.

    Two versions in one folder have written their files over each other; which of them runs
    depends on the file. A copy in the user's own folder (`~/.local`) comes before that of the
    environment, whatever is installed there. Two copies in two folders of the environment are a
    note: the first one is used, and it is whole.

    Fails:

        environment = {
            "packages": {
                "copies": [
                    {
                        "package": "transformers",
                        "copies": [
                            ["4.57.6", "/venv/lib/python3.11/site-packages"],
                            ["5.23.0", "/venv/lib/python3.11/site-packages"],
                        ],
                    }
                ]
            }
        }

    Passes:

        environment = {"packages": {"copies": []}}

    See also: <https://docs.python.org/3/library/site.html#site.ENABLE_USER_SITE>.
    """
    for one in packages.copies:
        versions = [version for version, _ in one.copies]
        if one.together:
            yield _finding(
                one,
                f"{one.package} is installed {len(versions)} times in {one.copies[0][1]}, "
                f"as {' and '.join(versions)}: their files are mixed",
                f"pip uninstall {one.package} until it is gone, then pip install {one.package}",
            )
            continue
        used, other = one.copies[0], one.copies[1]
        if len(set(versions)) > 1 and one.user_site:
            yield _finding(
                one,
                f"{one.package} {used[0]} of the user's own folder {used[1]} is used, and hides "
                f"{other[0]} in {other[1]}",
                f"export PYTHONNOUSERSITE=1, or uninstall the copy in {used[1]}",
            )
    yield from _beside(packages.copies)


def _beside(copies: tuple[Copies, ...]) -> Iterator[Finding]:
    """Tell once of each two folders of which the first hides packages of the second."""
    hidden: dict[tuple[str, str], list[str]] = {}
    for one in copies:
        (version, folder), (other, further) = one.copies[:2]
        if not one.together and not one.user_site and version != other:
            hidden.setdefault((folder, further), []).append(f"{one.package} {version} ({other})")
    for (folder, further), names in hidden.items():
        yield Finding(
            message=f"{', '.join(names)}: the first version, in {folder}, is used, and hides the "
            f"other in {further}",
            evidence={"used": folder, "hidden": further, "packages": names},
            remedy="nothing, if this is meant; else uninstall those that are not",
            severity=Severity.NOTE,
        )


def _finding(one: Copies, message: str, remedy: str) -> Finding:
    return Finding(
        message=message,
        evidence={"package": one.package, "copies": [list(copy) for copy in one.copies]},
        remedy=remedy,
    )
