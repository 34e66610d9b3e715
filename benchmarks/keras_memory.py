"""
The peak that is estimated for a training step of Keras, against what the backend's own instrument tells.

    KERAS_BACKEND=tensorflow python benchmarks/keras_memory.py [--save] [NAME ...]

On the CPU. TensorFlow: the allocator's events in tf.profiler's trace of a step, whose
`bytes_allocated` are those of the whole process. torch: torch.profiler's allocator events, from
before the model is built. JAX: the buffers that XLA assigned to the compiled step
(`memory_analysis`), its arguments with them. None of them knows of our count. Beside stands the
rule of four times the weights. Each case runs in a process of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

Case = tuple[Any, tuple[int, ...], str, tuple[int, ...], int]
"""A compiled model, the shape and type of a row, the shape of its label, the rows of a batch."""


def conv() -> Case:
    """Convolutions with batch normalisation."""
    import keras
    from keras import layers

    stack: list[Any] = [keras.Input((64, 64, 3))]
    for width in (32, 32):
        stack += [
            layers.Conv2D(width, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
        ]
    stack += [layers.Dropout(0.2), layers.MaxPooling2D(), layers.Conv2D(64, 3, activation="relu")]
    stack += [layers.BatchNormalization(), layers.GlobalAveragePooling2D(), layers.Dense(10)]
    return compiled(keras.Sequential(stack)), (64, 64, 3), "float32", (), 64


def dense() -> Case:
    """Wide layers."""
    import keras
    from keras import layers

    stack = [layers.Dense(2048, activation="relu") for _ in range(4)]
    model = keras.Sequential(
        [keras.Input((1024,)), *stack, layers.Dropout(0.3), layers.Dense(100)]
    )
    return compiled(model), (1024,), "float32", (), 4096


def transformer() -> Case:
    """Three blocks of attention."""
    import keras
    from keras import layers

    ids = keras.Input((128,), dtype="int32")
    x = layers.Embedding(8000, 128)(ids)
    for _ in range(3):
        x = layers.LayerNormalization()(x + layers.MultiHeadAttention(4, 32, dropout=0.1)(x, x))
        inner = layers.Dense(128)(layers.Dense(512, activation="gelu")(x))
        x = layers.LayerNormalization()(x + layers.Dropout(0.1)(inner))
    out = layers.Dense(2)(layers.GlobalAveragePooling1D()(x))
    return compiled(keras.Model(ids, out), "adamw"), (128,), "int32", (), 64


def recurrent() -> Case:
    """Two LSTM layers, which are loops."""
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((60,), dtype="int32"),
            layers.Embedding(5000, 64),
            layers.LSTM(128, return_sequences=True),
            layers.LSTM(128),
            layers.Dense(2),
        ]
    )
    return compiled(model, "rmsprop"), (60,), "int32", (), 256


def mobile() -> Case:
    """MobileNetV2, 155 layers deep."""
    import keras

    model = keras.applications.MobileNetV2(weights=None, input_shape=(96, 96, 3), classes=10)
    return compiled(model, "sgd", logits=False), (96, 96, 3), "float32", (), 16


def unet() -> Case:
    """Down and up again, with skipping connections."""
    import keras
    from keras import layers

    image = keras.Input((64, 64, 3))
    x, kept = image, []
    for width in (16, 32, 64):
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        kept.append(x)
        x = layers.MaxPooling2D()(x)
    for width, skip in zip((64, 32, 16), kept[::-1], strict=True):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = layers.Concatenate()([x, skip])
        x = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
    model = keras.Model(image, layers.Conv2D(2, 1)(x))
    return compiled(model), (64, 64, 3), "float32", (64, 64), 32


CASES: dict[str, Callable[[], Case]] = {
    one.__name__: one for one in (dense, conv, unet, transformer, mobile, recurrent)
}


def compiled(model: Any, optimizer: str = "adam", *, logits: bool = True) -> Any:
    """Return a model compiled for classes."""
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=logits)
    model.compile(optimizer, loss)
    return model


def batch(case: Case) -> tuple[Any, Any]:
    """Return a batch of values."""
    import numpy as np

    _, shape, dtype, label, rows = case
    generator = np.random.default_rng(0)
    whole = (rows, *shape)
    x = generator.integers(0, 1000, whole) if "int" in dtype else generator.random(whole)
    return x.astype(dtype), np.zeros((rows, *label), "int64")


def planned(case: Case) -> Any:
    """Return the plan, as `pipedoctor memory` makes it, for the CPU."""
    from pipedoctor import frameworks
    from pipedoctor.facts import MemoryPlan
    from pipedoctor.parts import Parts
    from pipedoctor.pipeline import Pipeline

    x, y = batch(case)
    given = {"model": case[0], "x": x, "y": y, "batch_size": case[4]}
    parts = Parts(frameworks.given({**given, "memory": {"planned": True, "cpu": True}}))
    return Pipeline(parts, frameworks.probes(parts)).fact(MemoryPlan)


def of_tensorflow(name: str) -> int:
    """Return the most bytes that TensorFlow's CPU allocator had handed out during a step."""
    import tensorflow as tf
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    case = CASES[name]()
    model, (x, y) = case[0], batch(case)
    model.train_on_batch(x, y)
    most = 0
    with tempfile.TemporaryDirectory() as folder:
        wished = tf.profiler.experimental.ProfilerOptions(
            host_tracer_level=3, python_tracer_level=0
        )
        tf.profiler.experimental.start(folder, options=wished)
        model.train_on_batch(x, y)
        tf.profiler.experimental.stop()
        space = xplane_pb2.XSpace()
        space.ParseFromString(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    for plane in space.planes:
        stats = {key: value.name for key, value in plane.stat_metadata.items()}
        for line in plane.lines:
            for event in line.events:
                if plane.event_metadata[event.metadata_id].name.startswith("Memory"):
                    held = {stats[stat.metadata_id]: stat.int64_value for stat in event.stats}
                    most = max(most, held.get("bytes_allocated", 0))
    return most


def of_torch(name: str) -> int:
    """Return the peak of the allocator's events of two steps."""
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as told:
        case = CASES[name]()
        x, y = batch(case)
        for _ in range(2):
            case[0].train_on_batch(x, y)
    live = peak = 0
    events = [e for e in told.profiler.kineto_results.events() if e.name() == "[memory]"]
    for event in sorted(events, key=lambda one: one.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def of_jax(name: str) -> int:
    """Return the bytes of the buffers that XLA assigned to the step that fit compiles."""
    import jax

    case = CASES[name]()
    model, (x, y) = case[0], batch(case)
    model.train_on_batch(x, y)
    kinds = ("trainable", "non_trainable", "optimizer", "metrics")
    state = model._get_jax_state(**{f"{kind}_variables": True for kind in kinds})  # noqa: SLF001 - what fit hands to its step is in no public place
    specs = jax.tree_util.tree_map(
        lambda value: jax.ShapeDtypeStruct(
            value.shape, jax.dtypes.canonicalize_dtype(value.dtype)
        ),
        (tuple(state), (x, y)),
    )
    step = jax.jit(model.train_step, donate_argnums=0)
    told = step.lower(*specs).compile().memory_analysis()
    whole = told.argument_size_in_bytes + told.temp_size_in_bytes + told.output_size_in_bytes
    return int(whole - told.alias_size_in_bytes)


REAL = {"tensorflow": of_tensorflow, "torch": of_torch, "jax": of_jax}


def one(name: str) -> dict[str, Any]:
    """Measure one case in this process."""
    import keras

    backend = keras.backend.backend()
    start = time.process_time()
    told = planned(CASES[name]())
    seconds = time.process_time() - start
    real = REAL[backend](name)
    return {
        "name": name,
        "backend": backend,
        "estimated": told.peak,
        "real": real,
        "ratio": round(told.peak / real, 4),
        "four_times": round(4 * told.parts["weights"] / real, 3),
        "plan_cpu_seconds": round(seconds, 2),
        "notes": list(told.notes),
    }


AGAIN = 4
"""TensorFlow runs what is ready in an order that differs from run to run: each case runs so often again."""


def command(name: str) -> dict[str, Any]:
    """Return what a process of its own measures of a case."""
    words = [sys.executable, __file__, "--one", name]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(arguments: list[str]) -> None:
    """Measure all cases, or those that are named, for the backend that the environment names."""
    if arguments[:1] == ["--one"]:
        print(json.dumps(one(arguments[1])))
        return
    names = [word for word in arguments if not word.startswith("-")] or list(CASES)
    records = []
    for name in names:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name], capture_output=True, text=True, check=False
        )
        if done.returncode:
            print(f"{name}: {done.stderr.strip().splitlines()[-1]}")
            continue
        record = json.loads(done.stdout.splitlines()[-1])
        if record["backend"] == "tensorflow":
            again = [command(name) for _ in range(AGAIN)]
            reals = sorted([record["real"], *(one["real"] for one in again)])
            record["real"] = reals[len(reals) // 2]
            record["ratio"] = round(record["estimated"] / record["real"], 4)
            record["runs"] = reals
            record["ratios"] = [round(record["estimated"] / real, 3) for real in reals]
            print(f"  {name}: ratios {record['ratios']}")
        records.append(record)
        print(
            f"{record['backend']:<11} {name:<12} {record['estimated'] / 1e6:8.1f} MB estimated "
            f"{record['real'] / 1e6:8.1f} real {record['ratio']:7.3f}  4 x rule "
            f"{record['four_times']:6.3f}  {record['plan_cpu_seconds']:5.1f} s",
            flush=True,
        )
        if "--save" in arguments:
            keep(records)


def keep(records: list[dict[str, Any]]) -> None:
    """Write the results of one backend."""
    from importlib.metadata import version

    today = dt.datetime.now(tz=dt.timezone.utc).date().isoformat()
    backend = records[0]["backend"]
    package = {"tensorflow": "tensorflow-cpu", "torch": "torch", "jax": "jax"}[backend]
    told = {
        "title": "memory of a step of Keras: estimated peak against the backend's own instrument",
        "date": today,
        "python": platform.python_version(),
        "keras": version("keras"),
        package: version(package),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "cases": records,
    }
    path = RESULTS / f"keras-memory-{backend}-{today}.json"
    path.write_text(json.dumps(told, indent=1) + "\n")
    print(f"kept in {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
