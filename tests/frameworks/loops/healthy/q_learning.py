"""A target network that is loaded from the other now and then, and never trained."""

import torch
from torch import nn

torch.manual_seed(0)


def build():
    return nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))


online, target = build(), build()
target.load_state_dict(online.state_dict())
optimizer = torch.optim.AdamW(online.parameters(), lr=1e-3)

for number in range(30):
    state, following = torch.randn(64, 4), torch.randn(64, 4)
    action, reward = torch.randint(0, 3, (64, 1)), torch.randn(64, 1)
    value = online(state).gather(1, action)
    with torch.no_grad():
        best = target(following).max(1, keepdim=True).values
    loss = nn.functional.smooth_l1_loss(value, reward + 0.99 * best)
    optimizer.zero_grad(set_to_none=False)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(online.parameters(), 1.0)
    optimizer.step()
    if number % 10 == 0:
        target.load_state_dict(online.state_dict(), strict=False)
