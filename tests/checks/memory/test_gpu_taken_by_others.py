import os

import pytest
from facts import findings, the_finding
from memory_plans import GIB, plan

from pipedoctor.facts import Gpu, Gpus, Holder
from pipedoctor_checks.memory.gpu_taken_by_others import gpu_taken_by_others

NOTEBOOK = Holder(4242, "python3", 14 * GIB)


def gpus(free, *holders, others=()):
    return Gpus((Gpu(0, "Tesla T4", 15 * GIB, free, holders), *others))


def test_a_full_gpu_names_who_has_it():
    finding = the_finding(gpu_taken_by_others, gpus(GIB // 5, NOTEBOOK), None)
    assert "0.2 GiB of 15 GiB are free on Tesla T4" in finding.message
    assert "python3 (4242) with 14 GiB" in finding.message
    assert finding.remedy.startswith("stop 4242")


def test_in_a_container_others_are_not_listed():
    finding = the_finding(gpu_taken_by_others, gpus(GIB // 5), None)
    assert "nvidia-smi" in " ".join((finding.remedy, *finding.alternatives))


@pytest.mark.parametrize("free", [14 * GIB, 2 * GIB])
def test_what_may_be_enough_is_not_spoken_of(free):
    assert not findings(gpu_taken_by_others, gpus(free, NOTEBOOK), None)


def test_what_the_training_itself_has_is_not_of_others():
    own = Holder(os.getpid(), "python3", 14 * GIB, own=True)
    assert not findings(gpu_taken_by_others, gpus(GIB // 5, own), None)


def test_a_plan_tells_what_is_needed():
    told = plan(peak=9 * GIB, context=0, margin=0)
    finding = the_finding(gpu_taken_by_others, gpus(8 * GIB, Holder(7, "", 7 * GIB)), told)
    assert "the training takes 9 GiB" in finding.message
    assert not findings(gpu_taken_by_others, gpus(10 * GIB, NOTEBOOK), told)


def test_where_an_empty_gpu_would_not_do_either_others_are_not_at_fault():
    told = plan(peak=40 * GIB, context=0, margin=0)
    assert not findings(gpu_taken_by_others, gpus(8 * GIB, NOTEBOOK), told)


def test_a_plan_for_a_gpu_elsewhere_says_nothing_of_this_one():
    told = plan(peak=9 * GIB, context=0, margin=0, room=80 * GIB)
    assert not findings(gpu_taken_by_others, gpus(8 * GIB, NOTEBOOK), told)


def test_a_gpu_that_is_free_is_an_alternative():
    other = Gpu(1, "Tesla T4", 15 * GIB, 14 * GIB)
    finding = the_finding(gpu_taken_by_others, gpus(GIB // 5, NOTEBOOK, others=(other,)), None)
    assert any("CUDA_VISIBLE_DEVICES=1" in cure for cure in finding.alternatives)
