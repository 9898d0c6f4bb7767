"""Section 2: what is read off the logits of one path. Logits z are (N, K); every signal is (N, outputs)."""

import math

import numpy as np


def probabilities(logits):
    """Softmax of every point by itself."""
    rows = []
    for point in logits:
        top = max(point)
        weights = [math.exp(value - top) for value in point]
        rows.append([weight / math.fsum(weights) for weight in weights])
    return np.array(rows)


def centred(logits):
    """Every point's logits minus their mean over the classes."""
    return np.array([[value - math.fsum(point) / len(point) for value in point] for point in logits])


def log_probabilities(probs):
    """What stands for logits where the model ends in softmax: log p, p at least the smallest normal float32, centred."""
    smallest_normal = 2.0**-126
    return centred([[math.log(max(value, smallest_normal)) for value in point] for point in probs])


def labels(logits):
    """One-hot argmax; the first of equals wins."""
    rows = np.zeros(np.shape(logits))
    for j, point in enumerate(logits):
        rows[j, predicted(point)] = 1.0
    return rows


def predicted(point):
    """The class a point is given."""
    return max(range(len(point)), key=lambda c: (point[c], -c))


def distance(probs):
    """SBP's scalar: how far, in L2, the outputs are from those at the start."""
    start = probs[0]
    return np.array([[math.dist(point, start)] for point in probs])
