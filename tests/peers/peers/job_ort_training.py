"""The whole job with onnxruntime-training, the frozen backbone run again each epoch: see `peers.job`."""

import numpy
import onnxruntime

from peers import job, ort_training  # before its parts
from onnxruntime.training.api import CheckpointState, Module, Optimizer  # isort: skip


def learn(prepared, images, labels, epochs):
    folder = prepared / "ort-training"
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    state = CheckpointState.load_checkpoint(folder / "checkpoint")
    module = Module(folder / "training_model.onnx", state, folder / "eval_model.onnx", "cpu", options)
    optimiser = Optimizer(folder / "optimizer_model.onnx", module)
    optimiser.set_learning_rate(job.RATE)
    clock = job.Clock()
    pixels = job.preprocess(images)
    features_s = clock.lap()
    generator = numpy.random.default_rng(1)
    module.train()
    for _ in range(epochs):
        for batch in numpy.array_split(generator.permutation(len(images)), -(-len(images) // job.BATCH)):
            module(pixels[batch], labels[batch])
            optimiser.step()
            module.lazy_reset_grad()
    train_s = clock.lap()

    def answer(others):
        exported = str(folder / "exported.onnx")
        module.eval()
        module.export_model_for_inferencing(exported, ["head.logits"])
        session = onnxruntime.InferenceSession(exported, options, providers=["CPUExecutionProvider"])
        name = session.get_inputs()[0].name
        logits = [session.run(None, {name: job.preprocess([image])})[0] for image in others]
        return numpy.concatenate(logits).argmax(1)

    return features_s, train_s, answer


if __name__ == "__main__":
    job.run(learn)
