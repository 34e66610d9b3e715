"""A tf.data.Dataset that can be read without the user's own one taking notice."""

from __future__ import annotations

from itertools import count
from typing import Any

from pipedoctor.fact import Unavailable

STATES = ("SeedGenerator", "Cache")
"""What the names of the resources hold in which a data set keeps count of how it was read."""

IGNORE = 1
"""Copy what has a state of its own too: functions of Python are called by both."""

_numbers = count()


def copied(dataset: Any) -> Any:
    """
    Return a tf.data.Dataset that shares no state with the one it is a copy of.

    A data set that shuffles keeps count of how often it was gone through, and gives another order
    each time: to read from it would change the order of the user's first epoch. The copy counts
    for itself, and it writes no cache file.

    Raises:
        Unavailable: It can't be copied.

    """
    import tensorflow as tf

    try:
        written = tf.raw_ops.DatasetToGraphV2(
            input_dataset=dataset._variant_tensor,  # noqa: SLF001 - there is no other way to it
            external_state_policy=IGNORE,
        )
        graph = tf.compat.v1.GraphDef.FromString(written.numpy())
        _detach(graph, tf)
        variant = tf.raw_ops.DatasetFromGraph(graph_def=graph.SerializeToString())
        return tf.data.experimental.from_variant(variant, dataset.element_spec)
    except Exception:  # noqa: BLE001 - tensorflow has many words for what it can't write down
        kind = type(dataset).__name__.lstrip("_")
        raise Unavailable(f"this {kind} of tf.data can't be copied, and is left to fit") from None


def _detach(graph: Any, tf: Any) -> None:
    """Give the states of a written data set other names, and its caches no files."""
    nodes = {node.name: node for node in graph.node}
    for node in graph.node:
        if node.op == "Const" and node.attr["dtype"].type == tf.resource.as_datatype_enum:
            for handle in node.attr["value"].tensor.resource_handle_val:
                if any(state in handle.name for state in STATES):
                    handle.name += f"_pipedoctor{next(_numbers)}"
        if node.op.startswith("CacheDataset") and len(node.input) > 1:
            name = nodes.get(node.input[1])
            if name is not None and name.op == "Const":
                name.attr["value"].CopyFrom(
                    tf.compat.v1.AttrValue(tensor=tf.make_tensor_proto(""))
                )
