"""The loss is measured by a network that nobody trains, and nobody has frozen."""

import torch
from torch import nn

torch.manual_seed(0)
judge = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3)).eval()
painter = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 1, 3, padding=1))
optimizer = torch.optim.Adam(painter.parameters(), lr=1e-3)
for _ in range(15):
    image = torch.randn(4, 1, 8, 8)
    painted = painter(image + 0.1 * torch.randn_like(image))
    loss = nn.functional.l1_loss(painted, image)
    loss = loss + nn.functional.mse_loss(judge(painted), judge(image))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
