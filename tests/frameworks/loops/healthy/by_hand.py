"""No optimizer: the weights are moved by the script itself."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 1)
x = torch.randn(64, 4)
y = x @ torch.tensor([[1.0], [2.0], [0.0], [-1.0]])
for _ in range(30):
    loss = (model(x) - y).square().mean()
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(0.1 * parameter.grad)
    model.zero_grad()
