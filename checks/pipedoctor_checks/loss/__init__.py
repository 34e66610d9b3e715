"""Losses that mean something else than they seem to, or are never seen."""
