"""
Checkpoint files, read without loading them: what they hold, and what is wrong with them.

A file is told by its structure, never by its suffix, and it may be anybody's: nothing in it is
unpickled, executed or trusted, and what is read of it is bounded in size, depth and time.
`contents` says what a reader returns, `formats` finds the reader for a file; each other module
knows one format. No framework is imported here.
"""
