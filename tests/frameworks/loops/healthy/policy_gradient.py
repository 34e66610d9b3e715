"""Actions are drawn one by one, and learned from at the end of an episode."""

import torch
from torch import nn

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)

for _ in range(15):
    chances, rewards, state = [], [], torch.randn(4)
    for _ in range(10):
        actions = torch.distributions.Categorical(logits=policy(state))
        action = actions.sample()
        chances.append(actions.log_prob(action))
        rewards.append(float(state.sum() * (2 * action - 1)))
        state = torch.randn(4)
    returns = torch.tensor(rewards).flip(0).cumsum(0).flip(0)
    returns = (returns - returns.mean()) / (returns.std() + 1e-8)
    loss = -(torch.stack(chances) * returns).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
