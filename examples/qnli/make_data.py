"""
Write the data of this example from `facts.csv`: train, validation and doubtful labels.

    python examples/qnli/make_data.py [FOLDER]

A fact is a sentence with two questions that it answers: one outright, the other between the
lines. A question becomes a row with its own sentence (label 0, entailment), a row with
another sentence of the same topic (label 1, not_entailment), or both. Topics are either trained
on or held out, so that no question or sentence of the validation is seen in training.

The same facts make the same files, byte for byte, with every version of Python.
"""

from __future__ import annotations

import csv
import io
import random
import re
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
SEED = 42

ENTAILMENT, NOT_ENTAILMENT, UNCLEAR = 0, 1, 2

HELD_OUT = {"computing", "music", "oceans", "weather"}

# In which way the rows of a file are paired, and how many of each. Both files are balanced.
TRAIN = {"direct": 96, "indirect": 54, "near": 69, "far": 81}
VALIDATION = {"direct": 24, "indirect": 16, "near": 18, "far": 22}

# Of the rows answered between the lines, those that the annotators were in doubt about. With the
# near ones, which they doubted without exception, that makes 99 of the 300 rows unclear.
DOUBTED = 30


class Fact(NamedTuple):
    """One line of `facts.csv`."""

    topic: str
    subject: str
    question: str
    indirect_question: str
    sentence: str

    @property
    def questions(self) -> tuple[str, str]:
        """The two questions that the sentence answers."""
        return self.question, self.indirect_question


class Pair(NamedTuple):
    """
    A row, and in which way its question and sentence belong together.

    `direct` and `indirect`: the sentence answers the question. `near`: it is about the same
    subject, such as the Nile. `far`: it is only of the same topic, such as geography.
    """

    question: str
    sentence: str
    way: str

    @property
    def label(self) -> int:
        """The right label."""
        return ENTAILMENT if self.way in {"direct", "indirect"} else NOT_ENTAILMENT

    @property
    def shared_words(self) -> int:
        """The number of distinct words that stand in both the question and the sentence."""
        question, sentence = (set(re.findall(r"\w+", text.lower())) for text in self[:2])
        return len(question & sentence)


def read_facts() -> list[Fact]:
    """Return the facts in the order of the file."""
    with (HERE / "facts.csv").open(encoding="utf-8", newline="") as file:
        return [Fact(**row) for row in csv.DictReader(file)]


def shuffled(items: list, chance: random.Random) -> list:
    """Return the items in another order; of `random`, only random() is the same everywhere."""
    return sorted(items, key=lambda _: chance.random())


def make_pairs(facts: list[Fact], counts: dict[str, int], chance: random.Random) -> list[Pair]:
    """Return as many pairs of each way as asked for, in mixed order."""
    direct = [Pair(fact.question, fact.sentence, "direct") for fact in facts]
    indirect = [Pair(fact.indirect_question, fact.sentence, "indirect") for fact in facts]
    pairs = shuffled(direct, chance)[: counts["direct"]]
    pairs += shuffled(indirect, chance)[: counts["indirect"]]

    asked = [(question, fact) for fact in facts for question in fact.questions]
    used: Counter[str] = Counter()
    for number, (question, fact) in enumerate(shuffled(asked, chance)):
        if number == counts["near"] + counts["far"]:
            break
        way = "near" if number < counts["near"] else "far"
        others = [
            other.sentence
            for other in facts
            if other.topic == fact.topic
            and other != fact
            and (other.subject == fact.subject) == (way == "near")
        ]
        # The least used one, so that no sentence gives its label away.
        sentence = min(shuffled(others, chance), key=used.__getitem__)
        used[sentence] += 1
        pairs.append(Pair(question, sentence, way))
    return shuffled(pairs, chance)


def annotated(pairs: list[Pair]) -> list[int]:
    """Return the labels as annotators gave them who were allowed to be in doubt."""
    indirect = [pair for pair in pairs if pair.way == "indirect"]
    doubted = sorted(indirect, key=lambda pair: pair.shared_words)[:DOUBTED]
    return [UNCLEAR if pair.way == "near" or pair in doubted else pair.label for pair in pairs]


def as_csv(pairs: list[Pair], labels: list[int]) -> bytes:
    """Return the text of a file with one row for each pair."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["question", "sentence", "label"])
    for pair, label in zip(pairs, labels, strict=True):
        writer.writerow([pair.question, pair.sentence, label])
    return text.getvalue().encode()


def make_files() -> dict[str, bytes]:
    """Return the content of each file by its name."""
    facts = read_facts()
    chance = random.Random(SEED)
    train = make_pairs([fact for fact in facts if fact.topic not in HELD_OUT], TRAIN, chance)
    held_out = [fact for fact in facts if fact.topic in HELD_OUT]
    validation = make_pairs(held_out, VALIDATION, chance)
    return {
        "train.csv": as_csv(train, [pair.label for pair in train]),
        "train_with_unclear.csv": as_csv(train, annotated(train)),
        "validation.csv": as_csv(validation, [pair.label for pair in validation]),
    }


def main() -> None:
    """Write the files into the folder that is named, else beside this script."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for name, content in make_files().items():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
