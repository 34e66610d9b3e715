"""Arguments that this version of transformers does not know, or knows by another name."""
