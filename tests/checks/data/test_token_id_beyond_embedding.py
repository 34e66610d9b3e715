import pytest
from data_facts import batch, model, tokenizer
from facts import findings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts import TokenRows
from pipedoctor.finding import Location, Severity
from pipedoctor_checks.data.token_id_beyond_embedding import token_id_beyond_embedding as check


def judge(seen, words=None, data=None, **known):
    return findings(check, model(**known), seen, seen, words, data)


def test_an_id_that_a_batch_really_holds():
    seen = batch(max_id=100, min_id=0, ids_rows={100: (3, 9), 0: (1,)})
    found = the_finding(check, model(), seen, seen, tokenizer(101), None)

    assert found.message == (
        "The batch holds the token id 100 (rows 3, 9), and the embedding has 100 rows, for the "
        "ids 0 to 99"
    )
    assert found.severity is None
    assert found.where.rows == (3, 9)
    assert found.remedy.startswith("model.resize_token_embeddings(len(tokenizer))")


def test_a_negative_id_is_none():
    (found,) = judge(batch(max_id=50, min_id=-100))
    assert "token id -100" in found.message
    assert "is it a label?" in found.remedy


def test_data_made_by_another_tokenizer():
    (found,) = judge(batch(max_id=30_000, min_id=0), tokenizer(90))
    assert "tokenise the data anew" in found.remedy


def test_a_tokenizer_that_could_is_a_warning():
    (found,) = judge(batch(max_id=99, min_id=0), tokenizer(102))

    assert found.severity is Severity.WARNING
    assert "ids up to 101" in found.message
    assert judge(None, tokenizer(102))[0].severity is Severity.WARNING


def test_the_largest_id_counts_not_the_number_of_tokens():
    assert not judge(batch(max_id=9, min_id=0), tokenizer(102, max_id=99))
    assert judge(batch(max_id=9, min_id=0), tokenizer(90, max_id=100))


def test_the_tokenizer_is_told_of_once():
    train, evaluation = batch(max_id=9, min_id=0), batch(max_id=9, min_id=0)

    assert findings(check, model(), train, train, tokenizer(102), None)
    assert not findings(check, model(), evaluation, train, tokenizer(102), None)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (batch(max_id=99, min_id=0), tokenizer(100)),
        (batch(max_id=99, min_id=0), None),
        (batch(max_id=20, min_id=0), tokenizer(60)),  # an embedding rounded up
        (batch(), None),  # no ids, as with images
        (None, tokenizer(100)),
    ],
)
def test_healthy(seen, words):
    assert not judge(seen, words)


def rows_up_to(most, least=0):
    holders = {most: (77,), least: (0,)}
    where = Location(column="input_ids", split="train")
    return TokenRows(480, least=least, most=most, holders=holders, where=where)


def test_an_id_in_a_row_that_no_batch_holds():
    (found,) = judge(batch(max_id=99, min_id=0), tokenizer(100), rows_up_to(100))

    assert found.message == (
        "The train data holds the token id 100 (row 77 of 480), and the embedding has 100 rows, "
        "for the ids 0 to 99: the step that meets this row fails"
    )
    assert found.severity is None
    assert found.where.rows == (77,)
    assert "tokenise the data anew" in found.remedy
    assert "token id -1 " in judge(None, None, rows_up_to(5, -1))[0].message
    assert not judge(batch(max_id=99, min_id=0), tokenizer(100), rows_up_to(99))


def test_neither_is_known():
    with pytest.raises(Unavailable, match="neither"):
        judge(None)
    with pytest.raises(Unavailable):
        judge(batch(max_id=100, min_id=0), embedding_rows=UNKNOWN)
