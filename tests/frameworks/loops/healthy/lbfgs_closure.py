"""An optimizer that computes the loss itself, as often as it likes."""

import torch
from torch import nn

torch.manual_seed(0)
x = torch.linspace(-1, 1, 100)[:, None]
y = torch.sin(3 * x)
model = nn.Sequential(nn.Linear(1, 16), nn.Tanh(), nn.Linear(16, 1))
optimizer = torch.optim.LBFGS(model.parameters(), lr=0.5, max_iter=10)


def closure():
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(x), y)
    loss.backward()
    return loss


for _ in range(10):
    optimizer.step(closure)
