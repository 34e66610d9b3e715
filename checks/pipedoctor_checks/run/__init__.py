"""The run itself: what the user's own code does in it."""
