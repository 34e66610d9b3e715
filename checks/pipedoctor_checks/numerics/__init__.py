"""Number formats that overflow, round updates away, or are refused."""
