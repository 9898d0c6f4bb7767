"""Case number n of a seed: the files it lays out, the command it gives, and how its report is judged."""

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import h5py
import numpy as np

from onnxspec.report import tables

from . import archive_damage, hdf5_damage, hostile, image_damage, onnx_damage, text_damage
from .bases import FEW, Bases, npy

OUT = "../out/"
REPORT = f"{OUT}report.h5"
SPEED = ("--signals", "prob", "--no-images")
DATA = "data.npz"


@dataclass(frozen=True)
class Case:
    """files : name to content, laid out in the input folder, where the command runs; `data` is read by the oracle."""

    kind: str
    damage: str
    files: Mapping[str, bytes]
    arguments: tuple[str, ...]
    judge: str
    data: str = DATA
    extra: Mapping[str, Any] = field(default_factory=dict)


Damage = Callable[[bytes], tuple[bytes, str]]


class Maker:
    """Makes the cases; without `damage` every scenario is whole, and must pass."""

    def __init__(self, bases: Bases, rng: Random, damage: bool = True):
        self.bases, self.rng, self.damage = bases, rng, damage

    def _damaged(self, content: bytes, how: Damage) -> tuple[bytes, str]:
        return how(content) if self.damage else (content, "none")

    def model(self, kind: str = "onnx", name: str = "", judge: str = "") -> Case:
        """A model of any of the bases."""
        rng = self.rng
        models = list(self.bases.models)
        # The small ones are quicker, and have more kinds of input and output.
        name = name or rng.choice([*models, *(m for m in models if m.startswith("small"))])
        content, damage = self._damaged(self.bases.models[name], lambda c: onnx_damage.damaged(c, rng))
        files = {"model.onnx": content, DATA: self.bases.npz()}
        judge = judge or rng.choice(("analysis",) * 8 + ("inspect", "stamp"))
        preprocess = () if name in self.bases.models and not name.startswith(("small", "external")) else _plain(name)
        arguments: tuple[str, ...] = analyze(DATA, rng, preprocess)
        if judge == "inspect":
            arguments = ("inspect", "model.onnx", "--json")
        elif judge == "stamp":
            arguments = ("stamp", "model.onnx", "--preprocess", "imagenet", "-o", f"{OUT}stamped.onnx")
        if name == "external":
            files["model.weights"] = self.bases.weights
            if self.damage and rng.random() < 0.3:
                files["model.onnx"] = self.bases.models[name]
                files["model.weights"], damage = hostile.damaged(self.bases.weights, rng)
        return Case(kind, f"{name}: {damage}", files, arguments, judge)

    def archive(self, kind: str) -> Case:
        """A zip, a tar or a compressed tar."""
        rng, plain = self.rng, self.bases.files(wrapped=self.rng.choice(("", "data/")))
        if kind == "zip":
            content, damage = (
                archive_damage.damaged_zip(plain, rng) if self.damage else (archive_damage.zipped(plain), "none")
            )
        elif self.damage:
            content, damage = archive_damage.damaged_tar(plain, rng, kind == "tar.gz")
        else:
            import gzip

            content, damage = archive_damage.tarred(plain), "none"
            content = gzip.compress(content, 1, mtime=0) if kind == "tar.gz" else content
        return self._with_data(kind, damage, {f"data.{kind}": content}, f"data.{kind}")

    def npz(self, kind: str) -> Case:
        """An .npz file: its arrays' headers, its zip, or its bytes."""
        rng, bases = self.rng, self.bases
        if not self.damage:
            content, damage = bases.npz(), "none"
        elif rng.random() < 0.5:
            name = rng.choice(("images", "labels", "class_names"))
            values = {"images": bases.images, "labels": bases.labels, "class_names": np.array(bases.names)}[name]
            values = _odd(values, rng) if rng.random() < 0.3 else values
            array, damage = archive_damage.damaged_npy(npy(values), rng)
            content, damage = bases.npz(**{name: array}), f"{name} {damage}"
        else:
            arrays = {"images.npy": npy(bases.images), "labels.npy": npy(bases.labels)}
            content, damage = archive_damage.damaged_zip(arrays, rng)
        return self._with_data(kind, damage, {DATA: content}, DATA)

    def hdf5(self, kind: str) -> Case:
        """An HDF5 file of images: its bytes, or datasets that are something else."""
        rng, bases = self.rng, self.bases
        if self.damage and rng.random() < 0.35:
            content, damage = hdf5_damage.rebuilt(bases.images, bases.labels, rng)
        else:
            content, damage = self._damaged(bases.hdf5(), lambda c: hdf5_damage.damaged(c, rng))
        return self._with_data(kind, damage, {"data.h5": content}, "data.h5")

    def image(self, kind: str) -> Case:
        """One image in a folder of whole ones."""
        rng, extension = self.rng, self.rng.choice(list(image_damage.FORMATS))
        files = self.bases.files(extension)
        name = rng.choice(list(files))
        colour = rng.random() < 0.3 and extension != "pgm"
        if colour:
            files[name] = image_damage.encoded(np.stack([self.bases.images[0]] * 3, -1), extension)
        files[name], damage = self._damaged(files[name], lambda c: image_damage.damaged(c, extension, rng))
        layout = {f"data/{path}": content for path, content in files.items()}
        return self._with_data(kind, f"{extension}: {damage}", layout, "data")

    def labels(self, kind: str) -> Case:
        """A label file over a flat folder."""
        names = [f"{i}.png" for i in range(len(self.bases.images))]
        flat = {name: image_damage.encoded(image, "png") for name, image in zip(names, self.bases.images, strict=True)}
        lines = [f"{name},{self.bases.names[label]}" for name, label in zip(names, self.bases.labels, strict=True)]
        content = "\n".join(["file,label", *lines, ""]).encode()
        content, damage = self._damaged(content, lambda c: text_damage.damaged_lines(c, self.rng))
        files = {"labels.csv": content} | {f"data/{name}": c for name, c in flat.items()}
        return self._with_data(kind, damage, files, "data", ("--labels", "labels.csv"))

    def classes(self, kind: str) -> Case:
        """A class file for a model that knows no names."""
        content = b"Sandal\tsandal, flat\nTrouser\tlong trousers\n"
        content, damage = self._damaged(content, lambda c: text_damage.damaged_lines(c, self.rng))
        files = {"model.onnx": self.bases.models["small"], DATA: self.bases.npz(), "classes.txt": content}
        flags = ("--classes", "classes.txt", "--preprocess", "0..1")
        return Case(kind, damage, files, analyze(DATA, self.rng, flags), "analysis")

    def processor(self, kind: str) -> Case:
        """A preprocessing file, beside the model or named."""
        rng = self.rng
        content, damage = self._damaged(rng.choice(_PROCESSORS), lambda c: text_damage.damaged_json(c, rng))
        files = {"model.onnx": self.bases.models["small"], DATA: self.bases.npz(), "preprocessor_config.json": content}
        flags = rng.choice(((), ("--preprocess", "preprocessor_config.json")))
        return Case(kind, damage, files, analyze(DATA, rng, flags), "analysis")

    def toml(self, kind: str) -> Case:
        """The configuration of a run, or the policy of an audit."""
        rng, audit = self.rng, self.rng.random() < 0.5
        content = POLICY if audit else SETTINGS
        content, damage = self._damaged(content, lambda c: text_damage.damaged_toml(c, rng))
        if audit:
            files = {"onnxspec.toml": content, "report.h5": self.bases.report, "baseline.json": self.bases.baseline}
            return Case(kind, f"policy: {damage}", files, AUDIT, "verdict")
        name = rng.choice(("onnxspec.toml", "run.toml"))
        files = {name: content, DATA: self.bases.npz(), "model.onnx": self.bases.models["sklearn"]}
        flags = () if name == "onnxspec.toml" else ("--config", name)
        return Case(kind, f"settings: {damage}", files, ("analyze", "model.onnx", "-o", REPORT, *flags), "analysis")

    def baseline(self, kind: str) -> Case:
        """A baseline, as it was written or with a digest that covers the damage."""
        import hashlib
        import json

        rng = self.rng
        content, damage = self._damaged(self.bases.baseline, lambda c: text_damage.damaged_json(c, rng))
        if self.damage and rng.random() < 0.6:
            try:
                document = json.loads(content)
                document.pop("digest", None)
                document["digest"] = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
                content, damage = json.dumps(document).encode("utf-8", "surrogatepass"), f"{damage}, sealed"
            except (ValueError, AttributeError, RecursionError):
                pass
        files = {"onnxspec.toml": POLICY, "report.h5": self.bases.report, "baseline.json": content}
        return Case(kind, damage, files, AUDIT, "baseline")

    def report(self, kind: str) -> Case:
        """A report, its bytes damaged, or its columns and attributes with and without a digest that covers that."""
        rng = self.rng
        if self.damage and rng.random() < 0.5:
            content, damage = _altered(self.bases.report, rng)
        else:
            content, damage = self._damaged(self.bases.report, lambda c: hdf5_damage.damaged(c, rng))
        files = {"report.h5": content, "whole.h5": self.bases.report, "baseline.json": self.bases.baseline}
        files["onnxspec.toml"] = POLICY
        return Case(kind, damage, files, _PAGE if rng.random() < 0.02 else rng.choice(_VIEWS), "report")

    def _with_data(
        self, kind: str, damage: str, files: dict[str, bytes], data: str, flags: tuple[str, ...] = ()
    ) -> Case:
        whole = {"model.onnx": self.bases.models["sklearn"]} | files
        return Case(kind, damage, whole, analyze(data, self.rng, flags), "analysis", data)


def _plain(name: str) -> tuple[str, ...]:
    return () if name == "small-bytes" else ("--preprocess", "0..1")


def analyze(data: str, rng: Random, flags: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A small analysis, by kinds and signals smaller still."""
    kinds = ("--kinds", "between") if rng.random() < 0.7 else ()
    speed = SPEED if rng.random() < 0.9 else ()
    return ("analyze", "model.onnx", "--data", data, "-o", REPORT, *FEW, *kinds, *speed, *flags)


def _odd(values: np.ndarray, rng: Random) -> np.ndarray:
    """An array of another type or shape, as a program would have saved it."""
    if values.dtype.kind == "U":
        return rng.choice((values[:1], values.astype("S"), np.array(hostile.TEXTS[9:11]), np.array("one")))
    floating = values.astype(np.float32)
    floating.ravel()[rng.randrange(values.size)] = rng.choice(hostile.FLOATS)
    return rng.choice(
        (floating, values.astype(np.float16), values[:0], values[:3], values[..., None], values - 1, values.T)
    )


def _altered(content: bytes, rng: Random) -> tuple[bytes, str]:
    """A report with an attribute or a column that is missing, of another type or shape, or hostile."""
    buffer = io.BytesIO(content)
    with h5py.File(buffer, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = rng.choice([*names, "/", "/", "/", "/"])
        item = file[name]
        way = rng.choice(("attribute", "attribute", "delete", "shape", "type", "values", "link"))
        if way == "attribute" or name == "/":
            key = rng.choice(list(item.attrs) or ["x"])
            value = rng.choice(
                (*hostile.TEXTS[:20], *hostile.FLOATS, hostile.integer(rng) % 2**63, b"\xff\xfe", [1, 2], "{}", "[1]")
            )
            if "\0" not in str(value):
                item.attrs[key] = value
            way = f"attribute {key}"
        elif way == "delete" or isinstance(item, h5py.Group):
            del file[name]
        elif way == "link":
            del file[name]
            file[name] = rng.choice(
                (h5py.SoftLink("/nowhere"), h5py.ExternalLink("../around/other.h5", "/images"), file["/"])
            )
        else:
            values = item[()]
            del file[name]
            file[name] = _changed(values, way, rng)
        damage = f"{name} {way}"
        # A cycle of groups has no digest.
        if rng.random() < 0.5 and way != "link":
            try:
                seal(file)
                damage += ", sealed"
            except Exception:
                damage += ", unsealable"
    return buffer.getvalue(), damage


def seal(file: h5py.File) -> None:
    """Gives a report digests that are right again, as whoever wants to mislead would."""
    file.attrs["digest"] = tables.digest(file)
    if hasattr(tables, "digest_with_names"):
        file.attrs["digest_with_names"] = tables.digest_with_names(file)


def _changed(values: Any, way: str, rng: Random) -> Any:
    if values.dtype == object:
        texts = np.array(values, h5py.string_dtype())
        if way == "shape":
            return texts[: len(texts) // 2] if texts.ndim else texts.reshape(1)
        return (
            np.zeros(values.shape)
            if way == "type"
            else np.full(values.shape, rng.choice(hostile.TEXTS[9:15]), texts.dtype)
        )
    if way == "shape":
        return rng.choice((values[:0], values[: len(values) // 2], values[..., None], values.ravel()[0]))
    if way == "type":
        return rng.choice((values.astype("<f2"), values.astype("S8"), np.full(values.shape, "x", h5py.string_dtype())))
    with np.errstate(all="ignore"):
        changed = values.copy()
        changed.ravel()[rng.randrange(max(values.size, 1)) :] = np.asarray(rng.choice(hostile.FLOATS)).astype(
            values.dtype
        )
    return changed


SETTINGS = b"""data = "data.npz"
pairs = 2
points = 9
seed = 0
kinds = "between"
signals = ["prob"]
estimator = "sine"
cutoff = 4.5
threads = 1
batch = 16
tf32 = false
device = "cpu"
thumbnails = false
skip_bad = 0
"""
POLICY = b"""[audit.limits]
accuracy = { min = 0.1 }
"within.hff" = { max = 0.9, severity = "warn" }
"between.hff" = { max = 0.9 }

[audit.regressions]
accuracy = { drop = 0.5 }
"between.hff" = { factor = 2.0 }
"""
_PROCESSORS = (
    b'{"do_resize": true, "size": {"height": 28, "width": 28}, "do_normalize": true, "image_mean": [0.5],'
    b' "image_std": [0.25], "resample": 2, "do_rescale": true, "rescale_factor": 0.00392156862745098}',
    b'{"do_resize": true, "size": {"shortest_edge": 32}, "do_center_crop": true, "crop_size": {"height": 28, "width": 28},'
    b' "do_normalize": false}',
    b'{"input_size": [1, 28, 28], "crop_pct": 0.9, "interpolation": "bicubic", "mean": [0.1], "std": [0.5]}',
)
AUDIT = ("audit", "report.h5", "--baseline", "baseline.json", "--json")
# Its figures take seconds.
_PAGE = ("report", "report.h5", "-o", f"{OUT}page.html")
_VIEWS = (
    *(("show", "report.h5"), ("show", "report.h5", "--json"), ("show", "report.h5", "--class", "Trouser")),
    *(("show", "report.h5", "--csv", table) for table in ("figures", "classes", "spectra", "paths", "checks")),
    *(AUDIT, ("audit", "report.h5", "--write-baseline", f"{OUT}new.json")),
    *(("compare", "whole.h5", "report.h5", "--json"),),
)

# Kind, its maker, how often it comes, and whose files it is about (for the list of findings).
KINDS: tuple[tuple[str, Callable[[Maker, str], Case], int, str], ...] = (
    ("onnx", Maker.model, 34, "onnx"),
    ("zip", Maker.archive, 7, "images"),
    ("tar", Maker.archive, 5, "images"),
    ("tar.gz", Maker.archive, 3, "images"),
    ("npz", Maker.npz, 8, "images"),
    ("hdf5", Maker.hdf5, 10, "images"),
    ("image", Maker.image, 8, "images"),
    ("labels", Maker.labels, 2, "images"),
    ("classes", Maker.classes, 3, "images"),
    ("processor", Maker.processor, 3, "images"),
    ("toml", Maker.toml, 4, "lead"),
    ("baseline", Maker.baseline, 4, "reports"),
    ("report", Maker.report, 9, "reports"),
)
OWNER = {kind: owner for kind, _, _, owner in KINDS}


def whole_cases(bases: Bases) -> list[Callable[[], Case]]:
    """Every scenario without damage: all must pass, and be judged."""
    models = [lambda name=name: Maker(bases, Random(0), False).model("onnx", name, "analysis") for name in bases.models]
    others = [
        lambda m=make, k=kind, s=s: m(Maker(bases, Random(s), False), k)
        for kind, make, _, _ in KINDS[1:]
        for s in (0, 1)
    ]
    return [*models, *others]


def case(bases: Bases, seed: int, number: int) -> Case:
    """Case `number` of `seed`: the whole ones, then the corpus, then damage without end."""
    from .corpus import CORPUS

    whole = whole_cases(bases)
    if number < len(whole):
        return whole[number]()
    if number < len(whole) + len(CORPUS):
        return CORPUS[number - len(whole)](bases)
    rng = Random(f"{seed}:{number}")
    kind, make, _, _ = rng.choices(KINDS, [weight for _, _, weight, _ in KINDS])[0]
    return make(Maker(bases, rng), kind)
