"""A training step of Keras as TensorFlow traces it: a graph, of which nothing is computed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.frameworks.memory.keras_frames import handed
from pipedoctor.frameworks.memory.keras_program import Fuses, Made, Operation, Program

VIEWS = frozenset(
    [
        "Identity",
        "Reshape",
        "ExpandDims",
        "Squeeze",
        "StopGradient",
        "PreventGradient",
        "ReadVariableOp",
        "CheckNumerics",
        "EnsureShape",
        "Bitcast",
    ]
)
"""Operations whose output is their first input, seen in another way."""

CHEAP = frozenset(
    [
        "Add",
        "AddV2",
        "Sub",
        "Mul",
        "Neg",
        "Maximum",
        "Minimum",
        "Relu",
        "Relu6",
        "ReluGrad",
        "Relu6Grad",
        "LeakyRelu",
        "LeakyReluGrad",
        "Select",
        "SelectV2",
        "Greater",
        "GreaterEqual",
        "Less",
        "LessEqual",
        "Equal",
        "NotEqual",
        "LogicalAnd",
        "LogicalOr",
        "LogicalNot",
        "Cast",
        "BiasAdd",
        "Square",
        "SquaredDifference",
        "Abs",
        "Sign",
        "BroadcastTo",
        "Tile",
        "Fill",
        "ZerosLike",
        "OnesLike",
        "Range",
        "OneHot",
        "Reciprocal",
        "AddN",
        "Slice",
        "StridedSlice",
        "Pad",
        "PadV2",
        "Floor",
        "Round",
    ]
)
COSTLY = frozenset(
    [
        "Exp",
        "Log",
        "Log1p",
        "Expm1",
        "Tanh",
        "TanhGrad",
        "Sigmoid",
        "SigmoidGrad",
        "Softplus",
        "SoftplusGrad",
        "Elu",
        "EluGrad",
        "Selu",
        "SeluGrad",
        "Erf",
        "Erfc",
        "Sqrt",
        "SqrtGrad",
        "Rsqrt",
        "RsqrtGrad",
        "Pow",
        "RealDiv",
        "Div",
        "DivNoNan",
        "Xdivy",
        "Xlogy",
        "Sin",
        "Cos",
        "StatelessRandomUniformV2",
        "StatelessRandomNormalV2",
        "StatelessRandomUniform",
        "RandomUniform",
    ]
)
REDUCES = frozenset(
    ["Sum", "Mean", "Max", "Min", "Prod", "BiasAddGrad", "ArgMax", "Transpose", "ConcatV2"]
)

LOOPS = frozenset(["While", "StatelessWhile"])
CALLS = frozenset(["PartitionedCall", "StatefulPartitionedCall"])

DEEPEST = 8
"""Functions call functions; further down, a call counts with what it returns."""


def program(graph: Any, inputs: list[Any], gradients: list[Any]) -> Program:
    """Return the graph of a step as operations; `gradients` are the tensors of them."""
    reader = _Reader()
    reader.read(graph, {})
    made = [reader.made(tensor, tensor.ref()) for tensor in inputs]
    backward = next(
        (n for n, one in enumerate(reader.operations) if one.module.startswith("gradient_tape")),
        len(reader.operations),
    )
    return Program(
        inputs=[one for one in made if one.size],
        operations=reader.operations,
        backward=backward,
        gradients=frozenset(reader.known(tensor.ref()) for tensor in gradients),
        loops=reader.loops,
    )


class _Reader:
    """Goes through graphs; a function that is called is read where it is called."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.loops: list[str] = []
        self._same: dict[Any, Any] = {}
        self._calls = 0

    def known(self, key: Any) -> Any:
        """Return the key that a tensor goes under."""
        return self._same.get(key, key)

    def made(self, tensor: Any, key: Any) -> Made:
        shape = tuple(int(size or 1) for size in tensor.shape) if tensor.shape.rank else ()
        dtype = tensor.dtype
        plain = dtype.name not in {"resource", "variant", "string"}
        size = dtype.size if plain and tensor.shape.rank is not None else 0
        for one in shape:
            size *= one
        return Made(key, size, shape, dtype.name)

    def read(self, graph: Any, given: Mapping[Any, Any], depth: int = 0) -> None:
        """Read the operations of a graph, whose inputs are known under other keys."""
        call = self._calls
        self._calls += 1

        def key(tensor: Any) -> Any:
            own = tensor.ref() if not depth else (call, tensor.ref())
            return self.known(given.get(tensor.ref(), own))

        for operation in graph.get_operations():
            kind = operation.type
            if (
                kind in {"Const", "Placeholder", "NoOp", "Shape", "ShapeN"}
                or not operation.outputs
            ):
                continue
            inputs = tuple(key(tensor) for tensor in operation.inputs)
            if kind in CALLS and depth < DEEPEST:
                body = self._function(graph, operation.get_attr("f").name)
                if body is not None and len(body.inputs) == len(inputs):
                    inner = {t.ref(): k for t, k in zip(body.inputs, inputs, strict=True)}
                    inside = self._calls
                    self.read(body, inner, depth + 1)
                    for out, held in zip(operation.outputs, body.outputs, strict=False):
                        found = self.known(inner.get(held.ref(), (inside, held.ref())))
                        self._same[key(out)] = found
                    continue
            if kind in LOOPS:
                self.loops.append(operation.name)
            self.operations.append(
                Operation(
                    name=kind,
                    module=_module(operation.name),
                    inputs=inputs,
                    outputs=tuple(self.made(out, key(out)) for out in operation.outputs),
                    views=kind in VIEWS,
                    in_place=kind in CHEAP or kind in COSTLY,
                    fuses=_fuses(kind),
                )
            )

    @staticmethod
    def _function(graph: Any, name: str) -> Any:
        while graph is not None:
            held = getattr(graph, "_functions", {}).get(name)
            if held is not None:
                return getattr(held, "graph", None)
            graph = getattr(graph, "outer_graph", None)
        return None


def _fuses(kind: str) -> Fuses:
    if kind in CHEAP or kind in VIEWS:
        return Fuses.ALWAYS
    if kind in COSTLY:
        return Fuses.ONCE
    return Fuses.TAKES if kind in REDUCES else Fuses.NEVER


def _module(name: str) -> str:
    """Return where an operation comes from: its name without its own last part."""
    return name.rpartition("/")[0]


def traced(model: Any, found: dict[str, Any], specs: Any) -> Program:
    """
    Return the step of a model whose optimizers leave their gradients in `found`.

    `specs` are the shapes of x, y and sample_weight.
    """
    import tensorflow as tf

    def step(*batch: Any) -> Any:
        found.clear()
        model.train_step(handed(*batch))
        return [tf.convert_to_tensor(one) for one in found.values() if one is not None]

    function = tf.function(step, autograph=False)
    whole = function.get_concrete_function(*specs)
    graph = whole.graph
    fed = [t for t in graph.inputs if t.dtype != tf.resource]
    captured = {id(inner) for inner in graph.internal_captures}
    return program(
        graph, [t for t in fed if id(t) not in captured], list(whole.structured_outputs)
    )
