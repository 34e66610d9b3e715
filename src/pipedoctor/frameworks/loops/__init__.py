"""
Training loops of the user's own: their first steps are watched while they happen.

Nothing is replaced that computes: hooks of torch tell of forward passes and optimizer steps, and
what a loss was made of is read from its graph. What is wrapped only calls the original: `backward`,
`load_state_dict`, the making of a schedule, and the beginning of a pass over a `DataLoader`.
"""
