"""Any keys and values of a dialect: one clear sentence, or a report without a crash."""

from __future__ import annotations

import json

import pytest
from configs import examined, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipedoctor.probes.dialects import load
from pipedoctor.targets import TargetError

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["auto", "no", "false", "2e-5", "1e400", "", "lora", "epoch", "steps", "\x00"]
    ),
    st.text(max_size=6),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=4), st.integers(), max_size=2),
)
COMMON = [
    "learning_rate",
    "max_steps",
    "save_steps",
    "eval_steps",
    "save_strategy",
    "warmup_steps",
    "warmup_ratio",
    "gradient_accumulation_steps",
    "num_epochs",
    "num_train_epochs",
    "micro_batch_size",
    "saves_per_epoch",
    "evals_per_epoch",
    "val_set_size",
    "load_best_model_at_end",
    "bf16",
    "fp16",
    "optimizer",
    "optim",
    "adapter",
    "finetuning_type",
    "use_peft",
    "lora_r",
    "deepspeed",
]


@pytest.mark.parametrize("dialect", ["trl", "llamafactory", "axolotl"])
@given(data=st.data())
@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_any_config_of_a_dialect_is_examined(
    tmp_path_factory: pytest.TempPathFactory, dialect: str, data: st.DataObject
) -> None:
    own = st.sampled_from(sorted(load(dialect).fields))
    keys = st.one_of(st.sampled_from(COMMON), own, st.text(max_size=10))
    config = data.draw(st.dictionaries(keys, VALUES, max_size=12))
    path = write(tmp_path_factory.mktemp("fuzz"), json.dumps(config), "c.json")
    refused = ""
    try:
        examined(path, dialect=dialect)
    except TargetError as error:
        refused = str(error)
    assert refused.isprintable()
