"""Data and tokenisation: what reaches the model."""
