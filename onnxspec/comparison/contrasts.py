"""Two members on the same paths: each quantity of one as a factor of the other's, with its interval.

The contrast is over the paths that both get right, since a wrong end puts a boundary on the path (method.md section
5). Beside it stands the contrast over the paths that each gets right itself; where the two do not agree, what is
found is about which paths were chosen, and the verdict says so.
"""

from dataclasses import dataclass, replace

import numpy as np

from onnxspec import statistics
from onnxspec.comparison.alignment import Member
from onnxspec.report.pooling import BY_PATH, Stratum
from onnxspec.statistics import SIGNIFICANT, Interval, Pooled, permutation

PER_SIGNAL = ("hff", "slope", "wiggle", "chord")
PER_CLASS = ("hff", "slope", "excess_tv")
ENOUGH_IN_COMMON = 0.8
"""Of the smaller own set of paths: below, what is found depends on the selection."""
DEPENDS = "depends on selection"
UNDECIDED = "not told apart"
TOO_FEW = "too few to tell"
SAME = "the same"
# Float32 rounding moves pooled figures by less than this share, and that is no difference however often it is seen.
ROUNDING = 1e-4
ALIKE = 1e-3
"""A share within which a figure must be known to be called the same."""


@dataclass(frozen=True)
class Quantity:
    """A metric of a signal."""

    signal: str
    metric: str

    @property
    def column(self) -> str:
        """The column of the rows that it is the mean of."""
        return self.metric if self.metric in BY_PATH else f"{self.metric}_{self.signal}"


@dataclass(frozen=True)
class Contrast:
    """`model` against `reference` in one quantity over one stratum.

    scale : "factor" where the intervals are of a ratio, "difference" for MOOL's means of ratios
    common : over pairs right under both; own : over pairs right under each by itself; pairs : how many are in common
    own_pairs, reference_pairs : how many of the pairs that both have walked are right under either
    p_holm : adjusted over the classes of the kind
    """

    model: str
    reference: str
    stratum: Stratum
    quantity: Quantity
    scale: str
    common: Interval
    own: Interval
    p: float
    p_holm: float
    pairs: int
    own_pairs: int
    reference_pairs: int
    verdict: str


def quantities(first: Member, second: Member) -> list[Quantity]:
    """What is compared of both members."""
    signals = [signal for signal in first.signals if signal in second.signals]
    by_signal = [Quantity(signal, metric) for signal in signals for metric in PER_SIGNAL]
    return by_signal + [Quantity("prob", metric) for metric in BY_PATH]


def figure(member: Member, places: np.ndarray, quantity: Quantity) -> Interval:
    """A quantity of one member over what it gets right of the paths at (n,) ascending places, as analyze reports it."""
    rows = _right_at(member, places)
    if quantity.metric == "hff":
        return member.pooling.hff(rows, quantity.signal).interval()
    return member.pooling.mean(rows, quantity.column).interval()


def strata(reference: Member) -> list[tuple[Stratum, np.ndarray]]:
    """Kinds, then their classes, with the places (n,) of their paths in the plan, which is the reference's."""
    return reference.pooling.strata.kinds() + reference.pooling.strata.classes()


def compared(model: Member, reference: Member, plan: list[tuple[Stratum, np.ndarray]]) -> list[Contrast]:
    """All contrasts of two members over the strata of a plan: kinds in every quantity, classes in the main ones."""
    found = []
    for stratum, places in plan:
        for quantity in quantities(model, reference):
            if not stratum.class_a or quantity.metric in PER_CLASS:
                found.append(contrast(model, reference, stratum, quantity, places))
    return _corrected(
        found, model, reference, {stratum.kind: places for stratum, places in plan if not stratum.class_a}
    )


def contrast(model: Member, reference: Member, stratum: Stratum, quantity: Quantity, places: np.ndarray) -> Contrast:
    """One contrast over those paths at (n,) ascending places of the plan that both have walked."""
    for member in (model, reference):
        places = member.place[_walked_at(member, places)]
    first, second = (_rows_at(one, places, quantity) for one in (model, reference))
    both = np.intersect1d(model.place[first], reference.place[second])
    on_both = [_pooled(one, _rows_at(one, both, quantity), quantity) for one in (model, reference)]
    common, own = statistics.paired(*on_both), _own_contrast(model, reference, first, second, quantity)
    # A handful that happens to move alike looks sure of anything.
    p = common.p_value() if len(both) >= statistics.FEW_PATHS else np.nan
    shared = len(both) / max(min(len(first), len(second)), 1)
    return Contrast(
        model.name,
        reference.name,
        stratum,
        quantity,
        "factor" if common.logarithmic else "difference",
        common.interval(),
        own.interval(),
        p,
        np.nan,
        len(both),
        len(first),
        len(second),
        verdict(common, own, p, shared),
    )


def verdict(common: Pooled, own: Pooled, p: float, shared: float) -> str:
    """What a contrast says: higher, lower, the same, not told apart, too few to tell, depends on selection, or undefined.

    Parameters
    ----------
    p : of the contrast over common pairs, NaN where too few carry it for a test; shared : these over the smaller own set
    """
    if common.reason:
        return "undefined"
    # Two signs that could both be chance contradict each other in nothing.
    decided = p < SIGNIFICANT or own.p_value() < SIGNIFICANT
    contrary = not own.reason and np.sign(common.value) != np.sign(own.value)
    same = abs(common.value) < ROUNDING
    if shared < ENOUGH_IN_COMMON or (decided and contrary and not (same and abs(own.value) < ROUNDING)):
        return DEPENDS
    if same and _known_within(common, ALIKE):
        return SAME
    if not p < SIGNIFICANT:
        return TOO_FEW if np.isnan(p) else UNDECIDED
    return "higher" if common.value > 0 else "lower"


def _known_within(factor: Pooled, share: float) -> bool:
    """Whether the interval of a factor reaches no further from one than a share, or all paths that carry it are alike.

    Never of a difference.
    """
    found = factor.interval()
    alike = found.reason == statistics.TOO_FEW
    return factor.logarithmic and (alike or (1 / (1 + share) <= found.low and found.high <= 1 + share))


def _own_contrast(
    model: Member, reference: Member, first: np.ndarray, second: np.ndarray, quantity: Quantity
) -> Pooled:
    """The contrast over each one's own paths; what a path does under both still cancels where both have it."""
    places = [model.place[first], reference.place[second]]
    every = np.union1d(*places)
    design, by_model = (one.pooling.design(_walked_at(one, every)) for one in (reference, model))
    design = design.smaller(by_model)
    figures = (_pooled(one, rows, quantity) for one, rows in ((model, first), (reference, second)))
    at = (np.searchsorted(every, place) for place in places)
    return statistics.paired(*(statistics.spread(figure, own, design) for figure, own in zip(figures, at, strict=True)))


def _walked_at(member: Member, places: np.ndarray) -> np.ndarray:
    """The member's rows at (n,) ascending places of the plan."""
    # Looked for and not marked among all: a thousand classes ask for a few of a hundred thousand paths each.
    at = np.searchsorted(member.place, places)
    return at[member.place.take(at, mode="clip") == places]


def _right_at(member: Member, places: np.ndarray) -> np.ndarray:
    """The member's rows at (n,) ascending places of the plan whose ends it gets right."""
    rows = _walked_at(member, places)
    return rows[member.pooling.right[rows]]


def _rows_at(member: Member, places: np.ndarray, quantity: Quantity) -> np.ndarray:
    """The member's rows at places of the plan whose ends it gets right and where the quantity is defined."""
    rows = _right_at(member, places)
    if quantity.metric == "hff":
        return member.pooling.counted(rows, quantity.signal)
    return rows[np.isfinite(member.rows[quantity.column][rows])]


def _pooled(member: Member, rows: np.ndarray, quantity: Quantity) -> Pooled:
    """The quantity on the log scale, so that two make a factor."""
    if quantity.metric == "hff":
        return member.pooling.hff(rows, quantity.signal)
    return member.pooling.log_mean(rows, quantity.column)


def _corrected(found: list[Contrast], model: Member, reference: Member, kinds: dict[str, np.ndarray]) -> list[Contrast]:
    """Contrasts of classes with p over the classes of their kind, and verdicts by it; few paths are not tested.

    Parameters
    ----------
    kinds : kind to the places (n,) of its paths in the plan
    """
    families: dict[tuple[str, Quantity], list[int]] = {}
    for i, one in enumerate(found):
        if one.stratum.class_a:
            families.setdefault((one.stratum.kind, one.quantity), []).append(i)
    out = list(found)
    for (kind, quantity), members in families.items():
        p = _over_classes(model, reference, quantity, kinds[kind])
        for i in members:
            # Never below its own p, which is over all its pairs: a star beside an interval that says nothing confuses.
            p_holm = float(np.maximum(p.get(found[i].stratum.class_a, np.nan), found[i].p))
            out[i] = replace(found[i], p_holm=p_holm, verdict=_class_verdict(found[i], p_holm))
    return out


def _over_classes(model: Member, reference: Member, quantity: Quantity, places: np.ndarray) -> dict[str, float]:
    """Class to the p of its contrast, adjusted over the classes that have paths at (n,) places of the plan.

    Over paths of the common ones that share no image, which is how the two may be swapped.
    """
    both = np.intersect1d(*(one.place[_rows_at(one, places, quantity)] for one in (model, reference)))
    first, second = (_rows_at(one, both, quantity) for one in (model, reference))
    image_a, image_b, class_a, class_b = (
        reference.rows[name][second] for name in ("image_a", "image_b", "class_a", "class_b")
    )
    kept = permutation.unshared(image_a, image_b)
    classes = permutation.Classes.touched(class_a[kept], class_b[kept])
    shares = _share(model, first[kept], quantity), _share(reference, second[kept], quantity)
    names = reference.pooling.strata.class_names
    return {names[number]: p for number, p in permutation.between_models(*shares, classes).items()}


def _share(member: Member, rows: np.ndarray, quantity: Quantity) -> np.ndarray:
    """What the quantity is the ratio of sums of, (2, n) float64."""
    if quantity.metric == "hff":
        return member.pooling.share(rows, quantity.signal)
    values = member.rows[quantity.column][rows]
    return np.stack([values, np.ones(len(values))])


def _class_verdict(one: Contrast, p_holm: float) -> str:
    if one.verdict in ("higher", "lower") and not p_holm < SIGNIFICANT:
        return TOO_FEW if np.isnan(p_holm) else UNDECIDED
    return one.verdict
