"""Reading a script without running it: its scopes, what its names mean, which calls train."""
