"""Trains the carried model: a small MobileNetV2-like network on random line figures.

    cargo run --release -p headstart-tests --bin draw-figures figures 400 1 train
    cargo run --release -p headstart-tests --bin draw-figures figures 40 2 held-out
    cargo run --release -p headstart-tests --bin draw-figures icons 120 3 icons
    python train.py train held-out icons shapes.onnx

Needs torch, onnx, numpy and pillow; this is the only place in the project that does. The random
figures are the task that the network is trained on; the icons are only looked at after training, with a
linear head on the frozen features, to say what a device can expect to learn.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from PIL import Image
from torch import nn

SEED = 2026
EPOCHS = 20
BATCH = 64
FEATURES = 64


def block(channels, expansion, out_channels, stride):
    """The layers of an inverted residual (MobileNetV2, Sandler et al. 2018)."""
    hidden = channels * expansion
    return nn.Sequential(
        nn.Conv2d(channels, hidden, 1, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU6(),
        nn.Conv2d(hidden, hidden, 3, stride, 1, groups=hidden, bias=False),
        nn.BatchNorm2d(hidden),
        nn.ReLU6(),
        nn.Conv2d(hidden, out_channels, 1, bias=False),
        nn.BatchNorm2d(out_channels),
    )


class InvertedResidual(nn.Module):
    def __init__(self, channels, expansion, out_channels, stride):
        super().__init__()
        self.conv = block(channels, expansion, out_channels, stride)
        self.residual = stride == 1 and channels == out_channels

    def forward(self, x):
        return x + self.conv(x) if self.residual else self.conv(x)


class Shapes(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 12, 3, 1, 1, bias=False),
            nn.BatchNorm2d(12),
            nn.ReLU(),
            InvertedResidual(12, 3, 16, 2),
            InvertedResidual(16, 3, 16, 1),
            InvertedResidual(16, 3, 24, 2),
            InvertedResidual(24, 3, 24, 1),
            InvertedResidual(24, 3, 32, 2),
            InvertedResidual(32, 3, 32, 1),
            nn.Conv2d(32, FEATURES, 1, bias=False),
            nn.BatchNorm2d(FEATURES),
            nn.ReLU(),
        )
        self.classifier = nn.Linear(FEATURES, classes)

    def embed(self, x):
        return self.features(x).mean([2, 3])

    def forward(self, x):
        return self.classifier(self.embed(x))


def load(folder):
    """Pictures as float [n, 3, 32, 32] in -1...1 (`--preprocess tf`), class numbers and names in alphabetical order."""
    names = sorted(path.name for path in Path(folder).iterdir())
    pictures, labels = [], []
    for label, name in enumerate(names):
        for path in sorted((Path(folder) / name).glob("*.png")):
            pictures.append(np.asarray(Image.open(path).convert("RGB")))
            labels.append(label)
    pictures = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    return (pictures - 127.5) / 127.5, torch.tensor(labels), names


def accuracy(model, pictures, labels):
    model.eval()
    with torch.no_grad():
        answers = torch.cat([model(part).argmax(1) for part in pictures.split(256)])
    return (answers == labels).float().mean().item()


def train(model, pictures, labels, held_out):
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=4e-4, nesterov=True)
    steps = EPOCHS * (len(pictures) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=0.2, total_steps=steps)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    for epoch in range(EPOCHS):
        model.train()
        order = torch.randperm(len(pictures))
        for start in range(0, len(order) - BATCH + 1, BATCH):
            rows = order[start : start + BATCH]
            optimiser.zero_grad()
            loss = loss_of(model(pictures[rows]), labels[rows])
            loss.backward()
            optimiser.step()
            schedule.step()
        print(f"epoch {epoch + 1}: loss {loss.item():.3f}, held-out {accuracy(model, *held_out):.4f}", flush=True)


def icon_head(model, pictures, labels, per_class):
    """Accuracy of a softmax head on frozen features: `per_class` icons to learn, the rest to score."""
    model.eval()
    with torch.no_grad():
        features = torch.cat([model.embed(part) for part in pictures.split(256)])
    ranks = torch.cat([torch.arange(int((labels == label).sum())) for label in labels.unique()])
    known = ranks < per_class
    mean, deviation = features[known].mean(0), features[known].std(0) + 1e-3
    features = (features - mean) / deviation
    head = nn.Linear(FEATURES, int(labels.max()) + 1)
    optimiser = torch.optim.LBFGS(head.parameters(), max_iter=200)

    def closure():
        optimiser.zero_grad()
        loss = nn.functional.cross_entropy(head(features[known]), labels[known])
        loss = loss + 1e-3 * head.weight.square().sum()
        loss.backward()
        return loss

    optimiser.step(closure)
    return (head(features[~known]).argmax(1) == labels[~known]).float().mean().item()


def export(model, path):
    """Writes ONNX with the BatchNorm nodes kept, as PyTorch's exporter leaves them in an unfolded graph."""
    model.eval()
    torch.onnx.export(
        model, (torch.zeros(1, 3, 32, 32),), path, dynamo=False, opset_version=17,
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        input_names=["image"], output_names=["logits"], dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)


def main():
    train_folder, held_out_folder, icon_folder, path = sys.argv[1:]
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    pictures, labels, names = load(train_folder)
    held_out = load(held_out_folder)[:2]
    model = Shapes(len(names))
    print("parameters:", sum(p.numel() for p in model.parameters()))
    train(model, pictures, labels, held_out)
    icons, icon_labels, _ = load(icon_folder)
    for per_class in (1, 5, 20):
        print(f"icons, {per_class} a class: {icon_head(model, icons, icon_labels, per_class):.4f}")
    export(model, path)


if __name__ == "__main__":
    main()
