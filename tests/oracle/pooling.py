"""Section 6: one number for a set of paths, and its 95 % interval, pair by pair and image by image.

`pairs` holds the two image numbers of every path.
"""

import math

import numpy as np
from scipy.optimize import brentq
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


def spread_of(influence, pairs, strata=None, drawn=None):
    """Variance and degrees of freedom, allowing for images that stand in several pairs; effective number of paths.

    Covariances are written out as matrices: v (I + rho A) within a stratum, A counting the images that two paths share.

    strata : of every path, drawn : how many were drawn of every path's; None takes them for a sample of all
    """
    u, count = np.array(influence), len(influence)
    strata = np.zeros(count, int) if strata is None else np.array(strata)
    drawn = [np.sum(strata == s) for s in strata] if drawn is None else drawn
    shared = np.array([[len({*p} & {*q}) for q in pairs] for p in pairs]) - 2 * np.eye(count)
    groups = [np.flatnonzero(strata == s) for s in np.unique(strata)]
    centre = [np.eye(len(g)) - 1 / len(g) for g in groups]
    inside = [shared[np.ix_(g, g)] for g in groups]
    squares = [u[g] @ m @ u[g] for g, m in zip(groups, centre, strict=True)]
    products = [u[g] @ m @ a @ m @ u[g] for g, m, a in zip(groups, centre, inside, strict=True)]
    moments = [(np.trace(m), -np.trace(m @ a), np.trace(m @ a @ m @ a)) for m, a in zip(centre, inside, strict=True)]
    pairs_inside = sum(a.sum() for a in inside)
    telling = [a.sum() > 0 and x * z - y**2 > 1e-9 * x * a.sum() for (x, y, z), a in zip(moments, inside, strict=True)]
    settled = pairs_inside == 0 or any(telling)
    deviation = np.concatenate([m @ u[g] for g, m in zip(groups, centre, strict=True)])[
        np.argsort(np.concatenate(groups))
    ]
    if len(groups) > 1 and not (settled and np.abs(deviation).max() > 1e-4 * np.abs(u).max()):
        return spread_of(influence, pairs)
    rho = 0.5 if not settled else 0.0 if not pairs_inside else correlation(squares, products, moments, telling)
    own = extra = 0.0
    unbiased, scaled = np.empty(count), np.empty(count)
    for g, m, a in zip(groups, centre, inside, strict=True):
        n, mean = len(g), u[g].mean()
        missing = mean * math.sqrt(1 - n / drawn[g[0]]) if n > 1 else mean
        own += n * missing**2
        extra += a.sum() * missing**2
        unbiased[g] = scaled[g] = missing
        if n > 1:
            omega, less, total = np.eye(n) + rho * a, np.eye(n) + min(rho, 0.5) * a, u[g] @ m @ u[g]
            own += total * n / (n - 1)
            extra += total * (omega.sum() / max(np.trace(m @ less), (n - 1) / 4) - n / (n - 1))
            unbiased[g] += deviation[g] * n / (n - 1)
            scaled[g] += deviation[g] * math.sqrt(n / (n - 1))
    apart = strata[:, None] != strata
    extra += unbiased @ (shared * apart) @ unbiased
    variance = (1 - 1 / count) * (own + max(extra, 0))
    kappa = max(concentration(values, pairs) for values in ([u] if len(groups) == 1 else [u, scaled]))
    images = {image for pair in pairs for image in pair}
    slack = kappa - 1 / len(images)
    most = max(min(len(images), len(pairs)) - 1, 1)
    freedom = min(max(1 / slack, 1), most) if slack > 0 else most
    return variance, freedom, 1 / (2 * kappa)


def correlation(squares, products, moments, telling):
    """rho from 0 to 1 at which the products are as expected, v of a stratum being what its squares say at this rho."""

    def excess(rho):
        return math.fsum(
            q - t * (rho * z - y) / max(x - min(rho, 0.5) * y, x / 4)
            for t, q, (x, y, z), told in zip(squares, products, moments, telling, strict=True)
            if told
        )

    if excess(0) <= 0:
        return 0.0
    return 1.0 if excess(1) >= 0 else brentq(excess, 0, 1, xtol=1e-14)


def concentration(values, pairs):
    """kappa: sum S^4 over (sum S^2)^2, S summed over the paths at an image."""
    images = {image for pair in pairs for image in pair}
    sums = [math.fsum(u for u, pair in zip(values, pairs, strict=True) if image in pair) for image in images]
    return math.fsum(s**4 for s in sums) / math.fsum(s**2 for s in sums) ** 2


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
