"""A model's inputs and outputs, and the one of each that carries the images and the class scores."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import onnx

from onnxspec.errors import ModelError, UsageError
from onnxspec.images.inputspec import TYPES as INPUT_TYPES
from onnxspec.images.inputspec import WHOLE_TYPES

WIDE_TYPES = tuple(name for name in WHOLE_TYPES if name != "uint8")
"""Of whole numbers that are not always pixels: words and places are told in these, too."""
SCORE_TYPES = ("float32", "float16", "float64")
# Scores, too, of models that are quantised to their ends or keep half as many digits, but in units that only they know.
_PACKED_TYPES = ("bfloat16", "int8", "uint8", "int16", "uint16")
FILLED_TYPES = (*INPUT_TYPES, "int8", "bool")
"""What an input that the scores do not depend on may be."""
_SHOWN_AXES, _SHOWN_CHARACTERS = 8, 80
_MOST_ELEMENTS = 2**63 - 1
_ZIPMAP = (
    'Export its scores as one tensor; from scikit-learn that is convert_sklearn(model, options={"zipmap": False}, ...), '
    "from LightGBM convert_lightgbm(model, zipmap=False, ...)."
)


@dataclass(frozen=True)
class Port:
    """One input or output: `type` is a tensor's dtype as NumPy names it, or "sequence", "map" and the like.

    `shape` holds a size, or the name of an open dimension ("" where it has none); None where the rank is unknown.
    """

    name: str
    type: str
    shape: tuple[int | str, ...] | None

    @property
    def batch(self) -> int | None:
        """The fixed batch size; None where the first dimension is open."""
        return size_of(self.shape[0]) if self.shape else None

    def __str__(self) -> str:
        return f"{quoted(self.name)} {self.type}{'' if self.shape is None else ' ' + shape_text(self.shape)}"


def size_of(dimension: int | str) -> int | None:
    """A dimension's size; None where it is open."""
    return dimension if isinstance(dimension, int) else None


def shape_text(shape: Iterable[int | str]) -> str:
    """`(batch, 3, 32, 32)`, with ? for dimensions that have no usable name, and no more than eight of them."""
    first = list(itertools.islice(shape, _SHOWN_AXES + 1))
    sizes = [str(d) if isinstance(d, int) or (d.isidentifier() and len(d) <= _SHOWN_CHARACTERS) else "?" for d in first]
    return f"({', '.join(sizes[:_SHOWN_AXES])}{', ...' if len(sizes) > _SHOWN_AXES else ''})"


def quoted(name: str) -> str:
    """A name from the file in quotes, cut where it is longer than a line."""
    return repr(name) if len(name) <= _SHOWN_CHARACTERS else f"{name[:_SHOWN_CHARACTERS]!r}..."


def inputs_of(graph: onnx.GraphProto) -> tuple[Port, ...]:
    """The inputs that a caller fills; initializers that old exporters list as inputs are left out."""
    stored = {tensor.name for tensor in graph.initializer}
    # ONNX Runtime feeds no other size than 0 where an input says so, and only warns of an output.
    return tuple(_port(value, least=0) for value in graph.input if value.name not in stored)


def outputs_of(graph: onnx.GraphProto) -> tuple[Port, ...]:
    """All outputs in the file's order."""
    return tuple(_port(value) for value in graph.output)


def choose_input(inputs: tuple[Port, ...], wanted: str | None = None) -> Port:
    """The image input; beside texts, masks and constants the one that can hold images is found by itself.

    Raises
    ------
    ModelError
        Several inputs and none chosen, or one that holds no images.
    UsageError
        `wanted` is not among them.
    """
    planes = [port for port in inputs if _has_planes(port)]
    # Beside images, whole numbers are more likely masks and places.
    images = [port for port in planes if port.type not in WIDE_TYPES] or planes
    port = images[0] if wanted is None and len(images) == 1 else _pick(inputs, wanted, "input")
    if port.type == "int8":
        raise ModelError(
            f"The input {port} takes quantised values, and the file does not say by which scale and offset.",
            "Export the model with the QuantizeLinear in front of it, so that it takes float32, or pixels as uint8.",
        )
    if port.type not in INPUT_TYPES:
        raise ModelError(
            f"The input {port} has a type that onnxspec does not feed; it feeds {', '.join(INPUT_TYPES)}.",
            "Export the model with one of these (float32, say).",
        )
    if port.shape is not None and 0 in port.shape:
        raise ModelError(
            f"The input {port} has a size of 0, which ONNX Runtime takes literally: no image fits.",
            "Export the model with an open batch dimension: one that has a name in place of a size.",
        )
    if port.shape is not None and len(port.shape) not in (2, 4):
        raise ModelError(
            f"The input {port} takes no batch of images; (n, channels, height, width), "
            "(n, height, width, channels) or (n, values) was expected.",
            "Export the model with a batch axis first, and a channel axis.",
        )
    return port


def _has_planes(port: Port) -> bool:
    """Whether a port takes batches of four axes of which more than the channels may be longer than 1."""
    longer = [d for d in (port.shape or ())[1:] if size_of(d) != 1]
    return port.type in INPUT_TYPES and len(port.shape or ()) == 4 and len(longer) > 1


def choose_output(outputs: tuple[Port, ...], wanted: str | None = None) -> Port:
    """The class scores, (n, K); beside labels of another type the one tensor of scores is found by itself.

    Raises
    ------
    ModelError
        Several outputs of scores and none chosen, no scores, or scores inside a sequence or a map.
    UsageError
        `wanted` is not among them.
    """
    scores = [port for port in outputs if port.type in SCORE_TYPES]
    if wanted is None and len(scores) > 1 and all(_is_row(port.shape) for port in scores):
        raise ModelError(
            f"The model has {len(scores)} outputs of one number an image, {scores[0]} the first of them; one output with "
            "one score per class, (n, K), was expected.",
            _ZIPMAP,
        )
    port = scores[0] if wanted is None and len(scores) == 1 else _pick(outputs, wanted, "output")
    return _checked_scores(port, outputs)


def _pick(ports: tuple[Port, ...], wanted: str | None, flag: str) -> Port:
    listed = "; ".join(map(str, ports)) or "none"
    if wanted is not None:
        for port in ports:
            if port.name == wanted:
                return port
        raise UsageError(f"The model has no {flag} {wanted!r}.", f"Its {flag}s: {listed}.")
    if not ports:
        raise ModelError(f"The model has no {flag} that can be used.")
    packed = [port for port in ports if port.type in ("sequence", "map")]
    if packed and flag == "output":
        return packed[0]
    if len(ports) > 1:
        raise ModelError(f"The model has {len(ports)} {flag}s: {listed}.", f"Choose one with --{flag} NAME.")
    return ports[0]


def _checked_scores(port: Port, outputs: tuple[Port, ...]) -> Port:
    if port.type in ("sequence", "map"):
        raise ModelError(f"The output {port} holds its probabilities as a {port.type}, not as a tensor.", _ZIPMAP)
    if port.type in _PACKED_TYPES and len(port.shape or ()) != 1:
        raise ModelError(
            f"The output {port} has a type in which onnxspec reads no scores; it reads {', '.join(SCORE_TYPES)}.",
            "Export the model with float32 scores: without the quantisation at its end, or with a cast there.",
        )
    if port.type not in SCORE_TYPES:
        raise ModelError(
            f"The output {port} holds labels, no class scores ({', '.join(SCORE_TYPES)} were expected).",
            "Export the model with its probabilities or logits as an output.",
        )
    check_shape(port, outputs, port.shape)
    return port


def check_shape(port: Port, outputs: tuple[Port, ...], shape: tuple[int | str, ...] | None) -> None:
    """Raises ModelError where an output of this shape, declared or inferred, holds no class scores.

    Many exporters leave the sizes of an output open; what is inferred then says that it holds boxes or pixels.
    """
    if _may_be_scores(shape):
        return
    known = "" if shape == port.shape else f", of the shape {shape_text(shape or ())},"
    if any(other != port and other.type in SCORE_TYPES and _may_be_scores(other.shape) for other in outputs):
        hint = "Choose another with --output NAME."
    elif len(shape or ()) < 2:
        hint = (
            "Export it with both axes: (1, K) for one image; (n, 1) of a binary classifier, as unsqueeze(1) makes it."
        )
    elif sum(size != 1 for size in (shape or ())[1:]) == 1:
        hint = "Export it as (n, K): without its axes of length 1."
    else:
        hint = "onnxspec measures classifiers of whole images, not what marks boxes or pixels: export class scores."
    raise ModelError(
        f"The output {port}{known} holds no class scores; a shape (n, K) was expected: one score per class and image.",
        hint,
    )


def _may_be_scores(shape: tuple[int | str, ...] | None) -> bool:
    return shape is None or (len(shape) >= 2 and all(map(_may_be_one, shape[2:])))


def _is_row(shape: tuple[int | str, ...] | None) -> bool:
    return shape is not None and len(shape) == 1


def _may_be_one(dimension: int | str) -> bool:
    return size_of(dimension) in (None, 1)


def _port(value: onnx.ValueInfoProto, least: int = 1) -> Port:
    """The port, whose sizes below `least` are taken for open: some exporters write an open dimension as 0 or -1."""
    kind = value.type.WhichOneof("value") or "tensor_type"
    if kind != "tensor_type":
        return Port(value.name, kind.removesuffix("_type").removesuffix("_tensor"), None)
    tensor = value.type.tensor_type
    shape = tuple(_dimension(one, least) for one in tensor.shape.dim) if tensor.HasField("shape") else None
    return Port(value.name, _type_name(tensor.elem_type), shape)


def _dimension(dimension: onnx.TensorShapeProto.Dimension, least: int) -> int | str:
    fixed = dimension.HasField("dim_value") and dimension.dim_value >= least
    return dimension.dim_value if fixed else dimension.dim_param


def _type_name(elem_type: int) -> str:
    if elem_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        return "float32" if elem_type == onnx.TensorProto.FLOAT else "float64"
    try:
        return str(onnx.TensorProto.DataType.Name(elem_type)).lower()
    except ValueError:
        return f"type {elem_type}"


def classes_of(shape: tuple[int | str, ...] | None) -> int | None:
    """K of an output of shape (n, K) or (n, K, 1, 1); None where it is open."""
    return size_of(shape[1]) if shape is not None and len(shape) > 1 else None


def elements(shape: Iterable[int | str] | None) -> int | None:
    """How many elements a shape has, at most 2^63 - 1; None where any dimension is open."""
    if shape is None:
        return None
    count = 1
    for dimension in shape:  # cut off: a product over thousands of axes never ends
        size = size_of(dimension)
        if size is None:
            return None
        count = min(count * size, _MOST_ELEMENTS)
    return count
