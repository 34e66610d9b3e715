"""Batches are made in other processes."""

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


class Rows(Dataset):
    """Numbers, and whether their sum is positive."""

    def __len__(self):
        return 128

    def __getitem__(self, row):
        made = torch.Generator().manual_seed(row)
        x = torch.randn(6, generator=made)
        return {"x": x, "label": int(x.sum() > 0)}


if __name__ == "__main__":
    torch.manual_seed(0)
    loader = DataLoader(Rows(), batch_size=16, num_workers=2, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Linear(16, 2))
    optimizer = torch.optim.Adagrad(model.parameters(), lr=0.05)
    for batch in loader:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(batch["x"]), batch["label"]).backward()
        optimizer.step()
