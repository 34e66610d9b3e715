"""
The child process that loads model and data, and the parent that watches it.

The child sends JSON lines over a descriptor of its own; what it prints is kept apart. The parent
owns the output, the time limit and the exit status, and survives whatever the child does.
"""
