"""Tokens as people read them: all pieces together are the text."""

from __future__ import annotations

from typing import Any

import pytest
import tokenizers
import transformers
from hypothesis import given
from hypothesis import strategies as st

from pipedoctor.probes.preview.tokens import HEAD, TAIL, entries, pieces, tokens_in


def build() -> Any:
    bpe = tokenizers.ByteLevelBPETokenizer()
    texts = ["the cat sat on the mat", "東京で会いました", "a dog, two dogs"] * 9
    bpe.train_from_iterator(texts, vocab_size=400, special_tokens=["<end>", "<pad>"])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=bpe._tokenizer, eos_token="<end>", pad_token="<pad>"
    )


TOKENIZER = build()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_all_pieces_together_are_the_text(text: str) -> None:
    ids = TOKENIZER(text, add_special_tokens=False)["input_ids"]
    found = pieces(TOKENIZER, ids)
    assert len(found) == len(ids)
    assert "".join(found) == TOKENIZER.decode(ids, clean_up_tokenization_spaces=False)


@given(
    st.lists(st.integers(-3, 1200), max_size=400),
    st.sampled_from([TOKENIZER, None]),
    st.booleans(),
)
def test_whatever_the_ids_every_token_is_counted(
    ids: list[int], tokenizer: Any, masked: bool
) -> None:
    mask = [number % 2 for number in ids] if masked else None
    found = entries(ids, mask, list(ids), tokenizer)
    assert sum(map(tokens_in, found)) == len(ids)
    assert all("text" in entry for entry in found if "omitted" not in entry)
    assert len(found) <= HEAD + TAIL + 1


def test_runs_of_padding_are_counted_and_the_end_token_stands_alone() -> None:
    end, pad = TOKENIZER.eos_token_id, TOKENIZER.pad_token_id
    found = entries([end, pad, pad, pad], [1, 0, 0, 0], None, TOKENIZER)
    assert [(e["text"], e.get("times", 1), "padding" in e) for e in found] == [
        ("<end>", 1, False),
        ("<pad>", 3, True),
    ]


def test_the_middle_of_a_long_sequence_is_left_out_but_not_what_is_learned_there() -> None:
    ids = TOKENIZER("cat dog " * 300)["input_ids"]
    labels = [-100] * 250 + ids[250:]
    found = entries(ids, None, labels, TOKENIZER)
    (gap,) = [entry for entry in found if "omitted" in entry]
    assert gap["omitted"] == len(ids) - HEAD - TAIL
    assert gap["learned"] == len(ids) - TAIL - 250


@pytest.mark.parametrize("number", [-1, 10**6])
def test_an_id_beyond_the_vocabulary_is_told_by_its_number(number: int) -> None:
    (entry,) = entries([number], None, None, TOKENIZER)
    assert entry["text"].strip() == f"<{number}>"
