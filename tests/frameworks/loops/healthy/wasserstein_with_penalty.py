"""A gradient of a gradient, and five steps of the critic for one of the generator."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
critic = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
for_generator = torch.optim.RMSprop(generator.parameters(), lr=1e-3)
for_critic = torch.optim.RMSprop(critic.parameters(), lr=1e-3)

for number in range(40):
    real, fake = torch.randn(32, 2) + 3, generator(torch.randn(32, 4)).detach()
    between = (real + fake).div(2).requires_grad_()
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty = (slope.norm(dim=1) - 1).square().mean()
    critic.zero_grad()
    (critic(fake).mean() - critic(real).mean() + 10 * penalty).backward()
    for_critic.step()
    if number % 5 == 4:
        generator.zero_grad()
        (-critic(generator(torch.randn(32, 4))).mean()).backward()
        for_generator.step()
