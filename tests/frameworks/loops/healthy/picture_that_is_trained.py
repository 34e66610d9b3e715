"""What is optimised is an input; the network stays in evaluation mode, as it must."""

import torch
from torch import nn

torch.manual_seed(0)
network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.2)).eval()
goal = network(torch.randn(1, 1, 8, 8)).detach()
picture = torch.randn(1, 1, 8, 8, requires_grad=True)
optimizer = torch.optim.Adam([picture], lr=0.05)
for _ in range(15):
    optimizer.zero_grad()
    (network(picture) - goal).square().mean().backward()
    optimizer.step()
