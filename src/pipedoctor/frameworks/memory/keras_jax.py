"""A training step of Keras as JAX traces it: a list of equations, of which nothing is computed."""

from __future__ import annotations

from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.frameworks.memory.keras_program import Fuses, Made, Operation, Program

CHEAP = frozenset(
    [
        "add",
        "sub",
        "mul",
        "neg",
        "max",
        "min",
        "abs",
        "sign",
        "floor",
        "round",
        "select_n",
        "eq",
        "ne",
        "lt",
        "le",
        "gt",
        "ge",
        "and",
        "or",
        "not",
        "xor",
        "convert_element_type",
        "broadcast_in_dim",
        "reshape",
        "squeeze",
        "expand_dims",
        "iota",
        "slice",
        "pad",
        "copy",
        "copy_p",
        "add_any",
        "integer_pow",
        "square",
        "shift_right_logical",
        "shift_left",
        "stop_gradient",
        "bitcast_convert_type",
        "clamp",
        "is_finite",
        "rev",
        "reduce_precision",
        "dynamic_slice",
    ]
)
COSTLY = frozenset(
    [
        "exp",
        "log",
        "log1p",
        "expm1",
        "tanh",
        "logistic",
        "erf",
        "erfc",
        "erf_inv",
        "sqrt",
        "rsqrt",
        "pow",
        "div",
        "sin",
        "cos",
        "random_bits",
        "threefry2x32",
        "rem",
        "cbrt",
        "concatenate",
        "transpose",
    ]
)
REDUCES = frozenset(
    [
        "reduce_sum",
        "reduce_max",
        "reduce_min",
        "reduce_prod",
        "reduce_and",
        "reduce_or",
        "argmax",
        "argmin",
    ]
)
INSIDE = ("jaxpr", "call_jaxpr", "fun_jaxpr")
"""Under which an equation holds the equations that it stands for."""

LOOPS = frozenset({"scan", "while"})


def traced(model: Any, frame: Any, rows: int) -> Program:
    """
    Return the step of a model.

    Raises:
        Unavailable: It can't be traced.

    """
    import jax

    def spec(variable: Any) -> Any:
        return jax.ShapeDtypeStruct(variable.shape, variable.value.dtype)

    trained = [spec(variable) for variable in model.trainable_variables]
    others = [spec(variable) for variable in model.non_trainable_variables]
    metrics = [spec(variable) for variable in model.metrics_variables]
    batch = frame.made(lambda shape, dtype: jax.ShapeDtypeStruct(shape, _dtype(jax, dtype)), rows)
    compute = jax.value_and_grad(model.compute_loss_and_updates, has_aux=True)

    def step(weights: Any, state: Any, counted: Any, *fed: Any) -> Any:
        (loss, told), gradients = compute(
            weights, state, counted, *fed, training=True, optimizer_variables=[]
        )
        return loss, gradients, told[2]

    closed = jax.make_jaxpr(step)(trained, others, metrics, *batch)
    reader = _Reader()
    jaxpr = closed.jaxpr
    reader.read(jaxpr, {})
    leaves = len(jax.tree_util.tree_leaves((trained, others, metrics)))
    loss = reader.known(jaxpr.outvars[0])
    place = next(
        (n for n, one in enumerate(reader.operations) if loss in {m.key for m in one.outputs}),
        len(reader.operations) - 1,
    )
    return Program(
        inputs=[made(variable, variable) for variable in jaxpr.invars[leaves:]],
        operations=reader.operations,
        backward=place + 1,
        gradients=frozenset(
            reader.known(one) for one in jaxpr.outvars[1 : 1 + len(trained)] if not _literal(one)
        ),
        loops=reader.loops,
    )


def _dtype(jax: Any, name: str) -> Any:
    """Return a dtype as JAX has it: it computes with 32 bits where it is not told otherwise."""
    return jax.dtypes.canonicalize_dtype(name)


def made(variable: Any, key: Any) -> Made:
    """Return what is known of a value."""
    told = variable.aval
    shape = tuple(getattr(told, "shape", ()))
    size = int(getattr(getattr(told, "dtype", None), "itemsize", 0) or 0)
    for one in shape:
        if not isinstance(one, int):
            raise Unavailable("a dimension of the step is not known")
        size *= one
    return Made(key, size, shape, str(getattr(told, "dtype", "")))


def _literal(one: Any) -> bool:
    return type(one).__name__ == "Literal"


class _Reader:
    """Goes through equations; those that stand for others are read as these."""

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.loops: list[str] = []
        self._same: dict[Any, Any] = {}
        self._calls = 0

    def known(self, key: Any) -> Any:
        """Return the key that a value goes under."""
        while key in self._same:
            key = self._same[key]
        return key

    def read(self, jaxpr: Any, given: dict[Any, Any]) -> None:
        """Read equations, whose inputs are known under other keys."""
        self._calls += 1
        call, outermost = self._calls, self._calls == 1

        def key(variable: Any) -> Any:
            own = variable if outermost else (call, variable)
            return self.known(given.get(variable, own))

        for equation in jaxpr.eqns:
            inputs = tuple(key(one) for one in equation.invars if not _literal(one))
            name = equation.primitive.name
            inner = next((equation.params[n] for n in INSIDE if n in equation.params), None)
            inner = getattr(inner, "jaxpr", inner)
            if inner is not None and name not in LOOPS and name != "cond":
                inside, names = self._calls + 1, {}
                for theirs, mine in zip(inner.invars, equation.invars, strict=False):
                    if not _literal(mine):
                        names[theirs] = key(mine)
                self.read(inner, names)
                for mine, theirs in zip(equation.outvars, inner.outvars, strict=False):
                    if not _literal(theirs):
                        self._same[key(mine)] = self.known(names.get(theirs, (inside, theirs)))
                continue
            if name == "while":
                self.loops.append(name)
            within = _largest(inner) if name in LOOPS and inner is not None else 0
            self.operations.append(
                Operation(
                    name=name,
                    module=_module(equation),
                    inputs=inputs,
                    outputs=tuple(
                        made(one, key(one))
                        for one in equation.outvars
                        if type(one).__name__ != "DropVar"
                    ),
                    views=name in {"reshape", "squeeze", "expand_dims"},
                    in_place=name in CHEAP or name in COSTLY,
                    fuses=_fuses(name),
                    within=within,
                )
            )


def _largest(jaxpr: Any) -> int:
    """Return the bytes of the largest equation of a loop's body: one turn is there at a time."""
    return max((sum(made(o, o).size for o in e.outvars) for e in jaxpr.eqns), default=0)


def _fuses(name: str) -> Fuses:
    if name in CHEAP:
        return Fuses.ALWAYS
    if name in COSTLY:
        return Fuses.ONCE
    return Fuses.TAKES if name in REDUCES else Fuses.NEVER


def _module(equation: Any) -> str:
    """Return the layer that an equation comes from, where its name was kept."""
    return str(getattr(equation.source_info, "name_stack", ""))
