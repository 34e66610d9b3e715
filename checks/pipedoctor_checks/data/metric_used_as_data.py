from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Call, Script

_DATA_METHODS = (
    ".map", ".filter", ".shuffle", ".select", ".train_test_split", ".rename_column",
    ".remove_columns", ".set_format", ".with_format", ".to_tf_dataset", ".cast_column",
)  # fmt: skip


@check(
    "DAT030",
    Severity.ERROR,
    stage=Stage.DATA,
    symptoms={
        r"'\w+' object has no attribute '(map|train_test_split|column_names)'": (
            "datasets.load_dataset loads data; evaluate.load loads a metric"
        )
    },
)
def metric_used_as_data(script: Script) -> Iterator[Finding]:
    """
    A metric is loaded where data is meant: `evaluate.load` in the place of `load_dataset`.

    Both take names like "glue", "mnli", so the line itself works. What comes of it is a metric,
    which has no rows: the first `map`, or the first split that is asked for, raises.

    Fails:

        script = '''
        import evaluate

        raw_datasets = evaluate.load("glue", "mnli")
        tokenized = raw_datasets.map(tokenise, batched=True)
        '''

    Passes:

        script = '''
        import evaluate
        from datasets import load_dataset

        raw_datasets = load_dataset("glue", "mnli")
        tokenized = raw_datasets.map(tokenise, batched=True)
        metric = evaluate.load("glue", "mnli")
        '''

    See also: <https://huggingface.co/learn/llm-course/chapter8/4>.
    """
    seen: set[int] = set()
    for use in script.calls:
        for metric in _metrics(script, use):
            if metric.number in seen or metric.place.runs == "never":
                continue
            seen.add(metric.number)
            given = ", ".join(value.text for value in metric.arguments.values())
            yield Finding(
                message=f"Line {metric.line} loads a metric by {metric.text}({given}), and line "
                f"{use.line} takes it for data: {use.text}(…)",
                where=metric.where,
                evidence={"line": metric.line, "used": use.line, "call": use.text},
                remedy=f"datasets.load_dataset({given}) in line {metric.line}",
                severity=None if use.place.runs == "always" else Severity.WARNING,
            )


def _metrics(script: Script, use: Call) -> tuple[Call, ...]:
    """Return the metrics whose method is called as if they were data."""
    if not use.text.endswith(_DATA_METHODS):
        return ()
    makers = script.receivers(use)
    return makers if len(makers) == 1 and makers[0].is_a("evaluate.load") else ()
