"""Fine-tunes neural networks on the device that uses them.

>>> import headstart
>>> headstart.pack("model.onnx", calib="photos", preprocess="imagenet", output="model.hspk")
>>> device = headstart.Device("model.hspk", "mine")
>>> device.learn("photos")                  # one folder a class
>>> device.predict("new.jpg").label
'mug'

Pictures are paths, PIL pictures, or uint8 arrays ``[height, width, 3]``; many of them are a list, or one array with an axis in front.
"""

from ._device import Answer, Answers, Device
from ._errors import (
    CallerError,
    Error,
    InputError,
    MachineError,
    RejectedWarning,
    StateError,
    Stopped,
)
from ._native import __version__
from ._report import Report
from ._tools import compare, export, info, inspect, pack, verify

__all__ = [
    "Answer",
    "Answers",
    "CallerError",
    "Device",
    "Error",
    "InputError",
    "MachineError",
    "RejectedWarning",
    "Report",
    "StateError",
    "Stopped",
    "__version__",
    "compare",
    "export",
    "info",
    "inspect",
    "pack",
    "verify",
]
