"""Sorted rows that are shuffled, a schedule stepped once an epoch, and evaluations between."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x = torch.randn(640, 8)
y = (x.sum(1) > 0).long()
order = y.argsort()
data = TensorDataset(x[order], y[order])
train, held = DataLoader(data, batch_size=16, shuffle=True), DataLoader(data, batch_size=64)
model = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 2))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
decay = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
for _ in range(4):
    with torch.no_grad():
        sum(nn.functional.cross_entropy(model(a), b) for a, b in held)
    for a, b in train:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(a), b).backward()
        optimizer.step()
    schedule.step()
    decay.step()
