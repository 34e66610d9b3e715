"""
How long a scan of all rows takes, as a ratio to reading the columns that it looks at once.

    python benchmarks/scans.py [--rows 400000 10000000] [--rounds 5] [--save]

The table is a memory-mapped Arrow file, as `datasets` keeps it, in record batches of 1,000 rows
(what its writer makes), with 8 classes and 8 to 24 tokens a row.
"""

from __future__ import annotations

import argparse
import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import Dataset, disable_progress_bars
from measuring import report, side_by_side, timed

from pipedoctor import Split, frameworks
from pipedoctor.facts import Duplicates, LabelOrder, Labels, Lengths, Samples, TokenRows
from pipedoctor.parts import Parts
from pipedoctor.pipeline import Pipeline

BATCH = 1_000


def write(path: Path, rows: int) -> None:
    """Write a table of token ids and labels."""
    random = np.random.default_rng(0)
    schema = pa.schema({"input_ids": pa.list_(pa.int32()), "labels": pa.int64()})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        for _ in range(0, rows, BATCH):
            lengths = random.integers(8, 25, BATCH)
            offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32))
            ids = pa.array(random.integers(0, 30_000, int(lengths.sum()), dtype=np.int32))
            labels = pa.array(random.integers(0, 8, BATCH))
            arrays = [pa.ListArray.from_arrays(offsets, ids), labels]
            writer.write_batch(pa.record_batch(arrays, schema=schema))


def read_once(data: Dataset) -> int:
    """Touch every byte of the labels, and of the offsets that hold the lengths."""
    total = 0
    for chunk in data.data.table.column("labels").chunks:
        total += int(np.frombuffer(chunk.buffers()[1], np.int64).sum())
    for chunk in data.data.table.column("input_ids").chunks:
        total += int(np.frombuffer(chunk.buffers()[1], np.int32).sum())
    return total


def read_whole(data: Dataset) -> int:
    """Touch every byte of the token ids too."""
    total = read_once(data)
    for chunk in data.data.table.column("input_ids").chunks:
        total += int(np.frombuffer(chunk.buffers()[3], np.int32).sum())
    return total


def scan(data: Dataset, fact: Any, split: Split = Split.TRAIN) -> None:
    """Measure a fact as `pipedoctor check` does; an evaluation is the first hundredth."""
    few = data.select(range(len(data) // 100))
    parts = Parts({"train_data": data, "eval_data": few, "settings": {"output_dir": "out"}})
    Pipeline(parts, frameworks.probes(parts)).fact(fact, split)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[400_000, 10_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    disable_progress_bars()
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "table.arrow")
            write(path, rows)
            data = Dataset.from_file(str(path))
            measures = {
                "reading labels and offsets once": functools.partial(read_once, data),
                "the fact Labels": functools.partial(scan, data, Labels),
                "the fact Samples (longest rows)": functools.partial(scan, data, Samples),
                "the fact Lengths": functools.partial(scan, data, Lengths),
                "the fact LabelOrder": functools.partial(scan, data, LabelOrder),
            }
            clocked = {name: functools.partial(timed, run) for name, run in measures.items()}
            taken = side_by_side(clocked, arguments.rounds)
            title = f"scan-{rows}: {rows:,} rows"
            report(title, taken, "reading labels and offsets once", save=arguments.save)
            measures = {
                "reading all columns once": functools.partial(read_whole, data),
                "the fact TokenRows": functools.partial(scan, data, TokenRows),
                "the fact Duplicates (training)": functools.partial(scan, data, Duplicates),
                "the fact Duplicates (evaluation in training)": functools.partial(
                    scan, data, Duplicates, Split.EVAL
                ),
            }
            clocked = {name: functools.partial(timed, run) for name, run in measures.items()}
            taken = side_by_side(clocked, arguments.rounds)
            title = f"duplicates-{rows}: {rows:,} rows"
            report(title, taken, "reading all columns once", save=arguments.save)


if __name__ == "__main__":
    main()
