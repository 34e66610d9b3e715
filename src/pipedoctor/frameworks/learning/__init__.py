"""Learning one batch by heart: what is tried, when it stops, what the verdict is."""
