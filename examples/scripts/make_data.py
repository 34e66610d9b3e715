"""
Write the small data files of these scripts into `data/`.

    python examples/scripts/make_data.py [FOLDER]

Sentences are made from patterns and lists of words; every file comes out the same, byte for byte,
each time. Training and validation share patterns, but no text.
"""

import csv
import io
import json
import random
import sys
from pathlib import Path

HERE = Path(__file__).parent

TICKETS = {
    "billing": (
        "I was charged {amount} euros twice for the {thing}.",
        "The invoice for my {thing} shows {amount} euros too much.",
        "When will the {amount} euros for the returned {thing} be back on my card?",
    ),
    "delivery": (
        "My {thing} should have arrived {amount} days ago.",
        "The parcel with the {thing} has not moved for {amount} days.",
        "Can the {thing} be sent to number {amount} across the street?",
    ),
    "account": (
        "I cannot log in since I ordered the {thing}, the code {amount} is refused.",
        "Please change the address of my account before the {thing} ships to number {amount}.",
        "The reset link expired after {amount} minutes, and my {thing} is still in the basket.",
    ),
    "defect": (
        "The {thing} broke after {amount} hours of use.",
        "There are {amount} scratches on the new {thing}.",
        "My {thing} stops working at {amount} degrees.",
    ),
}
THINGS = ("lamp", "kettle", "bicycle", "printer", "camera", "drill", "radio", "heater")

PEOPLE = ("Anna Lind", "Omar Haddad", "Mei Tanaka", "Paul Weiss", "Lucia Prado", "Jan Novak")
PLACES = ("Oslo", "Lagos", "Lima", "Graz", "New Delhi", "Cape Town", "Turin", "Perth")
FIRMS = ("Nordwerk", "Blue Harbour", "Quanta Foods", "Tellus", "Arbor Steel", "Veloce")
SENTENCES = (
    "{PER} left {ORG} to teach in {LOC} .",
    "In {LOC} , {ORG} opened its third shop .",
    "The board of {ORG} met {PER} at the airport of {LOC} .",
    "{PER} and {PER} walked from {LOC} to {LOC} .",
    "Nobody at {ORG} knew why the train was late .",
)
NAMES = {"PER": PEOPLE, "LOC": PLACES, "ORG": FIRMS}

STORY = "{firm} was founded in {year} by {person}, who had come from {home}. {detail} Today it makes {thing}s in {place} and employs {number} people."
DETAILS = (
    "The first workshop stood in a yard behind the station, and for years the noise was a matter for the town council.",
    "There was no money for machines at first, so everything was done by hand, and the first customers had to wait all winter.",
    "A fire destroyed the whole stock in the second year, and the neighbours helped to build the hall anew.",
)
ASKED = (
    ("When was {firm} founded?", "year"),
    ("Who founded {firm}?", "person"),
    ("Where does {firm} make its {thing}s?", "place"),
    ("How many people work for {firm}?", "number"),
)


def tickets(chance):
    """Return rows of a text and its class."""
    rows = [
        (pattern.format(thing=thing, amount=chance.randrange(2, 90)), label)
        for label, patterns in TICKETS.items()
        for pattern in patterns
        for thing in THINGS
    ]
    return mixed(rows, chance)


def entities(chance, count):
    """Return rows of words and their tags, in the scheme of CoNLL: B- begins a name, I- goes on."""
    rows = {}
    while len(rows) < count:
        words, tags = [], []
        for word in chance.choice(SENTENCES).split():
            kind = word.strip("{}")
            name = chance.choice(NAMES[kind]).split() if kind in NAMES else [word]
            words += name
            tags += [f"B-{kind}"] + [f"I-{kind}"] * (len(name) - 1) if kind in NAMES else ["O"]
        rows[" ".join(words)] = {"tokens": words, "ner_tags": tags}
    return list(rows.values())


def questions(chance, count):
    """Return rows of a question, a story that answers it, and the answer with its place."""
    rows = []
    for number in range(count):
        facts = {
            "firm": chance.choice(FIRMS) + chance.choice((" Works", " & Sons", " Ltd", "")),
            "year": str(chance.randrange(1850, 1990)),
            "person": chance.choice(PEOPLE),
            "home": chance.choice(PLACES[:4]),
            "place": chance.choice(PLACES[4:]),
            "thing": chance.choice(THINGS),
            "number": str(chance.randrange(12, 900)),
            "detail": chance.choice(DETAILS),
        }
        story = STORY.format(**facts)
        for index, (question, asked) in enumerate(ASKED):
            answer = facts[asked]
            rows.append(
                {
                    "id": f"{number}-{index}",
                    "question": question.format(**facts),
                    "context": story,
                    "answers": {"text": [answer], "answer_start": [story.rindex(answer)]},
                }
            )
    return mixed(rows, chance)


def mixed(rows, chance):
    """Return the rows in another order; of `random`, only random() is the same everywhere."""
    return sorted(rows, key=lambda _: chance.random())


def as_csv(rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["text", "label"])
    writer.writerows(rows)
    return text.getvalue()


def as_lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE / "data"
    chance = random.Random(7)
    texts, words, asked = tickets(chance), entities(chance, 90), questions(chance, 24)
    files = {
        "tickets_train.csv": as_csv(texts[:72]),
        "tickets_validation.csv": as_csv(texts[72:]),
        "entities_train.json": as_lines(words[:72]),
        "entities_validation.json": as_lines(words[72:]),
        "questions_train.json": as_lines(asked[:72]),
        "questions_validation.json": as_lines(asked[72:]),
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
