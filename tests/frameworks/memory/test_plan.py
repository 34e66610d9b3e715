"""Plans of models that nobody has memory for here."""

from __future__ import annotations

import resource
import weakref

import pytest
from facts import pipeline

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pipedoctor.fact import Unavailable  # noqa: E402 - torch may be absent
from pipedoctor.facts import MemoryPlan  # noqa: E402 - likewise
from pipedoctor.frameworks.memory import saving  # noqa: E402 - likewise

SMALL = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def on_meta(make):
    with torch.device("meta"):
        return make()


def llama(**more):
    return on_meta(lambda: transformers.LlamaForCausalLM(transformers.LlamaConfig(**more)))


def bert(**more):
    config = transformers.BertConfig(**SMALL, vocab_size=100, **more)
    return on_meta(lambda: transformers.BertForSequenceClassification(config))


def plan(model, memory, **settings):
    return pipeline(model=model, memory=memory, settings=settings).fact(MemoryPlan)


def consistent(told):
    assert sum(told.parts.values()) == told.peak
    assert told.total == told.peak + told.context + told.margin
    totals = [remedy.total for remedy in told.remedies]
    assert totals == sorted(totals)
    assert all(0 < total < told.total for total in totals)
    assert list(told.batches.values()) == sorted(told.batches.values())


SEVEN_BILLION = {
    "hidden_size": 4096,
    "intermediate_size": 11008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
}
FEW_LAYERS = {
    "hidden_size": 8192,
    "intermediate_size": 22016,
    "num_hidden_layers": 8,
    "num_attention_heads": 64,
}
"""As many parameters, and a quarter of the operations."""


@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param(FEW_LAYERS, id="8 layers"),
        pytest.param(SEVEN_BILLION, id="32 layers", marks=pytest.mark.deep),
    ],
)
@pytest.mark.parametrize(
    ("memory", "fits"), [({"gpu": "A100 80GB"}, True), ({"room": 24 * 2**30}, False)]
)
def test_seven_billion_parameters(sizes, memory, fits):
    model = llama(**sizes).to(torch.bfloat16)
    told = plan(model, {**memory, "rows": 1, "length": 1024}, optim="adafactor")
    consistent(told)
    weights = 2 * sum(p.numel() for p in model.parameters())
    assert told.parts["weights"] == pytest.approx(weights, rel=1e-6)
    assert told.fits is fits
    assert bool(told.largest) is fits
    changes = [remedy.change for remedy in told.remedies]
    assert any(change.startswith("LoRA") for change in changes)
    assert any("ZeRO-3" in change for change in changes)
    if fits:
        assert told.verified["traced"] == pytest.approx(told.verified["law"], rel=0.01)


@pytest.mark.deep
def test_a_trillion_parameters_take_no_memory_to_plan():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = llama(
        hidden_size=65536,
        intermediate_size=262144,
        num_hidden_layers=15,
        num_attention_heads=256,
        vocab_size=128000,
    )
    told = plan(model, {"gpu": "H200", "rows": 1})
    assert told.parameters > 10**12
    assert told.largest == 0
    consistent(told)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < 300e6


def test_the_largest_batch_fits_and_one_row_more_does_not():
    room = 3 * 2**30
    told = plan(bert(), {"room": room}, per_device_train_batch_size=4)
    assert told.largest > 4
    assert told.largest_total <= room
    more = plan(bert(), {"room": room}, per_device_train_batch_size=told.largest + 1)
    assert more.total > room


def test_without_memory_stated_common_gpus_are_told():
    told = plan(bert(), {"planned": True})
    assert told.fits is None
    assert told.largest is None
    assert set(told.fits_on) >= {"T4", "A100 80GB"}


def test_without_wishes_nothing_is_planned():
    with pytest.raises(Unavailable):
        pipeline(model=bert(), settings={}).fact(MemoryPlan)


def test_training_on_the_cpu_has_no_context_of_cuda():
    told = plan(bert(), {"room": 2**30}, use_cpu=True)
    assert told.device == "cpu"
    assert told.context == 0
    assert not any("ZeRO" in remedy.change for remedy in told.remedies)


def test_what_is_longest_in_the_real_data_counts():
    rows = [{"input_ids": [1] * n, "labels": 0} for n in (8, 8, 8, 8, 8, 200)]
    told = pipeline(
        model=bert(),
        train_data=rows,
        collator=padded,
        memory={"room": 2**31},
        settings={"per_device_train_batch_size": 4},
    ).fact(MemoryPlan)
    assert told.length == 200
    assert told.usual_length == 8
    assert told.usual_total < told.total


def padded(rows):
    longest = max(len(row["input_ids"]) for row in rows)
    ids = [row["input_ids"] + [0] * (longest - len(row["input_ids"])) for row in rows]
    return {
        "input_ids": torch.tensor(ids),
        "attention_mask": (torch.tensor(ids) != 0).long(),
        "labels": torch.tensor([row["labels"] for row in rows]),
    }


class Looking(torch.nn.Module):
    """Looks at values, which there are none of."""

    def __init__(self, **config):
        super().__init__()
        self.words = torch.nn.Embedding(10, 4)
        self.config = type("Config", (), config)()

    def forward(self, input_ids, labels=None):
        del labels
        found = self.words(input_ids).sum()
        return {"loss": found if bool(found > 0) else -found}


def test_a_model_that_looks_at_values_is_told_by_formula_and_says_so():
    model = Looking(num_hidden_layers=2, hidden_size=4, num_attention_heads=1)
    told = plan(model, {"room": 2**31, "length": 64})
    assert not told.traced
    assert told.parts["activations"] == 2 * 2 * 8 * 64 * (34 * 4 + 5 * 64)
    assert any("by formula" in note for note in told.notes)
    assert not told.remedies


def test_without_what_the_formula_needs_nothing_is_told():
    with pytest.raises(Unavailable, match="layers"):
        plan(Looking(), {"room": 2**31, "length": 64})


def test_a_quantised_model_is_refused_in_words():
    model = bert()
    model.classifier.weight = torch.nn.Parameter(
        torch.empty(2, 64, dtype=torch.int8, device="meta"), requires_grad=False
    )
    with pytest.raises(Unavailable, match="quantised"):
        plan(model, {"room": 2**31})


def test_an_optimizer_that_is_not_known_is_not_guessed():
    with pytest.raises(Unavailable, match="lomo"):
        plan(bert(), {"room": 2**31}, optim="lomo")


def test_a_model_of_which_nothing_is_trained_has_no_plan():
    model = bert()
    model.requires_grad_(False)
    with pytest.raises(Unavailable, match="no parameter"):
        plan(model, {"room": 2**31})


def test_adapters_are_gone_through_as_they_are():
    peft = pytest.importorskip("peft")
    model = peft.get_peft_model(
        llama(**SMALL, intermediate_size=128, vocab_size=200),
        peft.LoraConfig(r=4, target_modules="all-linear"),
    )
    told = plan(model, {"room": 2**31, "length": 32})
    consistent(told)
    assert told.trainable < told.parameters / 2
    assert told.parts.get("states", 0) < told.parts["weights"] / 2
    assert not any(remedy.change.startswith("LoRA") for remedy in told.remedies)


def test_what_is_accumulated_leaves_less_room():
    wishes = {"room": 700_000_000, "length": 8, "rows": 1000}
    once, often = (plan(bert(), wishes, gradient_accumulation_steps=n) for n in (1, 4))
    assert 0 < once.largest_accumulated < once.largest
    assert often.largest == once.largest_accumulated


def test_as_many_tokens_as_a_layer_is_wide_are_not_taken_for_weights():
    """8 rows of 8 tokens make activations of 64 x 64, as the weights are."""
    wide, narrow = (plan(bert(), {"room": 2**30, "length": 8, "rows": n}) for n in (8, 7))
    assert wide.batches[128] == pytest.approx(narrow.batches[128], rel=0.01)


def test_no_batch_is_larger_than_the_data():
    rows = [{"input_ids": [1] * 8, "labels": 0} for _ in range(20)]
    told = pipeline(
        model=bert(),
        train_data=rows,
        collator=padded,
        memory={"room": 2**31},
        settings={"per_device_train_batch_size": 4000},
    ).fact(MemoryPlan)
    assert told.rows == 20
    assert any("20 rows" in note for note in told.notes)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"per_device_train_batch_size": 0}, "no batch has so many rows"),
        ({"bf16": True, "fp16": True}, "TrainingArguments refuses"),
        ({"optim": "adamw_typo"}, "no optimizer called adamw_typo"),
    ],
)
def test_what_can_not_be_trained_is_not_planned(settings, said):
    with pytest.raises(Unavailable, match=said):
        plan(bert(), {"room": 2**31}, **settings)


def test_rows_that_came_alone_are_planned_with_the_mask_that_more_of_them_have():
    rows = [{"input_ids": [1] * n, "labels": 0} for n in (8, 16, 200)]
    alone, several = (
        pipeline(
            model=bert(),
            train_data=rows * 10,
            collator=padded,
            memory={"room": 2**31, "rows": 16},
            settings={"per_device_train_batch_size": number},
        ).fact(MemoryPlan)
        for number in (1, 8)
    )
    assert alone.peak == several.peak


def test_a_run_that_is_shared_is_not_judged_as_one_that_is_not():
    told = plan(bert(), {"room": 2**20}, fsdp="full_shard", per_device_train_batch_size=64)
    assert (told.fits, told.settled, told.shared) == (False, False, "fsdp")
    assert not any("ZeRO" in remedy.change for remedy in told.remedies)


def test_inputs_that_can_not_be_made_up_are_said():
    config = transformers.CLIPConfig()
    config.text_config.num_hidden_layers = config.vision_config.num_hidden_layers = 1
    with pytest.raises(Unavailable, match="with input_ids alone"):
        plan(on_meta(lambda: transformers.CLIPModel(config)), {"room": 2**31})


class Elsewhere(torch.Tensor):
    """A tensor that says that it is on a GPU, and is copied as one would be."""

    copies: list = []  # noqa: RUF012 - one list for all

    @property
    def device(self):
        return torch.device("cuda")

    def to(self, *_words, **_keywords):
        made = torch.Tensor(self.as_subclass(torch.Tensor).clone())
        self.copies.append(weakref.ref(made))
        return made


def test_a_checkpoint_takes_what_safetensors_copies_of_a_gpu(tmp_path, monkeypatch):
    from safetensors import torch as format_

    model = transformers.BertModel(transformers.BertConfig(**SMALL, vocab_size=100))
    there = {name: p.detach().as_subclass(Elsewhere) for name, p in model.named_parameters()}
    usual, live = format_.serialize_file, []

    def write(*words, **keywords):
        found = [one() for one in Elsewhere.copies if one() is not None]
        live.append(sum(one.numel() * 4 for one in found))
        return usual(*words, **keywords)

    monkeypatch.setattr(format_, "serialize_file", write)
    format_.save_file(there, tmp_path / "model.safetensors")
    assert live == [saving.needed(model, 5)]
    assert saving.needed(llama(**SEVEN_BILLION), 4) <= saving.OLD_SHARD
