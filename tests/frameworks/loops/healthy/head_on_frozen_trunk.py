"""The trunk is frozen and in evaluation mode on purpose; only the head learns."""

import torch
from torch import nn

torch.manual_seed(0)
trunk = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1))
trunk.requires_grad_(requires_grad=False)
trunk.eval()
head = nn.Linear(32, 3)
optimizer = torch.optim.Adam(head.parameters(), lr=1e-2)

for _ in range(20):
    inputs, labels = torch.randn(32, 8), torch.randint(0, 3, (32,))
    optimizer.zero_grad()
    nn.functional.cross_entropy(head(trunk(inputs)), labels).backward()
    optimizer.step()
