"""
What became of the arguments that are gone: the line that says the same now.

Read from the code of transformers 4.57.6, which still had them and translated some, and of
5.23.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipedoctor.fact import Unknown
from pipedoctor.facts import Settings
from pipedoctor.fix import Fix, delete, put, rename
from pipedoctor_checks.versions._fixes import replaced

RENAMED = {
    "per_gpu_train_batch_size": "per_device_train_batch_size",
    "per_gpu_eval_batch_size": "per_device_eval_batch_size",
    "push_to_hub_token": "hub_token",
    "torchdynamo": "torch_compile_backend",
}

SWITCHES: dict[str, tuple[str, object]] = {
    "no_cuda": ("use_cpu", True),
    "adafactor": ("optim", "adafactor"),
    "group_by_length": ("train_sampling_strategy", "group_by_length"),
    "include_inputs_for_metrics": ("include_for_metrics", ["inputs"]),
    "include_tokens_per_second": ("include_num_input_tokens_seen", "all"),
    "tpu_metrics_debug": ("debug", "tpu_metrics_debug"),
}
"""What `true` became; `false` was the default of each, and needs no line."""

MOVED = {
    "fsdp_min_num_params": ("fsdp_config", "min_num_params"),
    "fsdp_transformer_layer_cls_to_wrap": ("fsdp_config", "transformer_layer_cls_to_wrap"),
    "dispatch_batches": ("accelerator_config", "dispatch_batches"),
    "split_batches": ("accelerator_config", "split_batches"),
}
"""Which mapping holds them now, and under which name."""

GONE = {
    "overwrite_output_dir": "Trainer never read it; to start afresh, name another output_dir",
    "save_safetensors": "weights are always saved as safetensors",
    "use_mps_device": "an Apple GPU is used where there is one",
    "jit_mode_eval": "evaluation is no longer traced",
    "use_ipex": "Intel's extension is no longer called",
    "fp16_backend": "fp16 and bf16 always use PyTorch's autocast",
    "half_precision_backend": "fp16 and bf16 always use PyTorch's autocast",
    "fp16_opt_level": "it was for apex, which is no longer used",
    "tpu_num_cores": "the launcher knows the number of cores",
    "past_index": "Trainer no longer passes a past state on",
    "use_legacy_prediction_loop": "there is one loop only",
    "mp_parameters": "Trainer never read it",
}
"""What is to be said of those that have no successor."""


def replacement(settings: Settings, key: str, value: Any) -> str:
    """Return what to do with a removed argument, its value carried over."""
    if isinstance(value, Unknown) and key in {*SWITCHES, *MOVED}:
        name, on = (SWITCHES | MOVED)[key]
        inner = f"of {value!r} under {on}" if key in MOVED else f"{on!r} where {value!r} is true"
        return f"delete it; {name} takes its place, with the value {inner}"
    if key in SWITCHES:
        return _switch(settings, *SWITCHES[key], on=bool(value))
    if key in MOVED:
        return _move(settings, *MOVED[key], value)
    if key in RENAMED:
        return _rename(settings, RENAMED[key], value)
    if key == "push_to_hub_model_id":
        organization = settings.stated.get("push_to_hub_organization")
        name = f"{organization}/{value}" if organization else value
        return _rename(settings, "hub_model_id", name)
    if key == "push_to_hub_organization":
        return f'delete the key, and put it before the name: "hub_model_id": "{value}/…"'
    if key == "ray_scope":
        return f"delete the key, and start with RAY_SCOPE={value} in the environment"
    if key in GONE:
        return f"delete the key: {GONE[key]}"
    return "delete the key: nothing took its place"


def fix(settings: Settings, key: str, value: Any) -> Fix | None:
    """Return the fix that does what `replacement` says, where it can be done by itself."""
    known = not isinstance(value, Unknown)
    gone = settings.fix(delete(key), safe=key != "ray_scope" or not value)
    if key in SWITCHES:
        name, on = SWITCHES[key]
        if known and not value:
            return gone
        return replaced(settings, key, name, on) if known else None
    if key in MOVED:
        mapping, inner = MOVED[key]
        if known and not value:
            return gone
        if not known or mapping in settings.stated:
            return None
        return replaced(settings, key, mapping, {inner: _wrapped(inner, value)})
    if key in RENAMED:
        return replaced(settings, key, RENAMED[key]) if value is not None else gone
    if key == "push_to_hub_model_id":
        return _hub_name(settings, value) if known and value else gone
    return None if key == "push_to_hub_organization" and value else gone


def _hub_name(settings: Settings, value: Any) -> Fix:
    organization = settings.stated.get("push_to_hub_organization")
    if not organization or "hub_model_id" in settings.stated:
        return replaced(settings, "push_to_hub_model_id", "hub_model_id")
    return settings.fix(
        rename("push_to_hub_model_id", "hub_model_id"),
        put("hub_model_id", f"{organization}/{value}"),
        delete("push_to_hub_organization"),
        safe=True,
    )


def _rename(settings: Settings, name: str, value: Any) -> str:
    if value is None:
        return "delete the key"
    if name in settings.stated:
        return f"delete the key: {name} is stated as well"
    if "token" in name:  # a secret is not repeated
        return f'rename the key to "{name}"'
    return f"replace it with {settings.entry(name, value)}"


def _switch(settings: Settings, name: str, value: object, *, on: bool) -> str:
    if not on:
        return "delete the key: what it says is the default"
    if name in settings.stated:
        return f"delete the key: {name} is stated as well"
    return f"replace it with {settings.entry(name, value)}"


def _move(settings: Settings, mapping: str, name: str, value: Any) -> str:
    if not value:
        return "delete the key"
    value = _wrapped(name, value)
    if isinstance(settings.stated.get(mapping), Mapping):
        return f'move it into "{mapping}": {settings.entry(name, value)}'
    return f"replace it with {settings.entry(mapping, {name: value})}"


def _wrapped(name: str, value: Any) -> Any:
    """Return a value as the mapping takes it."""
    one = name == "transformer_layer_cls_to_wrap" and isinstance(value, str)
    return [value] if one else value
