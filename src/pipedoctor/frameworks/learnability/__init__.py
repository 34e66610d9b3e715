"""Whether what is learned of some rows holds for others: what is tried, and what is compared."""
