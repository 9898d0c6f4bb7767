"""A family's paths, a few at a time, through the model, and what each leaves behind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from onnxspec import signals
from onnxspec.parity import functionals
from onnxspec.parity.planning import Family, Prepared
from onnxspec.parity.protocols import FOURIER, FOURIER_POINTS
from onnxspec.parity.result import CONSISTENT, HFF
from onnxspec.parity.steps import UnitSteps, times
from onnxspec.paths.blends import BlendedPaths

PATHS_PER_ITEM = 16


@dataclass(frozen=True)
class Walked:
    """What a few consecutive paths leave: columns (paths,), and of `sbp` every path's spectrum."""

    columns: Mapping[str, np.ndarray]
    power: tuple[np.ndarray, ...] = ()


def walked(prepared: Prepared) -> Iterator[Walked]:
    """The paths of all families, a few at a time, in order."""
    items = [
        (family, slice(start, start + PATHS_PER_ITEM))
        for family in prepared.families
        for start in range(0, len(family.pairs), PATHS_PER_ITEM)
    ]
    return prepared.subject.engine.map(_Walker(prepared).measured, items)


@dataclass(frozen=True)
class _Walker:
    prepared: Prepared

    def measured(self, item: tuple[Family, slice]) -> Walked:
        family, span = item
        probs = [self._prob(outputs) for outputs in self._outputs(family, span)]
        pairs = family.pairs[span]
        predicted = np.array([self._predicted(prob[0]) for prob in probs])
        columns = {
            "family": np.full(len(pairs), family.name, object),
            "class_a": pairs.class_a,
            "class_b": pairs.class_b,
            "image_a": pairs.image_a,
            "image_b": pairs.image_b,
            "distance": family.distance[span],
            "points": np.array([len(prob) for prob in probs], np.int32),
            "right": (predicted == self.prepared.subject.output_of[pairs.class_a]).astype(np.int8),
        }
        if self.prepared.protocol.name == "sbp":
            return Walked(columns, tuple(functionals.distance_power(prob) for prob in probs))
        columns[HFF] = np.array([functionals.high_share(prob) for prob in probs])
        columns[CONSISTENT] = np.array([functionals.consistent(prob) for prob in probs], np.int32)
        return Walked(columns)

    def _outputs(self, family: Family, span: slice) -> list[np.ndarray]:
        """Of every path, (points, outputs)."""
        engine, pairs = self.prepared.subject.engine, family.pairs[span]
        ends = np.column_stack([pairs.image_a, pairs.image_b])

        def where(path: int) -> str:
            a, b = (engine.pixels.images.names[image] for image in ends[path])
            return f"between {a} and {b}"

        if family.name in FOURIER:
            paths = BlendedPaths(
                family.name, self._normalised, self.prepared.space, pairs.image_a, pairs.image_b, FOURIER_POINTS, where
            )
            return list(engine.walk(paths))
        shares = [times(distance, self.prepared.protocol.single) for distance in family.distance[span]]
        among = f"{where(0)} or on one of the {len(ends) - 1} paths after it"
        steps = UnitSteps(lambda path: self._anchors(ends[path]), shares, self.prepared.space.shape, among)
        return steps.split(engine.walk(steps))

    def _normalised(self, image: int) -> np.ndarray:
        return self.prepared.space.normalised(self.prepared.subject.engine.pixels.get(image))

    def _anchors(self, images: np.ndarray) -> np.ndarray:
        return self.prepared.space.inputs(np.stack([self._normalised(int(image)) for image in images]))

    def _prob(self, outputs: np.ndarray) -> np.ndarray:
        kept = signals.restricted(outputs[None], self.prepared.subject.columns, self.prepared.subject.probabilities)
        return signals.prob(kept, self.prepared.subject.probabilities)[0]

    def _predicted(self, prob: np.ndarray) -> int:
        best = int(np.argmax(prob))
        return best if self.prepared.subject.columns is None else int(self.prepared.subject.columns[best])
