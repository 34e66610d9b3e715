"""Where NaN comes from: one step replayed, and each operation's result looked at once."""
