"""Evaluations that fail, tell nothing, or never happen."""
