"""An evaluation of a few rows: its steps, what it generates, and the user's metrics function."""
