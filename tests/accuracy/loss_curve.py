"""PyTorch repeats trainings that tests/examples/loss_curve.rs wrote: loss_curve.py adamw|sgd ENGINE FOLDER

The network is MobileNetV2 as torchvision builds it (tests/peers), its last blocks in training; losses, optimisers, clipping and
schedules are PyTorch's own. It learns once in float32 and once in float64, which tells rounding from a difference. Exit status 1
where the final loss in float32 is over 1 % from Headstart's, or the first step's loss or weights are apart by more than rounding.
"""

import json
import math
import pathlib
import sys

import torch
from peers import torch_network
from peers.works import FROZEN
from torch import nn

MOST = 0.01
"""How far final losses may be apart, relative to PyTorch's."""
SAME = 1e-6
"""How far the first step's losses may be apart."""
ROUNDING = {"sgd": 2e-3, "adamw": 1e-4}
"""How far what that step changes may be from PyTorch's in float64. SGD's changes are so small that rounding them into float32
weights shows; PyTorch's own float32 is as far (8e-4), and by AdamW much farther (2e-2), as gradients near 0 change their sign."""


class Tail(nn.Module):
    """The blocks behind the frozen ones, and the last layer."""

    def __init__(self, classes):
        super().__init__()
        # The first convolution and its activation stand before the first block.
        self.blocks = torch_network.Backbone().layers[2 + FROZEN :]
        self.last = nn.Linear(torch_network.FEATURES, classes)

    def forward(self, x):
        return self.last(self.blocks(x).mean([2, 3]))


def floats(path):
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.float32)


def schedule(optimiser, steps, warm_up):
    """A line up, then half a cosine down."""
    warm = int(warm_up * steps)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps - warm)
    if warm == 0:
        return down
    up = torch.optim.lr_scheduler.LinearLR(optimiser, 1 / warm, 1, max(warm - 1, 1))
    return torch.optim.lr_scheduler.SequentialLR(optimiser, [up, down], [warm])


def repeat(folder, name, precision):
    """The run, the loss of each epoch, and the tensors after it, at its start, and as Headstart learned them."""
    run = json.loads((folder / "run.json").read_text())
    tail = Tail(run["classes"])
    parameters = list(tail.parameters())
    # The last layer's weights and bias stand behind the tail's own.
    assert [list(p.shape) for p in parameters[:-2]] == run["shapes"]
    sizes = [p.numel() for p in parameters]
    start = floats(folder / "start.f32").split(sizes)
    for parameter, values in zip(parameters, start, strict=True):
        parameter.data = values.view(parameter.shape).to(precision, copy=True)
    inputs = floats(folder / "inputs.f32").view(-1, *run["input"]).to(precision)
    labels = torch.tensor(run["labels"])

    decaying = [p for p in parameters if p.dim() > 1]
    others = [p for p in parameters if p.dim() == 1]
    groups = [{"params": decaying, "weight_decay": run["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
    if name == "adamw":
        optimiser = torch.optim.AdamW(groups, lr=run["rate"])
    else:
        optimiser = torch.optim.SGD(groups, lr=run["rate"], momentum=0.9)
    rates = schedule(optimiser, sum(map(len, run["steps"])), run["warm_up"])
    losses = []
    for epoch in run["steps"]:
        total = 0.0
        for rate, samples in epoch:
            assert math.isclose(rate, optimiser.param_groups[0]["lr"], abs_tol=1e-6 * run["rate"])
            optimiser.zero_grad()
            answers = tail(inputs[samples])
            loss = nn.functional.cross_entropy(answers, labels[samples], label_smoothing=run["label_smoothing"])
            loss.backward()
            nn.utils.clip_grad_norm_(parameters, run["clip"])
            optimiser.step()
            rates.step()
            total += loss.item() * len(samples)
        losses.append(total / len(labels))
    learned = floats(folder / "learned.f32").split(sizes)
    return run, losses, [p.detach().flatten() for p in parameters], start, learned


def apart(a, b):
    """Relative to the second."""
    return abs(a - b) / abs(b)


def norm_apart(tensors, others):
    """The distance of all numbers, relative to the length of the second."""
    a, b = (torch.cat(list(side)).double() for side in (tensors, others))
    return ((a - b).norm() / b.norm()).item()


def changes_apart(learned, parameters, start):
    """The same of what training changed."""
    changes = ([after.double() - before for after, before in zip(side, start, strict=True)] for side in (learned, parameters))
    return norm_apart(*changes)


# A second thread waits for the first where other work has its core.
torch.set_num_threads(1)
name, engine, folder = sys.argv[1:]
folder = pathlib.Path(folder)
print(f"{name}, {engine}")
run, losses, parameters, start, learned = repeat(folder / "step", name, torch.float32)
exact = repeat(folder / "step", name, torch.float64)[2]
first = apart(run["losses"][0], losses[0])
rounded, usual = (changes_apart(tensors, exact, start) for tensors in (learned, parameters))
print(f"first step: loss {run['losses'][0]:.6f} and {losses[0]:.6f}, {first:.1e} apart; weights {norm_apart(learned, parameters):.1e} apart; "
      f"their changes from its float64's: {rounded:.1e}, PyTorch's {usual:.1e}")

run, losses, parameters, start, learned = repeat(folder / "whole", name, torch.float32)
_, exact, _, _, _ = repeat(folder / "whole", name, torch.float64)
print("epoch  Headstart    PyTorch   apart  its float64   apart")
for epoch, (ours, theirs, best) in enumerate(zip(run["losses"], losses, exact, strict=True), 1):
    print(f"{epoch:5}  {ours:9.6f}  {theirs:9.6f}  {apart(ours, theirs):6.4%}  {best:11.6f}  {apart(theirs, best):6.4%}")
final = apart(run["losses"][-1], losses[-1])
print(f"final loss {final:.4%} apart; changes of the weights {changes_apart(learned, parameters, start):.1e}", flush=True)
sys.exit(not (final <= MOST and first <= SAME and rounded <= ROUNDING[name]))
