"""What is settled before the first point: the pairs, how long their paths are, what the run costs, and what to know."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from onnxspec.analysis.subject import TRUE, Subject
from onnxspec.engine.local import LocalEngine
from onnxspec.errors import DataError
from onnxspec.listening import Ahead, Listener
from onnxspec.parity.pairs import draw
from onnxspec.parity.protocols import FOURIER, FOURIER_POINTS, Protocol
from onnxspec.parity.space import NormalisedSpace
from onnxspec.paths.pairs import Pairs
from onnxspec.results import Remark
from onnxspec.settings import Settings


@dataclass(frozen=True)
class Family:
    """The paths of a family; `distance` (paths,) L2, NaN where none is needed."""

    name: str
    pairs: Pairs
    distance: np.ndarray

    @property
    def points(self) -> np.ndarray:
        """On every path, (paths,) int64."""
        if self.name in FOURIER:
            return np.full(len(self.pairs), FOURIER_POINTS)
        return np.ceil(self.distance).astype(np.int64)


@dataclass(frozen=True)
class Prepared:
    """A run that is ready to start."""

    subject: Subject
    protocol: Protocol
    space: NormalisedSpace
    families: tuple[Family, ...]
    remarks: tuple[Remark, ...]


def prepare(subject: Subject, protocol: Protocol, settings: Settings, listener: Listener) -> Prepared:
    """Draws the pairs, measures their distances and says what the run will cost."""
    if subject.labelling != TRUE:
        raise DataError(
            f"--protocol {protocol.name} joins images by their true classes, and these have no labels.",
            "Pass labelled images with --data: class folders, or arrays with labels.",
        )
    engine = subject.engine
    space = NormalisedSpace(protocol, engine.space)
    plan = draw(protocol, subject.labels, settings.plan.kinds, settings.plan.most, settings.plan.seed)
    listener.stage("measuring distances")
    families = tuple(_family(engine, space, name, pairs, protocol.single) for name, pairs in plan.items())
    if empty := [family.name for family in families if not len(family.pairs)]:
        raise DataError(
            f"All paths ({', '.join(empty)}) join equal or unreadable images, so that there is nothing to walk.",
            "Give other images, or --kinds within or between alone.",
        )
    images = sum(int(family.points.sum()) for family in families)
    paths = sum(len(family.pairs) for family in families)
    listener.plan(Ahead(paths, images, images * subject.seconds_per_image))
    engine.on_images = listener.images
    remarks = (*subject.remarks, *_remarks(subject, protocol, space, plan, families, settings))
    return Prepared(subject, protocol, space, families, remarks)


def _family(engine: LocalEngine, space: NormalisedSpace, name: str, pairs: Pairs, single: bool) -> Family:
    """The family without pairs that touch an unreadable image or, on a line, join equal ones."""
    pixels = engine.pixels
    if pixels.skip_bad:
        pairs = pairs[np.array([pixels.readable(int(a)) and pixels.readable(int(b)) for a, b in _ends(pairs)], bool)]
    if name in FOURIER:
        return Family(name, pairs, np.full(len(pairs), math.nan))
    blocks = np.array_split(_ends(pairs), max(1, len(pairs) // 500))

    def measured(block: np.ndarray) -> list[float]:
        return [space.distance(pixels.get(int(a)), pixels.get(int(b))) for a, b in block]

    distance = np.array([d for block in engine.map(measured, blocks) for d in block])
    if single:
        distance = distance.astype(np.float32).astype(np.float64)  # the points are counted as published (`steps.times`)
    return Family(name, pairs[distance > 0], distance[distance > 0])


def _ends(pairs: Pairs) -> np.ndarray:
    return np.column_stack([pairs.image_a, pairs.image_b])


def _remarks(
    subject: Subject,
    protocol: Protocol,
    space: NormalisedSpace,
    plan: Mapping[str, Pairs],
    families: tuple[Family, ...],
    settings: Settings,
) -> Iterator[Remark]:
    """What keeps the figures from being comparable with the published ones."""
    if not space.published:
        height, width, channels = subject.engine.spec.shape
        text = (
            f"The protocol is defined on CIFAR-10, 32 x 32 colour; these are {height} x {width} of {channels} channels"
        )
        grey = ", normalised by the averages of CIFAR-10's mean and std" if channels == 1 else ""
        yield Remark("not-cifar", f"{text}{grey}: no published figure compares with these.")
    sizes = np.bincount(subject.labels)
    if protocol.name == "mool" and len(set(sizes.tolist())) > 1:
        text = f"The classes have {sizes.min():,} to {sizes.max():,} images; the published draw knows equal ones."
        yield Remark("unequal-classes", text, "Between two classes, positions come from the smaller one.")
    pairs = settings.plan.most
    seeded = protocol.name == "mool"
    if pairs != protocol.pairs or (seeded and settings.plan.seed):
        seeds = (f", seed {settings.plan.seed}", ", seed 0") if seeded else ("", "")
        text = f"{pairs} pairs a class and pair of classes{seeds[0]}; published: {protocol.pairs}{seeds[1]}."
        yield Remark("not-published-plan", text)
    if 2 * pairs > sizes.min():
        yield Remark("capped", f"A class has {sizes.min():,} images, too few for the {pairs} pairs of the protocol.")
    if FOURIER[0] in plan and bool((np.diff(subject.labels) >= 0).all()):
        yield Remark(
            "sorted-by-class",
            "The images come class by class; the published Fourier pairs go by CIFAR-10's own mixed order.",
            "For the published amplitude and phase figures pass its arrays, --data cifar10-test.npz.",
        )
    for family in families:
        if left := len(plan[family.name]) - len(family.pairs):
            yield Remark("left-out", f"{left} paths ({family.name}) join equal or unreadable images.")
