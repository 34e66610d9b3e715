"""What is found in rows that no batch was made of."""

from __future__ import annotations

from data_facts import head
from facts import findings, the_finding

from pipedoctor.facts import BlindRows, TokenRows
from pipedoctor.facts.token_rows import Those
from pipedoctor.finding import Location, Severity
from pipedoctor_checks.data.labels_beside_other_tokens import labels_beside_other_tokens
from pipedoctor_checks.data.rows_without_a_token import rows_without_a_token

WHERE = Location(column="input_ids", split="train")


def test_one_row_without_a_token_is_a_note_many_are_a_warning() -> None:
    one = TokenRows(480, masked=Those(1, (30,)), where=WHERE)
    found = the_finding(rows_without_a_token, one, one, BlindRows((30,), 0.7))

    assert found.message == (
        "1 of 480 rows has nothing to look at: 1 with an attention mask of zeros"
    )
    assert found.severity is None
    assert found.where.rows == (30,)
    assert "any(row['attention_mask'])" in found.remedy
    many = TokenRows(480, empty=Those(5, (1, 2, 3)), where=WHERE)
    found = the_finding(rows_without_a_token, many, many, None)
    assert found.severity is Severity.WARNING
    assert "5 without any token" in found.message
    assert "len(row['input_ids']) > 0" in found.remedy


def test_a_loss_of_nan_is_an_error_however_few_they_are() -> None:
    data = TokenRows(20_000, of=90_000, masked=Those(1, (30,)), where=WHERE)
    found = the_finding(rows_without_a_token, data, data, BlindRows((30,), float("nan")))

    assert found.severity is Severity.ERROR
    assert "1 of 20,000 rows that were read of 90,000" in found.message
    assert "spoils every weight" in found.message


def test_a_loss_of_the_training_says_nothing_of_the_evaluation() -> None:
    train, other = (TokenRows(480, masked=Those(1, (30,)), where=WHERE) for _ in range(2))
    found = the_finding(rows_without_a_token, other, train, BlindRows((30,), float("nan")))
    assert found.severity is None


def test_no_row_is_without_a_token() -> None:
    data = TokenRows(480, masked=Those(), where=WHERE)
    assert not findings(rows_without_a_token, data, data, BlindRows())


def test_labels_of_words_beside_tokens() -> None:
    data = TokenRows(
        480, apart={"labels": Those(400, (0, 1, 2))}, lengths={"labels": (0, 9, 5)}, where=WHERE
    )
    found = the_finding(labels_beside_other_tokens, data, data, head(3, per_token=True))

    assert found.message == (
        "400 of 480 rows have another number of labels than of tokens: row 0 has 5 labels for 9 "
        "tokens"
    )
    assert "word_ids()" in found.remedy
    assert not findings(labels_beside_other_tokens, data, data, head(3))
    words = head(50, per_token=True, vocabulary=True)
    assert not findings(labels_beside_other_tokens, data, data, words)


def test_labels_that_begin_one_token_too_early() -> None:
    def first(**counts: int) -> TokenRows:
        told = {int(name[1:]): number for name, number in counts.items()}
        return TokenRows(sum(told.values()), first=told, where=WHERE)

    data = first(_0=70, _1=30)
    found = the_finding(labels_beside_other_tokens, data, data, head(3, per_token=True))
    assert found.severity is Severity.WARNING
    assert "2 different labels: 0 (70 rows), 1 (30 rows)" in found.message
    for quiet in (first(_0=100), first(_0=98, _1=2), first(_0=7, _1=3)):
        assert not findings(labels_beside_other_tokens, quiet, quiet, head(3, per_token=True))
    ignored = TokenRows(100, first={-100: 60, 0: 40}, where=WHERE)
    assert not findings(labels_beside_other_tokens, ignored, ignored, head(3, per_token=True))


def test_to_leave_rows_out_is_no_cure_where_all_are_blind() -> None:
    rows = TokenRows(rows=10, masked=Those(10, (0, 1, 2)))
    (finding,) = rows_without_a_token(rows, rows, None)
    assert "tokenise the texts anew" in finding.remedy
    few = TokenRows(rows=10, masked=Those(2, (0, 1)))
    (finding,) = rows_without_a_token(few, few, None)
    assert finding.remedy.startswith("leave these rows out")
