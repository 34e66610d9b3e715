import pytest
from facts import findings, outcome, schedule, settings, the_finding

from pipedoctor.fact import Unavailable
from pipedoctor.facts import CheckpointPlan, Disk
from pipedoctor.finding import Finding
from pipedoctor.report import Status
from pipedoctor_checks.checkpoints.checkpoints_fill_the_disk import (
    checkpoints_fill_the_disk as check,
)

GB = 10**9
QNLI = {"output_dir": "out", "per_device_train_batch_size": 8}
ROWS = 104_743  # 13,093 steps an epoch, 79 checkpoints in three


def judge(plan: CheckpointPlan, free: int, **stated: object) -> list[Finding]:
    made = {**QNLI, **stated}
    return findings(
        check, plan, Disk("out", free, 10 * free), settings(**made), schedule(rows=ROWS, **made)
    )


def plan(count: int, peak: int | None = None, each: int = 1_300_000_000) -> CheckpointPlan:
    return CheckpointPlan(
        count, count if peak is None else peak, each, each // 3, each - each // 3
    )


def test_the_disk_is_full_before_the_end() -> None:
    (found,) = judge(plan(79), 61_200_000_000)

    assert found.message == (
        "79 checkpoints of 1.30 GB need 102.7 GB; the disk of out has 61.2 GB free. Checkpoint "
        "48, at step 24,000 of 39,279, no longer fits, after 61% of the run"
    )
    assert found.evidence["fit"] == 47
    assert found.evidence["full_at_step"] == 24_000
    assert found.where.key == "output_dir"


def test_what_would_do() -> None:
    (found,) = judge(plan(79), 61_200_000_000)

    assert found.remedy == 'set "save_total_limit": 3: at most 5.20 GB while one is written'
    epoch, weights, room = found.alternatives
    assert epoch == (
        'set "save_strategy": "epoch": 3 checkpoints, 3.90 GB, the first at step 13,093'
    )
    assert weights.startswith('set "save_only_model": true: 34.2 GB')
    assert room == "put output_dir on a disk with more than 102.7 GB free"


@pytest.mark.parametrize("free", [102_700_000_000, 200 * GB])
def test_enough_is_enough(free: int) -> None:
    assert judge(plan(79), free) == []


def test_one_byte_less_is_not() -> None:
    (found,) = judge(plan(79), 102_700_000_000 - 1)

    assert found.evidence["full_at_step"] == 39_279  # the last one, which comes at the end


def test_a_limit_counts_the_one_that_is_written() -> None:
    (found,) = judge(plan(79, peak=6), 7 * GB, save_total_limit=5)

    assert found.message.startswith("6 checkpoints of 1.30 GB need 7.80 GB")
    assert found.evidence["full_at_step"] == 3_000
    assert found.remedy.startswith('set "save_total_limit": 3')
    assert found.where.key == "save_total_limit"


def test_with_the_best_kept_besides_it_is_not_known_when() -> None:
    stated = {"save_total_limit": 1, "load_best_model_at_end": True, "eval_strategy": "steps"}
    (found,) = judge(plan(79, peak=3), 3 * GB, **stated)

    assert "full_at_step" not in found.evidence
    assert "save_total_limit" not in found.remedy


def test_a_disk_for_less_than_one() -> None:
    (found,) = judge(plan(79), GB)

    assert found.evidence["full_at_step"] == 500
    assert "more than 102.7 GB" in found.remedy
    assert found.alternatives == ()


def test_with_the_best_model_a_limit_keeps_two_and_the_strategies_agree() -> None:
    stated = {"load_best_model_at_end": True, "eval_strategy": "steps"}
    (found,) = judge(plan(79), 4 * GB, **stated)

    assert found.remedy.startswith('set "save_total_limit": 2')
    assert '"save_strategy": "epoch", "eval_strategy": "epoch"' in found.alternatives[0]


def test_a_single_checkpoint() -> None:
    (found,) = judge(plan(1), GB, max_steps=400)

    assert found.message.startswith("1 checkpoint of 1.30 GB needs 1.30 GB")


def test_without_a_schedule_the_sum_stands_alone() -> None:
    found = the_finding(check, plan(79), Disk("out", GB, GB), settings(**QNLI), None)

    assert found.message.endswith("the disk of out has 1.00 GB free")


def test_unknown_sizes_are_not_guessed() -> None:
    with pytest.raises(Unavailable):
        findings(check, CheckpointPlan(79, 79), Disk("out", 1, 1), settings(), None)


def test_a_huge_plan_is_not_walked_through() -> None:
    stated = {"max_steps": 10**12, "save_steps": 1}
    (found,) = judge(plan(10**12), 100 * GB, **stated)

    assert found.evidence["full_at_step"] == 77


@pytest.mark.parametrize(("free", "status"), [(40 * GB, Status.PASSED), (10 * GB, Status.FOUND)])
def test_through_the_probes(free: int, status: Status) -> None:
    """30 checkpoints of 1.3 GB."""
    told = outcome(
        check,
        settings={**QNLI, "max_steps": 15_000},
        train_data=range(ROWS),
        files={
            "model": {"config": {"model_type": "bert"}, "tensors": {"w": ("F32", (108_310, 1000))}}
        },
        environment={"transformers": "5.23.0", "disk_free": free, "gpus": 0},
    )

    assert told.status is status
