"""What is frozen before the first row: the plan's pairs, the cut-off, how outputs are read, and the pilot."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from onnxspec import metrics
from onnxspec.analysis import casts, checks, strips
from onnxspec.analysis.grounds import content_digest, entry_key, grounds, identity
from onnxspec.analysis.reference import reference_distance
from onnxspec.analysis.subject import TRUE, Subject
from onnxspec.engine.local import LARGEST_HOST_TILE
from onnxspec.errors import DataError, UsageError
from onnxspec.listening import Ahead, Listener, told_of_spared
from onnxspec.model.providers import CPU, CUDA
from onnxspec.model.session import OnnxModel
from onnxspec.paths.pairs import Pairs, available, draw
from onnxspec.report.cache import Cache
from onnxspec.report.spool import Spool
from onnxspec.results import Pilot, Reading, Remark
from onnxspec.settings import AUTO, FEWEST_LABEL_POINTS, MAX_POINTS, Settings

LENGTHS = 1000
"""Pairs of each kind whose lengths decide the points, from all over the plan: where small classes are used up, others come."""
LONG = 95
SHOWN = 5
"""Unreadable images that are named."""
ASKED, CHOSEN, DOUBLED = "asked", "auto", "doubled"


class Beside(Protocol):
    """Paths of another family than straight lines, as far as a plan must know them.

    images : forward passes of one path
    """

    @property
    def name(self) -> str: ...
    @property
    def images(self) -> int: ...

    def __len__(self) -> int:
        """How many paths."""
        ...


B = TypeVar("B", bound=Beside)


def _nothing(frozen: "Frozen") -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Frozen:
    """Everything that is frozen before the first forward pass of a path; `reference` is d_ref.

    settings : with numbers for what was left to the run
    points_from : who settled the points: asked for, auto, or doubled since the pilot found that too few
    """

    subject: Subject
    settings: Settings
    pairs: Pairs
    reference: float
    reading: Reading
    remarks: tuple[Remark, ...]
    points_from: str

    @property
    def points(self) -> int:
        """Points on a straight line."""
        return self.settings.measurement.points

    @property
    def walks_again(self) -> bool:
        """Whether paths of the pilot, and those to look at, are walked again.

        So on a device, whose bits may depend on a path's place in a batch.
        """
        return self.subject.model.in_flight > 0

    def images(self, kept: int = 0, pilot_kept: bool = False) -> int:
        """As `images_of`, of this plan."""
        return images_of(self.pairs, self.settings, kept, pilot_kept, self.walks_again)

    def doubled(self, points: int) -> "Frozen":
        """The same with so many points."""
        settings = self.settings.updated(points=points)
        reading = replace(self.reading, measurement=settings.measurement)
        return replace(self, settings=settings, reading=reading, points_from=DOUBLED)


@dataclass(frozen=True)
class Prepared(Frozen):
    """A run that is ready to start.

    pilot : what it found; walked : what it has walked just now and need not be walked again, None where nothing
    cache : where earlier runs left theirs
    """

    pilot: Pilot
    walked: checks.Walked | None
    cache: Cache

    @property
    def headline(self) -> tuple[str, float]:
        """The signal of the headline, and what rounding alone adds to a path's power in it."""
        signal = self.reading.measurement.signals[0]
        return signal, float(self.pilot.floor[signal].sum())


def freeze(subject: Subject, settings: Settings, listener: Listener, given: Pairs | None = None) -> Frozen:
    """Freezes pairs (unless they are given), cut-off, points and reading."""
    listener.stage("measuring distances")
    reference = reference_distance(subject)
    remarks = list(subject.remarks)
    pairs, capped = _plan(subject, settings) if given is None else (given, [])
    remarks += capped
    cutoff = settings.measurement.cutoff or metrics.CYCLES_PER_REFERENCE / reference
    points_from = ASKED if settings.measurement.points != AUTO else CHOSEN
    settings = settings.updated(pairs=settings.plan.most)
    if points_from == CHOSEN:
        settings = settings.updated(points=_points(subject, settings, pairs, cutoff, reference))
    reading = Reading(settings.measurement, cutoff, subject.probabilities, subject.output_of, subject.columns)
    return Frozen(subject, settings, pairs, reference, reading, tuple(remarks), points_from)


def prepare(
    frozen: Frozen, listener: Listener, spool: Spool, plan: Callable[[Frozen], Sequence[B]] = _nothing
) -> tuple[Prepared, Sequence[B]]:
    """Tells what the run costs and runs the pilot, which doubles the points once where they were left to it and are too few.

    What an interrupted run has kept in the spool is taken from there, the pilot too.

    Parameters
    ----------
    plan : paths beside the straight lines, which depend on the points; what it gives in the end is returned, too
    """
    folder = frozen.settings.execution.cache if frozen.subject.model.digest else None
    cache = Cache(folder, told_of_spared(listener))
    if cache.folder and not cache.writable:
        listener.stage(f"the cache {cache.folder} may only be read: nothing is kept there")
    beside = plan(frozen)
    kept = spool.begin(identity(frozen), len(frozen.pairs) + sum(map(len, beside)))
    pilot, walked = spool.pilot(), None
    if pilot is not None and pilot.points != frozen.points:
        frozen = frozen.doubled(pilot.points)
        beside = plan(frozen)
    frozen.subject.engine.on_images = listener.images
    _announce(frozen, beside, listener, spool, kept, pilot is not None, spool.dropped)
    if pilot is None:
        pilot, walked = _pilot(frozen, listener, cache)
        if pilot.too_coarse and frozen.points_from == CHOSEN and frozen.points < MAX_POINTS:
            frozen = frozen.doubled(2 * frozen.points - 1)
            beside = plan(frozen)
            _announce(frozen, beside, listener, spool, kept, False)
            pilot, walked = _pilot(frozen, listener, cache)
        spool.keep_pilot(pilot)
    return _prepared(frozen, pilot, walked, cache), beside


def _announce(
    frozen: Frozen,
    beside: Sequence[Beside],
    listener: Listener,
    spool: Spool,
    kept: int,
    pilot_kept: bool,
    dropped: str = "",
) -> None:
    total = len(frozen.pairs) + sum(map(len, beside))
    images = frozen.images(spool.count(), pilot_kept)
    images += sum((len(one) - spool.count(one.name)) * one.images for one in beside)
    at_most = frozen.settings.plan.precision is not None
    listener.plan(Ahead(total, images, images * frozen.subject.seconds_per_image, kept, at_most, dropped=dropped))


def _pilot(frozen: Frozen, listener: Listener, cache: Cache) -> tuple[Pilot, checks.Walked | None]:
    listener.stage(f"pilot, {frozen.points} points")
    subject, settings, pairs = frozen.subject, frozen.settings, frozen.pairs
    key = _pilot_key(frozen) if cache.folder else ""
    if (found := cache.pilot(key)) is not None:
        cache.on_images(frozen.images() - frozen.images(pilot_kept=True))
        return found, None
    reference = _cpu_reference(subject, settings)
    pilot, walked = checks.run_pilot(subject.engine, pairs, frozen.reading, settings.plan.seed, reference)
    cache.keep_pilot(key, pilot)
    return pilot, None if frozen.walks_again else walked


def _pilot_key(frozen: Frozen) -> str:
    some = checks.pilot_pairs(frozen.pairs)
    content = content_digest(frozen.subject.engine.pixels, some.images)
    return entry_key(grounds(frozen), "pilot", frozen.settings.plan.seed, some.digest, content)


def _prepared(frozen: Frozen, pilot: Pilot, walked: checks.Walked | None, cache: Cache) -> Prepared:
    """With what the pilot found, and its noise out of what is read where that is more than float32's."""
    subject, settings, reading = frozen.subject, frozen.settings, frozen.reading
    remarks = [*frozen.remarks, *checks.remarks(pilot)]
    if _reduced_precision(subject, settings) or pilot.floor_source == checks.COARSER:
        subtracted = settings.measurement.estimator == "sine"
        reading = replace(reading, floor=pilot.floor) if subtracted else reading
        remarks.append(checks.floor_remark(subtracted))
    elif subject.engine.spec.whole:
        remarks.append(checks.rounding_remark(pilot))
    known = vars(frozen) | {"reading": reading, "remarks": tuple(remarks)}
    return Prepared(**known, pilot=pilot, walked=walked, cache=cache)


def images_of(
    pairs: Pairs, settings: Settings, kept: int = 0, pilot_kept: bool = False, walks_again: bool = False
) -> int:
    """How many forward passes straight lines cost, pilot and checks included, when so many paths are done already.

    Strips are of paths whose curves are at hand, but for those of a device and of what was done already.
    """
    points = settings.measurement.points
    shown = min(strips.most(settings.plan.kinds), len(pairs) if walks_again else kept)
    walked = (len(pairs) - kept + shown) * points
    if pilot_kept:
        return walked
    spared = 0 if walks_again else len(checks.pilot_pairs(pairs)) * points
    return walked + checks.pilot_images(pairs, points) - spared


def _points(subject: Subject, settings: Settings, pairs: Pairs, cutoff: float, reference: float) -> int:
    """As many as the lengths of the paths ask for, before the pilot has its say.

    Raises
    ------
    UsageError
        The cut-off is so high that no grid resolves it.
    """
    engine, some = subject.engine, pairs.spread(LENGTHS)
    blocks = [some[start : start + LENGTHS // 10] for start in range(0, len(some), LENGTHS // 10)]
    lengths = np.concatenate(list(engine.map(lambda of: engine.distance(of.image_a, of.image_b), blocks)))
    least = FEWEST_LABEL_POINTS if "label" in settings.measurement.signals else 0
    enough = metrics.enough_points(float(np.percentile(lengths, LONG)), cutoff)
    if enough > MAX_POINTS and settings.measurement.cutoff is not None:
        usual = metrics.CYCLES_PER_REFERENCE / reference
        raise UsageError(
            f"A cut-off of {cutoff:g} cycles per unit of RMS distance takes {enough:.3g} points on a path, of {MAX_POINTS:,} "
            "at most.",
            f"Lower --cutoff; that of these images would be {usual:.3g}.",
        )
    return min(max(enough, least), MAX_POINTS)


def _plan(subject: Subject, settings: Settings) -> tuple[Pairs, list[Remark]]:
    """The pairs of the plan without unreadable images, and what had to be given up."""
    plan, labels, most = settings.plan, subject.labels, settings.plan.most
    kinds, remarks = _possible_kinds(subject, plan.kinds)
    pairs = draw(labels, kinds, most, subject.images.digest, plan.seed)
    pixels = subject.engine.pixels
    if settings.inputs.skip_bad:
        while bad := [int(i) for i in pairs.images if not pixels.readable(int(i))]:
            labels = labels.copy()
            labels[bad] = -1
            pairs = draw(labels, kinds, most, subject.images.digest, plan.seed)
    if pixels.unreadable:
        some = ", ".join(pixels.images.names[i] for i in sorted(pixels.unreadable)[:SHOWN])
        left = len(pixels.unreadable) - SHOWN
        text = f"Unreadable images were left out: {some}{f' and {left} more' if left > 0 else ''}."
        remarks.append(Remark("skipped", text))
    for kind in kinds:
        held = available(labels, kind)
        if held < most and plan.precision is None:
            text = f"The data hold {held} pairs {kind} classes, fewer than {most}."
            remarks.append(Remark("capped", text, "All of them were used; more images would narrow the intervals."))
    return pairs, remarks


def _possible_kinds(subject: Subject, kinds: tuple[str, ...]) -> tuple[tuple[str, ...], list[Remark]]:
    """Kinds that can be drawn: a model that gives one class to all unlabelled images leaves only `within`."""
    if subject.labelling == TRUE:
        return kinds, []
    possible = tuple(kind for kind in kinds if available(subject.labels, kind))
    if not possible and len(subject.class_names) == 1:
        raise DataError(
            f"The model predicts class {subject.class_names[0]} for all images, so that no pair of classes can be drawn.",
            "Pass labelled images with --data, or use --kinds within.",
        )
    if not possible:
        raise DataError(
            f"The model predicts another class for each of the {len(subject.class_names)} images, so that none has two.",
            "Pass more images, or use --kinds between.",
        )
    if "between" in kinds and "between" not in possible:
        text = (
            f"The model predicts one class, {subject.class_names[0]}, for all {(subject.labels >= 0).sum():,} images: "
            "there is nothing between classes to measure."
        )
        return possible, [Remark("one-class", text, "Pass images of its classes with --data, or check --preprocess.")]
    return possible, []


def _reduced_precision(subject: Subject, settings: Settings) -> bool:
    """Whether the model computes in TF32 or half precision, or the device was told to compute coarsely.

    A device that does so by itself is found out by the pilot.
    """
    model = subject.model
    tf32 = settings.execution.tf32 and model.provider == CUDA
    coarse = isinstance(model, OnnxModel) and model.choices[0].coarse
    return tf32 or coarse or casts.is_half(subject.engine)


def _cpu_reference(subject: Subject, settings: Settings) -> checks.Reference | None:
    """What the noise floor is measured against: on the CPU a model in half precision as it were in float32 throughout,
    another as it is where the run is elsewhere.
    """
    model, tile = subject.model, min(subject.engine.tile, LARGEST_HOST_TILE)
    if casts.is_half(subject.engine) and (finer := casts.wide(subject.engine)) is not None:
        return checks.Reference(replace(finer, tile=tile), finer=True)
    if not isinstance(model, OnnxModel) or model.provider == CPU:
        return None
    inputs = settings.inputs
    on_cpu = OnnxModel.open(
        model.info.path,
        device="cpu",
        input=inputs.input,
        output=inputs.output,
        max_memory=settings.execution.max_memory,
    )
    on_host = replace(subject.engine, model=on_cpu, graph=None, tile=tile)
    return checks.Reference(on_host, _reduced_precision(subject, settings))
