"""Runs shards in this process: worker threads that share one session and fill batches across paths.

Each worker builds its next batch while the others run theirs, since a session's `run` releases the interpreter lock.
A batch is a tile of consecutive points, whichever paths they belong to; `forming` forms them in float32.
"""

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np

from onnxspec.engine.forming import Formed, ahead
from onnxspec.engine.graphs import GraphPaths, open_graph
from onnxspec.engine.workers import Pulse, in_order
from onnxspec.errors import ModelError, ResourceError
from onnxspec.images.cache import PixelCache
from onnxspec.images.distance import rms_distance
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.preprocess import Preprocess
from onnxspec.model.outputs import Kind, Scores, as_classes
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import padded
from onnxspec.paths import families
from onnxspec.paths.space import PixelSpace

LARGEST_HOST_TILE = 128
"""Images in a batch that is formed here, where batches of a device may be larger."""
LARGEST_SCORE = 1e15
"""Beyond what any classifier gives: power, its square, must be a float32 number."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Dither = Callable[[np.ndarray], np.ndarray]


class Elsewhere(Protocol):
    """Other machines, to which an engine may send work."""

    def map(
        self,
        engine: "LocalEngine",
        work: Callable[[Item], Result],
        items: Iterable[Item],
        needs: Callable[[Item], np.ndarray],
        known: Callable[[Item], Result | None],
    ) -> Iterator[Result]:
        """As `LocalEngine.map`; `known` is asked here, and `work` done there, in place of `engine` by one like it."""
        ...

    def close(self) -> None:
        """Ends what the machines hold ready for this engine; they are used again all the same when they are asked."""
        ...


class Cancelled(Exception):
    """A worker stopped between two batches because the run is over."""


@dataclass
class LocalEngine:
    """Evaluates paths with one model on this machine.

    kind : what the model's outputs are, of how many classes; tile : images per batch; workers : threads that share the model
    on_images : called with the number of images after every batch, from any worker
    pulse : beaten after every batch; when it stops, the model hangs
    graph : the model with the path in its graph, which then evaluates what it can; None forms every path here
    elsewhere : where work is sent that may be done by another engine like this one; None does everything here
    """

    model: Classifier
    pixels: PixelCache
    preprocess: Preprocess
    spec: InputSpec
    kind: Kind = "logits"
    classes: int = 2
    tile: int = 32
    workers: int = 1
    on_images: Callable[[int], None] = lambda images: None
    pulse: Pulse = field(default_factory=Pulse)
    graph: GraphPaths | None = None
    elsewhere: Elsewhere | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _buffers: threading.local = field(default_factory=threading.local)
    _halving: threading.Lock = field(default_factory=threading.Lock)

    @property
    def path_form(self) -> str:
        """Where points of a path are formed: "graph", inside the model's, or "host"."""
        return "host" if self.graph is None else "graph"

    def form_in_graph(self, when: str, images: Sequence[int]) -> str:
        """Has paths formed in the model's graph from now on: `when` "on", or "auto" and the model is not on a CPU.

        Nothing is measured, since it may change bits: equal runs must not depend on the clock.

        Returns
        -------
        "", or why the graph resists, so that paths are formed here; it is tried on some `images`
        """
        if when == "off" or (when == "auto" and not self.model.in_flight):
            return ""
        try:
            self.graph = open_graph(self.model, self.spec, self.preprocess, self.pixels.get, images)
        except ModelError as problem:
            return problem.message
        return ""

    def anchors(self, images: Sequence[int] | np.ndarray) -> np.ndarray:
        """Preprocessed images in the model's layout, (n, ...) float32 whatever the model takes."""
        return self.preprocess.to_input(self._pixels(images), self.spec).astype(np.float32, copy=False)

    @property
    def space(self) -> PixelSpace:
        """The pixels of the images, in which paths are defined; raises DataError where no image can be read."""
        floating = self.pixels.first(self.pixels.images.order).dtype != np.uint8
        return PixelSpace(self.preprocess, self.spec, floating)

    def distance(self, image_a: np.ndarray, image_b: np.ndarray) -> np.ndarray:
        """RMS pixel difference of (pairs,) images, (pairs,) float64."""
        spans = [slice(start, start + self._together) for start in range(0, len(image_a), self._together)]
        measured = (rms_distance(self._pixels(image_a[span]), self._pixels(image_b[span])) for span in spans)
        return np.concatenate([np.empty(0), *measured])

    def _pixels(self, images: Sequence[int] | np.ndarray) -> np.ndarray:
        """Pixels of images, (n, h, w, c)."""
        return np.stack([self.pixels.get(int(image)) for image in images])

    @property
    def _together(self) -> int:
        """How many images, or pairs of them, are worked on together: few values, or a single one."""
        return ahead(self.spec.shape)

    def outputs(
        self, image_a: np.ndarray, image_b: np.ndarray, weights: np.ndarray, dither: Dither | None = None
    ) -> np.ndarray:
        """The model's outputs along lines between images, (paths, points, outputs) float32.

        Parameters
        ----------
        image_a, image_b : (paths,) int
        weights : (points, 2) or (paths, points, 2) float32
        dither : makes of a batch of inputs (n, ...), which it leaves as it is, the one that the model sees
        """
        ends = np.column_stack([image_a, image_b])

        def where(path: int) -> str:
            a, b = (self.pixels.images.names[image] for image in ends[path])
            return f"between {a} and {b}" if a != b else f"for {a}"

        walk = families.Frames(self._ends_of(ends), weights, len(ends), where, ends)
        return self.walk(walk, dither)

    def raw(self, images: Sequence[int]) -> Scores:
        """The model's outputs as they come for whole images, (n, K); where memory runs out as `walk`."""
        done: list[Scores] = []
        start = 0
        while start < len(images):
            some = images[start : start + self.tile]
            try:
                done.append(self.model.run(self.preprocess.to_input(self._pixels(some), self.spec)))
            except (ResourceError, MemoryError):
                if self.model.fixed_batch is not None or len(some) == 1:
                    raise
                # For all workers: one alone at half as many would find what the others' batches leave.
                self._halve(len(some))
                continue
            start += len(some)
        return done[0] if len(done) == 1 else np.concatenate(done)

    def whole(self, images: np.ndarray) -> np.ndarray:
        """The model's outputs for whole images (images,) int, (images, outputs) float32, by this thread."""
        return self.outputs(images, images, families.line_at(np.zeros(1)))[:, 0]

    def walk(self, walk: families.Walk, dither: Dither | None = None) -> np.ndarray:
        """The model's outputs along paths of any family, (paths, points, outputs) float32; `dither` as in `outputs`.

        Where memory runs out, the batch is halved, for the rest of the run.

        Raises
        ------
        ModelError
            The model gives NaN or Inf; path and point are named.
        ResourceError
            There is not memory enough for one image.
        """
        total = len(walk) * walk.points
        graph = self.graph if dither is None and self.graph is not None and self.graph.takes(walk) else None
        formed = Formed(walk, self._buffers)
        out: np.ndarray | None = None
        start = 0
        while start < total:
            if self._stop.is_set():
                raise Cancelled
            tile = self.tile if graph is self.graph else min(self.tile, LARGEST_HOST_TILE)
            stop = min(start + tile, total)
            try:
                if graph is not None:
                    scores = graph.scores(walk, start, stop, tile)
                else:
                    scores = self._scores(formed.points(start, stop, tile), tile, dither)
            except (ResourceError, MemoryError):
                if self.model.fixed_batch is not None or tile == 1:
                    raise _out_of_memory(tile, self.workers) from None
                self._halve(tile)
                continue
            values = as_classes(scores, self.kind)
            if out is None:
                out = np.empty((total, values.shape[-1]), np.float32)
            out[start : start + len(values)] = values
            start += len(values)
            self.pulse.beat()
            self.on_images(len(values))
        assert out is not None
        shaped = out.reshape(len(walk), walk.points, -1)
        _require_finite(shaped, walk)
        return shaped

    def _scores(self, points: np.ndarray, tile: int, dither: Dither | None) -> Scores:
        """Scores of points (n, *shape) float32 that were formed here, up to a tile of them: (n, K).

        The dither comes where the path is rounded: before the cast to a coarser type, or to float64, which gets
        float32 numbers.
        """
        batch = self.spec.cast(points if dither is None else dither(points))
        # A device plans for every new shape, and kernels for a single row may round otherwise.
        size = tile if self.model.in_flight else min(tile, 2)
        return self.model.run(padded(batch, size))[: len(points)]

    def even(self, images: int) -> None:
        """Makes a device's batches fill shards of so many images, since the last of a shard is padded."""
        if self.model.in_flight:
            self.tile = -(-images // -(-images // self.tile))

    def _halve(self, tile: int) -> None:
        """Halves the batch unless another worker has; a device's memory is given back first."""
        with self._halving:
            if self.tile < tile:
                return
            self.tile = tile // 2
            self.model.renew()
            if self.graph is not None:
                self.graph.renew()

    def predict(self, images: np.ndarray) -> np.ndarray:
        """As `whole`, all workers at it."""
        blocks = [images[i : i + self.tile] for i in range(0, len(images), self.tile)]
        return np.concatenate(list(self.map(self.whole, blocks)))

    def map(
        self,
        work: Callable[[Item], Result],
        items: Iterable[Item],
        needs: Callable[[Item], np.ndarray] | None = None,
        known: Callable[[Item], Result | None] = lambda item: None,
    ) -> Generator[Result]:
        """`work` on every item by all workers, results in the order of the items, few in flight.

        When the caller stops early, for whatever reason, and closes this, workers end after the batch they are at.

        Parameters
        ----------
        needs : the images (n,) int that the work on an item takes, so that it may be sent elsewhere; `work` must then
            be independent of this process but for the engine
        known : the result where it is known without work; asked in this process always

        Raises
        ------
        ResourceError
            No batch has ended for longer than the pulse allows. Also whatever `work` raises.
        """
        if needs is not None and self.elsewhere is not None:
            yield from self.elsewhere.map(self, work, items, needs, known)
            return
        try:
            yield from in_order(unless_known(known, work), items, self.workers, self.pulse, self._stop.set)
        finally:
            if not self.pulse.given_up:
                self._stop.clear()

    def close(self) -> None:
        """Ends what other machines hold ready for this engine."""
        if self.elsewhere is not None and not self.pulse.given_up:
            self.elsewhere.close()

    def _ends_of(self, ends: np.ndarray) -> Callable[[int], np.ndarray]:
        """Path to the anchors (2, ...) of its ends (paths, 2) int; those of the paths behind it are made with it."""
        held, first = np.empty((0, 0), np.float32), 0

        def of(path: int) -> np.ndarray:
            nonlocal held, first
            if not first <= path < first + len(held):
                made = self.anchors(ends[path : path + self._together].ravel())
                held, first = made.reshape(-1, 2, *made.shape[1:]), path
            return held[path - first]

        return of


def unless_known(known: Callable[[Item], Result | None], work: Callable[[Item], Result]) -> Callable[[Item], Result]:
    """Does the work on items whose result is not known."""

    def step(item: Item) -> Result:
        result = known(item)
        return work(item) if result is None else result

    return step


def _out_of_memory(images: int, workers: int) -> ResourceError:
    return ResourceError(
        f"Memory ran out on a batch of {images}, with {workers} batches at a time.",
        "Use fewer --threads, or a machine with more memory.",
    )


def _require_finite(outputs: np.ndarray, walk: families.Walk) -> None:
    bad = ~(np.abs(outputs) <= LARGEST_SCORE).all(-1)  # NaN is not less than anything
    if bad.any():
        path, point = np.argwhere(bad)[0].tolist()
        what = f"scores beyond {LARGEST_SCORE:g}" if np.isfinite(outputs[path, point]).all() else "NaN or Inf"
        at = f", at point {point} of {walk.points}" if walk.points > 1 else ""
        raise ModelError(
            f"The model gives {what} {walk.where(path)}{at}.",
            "Check the model's weights and its preprocessing; float16 models overflow easily.",
        )
