"""A model with a loss of several parts, one of them an expectation."""

import torch
from torch import nn


class Coder(nn.Module):
    """Encodes into a distribution, and decodes what is drawn from it."""

    def __init__(self):
        super().__init__()
        self.into, self.out = nn.Linear(12, 8), nn.Linear(4, 12)

    def forward(self, x):
        mean, spread = self.into(x).chunk(2, dim=1)
        drawn = mean + torch.randn_like(mean) * (spread / 2).exp()
        return torch.sigmoid(self.out(drawn)), mean, spread


torch.manual_seed(0)
model = Coder()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for _ in range(15):
    x = torch.rand(32, 12)
    again, mean, spread = model(x)
    likelihood = nn.functional.binary_cross_entropy(again, x, reduction="sum")
    divergence = -0.5 * (1 + spread - mean.square() - spread.exp()).sum()
    optimizer.zero_grad()
    (likelihood + divergence).backward()
    optimizer.step()
