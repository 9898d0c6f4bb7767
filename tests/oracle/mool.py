"""Section 8: "Models Out of Line" (arXiv 2207.04075) for one path: its points, and what is read off probabilities (N, classes)."""

import math

import numpy as np


def magnitude(samples):
    """|rfft| of every class, averaged over the classes; bin 0 is the constant. The samples leave out the path's far end."""
    count, classes = np.shape(samples)
    bins = []
    for k in range(count // 2 + 1):
        wave = np.exp(-2j * np.pi * k * np.arange(count) / count)
        bins.append(math.fsum(abs(np.sum(wave * samples[:, c])) for c in range(classes)) / classes)
    return np.array(bins)


def high_share(magnitudes):
    """Share of the bins from a tenth up; the last bin is missing above the line, the constant is present below it."""
    bins = len(magnitudes)
    start = math.ceil(0.1 * bins)
    return math.fsum(magnitudes[start : bins - 1]) / math.fsum(magnitudes)


def blend(source, target, share, component):
    """A point of an amplitude or phase path, images (H, W, C): one coefficient after the other, real part of the sum."""
    height, width, channels = np.shape(source)
    reach = math.floor(0.2 * min(height, width))
    rows, columns = np.arange(height), np.arange(width)
    point = np.zeros((height, width, channels), complex)
    for c in range(channels):
        for u in range(height):
            for v in range(width):
                wave = np.exp(2j * np.pi * (u * rows[:, None] / height + v * columns / width))
                a, b = (np.sum(image[..., c] / wave) for image in (source, target))
                amplitude, phase = abs(a), np.angle(a)
                # Signed frequencies: 0, 1, ... and, from the other end, -1, -2, ...
                if min(u, height - u) <= reach and min(v, width - v) <= reach:
                    if component == "amplitude":
                        amplitude = share * abs(a) + (1 - share) * abs(b)
                    else:
                        phase = share * np.angle(a) + (1 - share) * np.angle(b)
                point[..., c] += amplitude * np.exp(1j * phase) * wave
    return point.real / (height * width)


def consistent(samples):
    """The index of the first point whose class is not that of the first one; the number of points if none."""
    first = int(np.argmax(samples[0]))
    for j, point in enumerate(samples):
        if int(np.argmax(point)) != first:
            return j
    return len(samples)


def steps(a, b):
    """The points of a straight path from a to b (flat arrays): one every unit of length from a on, b itself left out."""
    length = math.sqrt(math.fsum((b - a) ** 2))
    points = []
    while len(points) < length:
        points.append(a + len(points) / length * (b - a))
    return np.array(points)


def distance_power(samples):
    """ "Spectral Bias in Practice" (arXiv 2110.02424): |sum_n g_n exp(-2 pi i k n / N)|^2, g_n the way from point 0."""
    g = [math.dist(point, samples[0]) for point in samples]
    count = len(g)
    wave = np.exp(-2j * np.pi * np.outer(np.arange(count // 2 + 1), np.arange(count)) / count)
    return np.abs(wave @ g) ** 2
