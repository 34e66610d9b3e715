"""A cosine that is meant to begin again, and one over a whole epoch, both stepped each batch."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(800, 8)
data = DataLoader(TensorDataset(x, x.sum(1, keepdim=True)), batch_size=16, shuffle=True)
for kind, length in (("CosineAnnealingWarmRestarts", 10), ("CosineAnnealingLR", len(data))):
    model = nn.Linear(8, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
    schedule = getattr(torch.optim.lr_scheduler, kind)(optimizer, length)
    for _ in range(2):
        for a, b in data:
            optimizer.zero_grad()
            nn.functional.mse_loss(model(a), b).backward()
            optimizer.step()
            schedule.step()
