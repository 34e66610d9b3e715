"""How it is told what came of some hundred rows."""

from __future__ import annotations

from dataclasses import replace

from facts import findings, the_finding

from pipedoctor.facts import Learnability, Score
from pipedoctor.facts.learnability import CLASSES, INCONCLUSIVE, NUMBERS, RELATED, UNRELATED
from pipedoctor.reporters import learnability
from pipedoctor.reporters.layout import Line
from pipedoctor_checks.data.labels_unrelated_to_inputs import labels_unrelated_to_inputs
from pipedoctor_checks.loss.worse_than_a_bag_of_words import worse_than_a_bag_of_words

FACT = Learnability(
    verdict=UNRELATED,
    kind=CLASSES,
    rows=400,
    model=Score("the model", 0.51, 0.025, 0.4, 0.2),
    chance=0.52,
    baseline=Score("a bag of words", 0.5, 0.025, 0.7, -0.4),
    difference=0.01,
    noise=0.03,
    smallest=0.63,
    losses=(0.7, 0.4, 0.1),
    shuffled=(0.7, 0.42, 0.12),
    fitted=True,
    optimizer="AdamW",
    rate=5e-4,
    own=True,
    updates=120,
    seen=1200,
    restored=True,
)


def shown(fact: Learnability) -> str:
    lines: list[Line] = list(learnability.lines(fact.figures(), 200))
    return "\n".join("".join(text for text, _ in line) for line in lines)


def test_figures_and_their_noise_are_told() -> None:
    told = shown(FACT)
    assert "120 updates on halves of 400 rows, your AdamW at 5e-4" in told
    assert "the model 51.0% ± 2.5 (p = 0.4), a bag of words 50.0% ± 2.5" in told
    assert "loss of the learned rows 0.7 → 0.4 → 0.1; with their labels shuffled 0.7" in told
    assert told.endswith("Nothing relates the labels to the inputs.")


def test_an_open_question_has_its_reason_and_nothing_measured_too() -> None:
    told = shown(replace(FACT, verdict=INCONCLUSIVE, reason="there was too little time"))
    assert told.endswith("Inconclusive: there was too little time.")
    (line,) = learnability.lines({"unavailable": "a stream"}, 100)
    assert "nothing was tried: a stream" in line[0][0]


def test_numbers_are_told_as_correlations() -> None:
    told = shown(replace(FACT, kind=NUMBERS, verdict=RELATED))
    assert "correlation with unseen rows: the model 0.51 ± 0.0" in told


def test_unrelated_labels_are_a_finding_with_its_figures() -> None:
    found = the_finding(labels_unrelated_to_inputs, FACT)
    assert "51.0% ± 2.5" in found.message
    assert "40% and 70% of all orders fit as well" in found.message
    assert not findings(labels_unrelated_to_inputs, replace(FACT, verdict=RELATED))


def test_worse_than_a_bag_of_words_needs_rows_known_by_heart_and_a_gap_beyond_noise() -> None:
    bag = Score("a bag of words", 0.82, 0.02, 0.0025, 8.0)
    worse = replace(FACT, verdict=RELATED, baseline=bag, difference=-0.31, noise=0.03)
    found = the_finding(worse_than_a_bag_of_words, worse)
    assert "the model tells 51.0% of unseen rows, a bag of words 82.0%" in found.message
    assert "worse by 31.0 ± 3.0 in 100" in found.message
    assert not findings(worse_than_a_bag_of_words, replace(worse, difference=-0.05))
    early = replace(worse, fitted=False, model=Score("the model", 0.6, 0.02, 0.0004, 4.6))
    assert not findings(worse_than_a_bag_of_words, early)
