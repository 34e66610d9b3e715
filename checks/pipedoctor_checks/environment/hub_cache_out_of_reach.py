from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import HubHome
from pipedoctor.finding import Location


@check("ENV023", Severity.WARNING, stage=Stage.ENVIRONMENT)
def hub_cache_out_of_reach(hub: HubHome) -> Iterator[Finding]:
    """
    The folder of the hub's cache does not exist, and can't be made.

    Models and data sets that are named as they stand on the hub are downloaded into it, so each
    `from_pretrained` of such a name raises an error of the file system. Nothing is said where the
    libraries are kept from the network.

    Fails:

        environment = {
            "hub": {
                "path": "/scratch/hf/hub",
                "by": "HF_HOME",
                "exists": False,
                "barred": "this user may not write to /scratch",
            }
        }

    Passes:

        environment = {"hub": {"path": "/scratch/hf/hub", "by": "HF_HOME", "exists": False}}

    See also: <https://huggingface.co/docs/huggingface_hub/package_reference/environment_variables>.
    """
    if not hub.barred or hub.offline:
        return
    by = f" (by {hub.by})" if hub.by else ""
    yield Finding(
        message=f"the hub's cache, {hub.path}{by}, can't be made: {hub.barred}",
        where=Location(key=hub.by or "HF_HOME"),
        evidence={"path": hub.path, "by": hub.by, "why": hub.barred},
        remedy=f"export {hub.by or 'HF_HOME'}=FOLDER, one that can be written to"
        + (f", or unset {hub.by}" if hub.by else ""),
    )
