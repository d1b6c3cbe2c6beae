"""The families: what is measured, at which extent of the input, and how each comes to random weights that say something."""

import re

# Name, where it comes from, rows and columns of its input. 128 wherever the network allows it, so that all of them end on two slow cores.
TORCHVISION = {
    "vgg11": 128,
    "googlenet": 128,
    "inception_v3": 160,
    "resnet18": 128,
    "resnext50_32x4d": 128,
    "densenet121": 128,
    "squeezenet1_1": 128,
    "mobilenet_v2": 128,
    "mobilenet_v3_small": 128,
    "mnasnet0_5": 128,
    "shufflenet_v2_x0_5": 128,
    "regnet_x_400mf": 128,
    "regnet_y_400mf": 128,
    "efficientnet_b0": 128,
    "convnext_tiny": 128,
}
TIMM = {
    "tf_efficientnet_b0": 128,
    "efficientnet_lite0": 128,
    "mobilenetv4_conv_small": 128,
    "lcnet_050": 128,
    "tinynet_e": 128,
    "ghostnet_100": 128,
    "hardcorenas_a": 128,
    "mobileone_s0": 128,
    "repvgg_a0": 128,
    "repvit_m0_9": 128,
    "fastvit_t8": 128,
    "convmixer_768_32": 63,
    "efficientformer_l1": 224,
    "mobilevit_xxs": 128,
    "edgenext_xx_small": 128,
    "res2net50_14w_8s": 128,
    "skresnet18": 128,
    "resnest14d": 128,
    "nfnet_l0": 128,
    "hrnet_w18_small": 128,
    "dla46_c": 128,
    "inception_next_tiny": 128,
    "rexnet_100": 128,
    "mixnet_s": 128,
    "fbnetc_100": 128,
    "ese_vovnet19b_dw": 128,
    "hgnetv2_b0": 128,
}
OWN = {"yolo_c2f": 128}
SIZES = TORCHVISION | TIMM | OWN


def build(name):
    """The network in PyTorch, its weights random as its authors draw them, from the seed that is set."""
    if name in TORCHVISION:
        import torchvision

        more = {"transform_input": True} if name == "googlenet" else {}
        if name in ("googlenet", "inception_v3"):
            more |= {"aux_logits": False, "init_weights": True}
        return torchvision.models.get_model(name, weights=None, **more)
    if name in OWN:
        return yolo_c2f()
    import timm

    model = timm.create_model(name, pretrained=False)
    # As their authors deploy them: branches that are there for training are merged once the statistics are fitted.
    return model


def yolo_c2f():
    """A stem and three stages of the C2f blocks of YOLOv8 (width 16 to 128), SPPF, and a classifier."""
    import torch
    from torch import nn

    class Conv(nn.Sequential):
        def __init__(self, inputs, outputs, kernel=1, stride=1):
            conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
            super().__init__(conv, nn.BatchNorm2d(outputs), nn.SiLU())

    class Bottleneck(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.first, self.second = Conv(channels, channels, 3), Conv(channels, channels, 3)

        def forward(self, x):
            return x + self.second(self.first(x))

    class C2f(nn.Module):
        def __init__(self, channels, count):
            super().__init__()
            half = channels // 2
            self.enter = Conv(channels, channels)
            self.blocks = nn.ModuleList(Bottleneck(half) for _ in range(count))
            self.leave = Conv((2 + count) * half, channels)

        def forward(self, x):
            parts = list(self.enter(x).chunk(2, 1))
            for block in self.blocks:
                parts.append(block(parts[-1]))
            return self.leave(torch.cat(parts, 1))

    class Pyramid(nn.Module):
        def __init__(self, channels):
            super().__init__()
            self.enter, self.leave = Conv(channels, channels // 2), Conv(channels * 2, channels)
            self.pool = nn.MaxPool2d(5, 1, 2)

        def forward(self, x):
            parts = [self.enter(x)]
            for _ in range(3):
                parts.append(self.pool(parts[-1]))
            return self.leave(torch.cat(parts, 1))

    layers = [Conv(3, 16, 3, 2)]
    for channels, count in ((32, 1), (64, 2), (128, 2)):
        layers += [Conv(channels // 2, channels, 3, 2), C2f(channels, count)]
    layers += [Pyramid(128), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 100)]
    return nn.Sequential(*layers)


def wake(model):
    """Normalisations and branches that start at nothing, so that training begins near the identity, take part: else a random network is
    a chain of stems."""
    import torch

    scale = re.compile(r"(^|\.)(gamma\d?|layer_scale\w*|ls\d?|skipinit_gain|layerscale\w*)(\.|$)")
    with torch.no_grad():
        for module in model.modules():
            weight = getattr(module, "weight", None)
            if isinstance(module, torch.nn.modules.batchnorm._BatchNorm) and weight is not None and not weight.any():
                weight.fill_(1.0)
        for name, parameter in model.named_parameters():
            if scale.search(name) and parameter.abs().max() < 0.1:
                parameter.fill_(0.5)


def fit(model, pictures):
    """Statistics of all normalisations, over these pictures."""
    import torch

    norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    with torch.no_grad():
        for batch in pictures.split(16):
            model(batch)
    return model.eval()
