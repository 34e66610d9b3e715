from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Companions

CLOSE = 0.85
"""How like a known key one must be to count as a slip of the pen: one letter in seven."""


@check(
    "ENV011",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        r"The config file at .* had unknown keys": "delete the keys it lists, or write the names that this version knows",
    },
)
def accelerate_key_unknown(companions: Companions) -> Iterator[Finding]:
    """
    The config of accelerate has a key that accelerate does not know, at which it stops.

    `accelerate launch` reads its config before anything else, and raises `ValueError: … had
    unknown keys` for a key of a newer version, or a misspelt one. Keys within `deepspeed_config`,
    `fsdp_config` and the like are not judged.

    Fails:

        settings = {"output_dir": "out"}
        launch_config = {"accelerate": {"compute_environment": "LOCAL_MACHINE", "num_proceses": 8}}

    Passes:

        settings = {"output_dir": "out"}
        launch_config = {"accelerate": {"compute_environment": "LOCAL_MACHINE", "num_processes": 8}}

    See also: <https://huggingface.co/docs/accelerate/package_reference/cli>.
    """
    for statement in companions.unknown:
        close = get_close_matches(statement.key, sorted(companions.known_keys), 1, CLOSE)
        yield Finding(
            message=f"{statement.key} is no key of accelerate {companions.accelerate}"
            + (f"; {close[0]} is" if close else "")
            + ", and accelerate launch stops at it",
            where=statement.where,
            evidence={"key": statement.key, "accelerate": companions.accelerate},
            remedy=f"write {close[0]} instead" if close else "delete the key",
            severity=None if companions.installed else Severity.WARNING,
        )
