"""The template that turns a conversation into one text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipedoctor.fact import UNKNOWN, Fact


@dataclass(frozen=True, repr=False, eq=False)
class ChatTemplate(Fact):
    """
    Whether there is a chat template, and whether it marks what the assistant says.

    `marks` says whether it encloses that in `{% generation %}` and `{% endgeneration %}`.
    `replaced` says whether the trainer knows the template, and takes one that does in its place.
    `source` names the file or the tokenizer that it is from.
    """

    doing = "Reading the chat template"

    present: bool
    marks: bool = False
    replaced: bool = UNKNOWN
    source: str = ""

    def summary(self) -> Mapping[str, object]:
        """Tell both."""
        return {"present": self.present, "marks": self.marks}
