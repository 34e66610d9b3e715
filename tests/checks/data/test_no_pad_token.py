import pytest
from data_facts import OWN, collator, model, tokenizer
from facts import findings, outcome, pipeline, settings, the_finding

from pipedoctor.fact import UNKNOWN
from pipedoctor.facts import Forward
from pipedoctor.pipeline import ProbeFailed
from pipedoctor_checks.data.no_pad_token import no_pad_token as check

GPT = {"name": "GPT2ForSequenceClassification", "decoder_only": True, "pad_id": None}
PADDING = collator("input_ids", "attention_mask")
WITHOUT = tokenizer(100, pad_id=None)
WITH = tokenizer(100, pad_id=0)


def test_a_classifier_that_cannot_tell_padding():
    found = the_finding(check, model(**GPT), None, None, settings(per_device_train_batch_size=4))

    assert "gets batches of 4 rows" in found.message
    assert found.where.key == "per_device_train_batch_size"
    assert found.remedy.startswith("tokenizer.pad_token = tokenizer.eos_token")


def test_trainer_copies_the_pad_token_since_4_56():
    old = settings("4.46.3")
    found = the_finding(check, model(**GPT), WITH, PADDING, old)

    assert found.remedy == "model.config.pad_token_id = tokenizer.pad_token_id"
    assert not findings(check, model(**GPT), WITH, PADDING, settings("5.23.0"))


def test_a_tokenizer_that_cannot_pad():
    found = the_finding(check, model(), WITHOUT, PADDING, None)

    assert "DataCollatorWithPadding pads attention_mask, input_ids" in found.message
    assert "tokenizer.pad_token = tokenizer.eos_token" in found.remedy


def test_the_evaluation_may_be_what_fails():
    known = settings(per_device_train_batch_size=1)
    found = the_finding(check, model(**GPT), None, None, known)

    assert found.where.key == "per_device_eval_batch_size"


@pytest.mark.parametrize(
    "facts",
    [
        (model(), WITH, PADDING, settings()),
        (model(pad_id=None), None, None, settings()),  # an encoder pools its first token
        (model(**GPT | {"pad_id": 7}), None, None, settings()),
        (model(**GPT | {"name": "GPT2LMHeadModel"}), None, None, settings()),
        (
            model(**GPT),
            None,
            None,
            settings(per_device_train_batch_size=1, per_device_eval_batch_size=1),
        ),
        (model(), WITHOUT, collator(name="default_data_collator"), settings()),
        (model(), WITHOUT, OWN, settings()),
        (model(), tokenizer(100, pad_id=UNKNOWN), PADDING, settings()),
        (model(**GPT), None, None, None),
    ],
)
def test_healthy(facts):
    assert not findings(check, *facts)


def test_transformers_refuses_indeed():
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    config = transformers.GPT2Config(
        vocab_size=100, n_embd=16, n_layer=1, n_head=2, n_positions=32, eos_token_id=1
    )
    built = transformers.GPT2ForSequenceClassification(config)
    two = torch.tensor([[5, 6, 7]] * 2)

    assert outcome(check, model=built, settings={}).findings
    with pytest.raises(ValueError, match=r"Cannot handle batch sizes > 1"):
        built(input_ids=two)
    built.config.pad_token_id = 1
    assert not outcome(check, model=built, settings={}).findings
    assert built(input_ids=two).logits.shape == (2, 2)


def test_a_forward_pass_takes_the_pad_token_that_trainer_would_give_and_no_more():
    transformers = pytest.importorskip("transformers")
    tokenizers = pytest.importorskip("tokenizers")
    vocabulary = tokenizers.models.WordLevel({"[PAD]": 0, "[UNK]": 1, "film": 2}, "[UNK]")
    words = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(vocabulary), pad_token="[PAD]", unk_token="[UNK]"
    )
    built = transformers.GPT2ForSequenceClassification(
        transformers.GPT2Config(
            vocab_size=100, n_embd=16, n_layer=1, n_head=2, n_positions=32, eos_token_id=1
        )
    )
    parts = {"model": built, "train_data": [{"input_ids": [2, 1], "label": 0}] * 4, "settings": {}}

    assert pipeline(**parts, tokenizer=words).fact(Forward).known("loss")
    assert built.config.pad_token_id is None
    with pytest.raises(ProbeFailed, match="no padding token"):
        pipeline(**parts).fact(Forward)
