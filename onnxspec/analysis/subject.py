"""A model and images made to fit each other: what every measurement starts from.

Opens both, settles preprocessing, classes and the kind of outputs, and says where each came from. Nothing is assumed
in silence: what had to be guessed is a `Remark`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from onnxspec.analysis import casts, plausibility, steadiness
from onnxspec.engine.cluster import joined
from onnxspec.engine.local import LocalEngine
from onnxspec.engine.tuning import tuned
from onnxspec.engine.workers import Pulse, within
from onnxspec.errors import DataError, ModelError, UsageError
from onnxspec.images import convention, presets, processors
from onnxspec.images.cache import PixelCache
from onnxspec.images.classes import ClassMap, map_classes
from onnxspec.images.dataset import ImageSet
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.names import distinct
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit
from onnxspec.images.probe import probe_images, probe_shape
from onnxspec.images.value_range import ValueRange, require_meant
from onnxspec.model import doctor, machine, metadata
from onnxspec.model.callable import CallableModel
from onnxspec.model.memory import SMALLEST_BATCH
from onnxspec.model.opening import open_model
from onnxspec.model.outputs import as_classes, detect, saturated
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import OnnxModel
from onnxspec.results import Remark
from onnxspec.settings import Settings

PROBES = 600
POOL = 2000
AUTO_IMAGES = 300
DETECTION_IMAGES, STEADY_IMAGES = 64, 4
VALUES = {"scale", "mean", "std"}
TRIED = 32
"""Batches that a trial before the run may take, none of which says that it has ended."""
TRUE, PREDICTED, PROBE = "true", "predicted", "probe"


@dataclass(frozen=True)
class Subject:
    """What is measured on what.

    images : labelled by true classes, or by the model where `labelling` is predicted or probe
    labels : (images,) int64 class of every image, -1 where an image is not used
    class_names, output_of : display name and model output of every class of the images
    columns : (kept,) output indices the softmax is taken over, or None
    value_range : of the first images
    class_map : how the outputs of the classes were found
    """

    model: Classifier
    images: ImageSet
    engine: LocalEngine
    labelling: str
    labels: np.ndarray
    class_names: tuple[str, ...]
    folders: tuple[str, ...]
    output_of: np.ndarray
    columns: np.ndarray | None
    outputs: int
    seconds_per_image: float
    value_range: ValueRange
    class_map: str = "predicted by the model"
    remarks: tuple[Remark, ...] = field(default=())

    @property
    def probabilities(self) -> bool:
        """Whether the model ends in softmax."""
        return self.engine.kind == "probabilities"

    def implausible(self, predicted: np.ndarray, true: np.ndarray) -> list[Remark]:
        """What is wrong with answers as a whole, (images,) int predicted and true outputs, where labels are the data's."""
        if self.labelling != TRUE:
            return []
        outputs = self.outputs if self.columns is None else len(self.columns)
        cause = plausibility.values(self.value_range, self.engine.preprocess, self.engine.spec)
        return plausibility.of_answers(predicted, true, outputs, cause)


def open_subject(model: Any, data: Any, settings: Settings) -> Subject:
    """Opens a model and images and makes them fit.

    Parameters
    ----------
    model : path of an ONNX file, an `OnnxModel`, or a callable from a batch to scores (n, K)
    data : path, (images, labels), a sequence of (image, label), or None for what the settings name, else the probe set

    Raises
    ------
    ModelError, DataError, UsageError, DeviceError
    """
    # Making a session can take long, or hang: not in the thread that hears of interrupts.
    classifier = within(patience(settings), lambda: open_model(model, settings), "Loading the model")
    stamp = classifier.stamp if isinstance(classifier, OnnxModel) else metadata.Stamp()
    elsewhere = joined(settings.execution.cluster, classifier, partial(open_model, settings=settings))
    given = given_preprocess(classifier, stamp, settings)
    images, labelling = _open_images(data, classifier, given, settings)
    image = first_readable(images, settings.inputs.skip_bad)
    remarks = [Remark("installation", f.text, f.hint) for f in doctor.quick()]
    remarks += _of_files_alone(classifier, settings)
    remarks += steadiness.of_model(classifier)
    remarks += [Remark("images", note) for note in images.notes]
    remarks += _overridden(given, stamp)
    preprocess = given or Preprocess()
    if not VALUES & set(preprocess.origin) and _takes_scaled(classifier, image):
        if labelling == TRUE:
            preprocess, found = _auto(classifier, images, image, preprocess, stamp, settings)
            remarks.append(found)
        else:
            remarks.append(_assumed())
    spoken, floating = bool(VALUES & set(preprocess.origin)), image.dtype != np.uint8
    spec, preprocess = fit(classifier.spec, preprocess, image.shape, floating)
    engine = _engine(classifier, images, spec, preprocess, settings)
    trial = [int(i) for i in images.order[:DETECTION_IMAGES] if engine.pixels.readable(int(i))]
    value_range = ValueRange.of(engine.pixels.get(index) for index in trial)
    require_meant(value_range, preprocess, spec, spoken)
    remarks += plausibility.of_images(value_range, preprocess, spec)
    raw = _raw_outputs(engine, trial)
    engine.kind = detect(raw, classifier.final_op)
    scores = as_classes(raw, engine.kind)
    if engine.kind == "probabilities":
        remarks += plausibility.of_probabilities(scores)
        remarks += plausibility.of_logits(saturated(raw)) if "logit" in settings.measurement.signals else []
    outputs = engine.classes = scores.shape[1]
    within(patience(settings, TRIED), lambda: casts.forget_undone_casts(engine, trial, raw), "Loading the model")
    remarks += _names_left_out(stamp, outputs) if settings.inputs.classes is None else []
    reason = within(
        patience(settings, TRIED), lambda: engine.form_in_graph(settings.execution.path_graph, trial), "The model"
    )
    remarks += [Remark("path-graph", f"Paths are formed on the host. {reason}")] if reason else []
    planned = settings.planned_images
    engine, seconds = within(
        patience(settings, TRIED), lambda: tuned(engine, trial, settings.execution, planned), "The model"
    )
    if elsewhere is not None:
        engine.elsewhere, seconds = elsewhere, seconds * engine.workers / elsewhere.places
    subject = Subject(
        engine.model,
        images,
        engine,
        labelling,
        np.empty(0),
        (),
        (),
        np.empty(0),
        None,
        outputs,
        seconds,
        value_range,
        remarks=tuple(remarks),
    )
    if labelling == TRUE:
        return _with_true_labels(subject, raw.shape[1], stamp, settings)
    return _with_predicted_labels(subject, stamp, settings)


def given_preprocess(model: Classifier, stamp: metadata.Stamp, settings: Settings) -> Preprocess | None:
    """What flags, TOML, a file beside the model or its metadata say; None where nobody speaks, or for auto."""
    spoken = settings.inputs.preprocess
    if spoken is not None:
        own = presets.read_preprocess(spoken, settings.inputs.preprocess_origin)
        if own is None:
            return None
        try:
            return own.over(presets.from_metadata(stamp.preprocess_json)) if stamp.preprocess_json else own
        except ModelError:
            return own
    found = processors.beside(model.info.path) if isinstance(model, OnnxModel) else None
    if found is None and stamp.preprocess_json:
        return presets.from_metadata(stamp.preprocess_json)
    return found


def _overridden(given: Preprocess | None, stamp: metadata.Stamp) -> list[Remark]:
    if given is None or not stamp.preprocess_json:
        return []
    try:
        own = presets.from_metadata(stamp.preprocess_json)
    except ModelError as problem:
        return [Remark("preprocess-overridden", problem.message, "Correct it with onnxspec stamp.")]
    if not VALUES & set(own.origin) or all(getattr(given, name) == getattr(own, name) for name in VALUES):
        return []
    text = "The preprocessing is not what the model's own metadata say (" + str(own) + ")."
    return [Remark("preprocess-overridden", text, "Leave out --preprocess to use the model's own.")]


def _of_files_alone(classifier: Classifier, settings: Settings) -> list[Remark]:
    """Settings that were given and mean nothing to a Python function, which runs on whatever it likes."""
    if not isinstance(classifier, CallableModel):
        return []
    usual, given = (one.inputs.__dict__ | one.execution.__dict__ for one in (Settings(), settings))
    names = ["device", "tf32", "threads", "max_memory", "input", "output"]
    names += ["cache", "resume"] if classifier.digest is None else []
    # Nothing is resumed anyway: to ask for that is no mistake.
    unheard = [name for name in names if given[name] != usual[name] and given[name] is not False]
    if not unheard:
        return []
    text = f"The model is a Python function, to which {', '.join(unheard)} mean{'s' * (len(unheard) == 1)} nothing."
    hint = "Give it a digest: CallableModel(function, spec, digest=...)." if {"cache", "resume"} & set(unheard) else ""
    return [Remark("function", text, hint)]


def _open_images(
    data: Any, model: Classifier, preprocess: Preprocess | None, settings: Settings
) -> tuple[ImageSet, str]:
    inputs = settings.inputs
    source = data if data is not None else inputs.data
    if source is None:
        return probe_images(PROBES, *probe_shape(model.spec, preprocess), settings.plan.seed), PROBE
    if isinstance(source, ImageSet):
        images = source
    else:
        images = open_images(source, labels=inputs.labels, images_key=inputs.images_key, labels_key=inputs.labels_key)
    if not len(images):
        raise DataError(f"{images.source} holds no images.", "Give a folder of class folders, a zip, .npz or .h5.")
    return images, TRUE if images.labels is not None else PREDICTED


def first_readable(images: ImageSet, skip_bad: int) -> np.ndarray:
    for index in range(min(len(images), skip_bad + 1)):
        try:
            return images.read(index)[0]
        except DataError:
            if index == min(len(images), skip_bad + 1) - 1:
                raise
    raise AssertionError("an image set is never empty here")


def _takes_scaled(model: Classifier, image: np.ndarray) -> bool:
    """Whether whole grey levels go in and numbers of some scale are taken: only then can the scale be wrong."""
    return image.dtype == np.uint8 and not model.spec.whole


def _auto(
    model: Classifier,
    images: ImageSet,
    image: np.ndarray,
    given: Preprocess,
    stamp: metadata.Stamp,
    settings: Settings,
) -> tuple[Preprocess, Remark]:
    """The most accurate of the usual conventions on a few hundred labelled images, on top of what was given."""
    spec, base = fit(model.spec, given, image.shape)
    rng = np.random.default_rng(0)
    sample = np.sort(rng.permutation(len(images))[:AUTO_IMAGES])
    assert images.labels is not None
    pixels = PixelCache(images, base, spec, skip_bad=settings.inputs.skip_bad)
    sample = np.array([i for i in sample if pixels.readable(int(i))])

    def outputs(preprocess: Preprocess, indices: Sequence[int] = sample.tolist()) -> np.ndarray:
        _, fitted = fit(model.spec, preprocess, image.shape)
        engine = LocalEngine(
            model, pixels, fitted, spec, workers=_workers(model, settings), pulse=Pulse(patience(settings))
        )
        return _raw_outputs(engine, indices)

    def predict(preprocess: Preprocess) -> np.ndarray:
        raw = outputs(preprocess)
        found = as_classes(raw, detect(raw, model.final_op))
        return np.where(np.isfinite(found).all(-1), np.argmax(found, -1), convention.NOT_FINITE)

    columns = outputs(given).shape[1]
    known = map_classes(
        images.class_names, columns, settings.inputs.classes, stamp.classes, settings.inputs.restrict_outputs
    )
    labels = known.output_of[images.labels[sample]]
    try:
        choice = convention.choose(
            convention.candidates(spec.channels or 3, given), predict, labels, 1 / max(columns, 2)
        )
    except (DataError, ModelError):
        some = sample[:: -(-len(sample) // STEADY_IMAGES)].tolist()
        steadiness.require_steady(partial(outputs, given), some, model)
        raise
    return choice.best, _choice_remark(choice, model)


def _choice_remark(choice: convention.Choice, model: Classifier) -> Remark:
    tied = f" Not distinguishable from it: {', '.join(choice.ties)}." if choice.ties else ""
    return Remark(
        "preprocess-auto",
        f"Nothing says how this model was preprocessed; {choice.name} was the most accurate convention "
        f"({choice.accuracies[choice.name]:.1%}).{tied}",
        _permanent(choice.name, model),
    )


def _permanent(name: str, model: Classifier) -> str:
    if not isinstance(model, OnnxModel):
        return f"Make it permanent: preprocess={name!r}."
    path = model.info.path
    return f"Make it permanent: onnxspec stamp {path} --preprocess {name} -o {path.stem}-stamped.onnx"


def _assumed() -> Remark:
    return Remark(
        "preprocess-assumed",
        "Nothing says how this model was preprocessed; pixels in 0..1 were assumed.",
        "Say it with --preprocess, for example --preprocess imagenet.",
    )


def _engine(
    model: Classifier, images: ImageSet, spec: InputSpec, preprocess: Preprocess, settings: Settings
) -> LocalEngine:
    pixels = PixelCache(images, preprocess, spec, skip_bad=settings.inputs.skip_bad)
    return LocalEngine(
        model, pixels, preprocess, spec, workers=_workers(model, settings), pulse=Pulse(patience(settings))
    )


def patience(settings: Settings, batches: int = 1) -> float | None:
    """How many seconds a model may take for so many batches; None for ever."""
    return settings.execution.timeout * batches if settings.execution.timeout else None


def _workers(model: Classifier, settings: Settings) -> int:
    if not model.threads_allowed:
        return 1
    return settings.execution.threads or max(machine.cores(), model.in_flight)


def _raw_outputs(engine: LocalEngine, indices: Sequence[int]) -> np.ndarray:
    """The model's outputs as they come for a few images, (n, K)."""
    # Small batches: every worker gets some, and few take memory that the run itself would not.
    batches = [indices[i : i + SMALLEST_BATCH] for i in range(0, len(indices), SMALLEST_BATCH)]
    return np.concatenate(list(engine.map(engine.raw, batches)))


def _with_true_labels(subject: Subject, columns: int, stamp: metadata.Stamp, settings: Settings) -> Subject:
    images, inputs = subject.images, settings.inputs
    known: ClassMap = map_classes(images.class_names, columns, inputs.classes, stamp.classes, inputs.restrict_outputs)
    assert images.labels is not None
    return replace(
        subject,
        labels=images.labels,
        class_names=distinct([known.names[output] for output in known.output_of], images.class_names),
        folders=images.class_names,
        output_of=known.output_of,
        columns=known.restricted,
        class_map=known.origin,
        remarks=(*subject.remarks, *_class_order(known), *plausibility.of_classes(known, images.labels)),
    )


def _names_left_out(stamp: metadata.Stamp, outputs: int) -> list[Remark]:
    if stamp.classes is None or len(stamp.classes) == outputs:
        return []
    text = f"The model names {len(stamp.classes):,} classes and has {outputs:,} outputs: its names were left out."
    return [Remark("class-names", text, "Correct them with onnxspec stamp --classes.")]


def _class_order(known: ClassMap) -> list[Remark]:
    if known.origin != "sorted order":
        return []
    text = "No class of the data has a name that the model knows; their sorted order was taken for that of the outputs."
    return [Remark("class-order", text, "Say it with --classes FILE, for good with onnxspec stamp --classes.")]


def _with_predicted_labels(subject: Subject, stamp: metadata.Stamp, settings: Settings) -> Subject:
    """Labels a seeded pool of the images with the model's own predictions."""
    if settings.inputs.restrict_outputs:
        raise UsageError(
            "--restrict-outputs takes the classes that labelled images have, and these are not labelled.",
            "Leave it out, or pass labelled images with --data.",
        )
    size = max(POOL, 4 * settings.plan.most)
    pool = np.sort(subject.images.order[:size])
    pool = np.array([i for i in pool if subject.engine.pixels.readable(int(i))])
    predicted = np.argmax(subject.engine.predict(pool), -1)
    present, labels = np.unique(predicted, return_inverse=True)
    names = map_classes((), subject.outputs, settings.inputs.classes, stamp.classes).names
    every = np.full(len(subject.images), -1, np.int64)
    every[pool] = labels
    shown = distinct([names[k] for k in present], [str(k) for k in present])
    remarks = list(subject.remarks)
    if len(pool) < len(subject.images):
        remarks.append(
            Remark("pool", f"{len(pool):,} of {len(subject.images):,} images were labelled by the model and used.")
        )
    return replace(subject, labels=every, class_names=shown, folders=shown, output_of=present, remarks=tuple(remarks))
