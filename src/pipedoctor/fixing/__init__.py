"""
Carrying out fixes: the smallest change of the user's own text, and nothing else touched.

Each dialect (JSON, YAML, TOML, Python) says where in a text its keys and values stand; the
changes are made there, so that comments, order, layout and line ends stay as they are. What was
changed is read again, and only written if it says exactly what it should.
"""

from __future__ import annotations


class Refused(Exception):  # noqa: N818 - it is no error: a fix that is left to the user
    """A change that is not made; the text says why, in one clause."""
