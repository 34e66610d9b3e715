"""Checkpoints that do not fit, are not kept, or cannot be chosen from."""
