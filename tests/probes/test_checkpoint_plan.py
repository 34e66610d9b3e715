from __future__ import annotations

import pytest

from pipedoctor.fact import Cost, OverBudget, Unavailable
from pipedoctor.facts import CheckpointPlan, Model, Parameter
from pipedoctor.probe import probe
from pipedoctor.probes.checkpoint_plan import SMALL_FILES

MILLION = {"config": {}, "tensors": {"w": ("F32", (1000, 1000)), "ids": ("I64", (512,))}}


@pytest.fixture
def plan(subject):
    def make(model=MILLION, version="5.23.0", rows=800, **settings):
        files = {"output_dir": "out"} if model is None else {"model": model}
        return subject(
            settings={"save_steps": 100, **settings},
            train_data=range(rows),
            files=files,
            environment={"transformers": version, "gpus": 0},
        ).fact(CheckpointPlan)

    return make


@pytest.mark.parametrize(
    ("settings", "peak", "kept"),
    [
        ({}, 3, 3),
        ({"save_total_limit": 1}, 2, 1),
        ({"save_total_limit": 2}, 3, 2),
        ({"save_total_limit": 5}, 3, 3),
        ({"save_total_limit": 0}, 3, 3),
        ({"save_total_limit": -1}, 3, 3),
        ({"save_steps": 10, "save_total_limit": 1}, 2, 1),
        ({"save_steps": 10, "save_total_limit": 3}, 4, 3),
        ({"save_steps": 10, "save_total_limit": 1, "metric_for_best_model": "f1"}, 2, 1),
        (
            {
                "save_steps": 10,
                "save_total_limit": 1,
                "load_best_model_at_end": True,
                "eval_strategy": "steps",
                "eval_steps": 10,
            },
            3,
            1,
        ),
        (
            {
                "save_steps": 10,
                "save_total_limit": 1,
                "lr_scheduler_type": "reduce_lr_on_plateau",
                "eval_strategy": "epoch",
            },
            3,
            1,
        ),
        ({"save_strategy": "no", "save_total_limit": 2}, 0, 0),
    ],
)
def test_how_many_stand_there_at_a_time(plan, settings, peak, kept):
    measured = plan(**settings)
    assert (measured.peak, measured.kept) == (peak, kept)


def test_a_limit_that_is_none_costs_only_what_it_decides(plan):
    measured = plan(save_total_limit="2")
    assert measured.count == 3
    assert measured.known("bytes_each")
    assert not measured.known("peak")


def test_checkpoints_that_the_metric_decides_on_still_have_a_size(plan):
    measured = plan(save_strategy="best", eval_strategy="epoch", metric_for_best_model="f1")
    assert measured.bytes_each == 12_000_000 + SMALL_FILES
    assert measured.summary() == {"bytes_each": measured.bytes_each}
    with pytest.raises(Unavailable, match="metric"):
        _ = measured.count


@pytest.mark.parametrize(
    ("optim", "size"),
    [
        ("adamw_torch", 8_000_000),
        ("adamw_torch_fused", 8_000_000),
        ("sgd", 0),
        ("adagrad", 4_000_000),
        ("rmsprop", 4_000_000),
        ("adafactor", 8_000),
        (None, 8_000_000),
    ],
)
def test_what_the_optimizer_remembers(plan, optim, size):
    measured = plan(optim=optim)
    assert (measured.weights_bytes, measured.optimizer_bytes) == (4_000_000, size)
    assert measured.bytes_each == 4_000_000 + size + SMALL_FILES
    assert measured.peak_bytes == 3 * measured.bytes_each


@pytest.mark.parametrize(
    "settings",
    [
        {"optim": "adamw_8bit"},
        {"optim": "paged_adamw_32bit"},
        {"optim": "sgd", "optim_args": "momentum=0.9"},
        {"optim": 3},
        {"freeze_encoder": True},
    ],
)
def test_of_an_unknown_optimizer_only_the_weights_are_told(plan, settings):
    measured = plan(**settings)
    assert measured.weights_bytes == 4_000_000
    assert not measured.known("optimizer_bytes")
    assert not measured.known("bytes_each")


@pytest.mark.parametrize(
    "settings",
    [{"use_peft": True}, {"lora_r": 8}, {"load_in_4bit": True}, {"deepspeed": "ds.json"}],
)
def test_what_is_not_the_whole_model_has_no_known_size(plan, settings):
    measured = plan(**settings)
    assert measured.count == 3
    with pytest.raises(Unavailable, match=next(iter(settings))):
        _ = measured.weights_bytes


def test_options_that_are_off_change_nothing(plan):
    off = plan(use_peft=False, lora_r=None, freeze_encoder=0, deepspeed="", load_in_8bit=False)
    assert off.bytes_each == plan().bytes_each


def test_only_the_model_is_saved(plan):
    assert plan(save_only_model=True).optimizer_bytes == 0
    assert plan(save_only_model=True, optim="adamw_8bit").bytes_each == 4_000_000 + SMALL_FILES


def test_the_old_switch_for_adafactor(plan):
    assert plan(version="4.57.6", adafactor=True).optimizer_bytes == 8_000


@pytest.mark.parametrize(
    ("version", "model", "settings", "width"),
    [
        ("5.23.0", ({}, "F32"), {}, 4),
        ("5.23.0", ({}, "BF16"), {}, 2),
        ("5.23.0", ({"dtype": "bfloat16"}, "F32"), {}, 2),
        ("5.23.0", ({"torch_dtype": "float16"}, "F32"), {}, 2),
        ("5.23.0", ({"dtype": "bfloat16"}, "BF16"), {"torch_dtype": "float32"}, 4),
        ("4.57.6", ({"torch_dtype": "bfloat16"}, "BF16"), {}, 4),
        ("4.57.6", ({"torch_dtype": "bfloat16"}, "BF16"), {"torch_dtype": "auto"}, 2),
        ("4.57.6", ({}, "BF16"), {"dtype": "torch.float16"}, 2),
    ],
)
def test_the_type_that_a_model_is_loaded_and_saved_in(plan, version, model, settings, width):
    config, stored = model
    described = {"config": config, "tensors": {"w": (stored, (1000, 1000))}}
    measured = plan(described, version, **settings)
    assert measured.weights_bytes == width * 1_000_000
    assert measured.optimizer_bytes == 2 * width * 1_000_000


@pytest.mark.parametrize(
    "model",
    [
        {"config": {"quantization_config": {}}, "tensors": MILLION["tensors"]},
        {"config": {}, "tensors": {"a": ("F32", (2,)), "b": ("BF16", (2,))}},
        {"config": {}, "tensors": {"a": ("I8", (2,))}},
        {"config": {}, "tensors": {"a": ("F4", (2,))}},
        {"config": {"dtype": "int4"}, "tensors": MILLION["tensors"]},
        {"config": {}},
    ],
)
def test_a_type_that_is_not_known_is_not_guessed(plan, model):
    measured = plan(model)
    assert measured.count == 3
    assert not measured.known("weights_bytes")


PARAMETERS = {
    "body": Parameter((1000, 1000), "float32", trainable=False),
    "head": Parameter((10, 100), "float32", trainable=True),
}


def with_model(subject, cost, name="Net", parameters=PARAMETERS, budget=Cost.TRAINING):
    @probe(Model, cost, "model")
    def model(pipeline, split):
        return Model(name, parameters)

    pipeline = subject(settings={}, train_data=range(8), model=object(), files={}, budget=budget)
    pipeline.probes = [*pipeline.probes, model]
    return pipeline.fact(CheckpointPlan)


def test_a_model_without_files_is_asked_itself(subject):
    measured = with_model(subject, Cost.MODEL)
    assert measured.weights_bytes == 4_004_000
    assert measured.optimizer_bytes == 8_000  # what is frozen has no state


def test_a_model_that_is_not_built_at_this_depth(subject):
    measured = with_model(subject, Cost.MODEL, budget=Cost.DATA)
    assert measured.count == 1
    with pytest.raises(OverBudget, match="--depth model"):
        _ = measured.bytes_each


def test_of_an_adapter_the_size_is_not_known(subject):
    measured = with_model(subject, Cost.MODEL, "PeftModelForSequenceClassification")
    with pytest.raises(Unavailable, match="adapter"):
        _ = measured.weights_bytes


def test_why_the_size_is_not_known(plan):
    with pytest.raises(Unavailable, match="no model was given"):
        _ = plan(None).bytes_each
