"""Checks of memory: what fills it, and when."""
