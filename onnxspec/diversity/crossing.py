"""The figures of one half of every class against the measures of the other, and the other way round."""

from dataclasses import dataclass, field

import numpy as np

from onnxspec import statistics
from onnxspec.diversity.columns import Columns
from onnxspec.diversity.correlation import Controls, Estimate, averaged, beyond, plain
from onnxspec.diversity.found import Quantity, Relation

# Diversity is itself partly distance, so that what the encoder sees is also asked beyond it; a distance is not asked
# beyond itself.
CONTROLS = {"distance": ("accuracy",), "embedding": ("distance", "accuracy"), "accuracy": ("distance",)}


@dataclass(frozen=True, eq=False)
class Crossing:
    """One way: the figures are one half's, the measures the other's."""

    figures: Columns
    measures: Columns
    _controls: dict[tuple[tuple[str, ...], bytes], Controls] = field(default_factory=dict)

    def estimate(self, quantity: Quantity, measure: str, controls: tuple[str, ...]) -> Estimate:
        """Over the classes for which everything asked is defined."""
        x, y, *others = (
            self.figures.figures[quantity],
            *(self.measures.measures[name] for name in (measure, *controls)),
        )
        known = np.isfinite(np.stack([x, y, *others])).all(0)
        return beyond(x[known], y[known], self._known(controls, known)) if controls else plain(x[known], y[known])

    def _known(self, names: tuple[str, ...], known: np.ndarray) -> Controls:
        """The controls over some classes: decomposed once for all figures that are known of the same classes."""
        key = names, known.tobytes()
        if key not in self._controls:
            self._controls[key] = Controls([self.measures.measures[name][known] for name in names])
        return self._controls[key]


def relations(first: Columns, second: Columns) -> list[Relation]:
    """Every figure against every measure, as it is and beyond its controls, both ways averaged."""
    ways = Crossing(first, second), Crossing(second, first)
    asked = [
        (quantity, measure, controls)
        for quantity in first.figures
        for measure in first.measures
        for controls in ((), CONTROLS[measure])
    ]
    found = [averaged(*(way.estimate(*question) for way in ways)).correlation() for question in asked]
    p_holm = statistics.holm(np.array([one.p for one in found]))
    return [Relation(*question, one, float(p)) for question, one, p in zip(asked, found, p_holm, strict=True)]
