"""The losses of `runtime/core/tests/tail.rs` by PyTorch 2: python golden.py > golden.txt

One line a run: its name and the loss before each step. Weights, inputs and order follow from a fixed sequence, which the
test repeats.
"""

import numpy
import torch
from torch import nn
from torch.nn import functional

STEPS, SAMPLES, BATCH, CLASSES = 60, 24, 8, 4
SIDE = 6


def noise(count, seed):
    """−1…1; every value is exact in float32."""
    state = (seed * 0x9E3779B9 | 1) % 2**32
    values = []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append((state >> 8) / 2**23 - 1)
    return numpy.array(values, "f4")


def tensor(shape, seed, scale):
    return torch.from_numpy(noise(int(numpy.prod(shape)), seed).reshape(shape) * numpy.float32(scale))


class Tail(nn.Module):
    """Expand, depthwise, project with a residual, means, and a last layer of zeros."""

    def __init__(self):
        super().__init__()
        self.expand = nn.Conv2d(3, 8, 1)
        self.depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.project = nn.Conv2d(8, 3, 3, padding=1)
        self.last = nn.Linear(3, CLASSES)
        with torch.no_grad():
            for seed, layer in enumerate((self.expand, self.depthwise, self.project), 1):
                layer.weight.copy_(tensor(layer.weight.shape, seed, 0.5))
                layer.bias.copy_(tensor(layer.bias.shape, 10 + seed, 0.1))
            self.last.weight.zero_()
            self.last.bias.zero_()

    def forward(self, x):
        y = functional.relu6(self.expand(x))
        y = functional.relu(self.depthwise(y))
        return self.last((x + self.project(y)).mean([2, 3]))


def groups(model, decay):
    """Only weights decay."""
    of = lambda wanted: [p for p in model.parameters() if (p.dim() > 1) == wanted]
    return [{"params": of(True), "weight_decay": decay}, {"params": of(False), "weight_decay": 0}]


def run(name, optimiser, smoothing, clip):
    model = Tail()
    optimiser = optimiser(model)
    loss_of = nn.CrossEntropyLoss(label_smoothing=smoothing)
    x = tensor((SAMPLES, 3, SIDE, SIDE), 99, 1)
    labels = torch.arange(SAMPLES) % CLASSES
    for sample, label in enumerate(labels.tolist()):
        x[sample, label % 3] += 0.4 * (label + 1) / CLASSES
    losses = []
    for step in range(STEPS):
        chosen = [(step * BATCH + at) * 5 % SAMPLES for at in range(BATCH)]
        optimiser.zero_grad()
        loss = loss_of(model(x[chosen]), labels[chosen])
        loss.backward()
        if clip:
            nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimiser.step()
        losses.append(loss.item())
    print(name, *(f"{loss:.7f}" for loss in losses))


if __name__ == "__main__":
    torch.set_num_threads(1)
    run("sgd", lambda m: torch.optim.SGD(groups(m, 1e-3), 0.1, 0.9), 0, None)
    run("adamw", lambda m: torch.optim.AdamW(groups(m, 0.05), 0.02), 0.1, 0.5)
