"""A closed-form learner of scikit-learn on two feature caches: closed_forms.py ridge|lda TRAIN TEST ACCURACY WHAT

Prints the accuracy on TEST beside Headstart's, which is given. The penalty or shrinkage is chosen by cross-validation, from the
values that Headstart chooses from. The cache's layout stands in runtime/device/src/state/cache.rs.
"""
import struct
import sys

import numpy
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import GridSearchCV, StratifiedKFold


def cache(path):
    """The first row of each sample, and its class's name."""
    data = open(path, "rb").read()
    assert data.startswith(b"HSFC\r\n\x1a\n\x01\x00")
    length, classes, samples = struct.unpack_from("<III", data, 44)
    at, names, rows, labels = 56, [], [], []
    for _ in range(classes):
        (size,) = struct.unpack_from("<H", data, at)
        names.append(data[at + 2 : at + 2 + size].decode())
        at += 2 + size
    for _ in range(samples):
        label, views = struct.unpack_from("<HH", data, at + 16)
        rows.append(numpy.frombuffer(data, numpy.int8, length, at + 20))
        labels.append(names[label])
        at += 20 + views * length
    return numpy.array(rows, numpy.float64), numpy.array(labels)


learner, train, test, accuracy, what = sys.argv[1:]
(features, labels), (others, truth) = cache(train), cache(test)
if learner == "ridge":
    # Parts of the sum of squares of the centred features.
    square = ((features - features.mean(0)) ** 2).sum(1).mean()
    penalties = [part * square * len(features) for part in (1e-2, 1e-3, 1e-4)]
    model, choice = RidgeClassifier(), {"alpha": penalties}
else:
    model, choice = LinearDiscriminantAnalysis(solver="lsqr"), {"shrinkage": [0.01, 0.05, 0.2, 0.6]}
folds = StratifiedKFold(5, shuffle=True, random_state=1)
search = GridSearchCV(model, choice, cv=folds).fit(features, labels)
peers = {value: model.set_params(**{name: value}).fit(features, labels).score(others, truth)
         for name, values in choice.items() for value in values}
each = ", ".join(f"{value:.3g} {score:.4f}" for value, score in peers.items())
print(f"{learner}, {what}: {float(accuracy):.4f}; scikit-learn {search.score(others, truth):.4f} ({each}), of {len(truth)}", flush=True)
