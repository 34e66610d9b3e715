from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import NamedFiles, Settings


@check("DAT024", Severity.ERROR, stage=Stage.ARGUMENTS, explains=("RUN001",))
def named_file_missing(files: NamedFiles, settings: Settings) -> Iterator[Finding]:
    """
    A file or folder that the arguments name does not exist.

    Relative paths start from the folder in which the training is started, not from that of the
    config. `datasets` and Transformers report a missing path late, after their imports, and
    partly as a name that the hub does not know: a model folder that is not there becomes "is
    not a valid model identifier". A `~` is expanded by a shell only, not in a config.

    Fails:

        settings = {"train_file": "no/such/folder/train.csv", "output_dir": "out"}
        files = {"train": "no/such/folder/train.csv"}

    Passes:

        settings = {"model_name_or_path": "bert-base-cased", "output_dir": "out"}
        files = {"model": "bert-base-cased"}
    """
    for argument, path in files.missing.items():
        yield Finding(
            message=f"{argument} names {path}, which does not exist in {files.folder}",
            where=settings.where(argument),
            evidence={"argument": argument, "path": path, "folder": files.folder},
            remedy=_remedy(path),
        )


def _remedy(path: str) -> str:
    if path.startswith("~"):
        return (
            "write the home folder out, as in /home/you/model: nothing expands the ~ of a config"
        )
    return "correct the path, or run this in the folder where the training is started"
