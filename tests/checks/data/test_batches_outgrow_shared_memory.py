"""Workers and /dev/shm: figures that were measured, and machines of which nothing is known."""

from __future__ import annotations

import re
from typing import Any

import pytest
from data_facts import batch
from facts import findings, settings, the_finding

from pipedoctor.fact import UNKNOWN, Unavailable
from pipedoctor.facts import Array, Batch, Environment
from pipedoctor_checks.data.batches_outgrow_shared_memory import batches_outgrow_shared_memory

SMALL = 64 * 2**20
"""What a container has unless it is given more."""


def images(kind: str = "float32") -> Batch:
    return batch(arrays={"pixel_values": Array((32, 3, 224, 224), kind)})


def machine(room: Any) -> Environment:
    return Environment("3.11.7", {}, shared_memory=room)


def test_images_in_a_container() -> None:
    stated = settings(dataloader_num_workers=4)
    found = the_finding(batches_outgrow_shared_memory, images(), stated, machine(SMALL))

    assert found.message == (
        "4 workers have up to 8 batches of 19.3 MB ready, 154.1 MB in all, and /dev/shm has 67.1 MB"
    )
    assert "--shm-size=1g" in found.remedy
    assert found.remedy.endswith(": 1") or found.remedy.endswith("=1")


@pytest.mark.parametrize(
    ("stated", "kind", "room"),
    [
        ({"dataloader_num_workers": 4}, "float32", 8 * 2**30),
        ({"dataloader_num_workers": 0}, "float32", SMALL),
        ({}, "float32", SMALL),
        ({"dataloader_num_workers": 4, "dataloader_prefetch_factor": 1}, "uint8", SMALL),
    ],
)
def test_where_there_is_room(stated: dict[str, int], kind: str, room: int) -> None:
    assert not findings(
        batches_outgrow_shared_memory, images(kind), settings(**stated), machine(room)
    )


def test_a_machine_without_shared_memory_is_not_judged() -> None:
    with pytest.raises(Unavailable):
        findings(
            batches_outgrow_shared_memory,
            images(),
            settings(dataloader_num_workers=4),
            machine(UNKNOWN),
        )


@pytest.mark.parametrize(
    "text",
    [
        (
            "RuntimeError: DataLoader worker (pid 4242) is killed by signal: Bus error. It is possible "
            "that dataloader's workers are out of shared memory."
        ),
        "RuntimeError: DataLoader worker (pid(s) 12, 13) exited unexpectedly",
    ],
)
def test_what_torch_raises_is_known(text: str) -> None:
    symptoms = batches_outgrow_shared_memory.symptoms
    assert any(re.search(pattern, text) for pattern in symptoms)
