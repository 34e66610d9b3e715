"""What a metrics function raised, as an aside in a sentence."""

from __future__ import annotations

from pipedoctor.facts import Rehearsal

LONGEST = 110
"""So much of the text is enough to know it again; the whole of it stands in the evidence."""


def raised(rehearsal: Rehearsal) -> str:
    """Return the error in words, without its full stop."""
    text = rehearsal.error
    if len(text) > LONGEST:
        text = f"{text[:LONGEST].rpartition(' ')[0]} …"
    return f"compute_metrics raises {text.rstrip('.')}"
