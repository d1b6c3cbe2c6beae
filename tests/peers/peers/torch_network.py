"""MobileNetV2 in PyTorch, as torchvision builds it, with BatchNorm folded into the convolutions."""

import torch
from torch import nn

# Expansion, output channels, repeats, first stride (MobileNetV2, Sandler et al. 2018, table 2).
STAGES = (
    (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
)
FEATURES = 1280


def convolution(inputs, outputs, kernel, stride=1, groups=1):
    """Without activation; the padding keeps the size at stride 1."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups)


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow; added to its input where the shapes allow it."""

    def __init__(self, inputs, outputs, stride, expansion):
        super().__init__()
        hidden = inputs * expansion
        layers = []
        if expansion > 1:
            layers += [convolution(inputs, hidden, 1), nn.ReLU6(inplace=True)]
        layers += [convolution(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6(inplace=True)]
        self.layers = nn.Sequential(*layers, convolution(hidden, outputs, 1))
        self.is_residual = stride == 1 and inputs == outputs

    def forward(self, x):
        return x + self.layers(x) if self.is_residual else self.layers(x)


class Backbone(nn.Module):
    """`[batch, 3, 224, 224]` to `[batch, 1280]`."""

    def __init__(self):
        super().__init__()
        layers = [convolution(3, 32, 3, 2), nn.ReLU6(inplace=True)]
        channels = 32
        for expansion, outputs, repeats, first_stride in STAGES:
            for repeat in range(repeats):
                layers.append(InvertedResidual(channels, outputs, first_stride if repeat == 0 else 1, expansion))
                channels = outputs
        self.layers = nn.Sequential(*layers, convolution(channels, FEATURES, 1), nn.ReLU6(inplace=True))

    def forward(self, x):
        return self.layers(x).mean([2, 3])


def frozen(weights_file):
    """The backbone with pretrained weights, in the memory layout that is fastest on CPUs."""
    backbone = Backbone()
    backbone.load_state_dict(torch.load(weights_file, weights_only=True))
    return backbone.requires_grad_(False).eval().to(memory_format=torch.channels_last)
