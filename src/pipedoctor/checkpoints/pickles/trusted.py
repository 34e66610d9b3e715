"""
Globals beyond the allow-list that ordinary files of a training name, and what they are for.

Each makes a plain object of data: none of them calls what it is given, opens a file or starts
anything, as picklers use them. They are no part of the allow-list because nobody promises that.
"""

from __future__ import annotations

_ARRAYS = "holds NumPy arrays"
_RANDOM = "holds the state of NumPy's random numbers"
_DATA = "holds a plain object of the standard library"
_ARGUMENTS = "holds the arguments of a training"
_DEEPSPEED = "holds the state of DeepSpeed's optimizer"
_SHARDS = "lists the parts of a distributed checkpoint"


def _each(reason: str, module: str, names: str) -> dict[tuple[str, str], str]:
    return {(module, name): reason for name in names.split()}


_NUMPY = "bool_ complex64 complex128 float16 float32 float64 int8 int16 int32 int64 uint8 uint16 uint32 uint64 str_ bytes_"

NEEDS_TRUST: dict[tuple[str, str], str] = {
    ("argparse", "Namespace"): "holds the arguments of a script",
    **_each(_DATA, "types", "SimpleNamespace"),
    **_each(
        _DATA, "builtins", "bool bytes dict float frozenset int list object range slice str tuple"
    ),
    **_each(_DATA, "collections", "defaultdict deque"),
    **_each(_DATA, "copyreg", "_reconstructor"),
    **_each(_DATA, "datetime", "date datetime time timedelta timezone"),
    **_each(_DATA, "decimal", "Decimal"),
    **_each(_DATA, "fractions", "Fraction"),
    **_each(_DATA, "uuid", "UUID SafeUUID"),
    **_each(_DATA, "pathlib", "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath"),
    **_each(
        _DATA,
        "pathlib._local",
        "Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath",
    ),
    **_each(_ARRAYS, "numpy", f"dtype ndarray {_NUMPY}"),
    **_each(_ARRAYS, "numpy.core.multiarray", "_reconstruct scalar"),
    **_each(_ARRAYS, "numpy._core.multiarray", "_reconstruct scalar"),
    **_each(_ARRAYS, "numpy.core.numeric", "_frombuffer"),
    **_each(_ARRAYS, "numpy._core.numeric", "_frombuffer"),
    **_each(_ARRAYS, "joblib.numpy_pickle", "NumpyArrayWrapper"),
    **_each(_RANDOM, "numpy.random", "__RandomState_ctor"),
    **_each(
        _RANDOM, "numpy.random._pickle", "__bit_generator_ctor __generator_ctor __randomstate_ctor"
    ),
    **_each(_RANDOM, "numpy.random._mt19937", "MT19937"),
    **_each(_RANDOM, "numpy.random._pcg64", "PCG64 PCG64DXSM"),
    **_each(_RANDOM, "numpy.random._philox", "Philox"),
    **_each(_RANDOM, "numpy.random._sfc64", "SFC64"),
    **_each(_RANDOM, "numpy.random.bit_generator", "SeedSequence __pyx_unpickle_SeedSequence"),
    **_each(
        _ARGUMENTS, "transformers.training_args", "OptimizerNames ParallelMode TrainingArguments"
    ),
    **_each(_ARGUMENTS, "transformers.training_args_seq2seq", "Seq2SeqTrainingArguments"),
    **_each(_ARGUMENTS, "transformers.generation.configuration_utils", "GenerationConfig"),
    **_each(
        _ARGUMENTS,
        "transformers.trainer_utils",
        "EvaluationStrategy FSDPOption HubStrategy IntervalStrategy SaveStrategy SchedulerType",
    ),
    **_each(_ARGUMENTS, "transformers.trainer_pt_utils", "AcceleratorConfig"),
    **_each(_ARGUMENTS, "transformers.debug_utils", "DebugOption"),
    **_each(_ARGUMENTS, "transformers.utils.generic", "ExplicitEnum"),
    **_each(_ARGUMENTS, "peft.utils.peft_types", "PeftType TaskType"),
    **_each(_ARGUMENTS, "accelerate.state", "AcceleratorState GradientState PartialState"),
    **_each(
        _ARGUMENTS,
        "accelerate.utils.dataclasses",
        "DeepSpeedPlugin DistributedType FullyShardedDataParallelPlugin GradientAccumulationPlugin"
        " PrecisionType",
    ),
    **_each(_DEEPSPEED, "deepspeed.runtime.fp16.loss_scaler", "DynamicLossScaler LossScaler"),
    **_each(_DEEPSPEED, "deepspeed.runtime.zero.config", "ZeroStageEnum"),
    **_each(_DEEPSPEED, "deepspeed.utils.tensor_fragment", "fragment_address"),
    **_each(
        _SHARDS,
        "torch.distributed.checkpoint.metadata",
        "BytesStorageMetadata ChunkStorageMetadata Metadata MetadataIndex StorageMeta"
        " TensorProperties TensorStorageMetadata _MEM_FORMAT_ENCODING",
    ),
    **_each(_SHARDS, "torch.distributed.checkpoint.filesystem", "_StorageInfo _StoragePrefix"),
}
"""(module, name) -> what a file with it holds."""

SET_UP_BY_STATE = frozenset(
    pair
    for pair in NEEDS_TRUST
    if pair[0].startswith(("accelerate.", "transformers."))
    and pair[1].endswith(("Arguments", "Config", "Plugin", "State"))
)
"""
Classes whose own code reads files or the environment when they are called.

A pickler doesn't call them: it makes the object bare, and sets its state.
"""
