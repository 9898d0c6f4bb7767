"""Section 6: one number for a set of paths, and its 95 % interval, pair by pair and image by image.

`pairs` holds the two image numbers of every path.
"""

import math

from scipy.stats import t as student


def log_ratio(numerators, denominators):
    return math.log(math.fsum(numerators) / math.fsum(denominators))


def without(values, p):
    return [value for i, value in enumerate(values) if i != p]


def influences(estimate, columns):
    """What every pair does to an estimate: with all pairs less without this one, centred."""
    count = len(columns[0])
    raw = [estimate(*columns) - estimate(*(without(column, p) for column in columns)) for p in range(count)]
    middle = math.fsum(raw) / count
    return [value - middle for value in raw]


def spread_of(influence, pairs):
    """Variance and degrees of freedom, allowing for images that stand in several pairs; effective number of paths."""
    images = {image for pair in pairs for image in pair}
    sums = [math.fsum(u for u, pair in zip(influence, pairs, strict=True) if image in pair) for image in images]
    squares = math.fsum(u**2 for u in influence)
    over_images = math.fsum(s**2 for s in sums)
    variance = max(over_images - squares, squares)
    kappa = math.fsum(s**4 for s in sums) / over_images**2
    slack = kappa - 1 / len(images)
    most = max(min(len(images), len(pairs)) - 1, 1)
    freedom = min(max(1 / slack, 1), most) if slack > 0 else most
    return variance, freedom, 1 / (2 * kappa)


def half_width(influence, pairs, confidence):
    variance, freedom, effective = spread_of(influence, pairs)
    return student.ppf((1 + confidence) / 2, freedom) * math.sqrt(variance), effective


def ratio_interval(numerators, denominators, pairs, confidence=0.95):
    """(estimate, low, high, effective paths) of sum numerators / sum denominators."""
    centre = log_ratio(numerators, denominators)
    half, effective = half_width(influences(log_ratio, [numerators, denominators]), pairs, confidence)
    return math.exp(centre), math.exp(centre - half), math.exp(centre + half), effective


def mean(values):
    return math.fsum(values) / len(values)


def mean_interval(values, pairs, confidence=0.95):
    """The same for a mean, without the logarithm."""
    half, effective = half_width(influences(mean, [values]), pairs, confidence)
    return mean(values), mean(values) - half, mean(values) + half, effective


def contrast_interval(first, second, confidence=0.95):
    """(log of the ratio of two pooled ratios, low, high, effective paths); each is (numerators, denominators, pairs)."""
    centre = log_ratio(*first[:2]) - log_ratio(*second[:2])
    rises = influences(log_ratio, first[:2])
    falls = [-u for u in influences(log_ratio, second[:2])]
    half, effective = half_width([*rises, *falls], [*first[2], *second[2]], confidence)
    return centre, centre - half, centre + half, effective
