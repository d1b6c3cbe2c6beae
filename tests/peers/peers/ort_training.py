"""onnxruntime-training's device API without PyTorch.

Importing `onnxruntime.training` imports PyTorch for parts that are not used here. This module stands in for that
package, so that the parts below it can be imported alone, and the peer is as small as it can be. Import it first.
"""

import os
import sys
import types

import onnxruntime

package = types.ModuleType("onnxruntime.training")
package.__path__ = [os.path.join(os.path.dirname(onnxruntime.__file__), "training")]
sys.modules["onnxruntime.training"] = package
onnxruntime.training = package
