"""Which paths of other families a run walks: planned from its pairs, so that their images are those of the lines.

    ellipse            through three images of a class of the pairs within, each image once     within
    amplitude, phase   from the first image of every pair towards the second's                   both kinds
    random             from the first image of every pair, as far as the second is               both kinds
    augment            around every image that is the first of a pair within                     within
    fourier            through such an image, along a wave of every octave, d_ref long           within

Where there are no pairs within, the last two take those between. `PLANNERS` is the registry.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from onnxspec.analysis.families import bands
from onnxspec.analysis.families.family import NONE, Family
from onnxspec.analysis.planning import Frozen
from onnxspec.errors import UsageError
from onnxspec.paths import blends, chords, ellipse, translation, triples
from onnxspec.paths.families import Frames, Walk, Where
from onnxspec.paths.own import OwnFamily, OwnPaths, Path
from onnxspec.paths.pairs import WITHIN, Pairs
from onnxspec.paths.space import PixelSpace
from onnxspec.settings import FAMILIES, LINEAR

# How many times the steps of a line a path takes, since it is longer: an ellipse through three images equally far from
# each other 3.6 times as long as the line between two, loops and phases twice where images have edges.
STEPS = {"ellipse": 4, "phase": 2, "augment": 2}
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")

Own = Mapping[str, OwnFamily | Path]


@dataclass(frozen=True)
class Ground:
    """What all families are planned on."""

    frozen: Frozen
    space: PixelSpace

    def points(self, name: str, closed: bool = False) -> int:
        """Points on a path of a family."""
        steps = STEPS.get(name, 1) * (self.frozen.settings.measurement.points - 1)
        return steps if closed else steps + 1

    def around(self) -> Pairs:
        """The images that are walked around, in the order of the pairs: each as a pair with itself."""
        pairs = self.frozen.pairs
        within = pairs[pairs.kind == WITHIN]
        within = within if len(within) else pairs
        _, first = np.unique(within.image_a, return_index=True)
        of = within[np.sort(first)]
        return Pairs(np.full(len(of), WITHIN, np.int8), of.class_a, of.class_a, of.image_a, of.image_a)

    def pixels(self, image: int) -> np.ndarray:
        """Of an image, (h, w, c)."""
        return self.frozen.subject.engine.pixels.get(image)

    def where(self, name: str, image: np.ndarray) -> Where:
        """Of paths through images (paths, 3)."""
        names = self.frozen.subject.images.names
        return lambda path: f"on the {name} path of {' and '.join(names[i] for i in image[path] if i != NONE)}"


def choose(frozen: Frozen, own: Own | None = None) -> tuple[Family, ...]:
    """The families that the settings name, and those of the caller, in this order.

    Raises
    ------
    UsageError
        A family of one's own has a name that is taken or no plain word, or is no function; or the run is to a
        precision, which stops by what straight lines show.
    DataError
        The data hold no three images of a class, which an ellipse needs.
    """
    if own is not None and not isinstance(own, Mapping):
        raise UsageError(f"own_paths is of type {type(own).__name__}; a dict from names to functions was expected.")
    asked = [name for name in frozen.settings.measurement.paths if name != LINEAR]
    if not asked and not own:
        return ()
    if frozen.settings.plan.precision is not None:
        names = ", ".join([*asked, *(own or {})])
        raise UsageError(
            f"--precision stops by what straight lines show, and {names} paths were asked for too.",
            "Leave out --precision, and give --pairs.",
        )
    ground = Ground(frozen, frozen.subject.engine.space)
    planned = [PLANNERS[name](name, ground) for name in asked]
    return (*planned, *(_own(name, one, ground) for name, one in (own or {}).items()))


def _ellipse(name: str, ground: Ground) -> Family:
    engine, points = ground.frozen.subject.engine, ground.points(name, closed=True)
    some = _triples(ground)
    image = _images(some.image_a, some.image_b, some.image_c)
    kind = np.full(len(some), WITHIN, np.int8)

    def walk(span: slice) -> Frames:
        ends = image[span]
        where = ground.where(name, ends)
        return ellipse.ellipses(lambda path: engine.anchors(ends[path]), points, len(ends), where, ends)

    def length(span: slice) -> np.ndarray:
        a, b, c = image[span].T
        return ellipse.perimeter(engine.distance(a, b), engine.distance(a, c), engine.distance(b, c))

    return Family(name, points, True, kind, some.class_of, some.class_of, image, ellipse.ANCHORS, walk, length)


def _triples(ground: Ground) -> triples.Triples:
    """One lap over the images of the pairs within, or over all where the classes of those are too small for that."""
    frozen = ground.frozen
    subject, plan, within = frozen.subject, frozen.settings.plan, frozen.pairs[frozen.pairs.kind == WITHIN]
    labels = np.full_like(subject.labels, NONE)
    labels[within.images] = subject.labels[within.images]
    if 2 * _lap(labels) < min(len(within), _lap(subject.labels)) or not _lap(labels):
        labels = subject.labels.copy()
    while True:
        some = triples.draw(labels, min(plan.pairs, max(_lap(labels), 1)), subject.images.digest, plan.seed)
        images = np.unique([some.image_a, some.image_b, some.image_c])
        bad = [int(i) for i in images if not subject.engine.pixels.readable(int(i))]
        if not bad:
            return some
        labels[bad] = NONE


def _lap(labels: np.ndarray) -> int:
    """How many triples use no image twice."""
    return int((np.bincount(labels[labels >= 0], minlength=1) // 3).sum())


def _blend(name: str, ground: Ground) -> Family:
    pairs, unit, points = ground.frozen.pairs, ground.space.unit, ground.points(name)
    image = _images(pairs.image_a, pairs.image_b)

    def walk(span: slice) -> blends.BlendedPaths:
        a, b = image[span, :2].T
        where = ground.where(name, image[span])
        return blends.BlendedPaths(name, ground.pixels, ground.space, a, b, points, where)

    def length(span: slice) -> np.ndarray:
        ends = ((ground.pixels(int(a)), ground.pixels(int(b))) for a, b in image[span, :2])
        return np.array([blends.length(a, b, name, points) for a, b in ends]) / unit

    return _of_pairs(name, points, pairs, image, 1, walk, length)


def _random(name: str, ground: Ground) -> Family:
    frozen, pairs, points = ground.frozen, ground.frozen.pairs, ground.points(name)
    image = _images(pairs.image_a, pairs.image_b)
    key = frozen.subject.images.digest, frozen.settings.plan.seed

    def length(span: slice) -> np.ndarray:
        return frozen.subject.engine.distance(*image[span, :2].T)

    def walk(span: slice) -> Frames:
        a, b = image[span, :2].T
        where = ground.where(name, image[span])
        return chords.chords(ground.pixels, ground.space, a, b, length(span), points, *key, where)

    return _of_pairs(name, points, pairs, image, 1, walk, length)


def _augment(name: str, ground: Ground) -> Family:
    pairs, points = ground.around(), ground.points(name, closed=True)
    image = _images(pairs.image_a)

    def walk(span: slice) -> translation.TranslationLoops:
        where = ground.where(name, image[span])
        return translation.TranslationLoops(ground.pixels, ground.space, image[span, 0], points, where)

    def length(span: slice) -> np.ndarray:
        loops = walk(span)
        return np.array([loops.length(path) for path in range(len(loops))])

    return _of_pairs(name, points, pairs, image, 1, walk, length, closed=True)


def _fourier(name: str, ground: Ground) -> Family:
    pairs = ground.around()
    plan = bands.plan(ground.frozen, ground.space, pairs.image_a)
    of = np.repeat(np.arange(len(pairs)), len(plan.crossings) // len(pairs))
    extra = {"band": plan.crossings.band.astype(np.int32), "spread": plan.spread}
    image = _images(plan.crossings.image)
    return _of_pairs(name, ground.points(name), pairs[of], image, 1, plan.walk, plan.length, extra=extra)


def _own(name: str, given: OwnFamily | Path, ground: Ground) -> Family:
    if not isinstance(name, str) or not NAME.fullmatch(name) or name in FAMILIES:
        raise UsageError(
            f"{name!r} cannot be the name of a family of one's own.",
            f"Take a word of up to 32 small letters, digits and _ other than {', '.join(FAMILIES)}.",
        )
    family = given if isinstance(given, OwnFamily) else OwnFamily(given)
    if not callable(family.function):
        raise UsageError(f"The family {name} is {given!r}; a function (image_a, image_b, t) -> points was expected.")
    pairs, engine, points = ground.frozen.pairs, ground.frozen.subject.engine, ground.points(name, family.closed)
    image = _images(pairs.image_a, pairs.image_b)

    def walk(span: slice) -> OwnPaths:
        ends = image[span, :2]
        where = ground.where(name, image[span])
        shape = ground.space.shape
        return OwnPaths(
            family.function, lambda path: engine.anchors(ends[path]), points, len(ends), shape, family.closed, where
        )

    def length(span: slice) -> np.ndarray:
        paths = walk(span)
        return np.array([paths.length(path, ground.space) for path in range(len(paths))])

    return _of_pairs(name, points, pairs, image, 2, walk, length, closed=family.closed, own=True)


PLANNERS: Mapping[str, Callable[[str, Ground], Family]] = {
    "ellipse": _ellipse,
    "amplitude": _blend,
    "phase": _blend,
    "random": _random,
    "augment": _augment,
    "fourier": _fourier,
}


def _of_pairs(
    name: str,
    points: int,
    pairs: Pairs,
    image: np.ndarray,
    anchors: int,
    walk: Callable[[slice], Walk],
    length: Callable[[slice], np.ndarray],
    closed: bool = False,
    **more: Any,
) -> Family:
    """A family with a path for every pair; parameters as of `Family`."""
    return Family(name, points, closed, pairs.kind, pairs.class_a, pairs.class_b, image, anchors, walk, length, **more)


def _images(*columns: np.ndarray) -> np.ndarray:
    """What paths are made of, (paths, 3) int32 as of `Family.image`, from one, two or three columns of images."""
    image = np.full((len(columns[0]), 3), NONE, np.int32)
    image[:, : len(columns)] = np.column_stack(columns)
    return image
