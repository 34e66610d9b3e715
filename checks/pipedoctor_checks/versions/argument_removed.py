from __future__ import annotations

from collections.abc import Iterator

from pipedoctor import Finding, Severity, Stage, check
from pipedoctor.facts import Settings
from pipedoctor_checks.versions._keys import keys, release, severity
from pipedoctor_checks.versions._replacements import fix, replacement

NAMES = (
    "overwrite_output_dir|save_safetensors|group_by_length|no_cuda|fp16_backend|"
    "half_precision_backend|fp16_opt_level|per_gpu_train_batch_size|per_gpu_eval_batch_size|"
    "push_to_hub_model_id|push_to_hub_organization|push_to_hub_token|include_inputs_for_metrics|"
    "include_tokens_per_second|use_mps_device|jit_mode_eval|tpu_num_cores|tpu_metrics_debug|"
    "past_index|ray_scope|mp_parameters|fsdp_min_num_params|fsdp_transformer_layer_cls_to_wrap|"
    "torchdynamo|dispatch_batches|split_batches|use_ipex|adafactor|use_legacy_prediction_loop"
)
CURE = "delete the argument or write its successor: `pipedoctor check` on the config names it"


@check(
    "VER006",
    Severity.ERROR,
    stage=Stage.ENVIRONMENT,
    symptoms={
        rf"TrainingArguments.*unexpected keyword argument '({NAMES})'": CURE,
        rf"not used by the HfArgumentParser: \[.*\b({NAMES})\b": CURE,
    },
)
def argument_removed(settings: Settings) -> Iterator[Finding]:
    """
    The settings have an argument that older releases of transformers knew and this one refuses.

    Version 5 removed some thirty of them. The run stops while it reads its arguments. Most have
    a successor with another name or value; some did nothing for years and can be deleted.

    Fails:

        settings = {"no_cuda": True, "group_by_length": True, "overwrite_output_dir": True}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"use_cpu": True, "train_sampling_strategy": "group_by_length"}
        environment = {"transformers": "5.23.0"}

    Passes:

        settings = {"no_cuda": True, "group_by_length": True, "overwrite_output_dir": True}
        environment = {"transformers": "4.57.6"}

    See also: <https://github.com/huggingface/transformers/blob/main/MIGRATION_GUIDE_V5.md>.
    """
    arguments = settings.arguments
    for key, value in keys(settings, "VER006"):
        last = arguments.removed_after(key)
        yield Finding(
            message=f"{release(arguments)} has no argument {key}; {last} still had it",
            where=settings.where(key),
            evidence={"key": key, "transformers": arguments.version, "last_release": last},
            remedy=replacement(settings, key, value),
            severity=severity(arguments),
            fix=fix(settings, key, value),
        )
