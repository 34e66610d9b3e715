"""All pairs of a batch are compared, and that is meant."""

import torch
from torch import nn

torch.manual_seed(0)
encoder = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
temperature = nn.Parameter(torch.tensor(1.0))
optimizer = torch.optim.AdamW([*encoder.parameters(), temperature], lr=1e-3)
for _ in range(15):
    inputs, scores = torch.randn(24, 8), torch.randn(24)
    said = encoder(inputs)
    ranks = nn.functional.softplus(-(said - said.T) * (scores[:, None] - scores[None]).sign())
    distances = (said[:, None] - said[None]).square().mean()
    kernel = torch.exp(-(said.squeeze(1)[:, None] - torch.randn(24)[None]).square())
    loss = ranks.mean() * temperature + 0.1 * distances + kernel.mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
