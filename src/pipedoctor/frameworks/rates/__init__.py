"""The range test: which learning rates a pipeline learns at, tried on its own batches and undone."""
