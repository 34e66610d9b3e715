"""Checks of Keras models: outputs, losses, callbacks and files."""
