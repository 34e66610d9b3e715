"""
The flight recorder of `fit`.

`guard` stops an update before it is made, `watching` ties it to the training function of a
backend, `flight` is the callback, `capsule` what it writes.
"""
