"""Nothing is trained at all."""

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.5), nn.Linear(16, 2))
model.eval()
with torch.no_grad():
    correct = [int((model(torch.randn(16, 8)).argmax(1) == 0).sum()) for _ in range(5)]
