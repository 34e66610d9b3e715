"""The report for people: plain text, or in colour on a terminal."""

from __future__ import annotations

from typing import TextIO

from pipedoctor.report import Report
from pipedoctor.reporters.layout import lines

ASCII = str.maketrans({"✗": "x", "·": "-", "│": "|", "…": "..."})


def plain(report: Report, width: int = 100) -> str:
    """Return the report as text without colour."""
    told = ("".join(text for text, _ in line).rstrip() for line in lines(report, width))
    return "\n".join(told) + "\n"


def write(report: Report, stream: TextIO, *, colour: bool, width: int) -> None:
    """Print the report, in colour if so wished; an encoding without our signs gets plain ones."""
    if not colour:
        text = plain(report, width)
        try:
            text.encode(stream.encoding)
        except UnicodeEncodeError:
            text = text.translate(ASCII)
            text = text.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
        stream.write(text)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, width=width, highlight=False)
    for line in lines(report, width):
        console.print(Text.assemble(*line), soft_wrap=True)
