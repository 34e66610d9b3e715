"""Labels and heads: what is to be predicted, and by what."""
