"""NaN in what the optimizer remembers is found in the folder, too."""

from __future__ import annotations

from pathlib import Path

import pytest
from checkpoints.examined import findings


@pytest.mark.parametrize("spoilt", [True, False], ids=["nan", "whole"])
def test_in_the_optimizer_of_a_checkpoint(tmp_path: Path, spoilt: bool) -> None:
    torch = pytest.importorskip("torch")
    safetensors = pytest.importorskip("safetensors.torch")
    folder = tmp_path / "checkpoint-3"
    folder.mkdir()
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    for _ in range(3):
        model(torch.ones(2, 4)).sum().backward()
        optimizer.step()
        schedule.step()
    state = optimizer.state_dict()
    if spoilt:
        state["state"][1]["exp_avg_sq"][2] = float("nan")
    torch.save(state, folder / "optimizer.pt")
    torch.save(schedule.state_dict(), folder / "scheduler.pt")
    safetensors.save_file(model.state_dict(), folder / "model.safetensors")
    (folder / "trainer_state.json").write_text('{"global_step": 3}')
    found = findings(folder)
    assert set(found) == ({"CKP016"} if spoilt else set())
    if spoilt:
        finding = found["CKP016"]
        assert finding.message == (
            "optimizer.pt holds 1 NaN elements, in 1 of 6 tensors: state.1.exp_avg_sq"
        )
        assert "fresh optimizer" in finding.remedy
