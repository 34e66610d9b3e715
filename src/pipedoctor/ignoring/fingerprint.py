"""
What a finding is known by from one day to the next: not its line, and not its figures.

The same fault, three lines further down and with another number of rows, is the same finding.
"""

from __future__ import annotations

import hashlib
import json
import os
import re

from pipedoctor.finding import Finding

_NUMBER = re.compile(r"(?<![A-Za-z_\d])\d(?:[\d.,]*\d)?(?:e[-+]?\d+)?(?:\s[kMGTP]?B\b)?")


_FOLDERS = re.compile(r"(?<![\w./~-])/(?:[^\s/:,;\"']+/)+")


def skeleton(message: str) -> str:
    """
    Return the words of a message that are the same elsewhere and tomorrow.

    A letter stands for each number and its unit of memory, and the folders of this machine are
    left out: the working directory, and those that lead to a file.
    """
    here = os.getcwd()
    if len(here) > 1:
        message = message.replace(here, ".")
    return _NUMBER.sub("N", _FOLDERS.sub("/", message))


def fingerprint(code: str, finding: Finding) -> str:
    """Return what stands for a finding: of its code, the words of its message, and its key."""
    where = finding.where
    known = [code, skeleton(finding.message), where.key, where.column, where.layer, where.split]
    text = json.dumps(known)  # with escapes, so that half of a pair can be encoded as well
    return hashlib.sha256(text.encode()).hexdigest()[:32]
