"""Asking a tokenizer without changing it: what truncates and pads is put back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pipedoctor.frameworks.loading.quiet import quiet


@contextmanager
def asking(tokenizer: Any) -> Iterator[Any]:
    """
    Hand out a tokenizer to be called, and leave it as it was.

    A fast tokenizer remembers how its last call had it truncate and pad.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    truncation, padding = (
        getattr(backend, name, None) and dict(getattr(backend, name))
        for name in ("truncation", "padding")
    )
    try:
        with quiet("transformers"):
            yield tokenizer
    finally:
        if backend is not None:
            _put_back(backend, truncation, padding)


def _put_back(backend: Any, truncation: Any, padding: Any) -> None:
    if truncation:
        backend.enable_truncation(**truncation)
    else:
        backend.no_truncation()
    if padding:
        backend.enable_padding(**padding)
    else:
        backend.no_padding()
