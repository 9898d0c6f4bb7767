"""Is the number about the network? The checks every report carries (method.md section 7).

A pilot, the first pairs of every kind, is evaluated before the run: on a grid twice as fine, at random points off the
grid, and under the smallest disturbance that the arithmetic knows. What fails becomes a `Remark`, never silence.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from onnxspec import signals, spectra
from onnxspec.analysis.dither import FLOAT32_UNIT, dither
from onnxspec.analysis.steadiness import OTHERWISE, repeated_images, repetition
from onnxspec.engine.local import LocalEngine
from onnxspec.paths import families
from onnxspec.paths.pairs import Pairs
from onnxspec.results import (
    GRIDS,
    SAME_BITS,
    Convergence,
    Pilot,
    Reading,
    Remark,
    Rows,
    measure,
)
from onnxspec.settings import KINDS
from onnxspec.statistics import Interval, proportion

PILOT_PAIRS = 32
DITHERED_PATHS = 8
OFF_GRID_TIMES = 8
AT_ONCE = 4
"""Paths of the pilot that a worker takes at a time, at most."""
REFERENCE = "CPU float32 reference"
COARSER = f"{REFERENCE}, of what computes more coarsely"
COARSELY = 3e-5
"""RMS error of scores, relative to them, beyond float32's: other kernels make 2e-7 (eight networks), float16 at the end 2e-4."""
STAIRS_FROM = 129
"""Points from which on steps are the likelier cause: on real networks 33, 65 and 129 agree (performance.md)."""


def pilot_places(pairs: Pairs, count: int = PILOT_PAIRS) -> np.ndarray:
    """Where the first `count` pairs of every kind are, (n,) int."""
    return np.concatenate([np.flatnonzero(pairs.kind == kind)[:count] for kind in np.unique(pairs.kind)])


def pilot_pairs(pairs: Pairs, count: int = PILOT_PAIRS) -> Pairs:
    """The first `count` pairs of every kind."""
    return pairs[pilot_places(pairs, count)]


class Walked:
    """What the pilot has walked of a plan, so that it need not be walked again: each path is taken once, and then gone.

    Parameters
    ----------
    places : (paths,) int, in the plan; outputs : of each (points, outputs) float32, at the points of the run
    """

    def __init__(self, places: np.ndarray, outputs: Iterable[np.ndarray]):
        self._outputs = dict(zip(places.tolist(), outputs, strict=True))

    def take(self, span: slice) -> np.ndarray | None:
        """The outputs (paths, points, outputs) along a span of the plan, if the pilot has walked all of it."""
        places = range(span.start, span.stop)
        if any(place not in self._outputs for place in places):
            return None
        return np.stack([self._outputs.pop(place) for place in places])


@dataclass(frozen=True)
class Reference:
    """The same model on the CPU provider in float32, where it runs elsewhere or otherwise; `finer` if that is more precise."""

    engine: LocalEngine
    finer: bool


def dithered_places(pairs: Pairs) -> np.ndarray:
    """Where the pairs are whose noise is measured, (n,) int: at least eight, from every kind, all of the pilot."""
    return pilot_places(pairs, -(-DITHERED_PATHS // max(len(np.unique(pairs.kind)), 1)))


def run_pilot(
    engine: LocalEngine, pairs: Pairs, reading: Reading, seed: int, reference: Reference | None
) -> tuple[Pilot, Walked]:
    """Evaluates the pilot: convergence, noise floor and repeatability, and what it has walked."""
    places, dithered = pilot_places(pairs), dithered_places(pairs)
    pilot = pairs[places]
    outputs, by_kind = _evaluated(engine, pilot, reading, seed)
    plain = np.stack([outputs[at] for at in np.searchsorted(places, dithered)])
    noise, source = noise_of(engine, pairs[dithered], plain, reading, seed, reference)
    signal_names = reading.measurement.signals
    found = tuple(
        _convergence(rows, errors, kind, name, float(noise[name].floor(of_kind).sum()))
        for kind, rows, errors in by_kind
        for of_kind in [pairs.kind[dithered] == KINDS.index(kind)]
        for name in signal_names
    )
    floor = {name: noise[name].floor() for name in signal_names}
    made = Pilot(found, floor, source, repetition(engine, pilot), reading.measurement.points)
    return made, Walked(places, outputs)


@dataclass(frozen=True)
class Noise:
    """Of a signal along some paths.

    measured : (paths, bins) float64 power per sine bin; rounding : (paths,) float64, what float32 scores have in every bin
    """

    measured: np.ndarray
    rounding: np.ndarray

    def floor(self, chosen: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Mean noise power per sine bin over all paths, or those chosen (paths,) bool: (bins,) float64."""
        return np.maximum(self.measured[chosen].mean(0), self.rounding[chosen].mean())


def noise_of(
    engine: LocalEngine, pairs: Pairs, plain: np.ndarray, reading: Reading, seed: int, reference: Reference | None
) -> tuple[dict[str, Noise], str]:
    """The noise of every signal along pairs, and how it was measured: the spectrum of a difference.

    plain : what the engine gives along the pairs, (paths, points, outputs) float32

    Rounding is deterministic, so repetition shows nothing: on the CPU the inputs are moved at random (`dither`),
    elsewhere, or in half precision, the CPU's float32 outputs are the reference. Of the difference of two equally noisy
    evaluations half is the floor; of one from a finer evaluation, all. A device may be coarser by itself, without being
    told to.
    """
    weights = families.line(reading.measurement.points)
    other = reference.engine if reference else engine

    def otherwise(path: int) -> np.ndarray:
        # A generator a path: the draws do not depend on which worker comes first.
        moving = None if reference else dither(np.random.default_rng([seed, 7, path]), engine.spec.coarsest)
        return other.outputs(pairs.image_a[[path]], pairs.image_b[[path]], weights, moving)

    moved = np.concatenate(list(engine.map(otherwise, range(len(pairs)))))
    coarser = reference is not None and (reference.finer or _differ(plain, moved, reading))
    share = 1.0 if coarser else 0.5
    noise = {}
    for name in reading.measurement.signals:
        signal = reading.signal(name, plain)
        measured = spectra.sine(reading.signal(name, moved) - signal).power * share
        # Scores are float32 numbers, so that there is at least their rounding, spread evenly over the bins.
        rounding = np.square(FLOAT32_UNIT) / 12 * np.square(signal).sum(-1).mean(-1) / measured.shape[-1]
        noise[name] = Noise(measured, rounding)
    moves = {"float32": "one unit in the last place", "uint8": "up to a third of a grey level"}
    coarsest = engine.spec.coarsest
    dithered = f"input dither of {moves.get(coarsest, f'up to a third of a unit of {coarsest}')}"
    return noise, (COARSER if coarser else REFERENCE) if reference else dithered


def _differ(plain: np.ndarray, finer: np.ndarray, reading: Reading) -> bool:
    """Whether outputs (paths, points, outputs) are off by more than float32 makes them."""
    own = "prob" if reading.probabilities else "logit"
    given, wanted = (reading.signal(own, outputs) for outputs in (plain, finer))
    return bool(np.square(given - wanted).mean() > COARSELY**2 * np.square(wanted).mean())


def pilot_images(pairs: Pairs, points: int) -> int:
    """How many forward passes the pilot of a plan takes."""
    paths, dithered = len(pilot_places(pairs)), len(dithered_places(pairs))
    return paths * (2 * points - 1 + OFF_GRID_TIMES) + dithered * points + repeated_images(paths)


def answers(rows: Rows, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """Predicted and true output of each of the distinct endpoint images, (images,) int."""
    _, first = np.unique(np.concatenate([rows["image_a"], rows["image_b"]]), return_index=True)
    predicted = np.concatenate([rows["predicted_a"], rows["predicted_b"]])[first]
    true = reading.output_of[np.concatenate([rows["class_a"], rows["class_b"]])[first]]
    return predicted, true


def accuracy(rows: Rows, reading: Reading) -> Interval:
    """Share of the distinct endpoint images that the model gets right, with its Wilson interval."""
    predicted, true = answers(rows, reading)
    return proportion(int((predicted == true).sum()), len(true))


def remarks(pilot: Pilot) -> Iterator[Remark]:
    """What of the pilot the reader must know."""
    finer = f"Use --points {2 * pilot.points - 1}."
    if pilot.points >= STAIRS_FROM:
        finer += " Where that never ends the outputs move in steps, as those of quantised models do."
    for found in pilot.convergence:
        where = f"{found.signal}, {found.kind}"
        if found.unresolved:
            yield Remark(
                "unresolved",
                f"The outputs move between the grid points ({where}): the error there is "
                f"{found.off_grid:.2g} beside {found.high:.2g} of power above the cut-off.",
                finer,
            )
        elif found.noise:
            text = f"What is above the cut-off ({where}) is rounding noise: {found.high:.2g} of power."
            yield Remark("noise", text, "The hff there is that of the noise; the model's own may be anything below.")
        for metric in found.unconverged:
            yield Remark(
                "unconverged",
                f"{metric} ({where}) changes by {found.change(metric):.1%} with twice the points.",
                finer,
            )
    if pilot.repetition != SAME_BITS:
        yield Remark("not-repeatable", *OTHERWISE[pilot.repetition])


def floor_remark(subtracted: bool) -> Remark:
    """What is done about the noise of reduced precision; where it overtakes the spectra is said with the checks."""
    return Remark(
        "reduced-precision",
        f"The model runs in reduced precision; its noise is {'' if subtracted else 'not '}subtracted.",
        "Use it in float32, without --tf32, for figures to compare.",
    )


def rounding_remark(pilot: Pilot) -> Remark:
    """What the rounding to whole grey levels adds above the cut-off, at most."""
    shares = [f"{min(c.floor / c.high, 1.0):.1%} ({c.signal}, {c.kind})" for c in pilot.convergence if c.high > 0]
    most = f"; of the power above the cut-off that is at most {', '.join(shares)}" if shares else ""
    return Remark("rounded", f"The model takes whole grey levels, so the paths are rounded{most}.")


def _evaluated(
    engine: LocalEngine, pilot: Pairs, reading: Reading, seed: int
) -> tuple[list[np.ndarray], list[tuple[str, dict[str, Rows], dict[str, float]]]]:
    """Outputs of every path at the points of the run, and per kind: rows on the grids, each signal's squared error off it."""
    points = reading.measurement.points
    weights = families.line(2 * points - 1)
    t = np.random.default_rng([seed, 11]).random((len(pilot), OFF_GRID_TIMES))

    def work(span: slice) -> tuple[list[np.ndarray], list[Rows], dict[str, np.ndarray]]:
        some = pilot[span]
        distance = engine.distance(some.image_a, some.image_b)
        fine = engine.outputs(some.image_a, some.image_b, weights)
        between = engine.outputs(some.image_a, some.image_b, families.line_at(t[span]))
        grids = [measure(fine[:, ::step], some, distance, reading) for step in (4, 2, 1)]
        return [one.copy() for one in fine[:, ::2]], grids, _off_grid_errors(fine[:, ::2], between, t[span], reading)

    spans = list(_spans(len(pilot), engine.workers))
    outputs, rows, off_grid = zip(*engine.map(work, spans, lambda span: pilot[span].images), strict=True)
    grids = {name: Rows.concatenated([part[i] for part in rows]) for i, name in enumerate(GRIDS)}
    errors = {name: np.concatenate([part[name] for part in off_grid]) for name in off_grid[0]}
    by_kind = []
    for kind in np.unique(pilot.kind):
        here = pilot.kind == kind
        of_kind = {name: Rows({k: v[here] for k, v in grid.columns.items()}) for name, grid in grids.items()}
        by_kind.append((KINDS[kind], of_kind, {name: float(error[here].mean()) for name, error in errors.items()}))
    return [one for part in outputs for one in part], by_kind


def _spans(paths: int, workers: int) -> Iterator[slice]:
    """Fewer and fewer paths, one in the end: a path of a slow network takes seconds, in which no core should idle."""
    start = 0
    while start < paths:
        stop = start + max(1, min(AT_ONCE, (paths - start) // (2 * workers)))
        yield slice(start, stop)
        start = stop


def _off_grid_errors(grid: np.ndarray, between: np.ndarray, t: np.ndarray, reading: Reading) -> dict[str, np.ndarray]:
    """Per signal, the squared error of the sine interpolant at times t, mean over times, (paths,)."""
    errors = {}
    for name in reading.measurement.signals:
        # One-hot labels jump, so no interpolant of them converges; flips are counted instead.
        if name == "label":
            continue
        seen = reading.signal(name, grid)
        real = _signal_at(name, grid, between, reading)
        errors[name] = np.square(spectra.sine_interpolant(seen, t) - real).sum(-1).mean(-1)
    return errors


def _signal_at(name: str, grid: np.ndarray, between: np.ndarray, reading: Reading) -> np.ndarray:
    """A signal at other points of the same paths; `distance` needs the path's own start."""
    if name != "distance":
        return reading.signal(name, between)
    return signals.distance(reading.kept(np.concatenate([grid[:, :1], between], 1)), reading.probabilities)[:, 1:]


def _convergence(rows: dict[str, Rows], errors: dict[str, float], kind: str, name: str, floor: float) -> Convergence:
    figures = {"hff": tuple(_share(rows[grid], name) for grid in GRIDS)}
    if name != "label":  # a jump has no slope, so that of labels grows with the points for ever
        figures["slope"] = tuple(_mean_slope(rows[grid], name) for grid in GRIDS)
    if name == "prob":
        figures["excess_tv"] = tuple(float(rows[grid]["excess_tv"].mean()) for grid in GRIDS)
    # The error off the grid is that of the sine interpolant, whatever estimator the figures are of.
    chosen = rows["chosen"]
    sine = f"{name}_sine" if f"hf_{name}_sine" in chosen.columns else name
    high = float(chosen[f"hf_{sine}"].mean())
    total = float(chosen[f"total_{sine}"].mean())
    return Convergence(kind, name, len(chosen), figures, errors.get(name, 0.0), high, total, floor)  # type: ignore[arg-type]


def _mean_slope(rows: Rows, name: str) -> float:
    slopes = rows[f"slope_{name}"]
    return float(slopes[np.isfinite(slopes)].mean()) if np.isfinite(slopes).any() else float("nan")


def _share(rows: Rows, name: str) -> float:
    total = rows[f"total_{name}"].sum()
    return float(rows[f"hf_{name}"].sum() / total) if total > 0 else float("nan")
