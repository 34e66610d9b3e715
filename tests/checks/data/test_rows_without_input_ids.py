import pytest
from data_facts import OWN, batch, collator, model, samples
from facts import findings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor_checks.data.rows_without_input_ids import rows_without_input_ids as check

PADDING = collator("input_ids")


def judge(rows, built=None, function=PADDING, seen=None):
    return findings(check, rows, rows, built or model(), function, seen)


def test_rows_that_hold_only_labels():
    rows = samples({"label": (0, 0)})
    found = the_finding(check, rows, rows, model(), PADDING, None)

    assert found.message == (
        "Of 2 rows that go to the collator, 2 can't be used: the rows hold label, and no input_ids"
    )
    assert "remove_unused_columns=False" in found.remedy


def test_some_rows_lack_them():
    rows = samples({"input_ids": (3, 0, 2, 0)}, "label", input_ids=(1, 3))
    (found,) = judge(rows)

    assert "2 can't be used: input_ids is missing in rows 1, 3" in found.message
    assert found.where.rows == (1, 3)
    assert 'filter(lambda row: row["input_ids"] is not None)' in found.remedy


def test_a_list_by_another_name_may_be_renamed():
    assert '"tokens", "input_ids"' in judge(samples({"tokens": (3, 3)}, "label"))[0].remedy


@pytest.mark.parametrize(
    ("rows", "built"),
    [
        (samples({"input_ids": (3, 3)}, "label"), model()),
        (samples({"x": (3, 3)}), model(accepts=("x", "labels"))),
        (samples({"inputs_embeds": (3, 3)}), model(accepts=("input_ids", "inputs_embeds"))),
        (samples({"pixel_values": (3,)}), model(accepts=("pixel_values", "input_ids"))),
    ],
)
def test_healthy(rows, built):
    assert not judge(rows, built)


def test_a_collator_that_makes_them_is_believed_when_seen():
    rows = samples({"label": (0, 0)}, "text")

    assert not judge(rows, function=OWN, seen=batch())
    with pytest.raises(Unavailable, match="collator"):
        judge(rows, function=OWN)
