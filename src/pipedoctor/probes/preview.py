"""What is shown of the data: that needs no framework, only the batches that adapters make do."""

from __future__ import annotations

from pipedoctor.frameworks.preview import preview, tokens
from pipedoctor.frameworks.preview_rows import chosen, raw_rows

__all__ = ["chosen", "preview", "raw_rows", "tokens"]
