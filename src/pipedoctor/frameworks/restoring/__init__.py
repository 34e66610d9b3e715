"""Leaving as it was what is looked at: random states, models, and the user's data code."""
