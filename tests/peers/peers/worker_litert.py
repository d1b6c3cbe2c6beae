"""LiteRT with XNNPACK on an int8 .tflite file: python -m peers.worker_litert MODEL INPUT SHAPE ANSWER

PEERS_THREADS says how many threads. The vendor's files end in classifier and softmax, which for these models are less
than a hundredth of the work. The answer file stays empty: features are not among a model's outputs.
"""

import os

import numpy
from ai_edge_litert.interpreter import Interpreter

from peers import worker


def main():
    model, values, shape, answer_file = worker.arguments()
    # XNNPACK is LiteRT's default for any operator that it has.
    interpreter = Interpreter(model, num_threads=int(os.environ.get("PEERS_THREADS", "1")))
    interpreter.allocate_tensors()
    entry = interpreter.get_input_details()[0]
    image = numpy.asarray(values, numpy.float32).reshape(shape).transpose(0, 2, 3, 1)
    scale, zero_point = entry["quantization"]
    if entry["dtype"] == numpy.int8:
        image = numpy.clip(numpy.rint(image / scale) + zero_point, -128, 127).astype(numpy.int8)
    interpreter.set_tensor(entry["index"], image.reshape(entry["shape"]))
    worker.serve(interpreter.invoke, lambda: None, answer_file)


if __name__ == "__main__":
    main()
