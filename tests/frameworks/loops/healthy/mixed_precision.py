"""Autocast, and a scaler that is switched off where there is no GPU."""

import warnings

import torch
from torch import nn

torch.manual_seed(0)
warnings.simplefilter("ignore")
x = torch.randn(256, 8)
y = x.sum(1, keepdim=True)
model = nn.Sequential(nn.Linear(8, 32), nn.GELU(), nn.Linear(32, 1))
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
scaler = torch.amp.GradScaler("cuda", enabled=torch.cuda.is_available())

for number in range(20):
    batch = slice(number % 4 * 64, number % 4 * 64 + 64)
    optimizer.zero_grad(set_to_none=True)
    with torch.autocast("cpu", torch.bfloat16):
        prediction = model(x[batch])
    loss = nn.functional.mse_loss(prediction.float(), y[batch])
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
