"""What scikit-learn 1.9 makes of the samples of ../exact.rs: python3 golden.py > golden.txt"""

import numpy as np
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import Ridge

CLASSES, FEATURES, COUNT = 3, 13, 40
state = 0


def next_u32():
    """PCG-XSH-RR 64/32, as headstart::head::Random."""
    global state
    old, mask = state, (1 << 64) - 1
    state = (old * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) & mask
    word, turn = (((old >> 18) ^ old) >> 27) & 0xFFFFFFFF, old >> 59
    return ((word >> turn) | (word << (32 - turn) % 32)) & 0xFFFFFFFF if turn else word


def seed(number):
    global state
    state = (number + 1_442_695_040_888_963_407) & ((1 << 64) - 1)
    next_u32()


seed(7)
labels = np.arange(COUNT) % CLASSES
rows = np.zeros((COUNT, FEATURES))
for sample, label in enumerate(labels):
    for feature in range(FEATURES):
        centre = (feature * 37 + label * 61) % 97 - 100
        rows[sample, feature] = centre + ((next_u32() * 90) >> 32)

centred = rows - rows.mean(0)
alpha = 0.01 * (centred**2).sum() / FEATURES
ridge = Ridge(alpha=alpha, solver="cholesky").fit(rows, np.eye(CLASSES)[labels])
lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.1).fit(rows, labels)
for model in ridge, lda:
    for numbers in (*model.coef_, model.intercept_):
        print(" ".join(f"{number:.9e}" for number in numbers))
