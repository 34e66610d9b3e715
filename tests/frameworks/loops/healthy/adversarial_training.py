"""The inputs are attacked in evaluation mode, and then trained on in training mode."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
for _ in range(12):
    inputs, labels = torch.randn(32, 8), torch.randint(0, 3, (32,))
    model.eval()
    change = torch.zeros_like(inputs, requires_grad=True)
    for _ in range(3):
        nn.functional.cross_entropy(model(inputs + change), labels).backward()
        change.data = (change + 0.1 * change.grad.sign()).clamp(-0.3, 0.3).detach()
        change.grad = None
    model.train()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(inputs + change.detach()), labels).backward()
    optimizer.step()
