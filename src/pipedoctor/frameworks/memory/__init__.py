"""What a training step takes in memory, told without allocating any: tensors that have no values."""
