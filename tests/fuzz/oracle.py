"""Whether an outcome is right, found without onnxspec's own way to it.

`analysis` catches a report that does not reopen or verify, and figures that are not those of the files as they lie
there: every path is walked again by a bare ONNX Runtime session on the damaged model, with pixels that Pillow, zipfile,
tarfile, numpy and h5py read. Compared are the images and labels of every path, the distance, both predictions, the chord
and the wiggle of the probabilities, and the pooled hff. What it shares with onnxspec: resizing of images, the account of
the preprocessing in the report, and the libraries' decoders. A model that is no function of one image must be called
"not-repeatable". Where a path is chaotic (a change of the input by one ulp
moves it), only what the ends say is held against it.

`report` and `baseline` catch damage that was not noticed: what is accepted has a digest that covers it. `stamp` catches
a model that is not the same but for its metadata; `refusal` a message that is no line for people.
"""

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from scipy.fft import dst

CLOSE = 2e-4


class Wrong(Exception):
    """The outcome is not right, and why."""


class NotJudged(Exception):
    """There is no independent way to read what was read."""


def refusal(error: str) -> None:
    """A refused command says why in one line without control characters."""
    lines = [line for line in error.splitlines() if line.startswith(("onnxspec: ", "Usage", "Error"))]
    if not lines:
        raise Wrong(f"refused without a message: {error[-200:]!r}")
    require_inert(error)


def require_inert(text: str) -> None:
    """Nothing in a text makes a terminal act."""
    if (bad := next((c for c in text if ord(c) < 32 and c not in "\n\t\r"), None)) is not None:
        raise Wrong(f"the output holds the control character {bad!r}")


def report(path: Path) -> None:
    """A report that was accepted is whole: its digest is that of its content."""
    from onnxspec.report import tables

    with h5py.File(path, "r") as file:
        try:
            told, found = file.attrs["digest"], tables.digest(file)
            if hasattr(tables, "digest_with_names"):
                told, found = told + file.attrs["digest_with_names"], found + tables.digest_with_names(file)
        except Exception as error:
            raise Wrong(f"a report was accepted whose digest cannot be made: {type(error).__name__}") from None
        if told != found:
            raise Wrong("a report was accepted whose digest does not cover it")


def baseline(path: Path) -> None:
    """A baseline that was accepted is whole."""
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.pop("digest") != hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest():
        raise Wrong("a baseline was accepted whose digest does not cover it")


def stamp(model: Path, stamped: Path) -> None:
    """A stamped model is the same but for its metadata."""
    before, after = (onnx.ModelProto.FromString(path.read_bytes()) for path in (model, stamped))
    for proto in (before, after):
        del proto.metadata_props[:]
    if before.SerializeToString(deterministic=True) != after.SerializeToString(deterministic=True):
        raise Wrong("stamping changed more than the metadata")


def analysis(model: Path, data: Path, written: Path, labels: Path | None = None, classes: Path | None = None) -> None:
    """A report is right about these files.

    Raises
    ------
    Wrong
        It is not.
    NotJudged
        An odd but readable input that this oracle has no reader of its own for; digest and ranges did hold.
    """
    from onnxspec.report.report import Report

    report(written)
    opened = Report(written)
    json.dumps(opened.to_dict())
    figures = opened.figures
    of_a_kind = np.isin(figures["kind"].astype(str), ("within", "between")) & (figures["estimator"] == "sine")
    hff = figures["estimate"][(figures["metric"] == "hff") & of_a_kind]
    if ((hff < -1e-9) | (hff > 1 + 1e-9)).any():
        raise Wrong(f"an hff outside [0, 1]: {hff}")
    with h5py.File(written, "r") as file:
        rows = {name: file["paths"][name][()] for name in file["paths"] if file["paths"][name].ndim == 1}
    if opened.attributes["labelling"] == "probe":
        raise NotJudged("a configuration that names no images any more: probe images were walked")
    names = dict(zip(opened.images["image"].tolist(), opened.images["name"].tolist(), strict=True))
    pixels, label_of = _reader(data, labels)
    _require_labels(opened, rows, names, label_of, classes)
    _require_walk(opened, rows, {i: pixels(i, name) for i, name in names.items()}, model)


def _require_labels(opened: Any, rows: Any, names: Any, label_of: Any, classes: Path | None) -> None:
    folders, outputs = opened.classes["folder"], opened.classes["output"]
    for end in "ab":
        for image, number in zip(rows[f"image_{end}"], rows[f"class_{end}"], strict=True):
            expected = label_of(int(image), names[int(image)])
            if opened.attributes["labelling"] == "true" and expected not in (None, folders[number]):
                raise Wrong(f"image {names[image]} is labelled {folders[number]!r} and not {expected!r}")
    right = sum((outputs[rows[f"class_{end}"]] == rows[f"predicted_{end}"]).astype(int) for end in "ab")
    if (right != rows["ends_right"]).any():
        raise Wrong("ends_right is not how many predictions are their class's output")
    if classes is not None and opened.attributes["class_map"] not in ("sorted order", "predicted by the model"):
        lines = [line for line in classes.read_bytes().decode("utf-8-sig").splitlines() if line.strip()]
        for folder, output in zip(folders, outputs, strict=True):
            if folder.lower()[:3] not in lines[output].lower():
                raise Wrong(f"class {folder!r} has the output {output}, which the class file calls {lines[output]!r}")


def _require_walk(opened: Any, rows: Any, pixels: dict[int, np.ndarray], model: Path) -> None:
    deviations = []
    for walk in _walks(opened.attributes, pixels, model):
        try:
            found = _compared(opened, rows, walk)
        except NotJudged:
            continue
        if found is None:
            return
        deviations.append(found)
    if not deviations:
        raise NotJudged("no input and output that this oracle can feed")
    if "not-repeatable" in {remark.code for remark in opened.remarks}:
        raise NotJudged("a model whose outputs are random or depend on the batch, and the report says so")
    raise Wrong(f"figures: {min(deviations, key=len)}")


Walk = Callable[[np.ndarray, np.ndarray, float], tuple[np.ndarray, np.ndarray]]


def _compared(opened: Any, rows: Any, walk: Walk) -> str | None:
    """What differs from the report, walked anew; None where nothing does."""
    prob, distance = walk(rows["image_a"], rows["image_b"], 0.0)
    shaken, _ = walk(rows["image_a"], rows["image_b"], 1.2e-7)
    if not np.isfinite(prob).all():
        return "the outputs are not finite, and nobody noticed"
    if not np.allclose(distance, rows["distance"], rtol=1e-5, atol=1e-7):
        return f"distances {rows['distance']} and not {distance}"
    top = np.sort(prob[:, [0, -1]], axis=-1)
    clear = (top[..., -1] - top[..., -2]) > CLOSE
    for end, name in ((0, "predicted_a"), (-1, "predicted_b")):
        mine = prob[:, end].argmax(-1)
        if (mine != rows[name])[clear[:, end]].any():
            return f"{name} {rows[name]} and not {mine}"
    chord, wiggle, hf = _figures(prob, distance, opened.attributes["cutoff"])
    _, wiggle_shaken, hf_shaken = _figures(shaken, distance, opened.attributes["cutoff"])
    chaos = 20 * np.abs(wiggle_shaken - wiggle)
    if not np.allclose(chord, rows["chord_prob"], rtol=1e-3, atol=CLOSE):
        return f"chord {rows['chord_prob']} and not {chord}"
    if (np.abs(wiggle - rows["wiggle_prob"]) > CLOSE + 1e-2 * wiggle + chaos).any():
        return f"wiggle {rows['wiggle_prob']} and not {wiggle}"
    return _pooled_differs(opened, rows, hf, wiggle + chord / 12, np.abs(hf_shaken - hf).sum() + chaos.sum())


def _figures(prob: np.ndarray, distance: np.ndarray, cutoff: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """chord, wiggle and hf of (paths, points, classes) probabilities, as method.md sections 3 and 4 have them."""
    points = prob.shape[1]
    t = np.linspace(0, 1, points)[:, None]
    residual = prob - (1 - t) * prob[:, :1] - t * prob[:, -1:]
    power = (np.square(dst(residual[:, 1:-1], type=1, axis=1) / (points - 1)) / 2).sum(-1)
    frequency = np.arange(1, points - 1) / 2
    above = np.clip((frequency + 0.25 - cutoff * distance[:, None]) / 0.5, 0, 1)
    chord = np.square(prob[:, -1] - prob[:, 0]).sum(-1)
    return chord, np.square(residual).sum((1, 2)) / (points - 1), (power * above).sum(-1)


def _pooled_differs(opened: Any, rows: Any, hf: np.ndarray, total: np.ndarray, chaos: float) -> str | None:
    if opened.attributes["estimator"] != "sine":
        return None
    for code, kind in enumerate(("within", "between")):
        for selection, ends in (("right", 2), ("all", 0)):
            kept = (rows["kind"] == code) & (rows["ends_right"] >= ends) & (rows["within_reach"] == 1)
            if kind not in opened.kinds or not total[kept].sum() > 1e-3:
                continue
            told, mine = opened.figure(kind, selection=selection).estimate, hf[kept].sum() / total[kept].sum()
            if np.isfinite(told) and abs(told - mine) > (CLOSE + 1e-2 * mine + chaos / total[kept].sum()):
                return f"hff {kind} ({selection}) {told} and not {mine}"
    return None


def _walks(attributes: dict[str, Any], pixels: dict[int, np.ndarray], model: Path) -> Iterator[Walk]:
    """Every way to feed the bare model and to read it: layouts of the input, and outputs."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    ports = [port for port in session.get_inputs() if port.type in _DTYPES and len(port.shape) in (2, 4)]
    for port in ports:
        layouts = ("flat",) if len(port.shape) == 2 else ("NCHW", "NHWC")
        for layout in layouts:
            for output in session.get_outputs():
                yield _walk(session, port, layout, output.name, attributes, pixels)


_DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(double)": np.float64,
    "tensor(uint8)": np.uint8,
}


def _walk(
    session: Any, port: Any, layout: str, output: str, attributes: dict[str, Any], pixels: dict[int, np.ndarray]
) -> Walk:
    dtype, rest = _DTYPES[port.type], port.shape[1:]
    steps = {name: field["value"] for name, field in json.loads(attributes["preprocess"]).items()}
    given = {name for name, field in json.loads(attributes["preprocess"]).items() if field["from"] != "default"}

    def sized(image: np.ndarray) -> np.ndarray:
        return _sized(image, layout, rest, steps)

    def placed(image: np.ndarray) -> np.ndarray:
        """(h, w, c) pixels as the model takes them, float32."""
        if steps["order"] == "BGR" and image.shape[-1] == 3:
            image = image[..., ::-1]
        scale = steps["scale"] if image.dtype == np.uint8 or "scale" in given else 1.0
        std, mean = np.asarray(steps["std"], float), np.asarray(steps["mean"], float)
        number = np.float64 if dtype == np.float64 else np.float32
        with np.errstate(all="ignore"):
            x = image if dtype == np.uint8 else image * (scale / std).astype(number) + (-mean / std).astype(number)
        x = x.astype(number)
        first = layout == "NCHW" or (layout == "flat" and steps["layout"] == "CHW")
        x = np.moveaxis(x, -1, 0) if first else x
        return (x.ravel() if layout == "flat" else x).astype(np.float32)

    def walk(image_a: np.ndarray, image_b: np.ndarray, dither: float) -> tuple[np.ndarray, np.ndarray]:
        ready = {i: sized(image) for i, image in pixels.items()}
        a, b = (np.stack([placed(ready[int(i)]) for i in images]) for images in (image_a, image_b))
        t = np.linspace(0, 1, int(attributes["points"]), dtype=np.float32).reshape(1, -1, *[1] * (a.ndim - 1))
        with np.errstate(all="ignore"):
            x = (1 - t) * a[:, None] + t * b[:, None]
            inner = x[:, 1:-1]
            inner += (
                dither * np.abs(inner) * np.random.default_rng(0).choice([-1.0, 1.0], inner.shape).astype(np.float32)
            )
            x = x.reshape(-1, *x.shape[2:])
            x = np.clip(np.rint(x), 0, 255).astype(dtype) if dtype == np.uint8 else x.astype(dtype)
        z = _run(session, port, output, x).reshape(len(image_a), t.shape[1], -1).astype(np.float64)
        scale = [255.0 if ready[int(i)].dtype == np.uint8 else 1.0 for i in image_a]
        apart = [_rms(ready[int(i)], ready[int(j)]) for i, j in zip(image_a, image_b, strict=True)]
        return _probabilities(z, attributes["output_kind"]), np.array(apart) / scale

    return walk


def _rms(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(a.astype(np.float64) - b.astype(np.float64)))))


def _sized(image: np.ndarray, layout: str, rest: list[Any], steps: dict[str, Any]) -> np.ndarray:
    """(h, w, c) pixels of the model's size; resizing and cropping are onnxspec's own."""
    from onnxspec.errors import OnnxspecError
    from onnxspec.images.inputspec import InputSpec
    from onnxspec.images.preprocess import Preprocess

    image = image[..., None] if image.ndim == 2 else image
    settled = [side if isinstance(side, int) else None for side in rest]
    if layout == "flat":
        spec = InputSpec("flat", size=settled[0])
    elif layout == "NCHW":
        spec = InputSpec("NCHW", *settled)
    else:
        spec = InputSpec("NHWC", settled[2], settled[0], settled[1])
    size = {name: steps[name] for name in ("resize", "crop", "interpolation")}
    size = {name: tuple(value) if isinstance(value, list) else value for name, value in size.items()}
    preprocess = Preprocess(**size)
    try:
        made = preprocess.output_size(image.shape[:2])
        return preprocess.pixels(image, spec.resolved(image.shape, made, preprocess.fixes_size))
    except (OnnxspecError, ValueError) as error:
        raise NotJudged(str(error)) from None


def _run(session: Any, port: Any, output: str, x: np.ndarray) -> np.ndarray:
    import onnxruntime  # noqa: F401

    fixed = port.shape[0] if isinstance(port.shape[0], int) else None
    step = fixed or len(x)
    parts = []
    for start in range(0, len(x), step):
        part = x[start : start + step]
        padded = np.concatenate([part, np.repeat(part[-1:], step - len(part), axis=0)])
        others = {
            p.name: np.zeros(
                [d if isinstance(d, int) else len(padded) if not i else 1 for i, d in enumerate(p.shape)],
                _DTYPES.get(p.type, np.int64),
            )
            for p in session.get_inputs()
            if p.name != port.name
        }
        try:
            raw = np.asarray(session.run([output], {port.name: padded} | others)[0])
        except Exception as error:
            raise NotJudged(str(error)) from None
        if (
            raw.dtype.kind not in "fiub"
            or len(raw) != len(padded)
            or raw.ndim < 2
            or raw.size != len(raw) * raw.shape[1]
        ):
            raise NotJudged("the output is no scores")
        parts.append(raw.reshape(len(raw), -1)[: len(part)])
    return np.concatenate(parts)


def _probabilities(z: np.ndarray, kind: str) -> np.ndarray:
    with np.errstate(all="ignore"):
        if z.shape[-1] == 1:
            z = np.concatenate([np.zeros_like(z) if kind == "logits" else 1 - z, z], axis=-1)
        if kind == "probabilities":
            return z
        e = np.exp(z - z.max(-1, keepdims=True))
        return np.asarray(e / e.sum(-1, keepdims=True))


_ARRAYS = ("images", "labels", "class_names")
Pixels = Callable[[int, str], np.ndarray]
LabelOf = Callable[[int, str], str | None]


def _reader(data: Path, labels: Path | None) -> tuple[Pixels, LabelOf]:
    """How to read image i (called `name`) and its label from a source; a label of None is not judged."""
    if data.suffix == ".npz":
        with zipfile.ZipFile(data) as archive:
            held = [name for name in _ARRAYS if f"{name}.npy" in archive.namelist()]
            return _arrays({n: np.load(io.BytesIO(archive.read(f"{n}.npy")), allow_pickle=False) for n in held})
    if data.suffix == ".h5":
        with h5py.File(data) as file:
            names = [name for name in _ARRAYS if _is_dataset(file, name)]
            return _arrays({name: file[name][()] for name in names})
    files = _files(data)

    def content(i: int, name: str) -> np.ndarray:
        found = [files[path] for path in files if f"/{_tidy(path)}".endswith(f"/{name}")]
        if len(set(found)) != 1:
            raise NotJudged(f"{len(found)} files are called {name}")
        return _decoded(found[0])

    if labels is not None:
        lines = [
            line.split(",") for line in labels.read_bytes().decode("utf-8-sig").splitlines() if line.count(",") == 1
        ]
        known = {file.strip(): label.strip() for file, label in lines}
        return content, lambda i, name: known.get(name)
    return content, lambda i, name: name.split("/")[0] if "/" in name else None


def _is_dataset(file: h5py.File, name: str) -> bool:
    try:
        return isinstance(file.get(name), h5py.Dataset)
    except RuntimeError:  # a link that leads round in circles
        return False


def _arrays(arrays: dict[str, np.ndarray]) -> tuple[Pixels, LabelOf]:
    images, labels, names = arrays.get("images"), arrays.get("labels"), arrays.get("class_names")
    if images is None or images.dtype not in (np.uint8, np.float32, np.float64):
        raise NotJudged("no array called images that is plain")
    layout = images.shape[1:] if images.ndim == 4 else ()
    if layout and layout[0] in (1, 3, 4) and layout[-1] not in (1, 3, 4):
        images = np.moveaxis(images, 1, -1)

    def label_of(i: int, name: str) -> str | None:
        if labels is None or labels.dtype.kind not in "iu" or labels.ndim != 1:
            return None
        if names is None or names.ndim != 1:
            return str(labels[i])
        text = names[labels[i]]
        return text.decode() if isinstance(text, bytes) else str(text)

    return lambda i, name: images[i], label_of


def _files(data: Path) -> dict[str, bytes]:
    if data.is_dir():
        return {path.relative_to(data).as_posix(): path.read_bytes() for path in data.rglob("*") if path.is_file()}
    if data.suffix == ".zip":
        with zipfile.ZipFile(data) as archive:
            return dict(_read_members(archive.infolist(), archive.read))
    with tarfile.open(data) as tar:
        members = [m for m in tar.getmembers() if m.isreg()]
        return {m.name: stream.read() for m in members if (stream := tar.extractfile(m)) is not None}


def _read_members(members: list[zipfile.ZipInfo], read: Callable[[Any], bytes]) -> Iterator[tuple[str, bytes]]:
    for member in members:
        try:
            yield member.filename, read(member)
        except Exception:
            continue


def _tidy(name: str) -> str:
    return "/".join(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))


def _decoded(content: bytes) -> np.ndarray:
    from PIL import Image, ImageOps

    from onnxspec.images.decode import decode

    with Image.open(io.BytesIO(content)) as image:
        plain = image.mode in ("L", "RGB") and "transparency" not in image.info
        return np.asarray(ImageOps.exif_transpose(image)) if plain else decode(content, "image")
