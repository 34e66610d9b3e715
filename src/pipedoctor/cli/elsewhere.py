"""`--target transformers=4.57`: what would be found where other versions are installed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipedoctor.examination import HERE
from pipedoctor.options import Options, UsageError
from pipedoctor.probes.environment import FIGURES, PACKAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipedoctor.targets import Target


def with_versions(
    target: Target, options: Options, asked: Mapping[str, str]
) -> tuple[Target, Options]:
    """
    Return the target as it would stand in an environment with these versions, and what is said.

    Whatever needs data or model would load them with what is installed here: it is left out.

    Raises:
        UsageError: A name is none of the packages whose versions matter.

    """
    from pipedoctor.probes import installed

    for name in asked:
        if name not in PACKAGES:
            raise UsageError(f"--target knows {', '.join(PACKAGES)}, not {name}")
    here = installed.versions(asked)
    versions = {name: completed(name, version) for name, version in asked.items()}
    told = "; ".join(
        f"{name} {version} ({here.get(name, 'none')} is installed here)"
        for name, version in versions.items()
    )
    stated = target.parts.get("environment", {})
    problem = f"judged as with {told}: arguments and files only, nothing is loaded"
    return (
        replace(
            target,
            parts=target.parts.also(
                environment={**stated, **versions, FORMER: {**here, **stated.get(FORMER, {})}}
            ),
            problems=(*target.problems, problem),
        ),
        replace(options, depth=min(options.depth, HERE)),
    )


def completed(name: str, version: str) -> str:
    """
    Return the newest known release that a version stands for: 4.57 is 4.57.6.

    A version of three numbers, or one of which no release is known, is taken as it is.
    """
    from pipedoctor.facts.arguments import version_key

    parts = version_key(version)
    if len(parts) > 2:
        return version
    known = _known(name)
    fitting = [one for one in known if version_key(one)[: len(parts)] == parts]
    return max(fitting, key=version_key, default=version)


def _known(name: str) -> list[str]:
    if name == "transformers":
        from pipedoctor.probes import releases

        return list(releases.load().releases)
    from pipedoctor.probes import signatures

    return [
        r for row in signatures.table().items() if row[0].startswith(f"{name}.") for r in row[1]
    ]


FORMER = "installed"
assert FORMER in FIGURES, "what the environment may hold besides versions"
