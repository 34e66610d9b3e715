"""Where a fit of Keras becomes NaN: one step replayed, whatever computes behind Keras."""
