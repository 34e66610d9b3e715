import re

import pytest
from facts import arguments, findings, settings, the_finding

from pipedoctor.probes import releases
from pipedoctor_checks.versions import argument_removed as module
from pipedoctor_checks.versions._keys import EVALUATION, WARMUP_AND_LOGS
from pipedoctor_checks.versions._replacements import GONE, MOVED, RENAMED, SWITCHES
from pipedoctor_checks.versions.argument_removed import argument_removed

HISTORY = releases.load()
REMOVED = sorted(
    name
    for name in HISTORY.names()
    if name not in HISTORY.fields(HISTORY.releases[-1])
    and not name.startswith("_")
    and name not in WARMUP_AND_LOGS | {EVALUATION}
)


@pytest.mark.parametrize(
    ("stated", "remedy"),
    [
        ({"no_cuda": True}, 'replace it with "use_cpu": true'),
        ({"adafactor": True}, 'replace it with "optim": "adafactor"'),
        (
            {"group_by_length": True},
            'replace it with "train_sampling_strategy": "group_by_length"',
        ),
        (
            {"include_inputs_for_metrics": True},
            'replace it with "include_for_metrics": ["inputs"]',
        ),
        (
            {"include_tokens_per_second": True},
            'replace it with "include_num_input_tokens_seen": "all"',
        ),
        ({"tpu_metrics_debug": True}, 'replace it with "debug": "tpu_metrics_debug"'),
        ({"per_gpu_train_batch_size": 16}, 'replace it with "per_device_train_batch_size": 16'),
        ({"per_gpu_eval_batch_size": 16}, 'replace it with "per_device_eval_batch_size": 16'),
        ({"torchdynamo": "inductor"}, 'replace it with "torch_compile_backend": "inductor"'),
        (
            {"fsdp_transformer_layer_cls_to_wrap": "BertLayer"},
            'replace it with "fsdp_config": {"transformer_layer_cls_to_wrap": ["BertLayer"]}',
        ),
        (
            {"fsdp_min_num_params": 1000},
            'replace it with "fsdp_config": {"min_num_params": 1000}',
        ),
        (
            {"dispatch_batches": True},
            'replace it with "accelerator_config": {"dispatch_batches": true}',
        ),
        ({"push_to_hub_model_id": "m"}, 'replace it with "hub_model_id": "m"'),
    ],
)
def test_what_takes_its_place(stated: dict[str, object], remedy: str) -> None:
    assert the_finding(argument_removed, settings(**stated)).remedy == remedy


@pytest.mark.parametrize("key", sorted(SWITCHES))
@pytest.mark.parametrize("value", [False, None])
def test_a_switch_that_was_off_is_deleted(key: str, value: object) -> None:
    remedy = the_finding(argument_removed, settings(**{key: value})).remedy

    assert remedy.startswith("delete the key")
    assert SWITCHES[key][0] not in remedy


@pytest.mark.parametrize(
    "stated",
    [
        {"no_cuda": True, "use_cpu": True},
        {"per_gpu_train_batch_size": 4, "per_device_train_batch_size": 8},
    ],
)
def test_what_is_stated_already_is_not_stated_twice(stated: dict[str, object]) -> None:
    assert the_finding(argument_removed, settings(**stated)).remedy.startswith("delete the key")


def test_a_mapping_that_is_there_is_added_to() -> None:
    made = settings(fsdp_min_num_params=10, fsdp_config={"xla": True})

    assert (
        the_finding(argument_removed, made).remedy
        == 'move it into "fsdp_config": "min_num_params": 10'
    )


def test_organisation_and_name_become_one() -> None:
    made = settings(push_to_hub_model_id="bert-qnli", push_to_hub_organization="lab")
    name, organization = findings(argument_removed, made)

    assert '"hub_model_id": "lab/bert-qnli"' in name.remedy
    assert organization.remedy.startswith("delete the key")


def test_a_secret_is_not_repeated() -> None:
    found = the_finding(argument_removed, settings(push_to_hub_token="hf_secret"))

    assert "hub_token" in found.remedy
    assert "hf_secret" not in str(found)


@pytest.mark.parametrize("key", REMOVED)
def test_each_removed_argument_has_words_of_its_own(key: str) -> None:
    remedy = the_finding(argument_removed, settings(**{key: "x"})).remedy

    assert "nothing took its place" not in remedy


@pytest.mark.parametrize("version", HISTORY.releases)
def test_what_it_proposes_is_known_to_the_version(version: str) -> None:
    fields = arguments(version).fields
    for found in findings(argument_removed, settings(version, **dict.fromkeys(REMOVED, "x"))):
        key = str(found.where.key)
        known = {
            **RENAMED,
            **{k: v[0] for k, v in SWITCHES.items()},
            **{k: v[0] for k, v in MOVED.items()},
        }
        assert key not in known or known[key] in fields


def test_the_error_texts_name_all_that_were_removed() -> None:
    assert set(module.NAMES.split("|")) == set(REMOVED)
    tables = {*RENAMED, *SWITCHES, *MOVED, *GONE}
    assert tables <= set(REMOVED)


@pytest.mark.parametrize(
    "text",
    [
        "TypeError: TrainingArguments.__init__() got an unexpected keyword argument 'no_cuda'",
        "ValueError: Some keys are not used by the HfArgumentParser: ['overwrite_output_dir', 'x']",
        "Some specified arguments are not used by the HfArgumentParser: ['--overwrite_output_dir']",
    ],
)
def test_it_is_known_by_the_errors_it_raises(text: str) -> None:
    assert any(re.search(pattern, text) for pattern in argument_removed.symptoms)
