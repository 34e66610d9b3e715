"""The loop is a method, the layers are called one by one, and the rate falls with the epochs."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Net(nn.Module):
    """An encoder and a decoder."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 3), nn.ReLU())
        self.decoder = nn.Linear(3, 8)


class Learner:
    """What trains it."""

    def __init__(self, data):
        self.net = Net()
        self.loader = DataLoader(data, batch_size=32, shuffle=True)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=1e-2)
        self.schedule = torch.optim.lr_scheduler.StepLR(self.optimizer, 1, gamma=0.5)

    def step(self, inputs):
        self.optimizer.zero_grad()
        code = self.net.encoder(inputs)
        loss = nn.functional.mse_loss(self.net.decoder(code), inputs)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def learn(self, epochs):
        history = []
        for _ in range(epochs):
            for (inputs,) in self.loader:
                history.append(self.step(inputs))
            self.schedule.step()
        return history


if __name__ == "__main__":
    torch.manual_seed(0)
    Learner(TensorDataset(torch.randn(256, 8))).learn(4)
