"""One run of Keras as it is gone through without values: the model, its batches, its own step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from pipedoctor.fact import Unavailable
from pipedoctor.facts.compiled import Compiled
from pipedoctor.frameworks.fitting.building import Ready
from pipedoctor.frameworks.fitting.library import Library
from pipedoctor.frameworks.fitting.untouched import optimizers, untouched
from pipedoctor.frameworks.fitting.withholding import withheld
from pipedoctor.frameworks.memory import keras_loops, keras_slots
from pipedoctor.frameworks.memory.keras_frames import Frame, frame
from pipedoctor.frameworks.memory.keras_program import Program, as_ready, fused, pruned, taken
from pipedoctor.frameworks.memory.keras_xla import Compiler
from pipedoctor.frameworks.memory.scene import Untraceable
from pipedoctor.frameworks.memory.step import Pass
from pipedoctor.pipeline import Pipeline
from pipedoctor.units import plural

HALF = "mixed_bfloat16"

BY_TURNS = "what {} keeps of each turn is counted by formula, from its units"

CANNOT = "the step of {} can't be gone through without values"


@dataclass(eq=False)
class Scene:
    """What is gone through; `gpu`: as a GPU has it, where XLA fuses what TensorFlow and JAX trace."""

    model: Any
    library: Library
    frame: Frame
    gpu: bool
    compiled: bool
    """Whether XLA compiles the step."""
    notes: list[str]
    compiler: Compiler | None = None
    """XLA itself, where JAX is the backend."""
    uncounted: str = ""
    """What is known to be left out, of a size that is not known."""

    @property
    def trained(self) -> list[Any]:
        """The variables that are trained."""
        return list({id(one): one for one in self.model.trainable_variables}.values())

    def run(self, rows: int, policy: str | None = None) -> Pass:
        """
        Return what a step takes besides variables, under another policy of dtypes if one is named.

        Raises:
            Unavailable: It can't be traced.

        """
        try:
            with _quietly(), _under(self.model, self.library, policy):
                return self._run(rows, policy)
        except (Unavailable, Untraceable) as reason:
            raise Unavailable(f"{CANNOT.format(type(self.model).__name__)}: {reason}") from None
        except Exception as error:
            first = str(error).strip().splitlines()[:1] or [""]
            raise Unavailable(
                f"{CANNOT.format(type(self.model).__name__)} ({type(error).__name__}: "
                f"{first[0][:160]})"
            ) from error

    def _run(self, rows: int, policy: str | None) -> Pass:
        with untouched(self.model, written=False):
            if self.library.backend == "jax":
                from pipedoctor.frameworks.memory.keras_jax import traced

                program = traced(self.model, self.frame, rows)
                if self.compiler is None:
                    return self._told(program)
                told = self._told(program, said=False)
                # What a CPU does with half precision says nothing of a GPU.
                told = self.compiler.corrected(
                    told,
                    rows,
                    len(program.operations),
                    compiles=self.compiler.meant or policy is None,
                )
                if not self.compiler.exact:
                    self._loops(program)
                return told
            found: dict[str, Any] = {}
            with ExitStack() as stack:
                for optimizer in optimizers(self.model):
                    stack.enter_context(withheld(optimizer, found))
                vars(self.model)["compute_metrics"] = lambda *_words, **_keywords: {}
                if self.library.backend == "torch":
                    from pipedoctor.frameworks.memory import keras_torch

                    return keras_torch.traced(self.model, found, self.frame, rows, gpu=self.gpu)
                import tensorflow as tf

                from pipedoctor.frameworks.memory import keras_tensorflow

                specs = self.frame.made(tf.TensorSpec, rows)
                given = specs if specs[2] is not None else specs[:2]
                with keras_loops.watched(self.library) as called:
                    program = keras_tensorflow.traced(self.model, found, given)
                known = keras_loops.counted(program, called)
                if program.loops and not known.loops:
                    self._note(BY_TURNS.format(plural(len(called), "recurrent layer")))
                return self._told(known)

    def _loops(self, program: Program) -> None:
        if program.loops:
            self.uncounted = (
                f"what {plural(len(program.loops), 'loop')} of the step keep of each turn is not "
                "counted (recurrent layers are such loops): it takes more"
            )
            self._note(self.uncounted)

    def _told(self, program: Program, *, said: bool = True) -> Pass:
        if said:
            self._loops(program)
        program = pruned(program)
        return taken(fused(program) if self.compiled else as_ready(program))

    def states(self, optimizer: Any = None) -> int:
        """Return the bytes that the optimizer keeps, or another one."""
        chosen = optimizer if optimizer is not None else self.model.optimizer
        return keras_slots.states(chosen, self.trained, self.library)

    def updating(self) -> int:
        """
        Return what an update needs for a while besides gradients and states.

        Compiled, an update is one pass over each variable, written where it stands. TensorFlow
        computes each variable's update by itself, out of place. torch is run without values.
        """
        sizes = [keras_slots.size(variable) for variable in self.trained]
        if self.library.backend == "torch":
            from pipedoctor.frameworks.memory import keras_torch

            try:
                with untouched(self.model, written=False):
                    return keras_torch.updated(self.model, self.model.optimizer, gpu=self.gpu)
            except Exception:  # noqa: BLE001 - an optimizer of the user's may look at values
                self._note("what the optimizer needs while it updates is not counted")
                return 0
        return 0 if self.compiled else OUT_OF_PLACE * max(sizes, default=0)

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


OUT_OF_PLACE = 2
"""So many values of a variable's size are there while TensorFlow updates it."""


def scene(pipeline: Pipeline) -> Scene:
    """Return the run of a pipeline, ready to be gone through."""
    wishes: Mapping[str, Any] = pipeline.parts.get("memory") or {}
    ready = pipeline.fact(Ready)
    told = pipeline.fact(Compiled)
    model, library = ready.model, ready.library
    if getattr(model, "optimizer", None) is None:
        raise Unavailable("the model is compiled without an optimizer")
    gpu = not wishes.get("cpu")
    notes: list[str] = []
    compiled = library.backend == "jax" or (
        library.backend == "tensorflow" and _by_xla(model, told, library, gpu=gpu)
    )
    if told.own_train_step and library.backend == "jax":
        raise Unavailable("the model has a train_step of its own, which is not traced with jax")
    found = frame(pipeline, model, library, wishes)
    if found.note:
        notes.append(found.note)
    compiler = Compiler(model, found, gpu) if library.backend == "jax" else None
    return Scene(model, library, found, gpu, compiled, notes, compiler=compiler)


def _by_xla(model: Any, told: Compiled, library: Library, *, gpu: bool) -> bool:
    """
    Whether XLA compiles the step.

    Keras chooses it where there is a GPU, which there need not be here: then what compile says now
    is the choice for this machine.
    """
    if library.second or told.run_eagerly:
        return False
    chosen = bool(told.jit_compile) if told.known("jit_compile") else False
    if chosen or not gpu:
        return chosen
    supports = getattr(library.module("trainers.trainer"), "model_supports_jit", None)
    return bool(supports(model)) if supports is not None else True


@contextmanager
def _under(model: Any, library: Library, policy: str | None) -> Iterator[None]:
    """Have the layers of a model compute under another policy of dtypes meanwhile."""
    if policy is None:
        yield
        return
    made = library.module("dtype_policies").DTypePolicy(policy)
    layers = [
        layer
        for layer in model._flatten_layers()  # noqa: SLF001 - Keras has no public way to all layers
        if hasattr(layer, "_dtype_policy")
    ]
    before = [layer._dtype_policy for layer in layers]  # noqa: SLF001 - its setter checks a layer of quantised weights
    try:
        for layer in layers:
            layer._dtype_policy = made  # noqa: SLF001 - as above
        yield
    finally:
        for layer, held in zip(layers, before, strict=True):
            layer._dtype_policy = held  # noqa: SLF001 - as above


@contextmanager
def _quietly() -> Iterator[None]:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library warns of here, the training will say
        yield
