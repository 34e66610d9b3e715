"""Checks of the fine-tuning of language models: adapters, checkpointing, templates, packing."""
