"""Noise fitting: do networks that are trained on noise of three frequencies follow the low one first?

Every checkpoint is measured at all three frequencies: what a network that was trained on another one seems to follow
is chance and what its confidence owes to the images' norm, which the one trained on it has to exceed.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onnxspec.noise.fitting import fit
from onnxspec.statistics import Interval
from studies.measure import finished
from studies.verdicts import FOUND, NOT_FOUND, NOT_RUN, UNDECIDABLE


@dataclass(frozen=True)
class Fit:
    """What one checkpoint makes of one noise on the test images.

    trained : frequency of the noise in its targets, 0 without noise; frequency : of the noise that is measured
    followed : share of a perfect fit's following (the covariance of noise and confidence), with its interval
    """

    network: str
    seed: int
    fraction: float
    trained: float
    frequency: float
    accuracy: float
    noise_fitting: float
    explained: float
    followed: float
    followed_low: float
    followed_high: float


def of_network(name: str, seed: int, tables: dict[str, Any], out: Path, data: Path) -> list[Fit]:
    """Every checkpoint of one training against every frequency of the study; empty until it is finished."""
    networks = finished(out, name, seed)
    if not networks:
        return []
    noises = [tables["networks"][one]["noise"] for one in tables["noise"]["networks"]]
    amplitude, trained = noises[0]["amplitude"], tables["networks"][name]["noise"]["frequency"]
    fits = fit(
        [one.model for one in networks],
        data,
        frequencies=[noise["frequency"] for noise in noises],
        amplitudes=[amplitude],
        at=[one.fraction for one in networks],
        threads=1,
    )
    accuracy = {one.place: one.accuracy.estimate for one in fits.checkpoints}
    found = []
    for noise in fits.noises:
        for one in fits.of(noise):
            told = one.figures["noise_fitting"].estimate, one.figures["explained"].estimate
            share = _share(one.figures["following"], noise.forms.following)
            found.append(Fit(name, seed, one.place, trained, noise.frequency, accuracy[one.place], *told, *share))
    return found


def first_followed(fits: list[Fit], frequency: float, seed: int) -> float | None:
    """The fraction of the training from which on the network trained on it follows it beyond what all others seem to.

    None where it never does to the end.
    """
    own = sorted(
        (one for one in fits if one.trained == one.frequency == frequency and one.seed == seed),
        key=lambda one: one.fraction,
    )
    others = [one for one in fits if one.frequency == frequency != one.trained and one.seed == seed]
    since = None
    for one in own:
        rest = [other.followed_high for other in others if other.fraction == one.fraction]
        beyond = rest and one.followed_low > max(rest)
        since = (since if since is not None else one.fraction) if beyond else None
    return since


def verdict(fits: list[Fit], seeds: list[int]) -> tuple[str, str]:
    """Found where each seed's networks follow lower frequencies before higher ones, one of them at least."""
    frequencies = sorted({one.frequency for one in fits})
    answers, said = [], []
    for seed in seeds:
        if {one.trained for one in fits if one.seed == seed} != set(frequencies) or not fits:
            continue
        since = [first_followed(fits, frequency, seed) for frequency in frequencies]
        order = [float("inf") if one is None else one for one in since]
        told = [
            f"{f:g} {'never' if s is None else f'from {s:.0%} on'}" for f, s in zip(frequencies, since, strict=True)
        ]
        said.append(f"seed {seed}: {', '.join(told)}")
        if order[0] == float("inf"):
            answers.append(UNDECIDABLE if min(order) == order[0] else NOT_FOUND)
        else:
            answers.append(FOUND if order == sorted(order) and order[0] < order[-1] else NOT_FOUND)
    if not answers:
        return NOT_RUN, "the networks were not finished"
    if len(set(answers)) > 1:
        return UNDECIDABLE, "the seeds differ; " + "; ".join(said)
    return answers[0], "; ".join(said)


def _share(following: Interval, perfect: float) -> tuple[float, float, float]:
    """Shares of what a perfect fit follows."""
    return following.estimate / perfect, following.low / perfect, following.high / perfect
