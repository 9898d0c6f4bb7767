"""What the two published protocols fix, and the settings that they leave to the user."""

from dataclasses import dataclass

from onnxspec.errors import UsageError
from onnxspec.settings import Measurement, Settings

LINEAR, FOURIER = ("within", "between"), ("amplitude", "phase")
FOURIER_POINTS = 100
FOURIER_PER_PAIR = 25
"""Fourier pairs for each pair of a class: 5,000 where 200 are drawn."""


@dataclass(frozen=True)
class Protocol:
    """One of them.

    mean, std : of CIFAR-10's colour channels as the paper rounds them, pixels in 0..1
    families : what is walked; pairs : of every class and every pair of classes
    single : t counts in float32, else in float64
    """

    name: str
    title: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    families: tuple[str, ...]
    single: bool
    pairs: int = 200


PROTOCOLS = {
    "mool": Protocol(
        "mool",
        "Models Out of Line, arXiv 2207.04075",
        (0.491, 0.482, 0.447),
        (0.247, 0.243, 0.262),
        LINEAR + FOURIER,
        single=False,
    ),
    "sbp": Protocol(
        "sbp",
        "Spectral Bias in Practice, arXiv 2110.02424",
        (0.49139968, 0.48215841, 0.44653091),
        (0.24703223, 0.24348513, 0.26158784),
        LINEAR,
        single=True,
    ),
}


def named(name: str) -> Protocol:
    """The protocol of that name.

    Raises
    ------
    UsageError
        There is none.
    """
    if name not in PROTOCOLS:
        raise UsageError(f"There is no protocol {name!r}.", f"Known: {', '.join(PROTOCOLS)}.")
    return PROTOCOLS[name]


def defaults(name: str) -> Settings:
    """Settings with the published number of pairs; raises as `named` does."""
    return Settings.of(pairs=named(name).pairs)


def require_open(protocol: Protocol, settings: Settings) -> None:
    """Refuses settings of a report's measurement, all of which the protocol fixes.

    Raises
    ------
    UsageError
        Points, signals, estimator, cut-off or paths were set, or a precision.
    """
    plain, given = Measurement(), settings.measurement
    set_ = [name for name in vars(plain) if getattr(given, name) != getattr(plain, name)]
    set_ += ["precision"] * (settings.plan.precision is not None)
    if set_:
        flags = ", ".join(f"--{name}" for name in set_)
        raise UsageError(
            f"{flags} cannot be set with --protocol {protocol.name}, which fixes what is measured.",
            "Leave it out; --pairs, --kinds, --seed and everything about model, images and device remain.",
        )
