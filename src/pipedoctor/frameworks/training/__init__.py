"""One step of a training: loss, gradients, optimizer, and the checkpoint that may follow."""
