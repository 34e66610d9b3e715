"""
Whether an update would spoil the weights, asked inside the step that makes it.

A callback hears of a step when its update is made; so the question has to be part of the step.
All gradients are added up: a value that is not finite survives any sum. A sum may overflow by
itself; only where it is not finite each gradient is looked at.
"""

from __future__ import annotations

from typing import Any


def summed(gradients: list[Any]) -> Any:
    """Return one number that is finite if all gradients are, unless it overflows; for TensorFlow."""
    import tensorflow as tf

    sums = [tf.reduce_sum(tf.cast(one, tf.float32)) for one in dense(gradients)]
    return tf.add_n(sums) if sums else tf.constant(0.0)


def dense(gradients: list[Any]) -> list[Any]:
    """Return the numbers of gradients; of those of an embedding, the rows that are there."""
    return [
        one.values if type(one).__name__ == "IndexedSlices" else one
        for one in gradients
        if one is not None
    ]


def finite_in_tensorflow(gradients: list[Any]) -> Any:
    """Return whether all gradients are finite, as a tensor."""
    import tensorflow as tf

    def each() -> Any:
        flags = [tf.reduce_all(tf.math.is_finite(one)) for one in dense(gradients)]
        return tf.reduce_all(tf.stack(flags))

    return tf.cond(tf.math.is_finite(summed(gradients)), lambda: tf.constant(True), each)


def finite_in_torch(gradients: list[Any]) -> bool:
    """Return whether all gradients are finite."""
    import torch

    held = [one.detach() for one in gradients if one is not None]
    if not held or bool(torch.stack([one.float().sum() for one in held]).sum().isfinite()):
        return True
    return all(bool(one.isfinite().all()) for one in held)


def kept_if_finite(old: Any, new: Any) -> tuple[Any, Any]:
    """Return the new arrays if all are finite, else the old ones, and which it was; for JAX."""
    import jax
    import jax.numpy as jnp

    leaves = [leaf for leaf in jax.tree.leaves(new) if jnp.issubdtype(leaf.dtype, jnp.floating)]
    flags = [jnp.isfinite(leaf.astype("float32").sum()) for leaf in leaves]
    finite = jnp.all(jnp.stack(flags)) if flags else jnp.array(True)
    return jax.tree.map(lambda one, other: jnp.where(finite, other, one), old, new), finite
