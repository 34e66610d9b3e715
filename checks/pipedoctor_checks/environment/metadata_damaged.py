from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Packages
from pipedoctor.finding import Location


@check("ENV019", Severity.NOTE, stage=Stage.ENVIRONMENT)
def metadata_damaged(packages: Packages) -> Iterator[Finding]:
    """
    The metadata of an installed package can't be read, or are not there.

    An installation that was interrupted leaves a folder `name.dist-info` that is empty or cut off.
    pip then does not know that the package is there, and libraries that ask for its version by
    `importlib.metadata`, as transformers does to learn whether torch is there, get None or an
    error. A package that was copied has none at all.

    Fails:

        environment = {
            "packages": {"damaged": {"/venv/lib/torch-2.9.0.dist-info": "it has no METADATA"}}
        }

    Passes:

        environment = {"packages": {"damaged": {}}}

    See also: <https://packaging.python.org/en/latest/specifications/recording-installed-packages/>.
    """
    for path, reason in packages.damaged.items():
        last = path.replace("\\", "/").rpartition("/")[2]
        name = last.partition("-")[0].lstrip("~")
        remove = f"rm -r {path}; " if last.endswith("-info") else ""
        yield Finding(
            message=f"{path}: {reason}",
            where=Location(file=path),
            evidence={"path": path, "reason": reason},
            remedy=f"{remove}pip install --force-reinstall --no-deps {name}",
        )
