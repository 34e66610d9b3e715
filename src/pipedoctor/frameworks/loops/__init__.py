"""
Training loops of the user's own: their first steps are watched while they happen.

Nothing is replaced that computes: hooks of torch tell of forward passes and optimizer steps, and
what a loss was made of is read from its graph. Two functions are wrapped, `backward` and
`load_state_dict`, and only call the original.
"""
