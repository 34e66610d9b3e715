"""Checks of the environment: processes, devices, and what is spread over them."""
