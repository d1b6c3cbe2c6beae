"""What is measured: single images through a backbone, one entry a model."""

import dataclasses

CALIBRATION = 40
"""Samples that the int8 models are calibrated with."""
FROZEN = 14
"""MobileNetV2's last inverted residual that stays as it is where a tail is trained."""
PREPARED = (
    "cut at the features, batch 1; int8: quant_pre_process, then quantize_static: QDQ, per channel, uint8 activations, int8 "
    f"weights, full range, min-max over {CALIBRATION} samples"
)
"""How the peers' ONNX files are made; printed with the results."""


@dataclasses.dataclass(frozen=True)
class Work:
    """One model and its input."""

    name: str
    """As the tables show it."""
    stem: str
    """The file's name in the folder of models, without `.onnx`."""
    shape: tuple
    """Of the input, batch, channels, height and width."""
    mean: tuple
    """Subtracted from a photo's levels, 0…255, one a channel; empty where the input is no photo."""
    std: tuple
    """Divides them afterwards."""
    preprocess: tuple
    """The same for `headstart pack`."""
    has_tflite: bool = False
    """Whether the vendor's int8 `.tflite` lies beside the ONNX file."""

    @property
    def folder(self):
        """Where its prepared files stand, below the folder of prepared files."""
        return self.stem

    @property
    def is_photo(self):
        """Whether it takes photos; if not, it takes spoken digits as spectrograms."""
        return bool(self.mean)


IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375), ("--preprocess", "imagenet"))
CENTRED = ((128.0,) * 3, (128.0,) * 3, ("--mean", "128", "--std", "128"))
LITE0 = ((127.0,) * 3, (128.0,) * 3, ("--mean", "127", "--std", "128"))
RAW = ((0.0,) * 3, (1.0,) * 3, ("--preprocess", "raw"))
VALUES = ((), (), ("--preprocess", "raw"))

WORKS = (
    Work("MobileNetV2 224", "mobilenet_v2_imagenet", (1, 3, 224, 224), *IMAGENET),
    Work("EfficientNet-Lite0 224", "efficientnet_lite0_imagenet", (1, 3, 224, 224), *LITE0),
    Work("ResNet-8 32", "mltk_image_classification", (1, 3, 32, 32), *CENTRED, has_tflite=True),
    Work("VWW MobileNetV1-0.25 96", "mltk_visual_wake_words", (1, 3, 96, 96), *RAW, has_tflite=True),
    Work("KWS MobileNetV2-0.15 59x49", "mltk_keyword_spotting_mobilenetv2", (1, 1, 59, 49), *VALUES, has_tflite=True),
)
