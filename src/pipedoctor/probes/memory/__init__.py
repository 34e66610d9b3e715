"""The arithmetic of memory that needs no framework: what devices have, laws, formulas."""
