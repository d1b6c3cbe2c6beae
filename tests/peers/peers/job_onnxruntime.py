"""The whole job with ONNX Runtime's int8 features and scikit-learn's logistic regression: see `peers.job`."""

import numpy
import onnxruntime
from sklearn.linear_model import LogisticRegression

from peers import job
from peers.worker_onnxruntime import options


def learn(prepared, images, labels, epochs):
    session = onnxruntime.InferenceSession(
        prepared / "int8.onnx", options(threads=1), providers=["CPUExecutionProvider"]
    )
    name = session.get_inputs()[0].name

    def features_of(images):
        # One by one: the quantised file has a batch of 1, and a core gains nothing from more.
        return numpy.concatenate([session.run(None, {name: job.preprocess([image])})[0] for image in images])

    clock = job.Clock()
    features = features_of(images)
    features_s = clock.lap()
    # It knows no epochs: it ends when it has converged.
    del epochs
    head = LogisticRegression(max_iter=1000).fit(features, labels)
    return features_s, clock.lap(), lambda others: head.predict(features_of(others))


if __name__ == "__main__":
    job.run(learn)
