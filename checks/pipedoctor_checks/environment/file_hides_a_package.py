from __future__ import annotations

import sys
from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Packages
from pipedoctor.finding import Location


@check("ENV014", Severity.WARNING, stage=Stage.ENVIRONMENT)
def file_hides_a_package(packages: Packages) -> Iterator[Finding]:
    """
    The working directory holds a file with the name of a package that training imports.

    The folder of a script comes first on the path. A `datasets.py` or `random.py` there is
    imported instead of the package, by the libraries as well, and the error speaks of a "circular
    import" or a missing name far away from it. Names that nothing but the script itself would
    import, `evaluate.py` for one, are not told.

    Fails:

        environment = {"packages": {"hidden": {"datasets.py": "datasets"}}}

    Passes:

        environment = {"packages": {"hidden": {}}}

    See also: <https://docs.python.org/3/library/sys_path_init.html>.
    """
    for file, package in packages.hidden.items():
        own = package in sys.stdlib_module_names
        stem, _, kind = file.partition(".")
        new = f"my_{stem}" + (f".{kind}" if kind else "")
        yield Finding(
            message=f"{file} of the working directory is imported instead of "
            f"{'the module of Python' if own else 'the package'} {package} by scripts that lie here",
            where=Location(file=file),
            evidence={"file": file, "package": package},
            remedy=f"git mv {file} {new}",
        )
