"""Environments that tests state: a sick one, with GPUs, and what they are examined with."""

from __future__ import annotations

from typing import Any

from pipedoctor import Report, registry
from pipedoctor.cli.env import FACTS, _ours
from pipedoctor.examination import Examination
from pipedoctor.fact import Cost
from pipedoctor.options import Options
from pipedoctor.parts import Parts
from pipedoctor.targets import Target

GB = 1_000_000_000

VERSIONS = {
    "transformers": "5.23.0",
    "torch": "2.13.0+cu130",
    "accelerate": "1.2.1",
    "tokenizers": "0.20.3",
    "datasets": "5.2.0",
    "numpy": "2.4.6",
}

HEALTHY: dict[str, Any] = {
    **VERSIONS,
    "accelerate": "1.15.0",
    "tokenizers": "0.23.3",
    "python": "3.11.7",
    "gpus": 1,
    "variables": {"HF_HOME": "/scratch/hf"},
    "packages": {
        "prefix": "/venv",
        "versions": {**VERSIONS, "accelerate": "1.15.0", "tokenizers": "0.23.3"},
        "editable": {"trl": "/src/trl"},
        "reporters": ("tensorboard", "wandb"),
    },
    "imports": {"pandas": {"seconds": 1.0}, "bitsandbytes": {"seconds": 2.0, "cuda": True}},
    "cuda": {
        "build": "13.0",
        "arches": ["sm_80", "sm_90", "sm_100", "sm_120"],
        "devices": [{"name": "NVIDIA H100", "capability": [9, 0], "memory": 85 * GB}],
        "driver": "580.65.06",
    },
    "machine": {
        "processors": 64,
        "allowed": 16,
        "quota": 8.0,
        "threads": 8,
        "memory": 512 * GB,
        "limit": 64 * GB,
        "available": 60 * GB,
        "shared": {"path": "/dev/shm", "free": 30 * GB, "total": 32 * GB},
        "here": {"path": "/work", "free": 900 * GB, "total": 1000 * GB},
    },
    "hub": {
        "path": "/scratch/hf/hub",
        "by": "HF_HOME",
        "bytes": 41 * GB,
        "whole": False,
        "room": {"path": "/scratch", "free": 900 * GB, "total": 1000 * GB},
        "offline": ("HF_HUB_OFFLINE",),
    },
}

SICK: dict[str, Any] = {
    **HEALTHY,
    **VERSIONS,
    "wandb": "0.22.0",
    "variables": {"TRANSFORMERS_CACHE": "/scratch/models", "WANDB_DISABLED": "true"},
    "packages": {
        "prefix": "/venv",
        "versions": VERSIONS,
        "conflicts": [
            {
                "package": "tokenizers",
                "version": "0.20.3",
                "needed_by": {"transformers 5.23.0": "<=0.24.0,>=0.22.0"},
                "together": ">=0.22.0,<=0.24.0",
                "stops": True,
            }
        ],
        "copies": [
            {
                "package": "numpy",
                "copies": [["2.4.6", "me/local/python"], ["1.26.4", "/venv"]],
                "user_site": True,
            }
        ],
        "damaged": {"/venv/peft-0.18.0.dist-info": "it has no METADATA"},
        "hidden": {"datasets.py": "datasets"},
        "reporters": (),
    },
    "imports": {
        "torchvision": {
            "works": False,
            "error": "RuntimeError: operator torchvision::nms does not exist",
        },
        "bitsandbytes": {"cuda": False},
        "tensorflow": {"late": True, "error": "it took longer than 60 s"},
    },
    "cuda": {
        "build": "12.4",
        "arches": ["sm_80", "sm_90"],
        "devices": [{"name": "NVIDIA GeForce RTX 5090", "capability": [12, 0]}],
    },
    "machine": {
        "processors": 64,
        "allowed": 64,
        "quota": 4.0,
        "threads": None,
        "memory": 512 * GB,
        "limit": None,
        "shared": {"path": "/dev/shm", "free": 67_108_864, "total": 67_108_864},
        "here": {"path": "/work", "free": 300_000_000, "total": 20 * GB},
    },
    "hub": {"path": "cache/huggingface/hub", "exists": False},
}


def examined(environment: dict[str, Any]) -> Report:
    """Return the report of such an environment, as `pipedoctor env` makes it."""
    known = registry.load()
    options = Options(depth=Cost.FILES, select=tuple(row.code for row in known.rows if _ours(row)))
    target = Target("/venv", Parts({"environment": environment}), kind="machine")
    return Examination(target, known, options, figures=(*FACTS, "Environment")).run()
