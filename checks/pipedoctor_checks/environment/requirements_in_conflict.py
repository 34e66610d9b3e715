from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Packages


@check(
    "ENV008",
    Severity.WARNING,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"is required for a normal functioning of this module, but found": "install the version "
        "that the text asks for, then see what `pipedoctor env` says",
    },
)
def requirements_in_conflict(packages: Packages) -> Iterator[Finding]:
    """
    An installed package is of another version than one that uses it declares to need.

    This is what `pip check` tells, of the packages that train models only. Whoever installs one
    package after another, or with `--no-deps`, gets there: pip says it once, at the end of a long
    page. What transformers looks at when it is imported is an error, since it then raises; all
    else may work until the missing function is called.

    Fails:

        environment = {
            "transformers": "5.23.0",
            "tokenizers": "0.20.3",
            "packages": {
                "conflicts": [
                    {
                        "package": "tokenizers",
                        "version": "0.20.3",
                        "needed_by": {"transformers 5.23.0": "<=0.24.0,>=0.22.0"},
                        "together": "<=0.24.0,>=0.22.0",
                        "stops": True,
                    }
                ]
            },
        }

    Passes:

        environment = {
            "transformers": "5.23.0",
            "tokenizers": "0.23.3",
            "packages": {"conflicts": []},
        }

    See also: <https://pip.pypa.io/en/stable/cli/pip_check/>.
    """
    for conflict in packages.conflicts:
        asked = "; ".join(
            f"{name} needs {conflict.package}{bound}" for name, bound in conflict.needed_by.items()
        )
        there = f"{conflict.version} is installed" if conflict.version else "it is not installed"
        stops = ", and its import raises an error" if conflict.stops else ""
        yield Finding(
            message=f"{asked}; {there}{stops}",
            evidence={
                "package": conflict.package,
                "version": conflict.version,
                "needed_by": dict(conflict.needed_by),
            },
            remedy=f'pip install "{conflict.package}{conflict.together}"',
            severity=Severity.ERROR if conflict.stops else None,
        )
