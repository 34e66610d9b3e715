"""Segments are computed anew in the backward pass, and a head begins with zeros."""

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
blocks = nn.ModuleList(nn.Sequential(nn.Linear(16, 16), nn.GELU()) for _ in range(3))
entry, head = nn.Linear(8, 16), nn.Linear(16, 2)
nn.init.zeros_(head.weight)
model = nn.ModuleDict({"entry": entry, "blocks": blocks, "head": head})
optimizer = torch.optim.NAdam(model.parameters(), lr=1e-3)
for _ in range(12):
    hidden = entry(torch.randn(16, 8))
    for number, block in enumerate(blocks):
        hidden = checkpoint(block, hidden, use_reentrant=number == 1)
    optimizer.zero_grad()
    nn.functional.cross_entropy(head(hidden), torch.randint(0, 2, (16,))).backward()
    optimizer.step()
