"""Two models, two optimizers: the one's loss flows through the other, and is cleared there."""

import torch
from torch import nn

torch.manual_seed(0)
generator = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
critic = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
for_generator = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
for_critic = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
criterion = nn.BCEWithLogitsLoss()

for _ in range(30):
    real = torch.randn(32, 2) + 3
    fake = generator(torch.randn(32, 4))
    for_critic.zero_grad()
    criterion(critic(real), torch.ones(32, 1)).backward()
    criterion(critic(fake.detach()), torch.zeros(32, 1)).backward()
    for_critic.step()
    for_generator.zero_grad()
    criterion(critic(fake), torch.ones(32, 1)).backward()
    for_generator.step()
