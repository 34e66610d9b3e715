"""
Probes that need no framework: what settings, files and plain Python data tell by themselves.

Each module here measures one fact, or reads one kind of source.
"""
