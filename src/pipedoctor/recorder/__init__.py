"""
The flight recorder: it watches a training and stops it before an update that would spoil it.

`tape` keeps the last batches with what it takes to run them again, `judge` looks at the gradients
once before each update, `flight` and `loop` tie both to a Trainer or to a loop of the user's own.
What was on the tape goes into a capsule (`capsule`), which `replay` runs again.
"""
