"""Two heads take turns, embeddings have an optimizer of their own, and one weight is shared."""

import torch
from torch import nn


class Net(nn.Module):
    """A trunk with two heads."""

    def __init__(self):
        super().__init__()
        self.words = nn.Embedding(50, 8, sparse=True)
        self.trunk = nn.Linear(8, 16)
        self.heads = nn.ModuleDict({"sort": nn.Linear(16, 3), "grade": nn.Linear(16, 1)})

    def forward(self, ids, task):
        return self.heads[task](torch.relu(self.trunk(self.words(ids).mean(1))))


torch.manual_seed(0)
net = Net()
sparse = torch.optim.SparseAdam(list(net.words.parameters()), lr=1e-2)
dense = torch.optim.Adam([*net.trunk.parameters(), *net.heads.parameters()], lr=1e-2)
for number in range(20):
    ids = torch.randint(0, 50, (16, 6))
    if number % 2:
        loss = nn.functional.cross_entropy(net(ids, "sort"), torch.randint(0, 3, (16,)))
    else:
        loss = nn.functional.mse_loss(net(ids, "grade").squeeze(1), torch.rand(16))
    for optimizer in (sparse, dense):
        optimizer.zero_grad()
    loss.backward()
    for optimizer in (sparse, dense):
        optimizer.step()
