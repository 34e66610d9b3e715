"""A rate that is large for most, and at which this model learns well; weights that start small."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.randn(512, 8)
y = (x[:, 0] > 0).long()
model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 2))
for layer in (model[0], model[3]):
    nn.init.normal_(layer.weight, std=1e-3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
for _ in range(8):
    for rows in torch.randperm(512).split(32):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[rows]), y[rows], reduction="sum").backward()
        optimizer.step()
