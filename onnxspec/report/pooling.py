"""Rows become figures: every pooled number of a report, in one long table, and the pooled spectra.

A figure is one metric of one signal over one stratum, by one estimator, over one selection of paths. The stratum is a
kind (`within`, `between`), a class of it, or a pair of classes; the selection is `right` (both ends predicted
right, the headline: method.md section 5) or `all`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxspec import metrics, spectra, statistics
from onnxspec.report import schema
from onnxspec.results import Reading, Rows
from onnxspec.settings import ESTIMATORS, KINDS
from onnxspec.statistics import BELOW_FLOOR, Design, Interval, Pooled, permutation
from onnxspec.statistics.drawn import Drawn

SELECTIONS = ("right", "all")
RANKED_FROM = permutation.LEAST_PATHS
POWER_VALUES = 1 << 20
"""Of all paths together in memory, 4 MB."""
TELLING = 100
"""Times the noise that a path's power must be: its own share is then known to a hundredth or so."""
SHARED_PATHS = 1 << 14
"""Of a design that is held for other figures: two of 50,000 paths held 11 MB."""
BY_PATH = ("excess_tv", "flips", "consistent", "width")
STILL = "the outputs do not change beyond noise"
BEYOND_POINTS = "the cut-off is beyond what the points resolve"
TOPS = {"consistent": 1.0}
"""What means of columns cannot go beyond."""

Name = tuple[str, str, str]
"""Of a figure: signal, metric, estimator."""


@dataclass(frozen=True, slots=True)
class Stratum:
    """A kind, a class of it (`between`: paths that touch it), or a pair of classes; "" stands for all."""

    kind: str
    class_a: str = ""
    class_b: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """One pooled number with its interval.

    p_holm : compares a class with the rest of its kind, as of `permutation`, and is no less than its own interval's p
    """

    stratum: Stratum
    selection: str
    signal: str
    metric: str
    estimator: str
    interval: Interval
    p_holm: float = float("nan")

    def row(self) -> dict[str, str | float | int]:
        """The figure as flat columns."""
        of, found = self.stratum, self.interval
        head = {"selection": self.selection, "signal": self.signal, "metric": self.metric, "estimator": self.estimator}
        strata = {"kind": of.kind, "class_a": of.class_a, "class_b": of.class_b}
        return strata | head | vars(found) | {"p_holm": self.p_holm}


@dataclass(frozen=True)
class Strata:
    """Which rows belong to which stratum."""

    rows: Rows
    class_names: tuple[str, ...]

    def kinds(self) -> list[tuple[Stratum, np.ndarray]]:
        """Each kind with the indices of its rows."""
        return [(Stratum(KINDS[k]), np.flatnonzero(self.rows["kind"] == k)) for k in np.unique(self.rows["kind"])]

    def classes(self) -> list[tuple[Stratum, np.ndarray]]:
        """Each class of each kind with its rows: both ends in it, or between it and another."""
        out = []
        for whole, rows in self.kinds():
            a, b = self.rows["class_a"][rows], self.rows["class_b"][rows]
            for c in np.unique(np.concatenate([a, b])):
                out.append((replace(whole, class_a=self.class_names[c]), rows[(a == c) | (b == c)]))
        return out

    def class_pairs(self) -> Iterator[tuple[Stratum, np.ndarray]]:
        """Each pair of classes that has several paths, with its rows; one by one, since there may be half a million.

        One path is no figure: `/paths` has it. Of a thousand classes most pairs have one.
        """
        between = np.flatnonzero(self.rows["kind"] == KINDS.index("between"))
        ends = np.column_stack([self.rows["class_a"][between], self.rows["class_b"][between]])
        pairs, at = np.unique(ends, axis=0, return_inverse=True)
        order = np.argsort(at, kind="stable")
        counts = np.bincount(at, minlength=len(pairs))
        stops = np.cumsum(counts)
        several = counts > 1
        for (a, b), start, stop in zip(pairs[several], (stops - counts)[several], stops[several], strict=True):
            yield Stratum("between", self.class_names[a], self.class_names[b]), between[order[start:stop]]


class Pooling:
    """Pools rows into figures; `floor` (signal to noise power) says below which total a share means nothing.

    ends : how many images of a path must be predicted right
    drawn : where the rows come from; None where they are all that was drawn, class by class
    """

    def __init__(
        self,
        rows: Rows,
        class_names: tuple[str, ...],
        reading: Reading,
        floor: dict[str, np.ndarray],
        ends: int = 2,
        drawn: Drawn | None = None,
    ):
        self.rows, self.reading, self.floor = rows, reading, floor
        self.strata = Strata(rows, class_names)
        self.right = rows["ends_right"] == ends
        self._drawn = drawn or Drawn.whole(rows["kind"], rows["class_a"], rows["class_b"])
        # Of the rows that were asked for last: figures of a stratum are over the same, or leave out the same few.
        self._designs: deque[tuple[np.ndarray, Design]] = deque(maxlen=2)

    def figures(self) -> Iterator[Figure]:
        """All figures: kinds in full under both selections, classes and class pairs for right ends."""
        for stratum, rows in self.strata.kinds():
            for selection in SELECTIONS:
                yield from _figures(stratum, selection, self._full(self.selected(rows, selection)))
        yield from self._ratio_of_kinds()
        yield from self._classes()
        for stratum, rows in self.strata.class_pairs():
            yield from _figures(stratum, "right", self._short(self.selected(rows, "right")))

    def hff(self, rows: np.ndarray, signal: str, estimator: str | None = None) -> Pooled:
        """The pooled share of fast wiggling over (n,) row indices; MOOL's is a mean of ratios, as in that paper."""
        chosen = self.reading.measurement.estimator
        estimator = estimator or chosen
        suffix = signal if estimator == chosen else f"{signal}_{estimator}"
        return self._of_shares(rows, signal, suffix, each=estimator == "mool")

    def hff_mean(self, rows: np.ndarray, signal: str) -> Pooled:
        """The mean of the paths' own shares of fast wiggling over (n,) row indices."""
        return self._of_shares(rows, signal, signal, each=True)

    def counted(self, rows: np.ndarray, signal: str) -> np.ndarray:
        """Of (n,) row indices those that `hff` is pooled over: within reach, and of a mean of shares those that move."""
        rows = self._within_reach(rows)
        if self.reading.measurement.estimator != "mool":
            return rows
        return _kept(rows, self._moving(self.rows[f"total_{signal}"][rows], signal))

    def _of_shares(self, rows: np.ndarray, signal: str, suffix: str, each: bool) -> Pooled:
        """The share of all power that is fast, or with `each` the mean of the paths' own; undefined where noise is all."""
        asked, rows = rows, self._within_reach(rows)
        high, total = self.rows[f"hf_{suffix}"][rows], self.rows[f"total_{suffix}"][rows]
        if len(rows) and total.mean() <= self._noise(signal):
            return replace(statistics.ratio(high, total, self.design(rows)), reason=STILL)
        if len(asked) and not len(rows):
            return replace(statistics.ratio(high, total, self.design(rows)), reason=BEYOND_POINTS)
        if not each:
            return statistics.ratio(high, total, self.design(rows), top=1.0)
        return self._mean_share(rows, high, total, signal)

    def share(self, rows: np.ndarray, signal: str) -> np.ndarray:
        """What the hff over (n,) row indices is the ratio of sums of, (2, n) float64."""
        high, total = self.rows[f"hf_{signal}"][rows], self.rows[f"total_{signal}"][rows]
        if self.reading.measurement.estimator == "mool":
            moving = total > 0
            return np.stack([np.divide(high, total, out=np.zeros(len(high)), where=moving), moving])
        return np.stack([high, total])

    def mean(self, rows: np.ndarray, column: str) -> Pooled:
        """The mean of a column of what cannot be negative over (n,) row indices, undefined rows left out."""
        kept = _kept(rows, np.isfinite(self.rows[column][rows]))
        top, counts = TOPS.get(column, float("inf")), column == "flips"
        return statistics.mean(self.rows[column][kept], self.design(kept), bottom=0.0, top=top, counts=counts)

    def log_mean(self, rows: np.ndarray, column: str) -> Pooled:
        """The same on the log scale, so that two of them make a factor."""
        kept = _kept(rows, np.isfinite(self.rows[column][rows]))
        return statistics.log_mean(self.rows[column][kept], self.design(kept))

    def _mean_share(self, rows: np.ndarray, high: np.ndarray, total: np.ndarray, signal: str) -> Pooled:
        """The mean of the paths' own shares; a path that does not move has none."""
        moving = self._moving(total, signal)
        shares = high[moving] / total[moving]
        pooled = statistics.mean(shares, self.design(_kept(rows, moving)), bottom=0.0, top=1.0)
        # Less a noise floor, as the ratio of sums may be.
        return replace(pooled, reason=BELOW_FLOOR) if pooled.value < 0 and not pooled.reason else pooled

    def design(self, rows: np.ndarray) -> Design:
        """Which images the paths at (n,) row indices share, and where they come from: what statistics take."""
        for held, design in self._designs:
            if np.array_equal(held, rows):
                return design
        design = Design(self.rows["image_a"][rows], self.rows["image_b"][rows], self._drawn[rows])
        if len(rows) <= SHARED_PATHS:
            self._designs.append((rows, design))
        return design

    def selected(self, rows: np.ndarray, selection: str) -> np.ndarray:
        """The row indices (n,) that a selection keeps."""
        return _kept(rows, self.right[rows]) if selection == "right" else rows

    def _within_reach(self, rows: np.ndarray) -> np.ndarray:
        return _kept(rows, self.rows["within_reach"][rows] > 0)

    def _moving(self, total: np.ndarray, signal: str) -> np.ndarray:
        """Which paths of these (n,) totals move by far more than noise does, (n,) bool."""
        return total > TELLING * self._noise(signal)

    def _noise(self, signal: str) -> float:
        return float(self.floor[signal].sum()) if signal in self.floor else 0.0

    def _full(self, rows: np.ndarray) -> Iterator[tuple[Name, Pooled]]:
        """Every figure over (n,) row indices."""
        chosen = self.reading.measurement.estimator
        for signal in self.reading.measurement.signals:
            for estimator in ESTIMATORS:
                yield (signal, "hff", estimator), self.hff(rows, signal, estimator)
            yield (signal, "hff_mean", chosen), self.hff_mean(rows, signal)
            for column in ("slope", "wiggle", "chord"):
                yield (signal, column, "sine"), self.mean(rows, f"{column}_{signal}")
        for metric in BY_PATH:
            yield ("prob", metric, ""), self.mean(rows, metric)

    def _ratio_of_kinds(self) -> Iterator[Figure]:
        kinds = {stratum.kind: rows for stratum, rows in self.strata.kinds()}
        if len(kinds) < 2:
            return
        estimator = self.reading.measurement.estimator
        for selection in SELECTIONS:
            rows = [self.selected(kinds[kind], selection) for kind in reversed(KINDS)]
            for signal in self.reading.measurement.signals:
                yield from _ratio(selection, signal, "hff", estimator, [self.hff(some, signal) for some in rows])
                slopes = [self.log_mean(some, f"slope_{signal}") for some in rows]
                yield from _ratio(selection, signal, "slope", "sine", slopes)
            yield from _ratio(selection, "prob", "excess_tv", "", [self.log_mean(some, "excess_tv") for some in rows])

    def _short(self, rows: np.ndarray) -> Iterator[tuple[Name, Pooled]]:
        """The main figures over (n,) row indices."""
        for signal in self.reading.measurement.signals:
            yield (signal, "hff", self.reading.measurement.estimator), self.hff(rows, signal)
            yield (signal, "slope", "sine"), self.mean(rows, f"slope_{signal}")
        yield ("prob", "excess_tv", ""), self.mean(rows, "excess_tv")

    def _classes(self) -> Iterator[Figure]:
        p = self._against_the_rest()
        whole = {
            (stratum.kind, signal): self.hff(self.selected(rows, "right"), signal)
            for stratum, rows in self.strata.kinds()
            for signal in self.reading.measurement.signals
        }
        for stratum, rows in self.strata.classes():
            rows = self.selected(rows, "right")
            short = list(self._short(rows))
            for figure, (_, pooled) in zip(_figures(stratum, "right", short), short, strict=True):
                tested = p.get((stratum, figure.signal)) if figure.metric == "hff" else None
                if tested is None:
                    yield figure
                    continue
                # Never below its own p, which is over all its paths: a star beside an interval that says nothing confuses.
                own = pooled.p_value(whole[stratum.kind, figure.signal].value)
                yield replace(figure, p_holm=float(np.maximum(tested, own)))

    def _against_the_rest(self) -> dict[tuple[Stratum, str], float]:
        """Class and signal to the p of its hff against that of the rest of its kind, over paths that share no image."""
        found = {}
        for kind, rows in self.strata.kinds():
            rows = self.selected(rows, "right")
            rows = rows[self.rows["within_reach"][rows] > 0]
            rows = rows[permutation.unshared(self.rows["image_a"][rows], self.rows["image_b"][rows])]
            classes = permutation.Classes.touched(self.rows["class_a"][rows], self.rows["class_b"][rows])
            for signal in self.reading.measurement.signals:
                for number, p in permutation.against_the_rest(self.share(rows, signal), classes).items():
                    found[replace(kind, class_a=self.strata.class_names[number]), signal] = p
        return found


def _ratio(selection: str, signal: str, metric: str, estimator: str, pooled: list[Pooled]) -> Iterator[Figure]:
    """Between over within, of the figures of the two; none where they are no logarithms, and their difference no ratio."""
    found = statistics.contrast(*pooled)
    if found.logarithmic:
        yield Figure(Stratum(schema.RATIO), selection, signal, metric, estimator, found.interval())


def _figures(stratum: Stratum, selection: str, found: Iterable[tuple[Name, Pooled]]) -> Iterator[Figure]:
    for (signal, metric, estimator), interval in statistics.intervals_of(found):
        yield Figure(stratum, selection, signal, metric, estimator, interval)


def _kept(rows: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Those of (n,) row indices that are marked in (n,) bool; of all of them no copy."""
    return rows if which.all() else rows[which]


@dataclass(frozen=True)
class PooledSpectrum:
    """Mean power of a stratum's selected paths in common bins; NaN without a path.

    power, low, high : (frequencies,) float64, squared units of the signal; above : power beyond the last bin
    """

    stratum: Stratum
    selection: str
    signal: str
    power: np.ndarray
    low: np.ndarray
    high: np.ndarray
    above: float
    paths: int


def every_stratum(pooling: Pooling) -> list[tuple[Stratum, str, np.ndarray]]:
    """Kinds, classes and class pairs over right ends, then kinds over all paths, with the selected rows (n,) of each."""
    strata = pooling.strata
    of_classes = [*strata.classes(), *strata.class_pairs()]
    wanted = [(stratum, "right", at) for stratum, at in strata.kinds() + of_classes]
    wanted += [(stratum, "all", at) for stratum, at in strata.kinds()]
    return [(stratum, selection, pooling.selected(at, selection)) for stratum, selection, at in wanted]


def pooled_spectra(
    pooling: Pooling,
    wanted: Sequence[tuple[Stratum, str, np.ndarray]],
    bins: metrics.Bins,
    chunks: Callable[[str], Iterator[tuple[slice, np.ndarray]]],
) -> list[PooledSpectrum]:
    """Mean spectra with confidence bands, every signal of each stratum.

    Parameters
    ----------
    wanted : strata, the selection that is made in each, and what it leaves: row indices (n,)
    chunks : signal to (span, (paths, bins) power) over all rows in order
    """

    def of(signal: str) -> Iterator[PooledSpectrum]:
        bands = np.empty((len(wanted), 3, bins.count + 1))
        for some in _together(len(pooling.rows), bins.count + 1):
            power = _in_common_bins(pooling.rows, pooling.reading, bins, chunks(signal), some)
            for band, (_, _, at) in zip(bands, wanted, strict=True):
                band[:, some] = statistics.mean_band(power[at], pooling.design(at))
        for (mean, low, high), (stratum, selection, at) in zip(bands, wanted, strict=True):
            yield PooledSpectrum(stratum, selection, signal, mean[:-1], low[:-1], high[:-1], float(mean[-1]), len(at))

    by_signal = [list(of(signal)) for signal in pooling.reading.measurement.signals]
    return [spectrum for of_stratum in zip(*by_signal, strict=True) for spectrum in of_stratum]


def _together(paths: int, bins: int) -> Iterator[slice]:
    """Bins that are pooled in one go: all, unless their power of so many paths would take tens of megabytes."""
    size = max(1, POWER_VALUES // max(1, paths))
    return (slice(start, min(start + size, bins)) for start in range(0, bins, size))


def _in_common_bins(
    rows: Rows, reading: Reading, bins: metrics.Bins, chunks: Iterator[tuple[slice, np.ndarray]], wanted: slice
) -> np.ndarray:
    """The power of all rows as of `metrics.rebinned`, in the wanted columns, (rows, wanted) float32."""
    power = np.empty((len(rows), wanted.stop - wanted.start), np.float32)
    shape = spectra.bins(reading.measurement.estimator, reading.measurement.points)
    for span, some in chunks:
        distance = rows["distance"][span]
        power[span] = metrics.rebinned(some, shape.frequency, shape.half_width, distance, bins, wanted)
    return power


def shape_figures(spectrum: PooledSpectrum, bins: metrics.Bins, reading: Reading, reference: float) -> Iterator[Figure]:
    """Centroid, rolloff and decay of a pooled spectrum: figures without intervals."""
    values = {
        "centroid": metrics.centroid(spectrum.power, bins, reference),
        "rolloff": metrics.rolloff(spectrum.power, bins, spectrum.above),
        "decay": metrics.decay(spectrum.power, bins, reading.cutoff),
    }
    nan = float("nan")
    for metric, value in values.items():
        some = (spectrum.power > 0).any()
        lacking = "too few bins with power: more points are needed" if some else "there is no power"
        reason = "" if np.isfinite(value) else lacking
        interval = Interval(value, nan, nan, spectrum.paths, nan, reason)
        yield Figure(
            spectrum.stratum, spectrum.selection, spectrum.signal, metric, reading.measurement.estimator, interval
        )
