from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Environment, Script
from pipedoctor.facts.arguments import version_key

LAST = "3.6.0"
"""The last release of `datasets` that ran a data set's own script; 4.0.0 does not."""


@check(
    "DAT010",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"Dataset scripts are no longer supported, but found": (
            'load a version of the data in files that hold rows: load_dataset(name, revision="refs/'
            'convert/parquet") where the Hub has converted it, or pip install "datasets<4"'
        ),
    },
)
def loading_script_refused(script: Script, machine: Environment) -> Iterator[Finding]:
    """
    A data set is loaded by a script of its own, which `datasets` 4 refuses to run.

    Until 3.6 a data set could come with a Python file that made its rows, and `load_dataset` ran
    it, asked for `trust_remote_code=True` at last. Since 4.0 it raises "Dataset scripts are no
    longer supported". Most data sets on the Hub were converted to Parquet; for these the argument
    has no effect, and is told as a note.

    Fails:

        environment = {"datasets": "5.0.1"}
        script = '''
        from datasets import load_dataset

        data = load_dataset("corpora/my_corpus.py", split="train")
        '''

    Passes:

        environment = {"datasets": "3.6.0"}
        script = '''
        from datasets import load_dataset

        data = load_dataset("corpora/my_corpus.py", split="train", trust_remote_code=True)
        '''

    Passes:

        environment = {"datasets": "5.0.1"}
        script = '''
        from datasets import load_dataset

        data = load_dataset("csv", data_files="train.csv", split="train")
        '''

    See also: <https://github.com/huggingface/datasets/issues/7693>.
    """
    version = machine.versions.get("datasets")
    if version is None or version_key(version) <= version_key(LAST):
        return
    for call in script.called("datasets.load_dataset", "datasets.load_dataset_builder"):
        if call.place.runs == "never":
            continue
        path = call.argument("path", 0)
        name = None if path is None else path.get()
        trusting = call.argument("trust_remote_code")
        if isinstance(name, str) and name.endswith(".py"):
            yield Finding(
                message=f"Line {call.line} loads the data set by the script {name}, which datasets "
                f"{version} does not run; {LAST} was the last release that did",
                where=call.where,
                evidence={"path": name, "datasets": version},
                remedy='keep the rows in files: with "datasets<4" installed once, '
                f'load_dataset("{name}").save_to_disk("data"); then load_from_disk("data") here',
                alternatives=('pip install "datasets<4"',),
                severity=None if call.place.runs == "always" else Severity.WARNING,
            )
        elif trusting is not None and trusting.get() is True:
            yield Finding(
                message=f"trust_remote_code=True has no effect in datasets {version}, which runs no "
                f"data set's own code; {LAST} was the last release that did",
                where=trusting.where,
                evidence={"datasets": version},
                remedy='leave trust_remote_code out; if the data set is a script, add revision="refs/'
                'convert/parquet" or pip install "datasets<4"',
                severity=Severity.NOTE,
            )
