"""How a model is run: images per batch, and whether worker threads or ONNX Runtime's own threads share the cores.

Measured at the start, within about a second, on the model and machine at hand. One single-threaded session shared by a
worker per core wastes nothing unless its batches are so short that the workers wait for the interpreter's lock; then
one worker may be faster with all cores inside `run`. That is taken only if it gives the same bits, and if it is
clearly faster every time, so that noise decides nothing; another batch, which changes nothing else, if it mostly is. A
run that is over sooner than a trial could pay is not tried.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from onnxspec.engine.graphs import sized_for_device
from onnxspec.engine.local import LocalEngine
from onnxspec.engine.shards import USUAL_PATHS
from onnxspec.engine.workers import HangError, Pulse, in_order
from onnxspec.errors import ResourceError
from onnxspec.model.memory import SMALLEST_BATCH
from onnxspec.model.protocol import Classifier
from onnxspec.model.providers import CPU
from onnxspec.model.session import OnnxModel
from onnxspec.paths.families import line
from onnxspec.paths.pairs import Pairs
from onnxspec.results import Reading, measure
from onnxspec.settings import Execution, Measurement

TILES = (SMALLEST_BATCH, 4, 8, 16, 32, 64, 128)
"""Two images only where they give the bits of more, since the clock chooses: in ONNX Runtime's kernels for CPUs (the same
on 17 networks), and not in NumPy's. And where weights, which every batch reads, are not large: MobileNetV2 and ViT-Tiny
take 0 to 3 % less time than in batches of four, and less memory (39 and 57 MB), ResNet-50 up to 9 % more time."""
USUAL = 32
SECONDS = 1.0
WORTH_IT, CLEARLY = 0.97, 0.96
ROUNDS = 3
SOON_OVER = 15.0
"""Seconds of a run from which a trial of other forms, about one, is a small part, and may pay."""
SHORT_BATCH = 0.0015
"""Seconds beside which what workers do between batches is much: batches of such networks are larger than usual."""
LONG_BATCH = 0.05
"""Seconds beside which what workers do between batches, and wait for the interpreter's lock, is nothing."""
LONG_ENOUGH = 0.25
LARGE_WEIGHTS = 32 * 2**20
"""Bytes that a second session would take, with a copy of its own, for no more than a trial; that no cache keeps."""
LARGE_TENSORS = 64 * 2**20
"""Bytes of the tensors of a batch that no cache holds, and that ONNX Runtime keeps once it has had them."""
CACHED_TENSORS = 8 * 2**20
"""Bytes of the tensors of a batch that a core's share of the caches may hold. Larger ones than usual gain nothing beyond
it (128 images of the bundled network: 0 to 25 % slower than 32), and a trial of them was a long run's peak of memory."""
FAR_BEHIND = 1.1
"""Times the fastest form's seconds from which the time of a trial is better spent on the others."""
SHORTEST_PART = 0.03
"""Seconds of one part of a trial: with half as many, batches that cost a tenth more looked fastest now and then."""
POINTS = 33


def tuned(
    engine: LocalEngine, images: Sequence[int], execution: Execution, planned: float = math.inf
) -> tuple[LocalEngine, float]:
    """The engine in its fastest form, and the seconds that an image takes it with all workers at it.

    Parameters
    ----------
    images : (n,) indices of some images to try it on
    execution : what it says of batch and threads is not tried again
    planned : about how many images the run will take
    """
    if engine.graph is not None and engine.graph.one_shape:
        tile, seconds = sized_for_device(engine.graph, images[0], execution.batch)
        return replace(engine, tile=tile), seconds
    while True:
        try:
            return _measured(engine, images, execution, planned)
        except HangError:
            raise
        except (ResourceError, MemoryError):
            if engine.model.fixed_batch or execution.batch == 1:
                raise
            engine.model.renew()
            execution = replace(execution, batch=(execution.batch or TILES[-1]) // 2)


def _measured(
    engine: LocalEngine, images: Sequence[int], execution: Execution, planned: float
) -> tuple[LocalEngine, float]:
    """As `tuned`, with paths that are formed here; raises ResourceError where memory runs out on a batch that is tried."""
    model, sample = engine.model, engine.spec.cast(engine.anchors(images[:1]))
    settled = model.fixed_batch or execution.batch
    seconds = _seconds_alone(model, sample, _timed(model, settled or _small(model)[0]))
    if seconds * USUAL > LONG_BATCH:
        shared = replace(engine, tile=_affordable(engine, settled or best_tile(model, sample)))
        _trim(shared, sample)
        return shared, seconds_per_image(model, sample, shared.tile, shared.workers)
    brief = planned * seconds / engine.workers < SOON_OVER
    usual, *others = _worth_a_trial(model, seconds)
    tiles = [settled] if settled else [usual] if brief else [usual, *others]
    inside = None if execution.threads or brief else _inside(engine, images)
    forms = [replace(engine, tile=tile) for tile in tiles]
    forms += [replace(inside, tile=tile) for tile in tiles if tile >= USUAL or settled] if inside else []
    trial = _Trial.of(images, engine, seconds)
    times = _in_rounds(trial, forms)
    chosen = _chosen(times, len(tiles))
    fastest = replace(forms[chosen], tile=_affordable(engine, forms[chosen].tile))
    _trim(fastest, sample)
    return fastest, float(times[:, chosen].min())


def _worth_a_trial(model: Classifier, seconds: float) -> list[int]:
    """The usual batch first, larger where an image takes so few seconds that a batch is over at once; then others."""
    small, cached, usual = _small(model), _small(model, CACHED_TENSORS), USUAL
    while usual * seconds < SHORT_BATCH and 2 * usual in cached:
        usual *= 2
    # What was made larger has nearly enough for what workers do in between: far larger ones take memory and no less time.
    most = 4 * usual if usual == USUAL else 2 * usual
    near = [tile for tile in small[1:] if tile != usual and usual <= 4 * tile and tile <= most]
    return [usual, *(tile for tile in near if tile < usual or tile in cached)]


def _trim(engine: LocalEngine, sample: np.ndarray) -> None:
    """Gives back what larger batches than the engine's have taken: ONNX Runtime would keep it to the end of the run."""
    if isinstance(engine.model, OnnxModel) and engine.model.fixed_batch is None:
        engine.model.trim(np.repeat(sample, engine.tile, axis=0))


def best_tile(model: Classifier, sample: np.ndarray) -> int:
    """The smallest batch within 3 % of the fastest; the smallest of all where that is a long one.

    Parameters
    ----------
    sample : (1, ...) one input in the model's layout and dtype
    """
    if model.fixed_batch is not None:
        return model.fixed_batch
    deadline = time.perf_counter() + SECONDS
    chosen, *larger = _small(model)
    fastest = _seconds_alone(model, sample, chosen)
    if chosen * fastest > LONG_BATCH:  # and ONNX Runtime would keep the memory of larger ones
        return chosen
    for tile in larger:
        if time.perf_counter() + 3 * tile * fastest > deadline:
            break
        cost = _seconds_alone(model, sample, tile)
        if cost < WORTH_IT * fastest:
            chosen, fastest = tile, cost
    return chosen


def seconds_per_image(model: Classifier, sample: np.ndarray, tile: int, workers: int) -> float:
    """What an image costs with all workers at it, which is more than one worker's cost over their number."""
    tile = _timed(model, tile)
    batch = np.repeat(sample, tile, axis=0)
    start = time.perf_counter()
    list(in_order(lambda _: model.run(batch), range(2 * workers), workers, Pulse(), lambda: None))
    return (time.perf_counter() - start) / (2 * workers * tile)


def _timed(model: Classifier, tile: int) -> int:
    """The batch to time: an image costs no more in a larger one than the largest tile, and memory may not hold one.

    Except where the model fixes a larger one, to which fewer images are padded.
    """
    return min(tile, max(TILES[-1], model.fixed_batch or 0))


def _small(model: Classifier, most: int | None = None) -> list[int]:
    """The batches, the smallest in any case, whose tensors take no more than `most` bytes, `LARGE_TENSORS` at first."""
    if not isinstance(model, OnnxModel):
        return list(TILES[1:])
    in_twos = model.provider == CPU and model.info.memory.weights <= LARGE_WEIGHTS
    first, *others = TILES if in_twos else TILES[1:]
    most = LARGE_TENSORS if most is None else most
    return [first, *(tile for tile in others if model.info.memory.activations(tile) <= most)]


def _seconds_alone(model: Classifier, sample: np.ndarray, tile: int) -> float:
    batch = np.repeat(sample, tile, axis=0)
    times: list[float] = []
    while len(times) < 3 and sum(times) < LONG_ENOUGH:
        start = time.perf_counter()
        model.run(batch)
        times.append(time.perf_counter() - start)
    return min(times) / tile


def _in_rounds(trial: "_Trial", forms: Sequence[LocalEngine]) -> np.ndarray:
    """(rounds, forms) seconds per image; infinite where a form, but the first, was far behind in the rounds before."""
    times = np.full((ROUNDS, len(forms)), np.inf)
    # What ONNX Runtime keeps of the memory of a batch is room for smaller ones, and not for larger ones.
    largest_first = sorted(range(len(forms)), key=lambda place: -forms[place].tile)
    for one in times:
        behind = times.min(0) > FAR_BEHIND * times.min()
        for place in largest_first:
            if not behind[place] or place == 0:
                one[place] = trial.seconds_per_image(forms[place])
    return times


def _chosen(times: np.ndarray, batches: int) -> int:
    """Which form of (rounds, forms) seconds: the first unless another is clearly faster.

    batches : how many forms, from the first on, are the same with other batches: of them what is faster in most rounds
        will do, of others what is in every round
    """
    typical = np.median(times[:, :batches] / times[:, :1], axis=0)
    own = int(np.argmin(typical)) if typical.min() < CLEARLY else 0
    better = (times < CLEARLY * np.minimum(times[:, own], times[:, 0])[:, None]).all(0)
    better[:batches] = False
    return int(np.argmin(np.where(better, times.min(0), np.inf))) if better.any() else own


def _affordable(engine: LocalEngine, tile: int) -> int:
    model = engine.model
    return model.affordable(tile, engine.workers) if isinstance(model, OnnxModel) else tile


def _inside(engine: LocalEngine, images: Sequence[int]) -> LocalEngine | None:
    """One worker with all cores inside `run`; None where that is not worth a trial or gives other bits."""
    model, cores = engine.model, engine.workers
    if cores == 1 or engine.graph is not None or not isinstance(model, OnnxModel) or model.provider != CPU:
        return None
    if model.info.memory.weights > LARGE_WEIGHTS:
        return None
    other = model.with_threads(cores)
    batch = engine.spec.cast(engine.anchors(images[: engine.tile]))
    return replace(engine, model=other, workers=1) if np.array_equal(other.run(batch), model.run(batch)) else None


@dataclass(frozen=True)
class _Trial:
    """Straight paths between some images, in equal parts, to be evaluated and measured as in a run.

    The same for every form, so that none has smaller rests of batches than another.
    """

    pairs: Pairs
    parts: list[slice]

    @staticmethod
    def of(images: Sequence[int], engine: LocalEngine, seconds: float) -> "_Trial":
        """Two parts for every worker, long enough to be timed where an image takes one worker so many seconds."""
        paths, parts = min(math.ceil(SHORTEST_PART / seconds / POINTS), USUAL_PATHS), 2 * engine.workers
        a = np.resize(np.asarray(images, np.int32), paths * parts)
        none = np.zeros(len(a), np.int32)
        spans = [slice(start, start + paths) for start in range(0, len(a), paths)]
        return _Trial(Pairs(none.astype(np.int8), none, none, a, np.roll(a, 1)), spans)

    def seconds_per_image(self, engine: LocalEngine) -> float:
        weights = line(POINTS)
        reading = Reading(Measurement(points=POINTS), 1.0, engine.kind == "probabilities", np.zeros(1, np.int64))

        def work(span: slice) -> None:
            some = self.pairs[span]
            measure(engine.outputs(some.image_a, some.image_b, weights), some, np.ones(len(some)), reading)

        start = time.perf_counter()
        for _ in engine.map(work, self.parts):
            pass
        return (time.perf_counter() - start) / (len(self.pairs) * POINTS)
