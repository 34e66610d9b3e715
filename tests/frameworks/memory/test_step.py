"""A pass without values against a real one, whose allocator torch.profiler listens to."""

from __future__ import annotations

from contextlib import nullcontext

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from pipedoctor.frameworks.memory import optimizers  # noqa: E402 - torch may be absent
from pipedoctor.frameworks.memory.hollow import hollow, without_values  # noqa: E402 - likewise
from pipedoctor.frameworks.memory.step import Way, _in_float32, run  # noqa: E402 - likewise

SIZES = {"hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4}


def bert(**more):
    config = transformers.BertConfig(**SIZES, intermediate_size=128, vocab_size=500, **more)
    return transformers.BertForSequenceClassification(config)


def llama():
    config = transformers.LlamaConfig(
        **SIZES, num_key_value_heads=2, intermediate_size=128, vocab_size=500
    )
    return transformers.LlamaForCausalLM(config)


def checkpointed(make):
    def made():
        model = make()
        model.gradient_checkpointing_enable()
        return model

    return made


def embeddings_frozen():
    model = bert()
    model.bert.embeddings.requires_grad_(False)
    return model


class Own(torch.nn.Module):
    """A model of nobody's library, with attention of torch."""

    def __init__(self):
        super().__init__()
        layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
        self.body = torch.nn.TransformerEncoder(layer, 2)
        self.words = torch.nn.Embedding(100, 32)

    def forward(self, input_ids, labels=None):
        del labels
        return {"loss": self.body(self.words(input_ids)).square().mean()}


def batch(model, rows, length):
    ids = torch.randint(5, 90, (rows, length))
    return {"input_ids": ids, "labels": ids if "LM" in type(model).__name__ else ids[:, 0] % 2}


def loss(model, inputs):
    return model(**inputs)["loss"]


def real_peak(make, rows, length, half=None):
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as told:
        model = make().train()
        inputs = batch(model, rows, length)
        with torch.autocast("cpu", dtype=half) if half else nullcontext():
            answer = model(**inputs)
        value = (_in_float32(answer) if half else answer)["loss"]
        del answer
        value.backward()
    events = [e for e in told.profiler.kineto_results.events() if e.name() == "[memory]"]
    live = peak = 0
    for event in sorted(events, key=lambda one: one.start_ns()):
        live += event.nbytes()
        peak = max(peak, live)
    return peak


def told(make, rows, length, **way):
    with torch.device("meta"):
        real = make().train()
    with without_values():
        inputs = {
            name: torch.empty(value.shape, dtype=value.dtype)
            for name, value in batch(real, rows, length).items()
        }
        return run(hollow(real), inputs, Way(loss=loss, **way))


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(bert, id="bert"),
        pytest.param(lambda: bert(attn_implementation="eager"), id="eager attention"),
        pytest.param(checkpointed(bert), id="checkpointed"),
        pytest.param(embeddings_frozen, id="a part is frozen"),
        pytest.param(llama, id="grouped heads"),
        pytest.param(Own, id="a module of one's own"),
    ],
)
def test_the_peak_is_that_of_a_real_pass(make):
    predicted = told(make, 8, 64, gpu=False).peak
    assert predicted == pytest.approx(real_peak(make, 8, 64), rel=0.01)


def test_the_peak_under_autocast_is_that_of_a_real_pass():
    predicted = told(bert, 8, 64, gpu=False, half=torch.bfloat16)
    assert predicted.peak == pytest.approx(real_peak(bert, 8, 64, torch.bfloat16), rel=0.01)


def test_the_parts_sum_up_to_the_peak():
    taken = told(llama, 4, 32, vocabulary=500)
    assert sum(taken.parts.values()) == taken.peak
    assert taken.parts["logits"] > 0


def test_the_law_of_one_pass_tells_another_batch():
    from pipedoctor.probes.memory import laws

    for make in (bert, checkpointed(bert)):
        law = laws.law(told(make, 4, 64, gpu=False).moments, 4)
        for rows in (1, 200):
            assert law.at(rows) == pytest.approx(told(make, rows, 64, gpu=False).peak, rel=0.01)


def test_a_gpu_keeps_no_scores_of_fused_attention_and_a_byte_for_dropout():
    # On a CPU, attention with dropout keeps a float for each pair of tokens, several times.
    here, there = (told(bert, 4, 256, gpu=gpu).parts["activations"] for gpu in (False, True))
    pairs = 4 * 4 * 256 * 256 * 3
    assert here - there > 2 * 4 * pairs
    longer = told(bert, 4, 512).parts["activations"]
    assert longer == pytest.approx(2 * there, rel=0.02)  # linear in the length


def test_eager_attention_keeps_the_scores_on_a_gpu_as_well():
    eager = told(lambda: bert(attn_implementation="eager"), 4, 256).parts["activations"]
    assert eager > told(bert, 4, 256).parts["activations"] + 4 * 4 * 256 * 256 * 3 * 4


def test_gradients_that_stay_between_batches_are_there_from_the_beginning():
    once, again = told(bert, 2, 16), told(bert, 2, 16, accumulated=True)
    trained = sum(p.numel() * p.element_size() for p in bert().parameters())
    assert again.parts["gradients"] >= trained
    assert again.peak >= once.peak


@pytest.mark.parametrize(
    ("name", "states", "temporary"),
    [
        ("adamw_torch_fused", 2.0, 0.0),
        ("adamw_torch", 2.0, 1.0),
        ("sgd", 0.0, 0.0),
        ("rmsprop", 1.0, 1.0),
        ("adagrad", 1.0, 2.0),
        ("adamw_bnb_8bit", 0.51, 0.0),
    ],
)
def test_what_an_optimizer_takes_in_weights(name, states, temporary):
    with without_values():
        weights = [torch.nn.Parameter(torch.empty(512, 512)) for _ in range(4)]
        stepped = optimizers.named(name, weights, gpu=True)
    whole = 4 * 512 * 512 * 4
    assert stepped.states / whole == pytest.approx(states, abs=0.01)
    assert stepped.temporary / whole == pytest.approx(temporary, abs=0.3)


def test_an_optimizer_of_the_users_is_gone_through_as_it_is():
    real = torch.optim.Adam([torch.nn.Parameter(torch.ones(3))], lr=1e-3, amsgrad=True)
    with without_values():
        stepped = optimizers.like(real, [torch.nn.Parameter(torch.empty(64, 64))], gpu=True)
    assert stepped.states == pytest.approx(3 * 64 * 64 * 4, rel=0.1)
    assert not real.state


def test_a_hollow_copy_leaves_the_model_as_it_was():
    model = bert()
    before = {name: (value.clone(), value.data_ptr()) for name, value in model.named_parameters()}
    with without_values():
        twin = hollow(model)
        run(
            twin,
            {n: torch.empty(v.shape, dtype=v.dtype) for n, v in batch(model, 2, 8).items()},
            Way(loss=loss),
        )
    for name, value in model.named_parameters():
        assert torch.equal(value, before[name][0])
        assert value.data_ptr() == before[name][1]
        assert value.grad is None
    assert "forward" not in vars(model)
    assert torch.nn.functional.dropout.__module__ == "torch.nn.functional"


def test_tied_weights_count_once():
    tied = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(n_embd=32, n_layer=1, n_head=2, vocab_size=300)
    )
    with without_values():
        twin = hollow(tied)
    assert twin.lm_head.weight is twin.transformer.wte.weight
