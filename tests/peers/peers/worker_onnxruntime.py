"""ONNX Runtime's CPU provider: python -m peers.worker_onnxruntime MODEL INPUT SHAPE ANSWER

PEERS_THREADS says how many threads. Input and output are bound once, so that an answer copies neither.
"""

import os

import numpy
import onnxruntime

from peers import worker


def options(threads):
    """All optimisations, no pool for parallel branches; also what the whole job uses."""
    chosen = onnxruntime.SessionOptions()
    chosen.intra_op_num_threads = threads
    chosen.inter_op_num_threads = 1
    chosen.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    chosen.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    chosen.log_severity_level = 3
    return chosen


def main():
    model, values, shape, answer_file = worker.arguments()
    threads = int(os.environ.get("PEERS_THREADS", "1"))
    session = onnxruntime.InferenceSession(model, options(threads), providers=["CPUExecutionProvider"])
    image = numpy.asarray(values, numpy.float32).reshape(shape)
    output = numpy.empty(session.get_outputs()[0].shape, numpy.float32)
    binding = session.io_binding()
    binding.bind_ortvalue_input(session.get_inputs()[0].name, onnxruntime.OrtValue.ortvalue_from_numpy(image))
    binding.bind_output(
        session.get_outputs()[0].name, "cpu", 0, numpy.float32, output.shape, output.ctypes.data
    )
    worker.serve(lambda: session.run_with_iobinding(binding), lambda: output.ravel().tolist(), answer_file)


if __name__ == "__main__":
    main()
