"""The statistics of batch normalisation are kept, as with small batches; the rest trains."""

import torch
from torch import nn


class Net(nn.Module):
    """A network that never lets its normalisation train."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
        self.drop = nn.Dropout(0.1)
        self.head = nn.Linear(4 * 36, 2)

    def forward(self, x):
        return self.head(self.drop(self.body(x).flatten(1)))

    def train(self, mode=True):
        super().train(mode)
        self.body[1].eval()
        return self


torch.manual_seed(0)
model = Net().train()
optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
for _ in range(15):
    optimizer.zero_grad()
    inputs, labels = torch.randn(8, 1, 8, 8), torch.randint(0, 2, (8,))
    nn.CrossEntropyLoss()(model(inputs), labels).backward()
    optimizer.step()
