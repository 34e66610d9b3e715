"""Checks of gradients and updates: what training changes, and what it does not."""
