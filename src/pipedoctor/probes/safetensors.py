"""The tensors of a safetensors file, for facts that need a whole one."""

from __future__ import annotations

from pipedoctor.checkpoints.dtypes import BYTES
from pipedoctor.fact import Unavailable
from pipedoctor.facts.model_files import Tensor
from pipedoctor.probes import files

__all__ = ["BYTES", "read"]


def read(path: str) -> dict[str, Tensor]:
    """
    Return the tensors of a file.

    Raises:
        Unavailable: It can't be read, or it is no whole safetensors file.

    """
    from pipedoctor.checkpoints import safetensors
    from pipedoctor.checkpoints.contents import Verdict

    files.size(path)
    contents = safetensors.read(path)
    if contents.verdict is Verdict.MALFORMED:
        raise Unavailable(f"{path} is no whole safetensors file: {contents.reason}")
    return {name: Tensor(t.shape, t.dtype) for name, t in contents.tensors.items()}
