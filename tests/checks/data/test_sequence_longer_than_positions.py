import pytest
from data_facts import batch, model, table
from facts import findings, outcome, settings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor_checks.data.sequence_longer_than_positions import (
    sequence_longer_than_positions as check,
)

POSITIONS = "bert.embeddings.position_embeddings.weight"
BERT = model(positions=512, parameters=table(POSITIONS, 512))
ROBERTA = model(positions=512, parameters=table(POSITIONS, 514))


def judge(seen, built=BERT, known=None):
    return findings(check, seen, seen, built, known)


def test_a_row_that_is_too_long():
    seen = batch(length=640, unpadded=640, longest_row=17)
    found = the_finding(check, seen, seen, BERT, None)

    assert found.message == (
        "Row 17 has 640 tokens, and BertForSequenceClassification has positions for 512"
    )
    assert found.where.rows == (17,)
    assert found.remedy == "tokenizer(..., truncation=True, max_length=512)"


def test_the_line_of_the_config_is_named():
    seen = batch(length=640, unpadded=640, longest_row=17)
    (found,) = judge(seen, known=settings(max_seq_length=640))

    assert found.remedy == 'set "max_seq_length": 512'
    assert found.where.key == "max_seq_length"


def test_padding_needs_positions_too_unless_the_model_gives_it_none():
    seen = batch(length=514, unpadded=400, longest_row=3)

    assert "Row 3 is padded to 514 tokens" in judge(seen, BERT)[0].message
    assert not judge(seen, ROBERTA)
    assert judge(batch(length=514, unpadded=513), ROBERTA)


@pytest.mark.parametrize(
    "built",
    [
        model(positions=None, parameters={}),
        model(positions=512, parameters={}),  # rotary: computed
        model(positions=512, parameters=table("encoder.relative_position_bias.weight", 512)),
        model(positions=512, parameters=table("embeddings.word_embeddings.weight", 512)),
        model(positions=1024, parameters=table("transformer.wpe.weight", 1024)),
    ],
)
def test_no_limit_is_met(built):
    assert not judge(batch(length=640, unpadded=640), built)


@pytest.mark.parametrize("length", [1, 511, 512])
def test_what_fits_is_fine(length):
    assert not judge(batch(length=length, unpadded=length))


def test_unknown_positions_are_no_clean_bill():
    with pytest.raises(Unavailable):
        judge(batch(length=640), model(positions=UNKNOWN))


@pytest.mark.parametrize(
    ("family", "limit"), [("Bert", 32), ("Roberta", 30), ("DistilBert", 32), ("GPT2", 32)]
)
def test_the_limit_is_where_the_real_model_fails(family, limit):
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    sizes = {
        "GPT2": {"n_embd": 16, "n_layer": 1, "n_head": 2, "n_positions": 32, "pad_token_id": 1},
        "DistilBert": {"dim": 16, "hidden_dim": 16, "n_layers": 1, "n_heads": 2},
    }.get(
        family,
        {
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
        },
    )
    if family != "GPT2":
        sizes["max_position_embeddings"] = 32
    config = getattr(transformers, f"{family}Config")(vocab_size=50, **sizes)
    built = getattr(transformers, f"{family}ForSequenceClassification")(config).eval()

    for length in (limit, limit + 1):
        data = [{"input_ids": [5] * length, "label": 0}] * 2
        found = outcome(check, model=built, train_data=data).findings
        assert bool(found) is (length > limit)
    built(input_ids=torch.full((2, limit), 5))
    with pytest.raises((IndexError, RuntimeError)):
        built(input_ids=torch.full((2, limit + 1), 5))
