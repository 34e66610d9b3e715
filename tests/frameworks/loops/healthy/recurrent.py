"""A state is carried from batch to batch, cut off from the graph of the one before."""

import torch
from torch import nn

torch.manual_seed(0)
text = torch.randint(0, 20, (8, 200))
embedding, cell, head = nn.Embedding(20, 16), nn.LSTM(16, 16, batch_first=True), nn.Linear(16, 20)
model = nn.ModuleList([embedding, cell, head])
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
state = None
for begin in range(0, 190, 10):
    inputs, following = text[:, begin : begin + 10], text[:, begin + 1 : begin + 11]
    out, state = cell(embedding(inputs), state)
    state = tuple(part.detach() for part in state)
    loss = nn.functional.cross_entropy(head(out).flatten(0, 1), following.flatten())
    model.zero_grad()
    loss.backward()
    optimizer.step()
