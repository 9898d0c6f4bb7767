"""What an ONNX file holds, read without running it, and whether onnxspec can analyse it."""

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import onnx

from onnxspec import interruption
from onnxspec.errors import ModelError
from onnxspec.images.inputspec import InputSpec
from onnxspec.model import contents, cost, external, hazards, layout, memory, onnxfile, ports, runtime, stored
from onnxspec.model.cost import Cost
from onnxspec.model.external import ExternalFile
from onnxspec.model.memory import Footprint
from onnxspec.model.narrowing import narrowed_to
from onnxspec.model.ports import Port

# The default opset and those that ONNX Runtime's own build brings.
_KNOWN_DOMAINS = {
    *(*contents.STANDARD, "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training"),
    *("com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"),
}
# Operators that pass scores on as they are, so that the one in front of them says what the scores mean.
_PASSING = {
    *("Identity", "Cast", "Dropout", "QuantizeLinear", "DequantizeLinear"),
    *("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose"),
}
_OTHERS = "Choose others with --input NAME or --output NAME, or export the model anew."
# What these give has lost which class is which: a number of them, in an order that every image has for itself.
_RANKING = {"TopK": "the largest scores in their order", "ArgMax": "labels", "ArgMin": "labels"}
_EXTREMES = {"ReduceMax": "the greatest", "ReduceMin": "the least"}
# What makes a score per class; of Sigmoid or Concat one may want to know whether any of the columns is high.
_SCORING = {"Softmax", "LogSoftmax", "Add", "Gemm", "MatMul", "Conv", "FusedGemm", "FusedMatMul", "FusedConv"}
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class ModelInfo:
    """What a file of `size` bytes with the hash `sha256` says of itself.

    `input`, `output`, `spec` are None where none could be chosen; `classes` is K, None where it is open; `final_op` is
    the operator that makes the scores; `training` whether it normalises by the statistics of the batch it is given, as
    networks do while they are trained; `memory` what it takes at least; `problems` says why the model cannot be
    analysed (empty: it can).
    """

    path: Path
    size: int
    sha256: str
    ir_version: int
    opsets: tuple[tuple[str, int], ...]
    producer: str
    metadata: tuple[tuple[str, str], ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    input: Port | None
    output: Port | None
    spec: InputSpec | None
    layout_reason: str
    classes: int | None
    final_op: str
    training: bool
    memory: Footprint
    cost: Cost
    external: tuple[ExternalFile, ...]
    problems: tuple[ModelError, ...]

    @property
    def fixed_batch(self) -> int | None:
        """The batch size that the file fixes; None where the batch is open."""
        return None if self.input is None else self.input.batch

    @property
    def files(self) -> dict[str, Path]:
        """The file itself, then its external weights, by the names that the model gives them."""
        return {self.path.name: self.path} | {file.location: file.path for file in self.external}

    def check(self) -> None:
        """Raises the first of `problems`, a ModelError; none where the model can be analysed."""
        for problem in self.problems:
            raise problem


def inspect(path: str | os.PathLike[str], input: str | None = None, output: str | None = None) -> ModelInfo:
    """Read the ONNX file at `path`; `input` and `output` choose among several by name.

    What keeps onnxspec from analysing the model is collected in `problems`, so that the rest can still be shown.

    Raises
    ------
    ModelError
        The file is not ONNX, damaged, too large, has weights outside its folder, or would bring native code down.
    UsageError
        `input` or `output` names none of the model's.
    """
    with interruption.limited_to_reading(path):
        return _inspected(Path(path), input, output)


def _inspected(path: Path, input: str | None, output: str | None) -> ModelInfo:
    content = onnxfile.read(path)
    proto = onnxfile.parse(content, path)
    stored.check(proto)
    hazards.check(proto)
    files = external.external_files(proto, path)
    problems: list[ModelError] = []
    for check in (lambda: external.check(files), lambda: _check_versions(proto), lambda: _check_domains(proto)):
        _collect(problems, check)
    inputs, outputs = ports.inputs_of(proto.graph), ports.outputs_of(proto.graph)
    image = _collect(problems, lambda: ports.choose_input(inputs, input))
    scores = _collect(problems, lambda: ports.choose_output(outputs, output))
    if image is not None and scores is not None:
        _collect(problems, lambda: _check_other_inputs(proto.graph, inputs, image, scores))
    if image is not None:
        _collect(problems, lambda: _check_pixels(proto.graph, image))
    spec, reason = (None, "") if image is None else layout.detect(image, proto.graph)
    spec = spec and replace(spec, inside=narrowed_to(proto))
    final_op = "" if scores is None else _maker(proto.graph, scores.name).op_type
    if scores is not None:
        _collect(problems, lambda: _check_order(scores, final_op))
    values = cost.infer(proto, image or (inputs[0] if inputs else Port("", "", None)))
    if scores is not None:
        _collect(problems, lambda: _check_extreme(scores, proto.graph, values.shapes))
        _collect(problems, lambda: ports.check_shape(scores, outputs, values.shapes.get(scores.name)))
    return ModelInfo(
        path=path,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        ir_version=proto.ir_version,
        opsets=tuple((opset.domain or "ai.onnx", opset.version) for opset in proto.opset_import),
        producer=f"{proto.producer_name} {proto.producer_version}".strip(),
        metadata=tuple((entry.key, entry.value) for entry in proto.metadata_props),
        inputs=inputs,
        outputs=outputs,
        input=image,
        output=scores,
        spec=spec,
        layout_reason=reason,
        classes=None if scores is None else ports.classes_of(values.shapes.get(scores.name, scores.shape)),
        final_op=final_op,
        training=_is_training(proto),
        memory=memory.footprint(proto, values, image),
        cost=cost.estimate(proto, values.shapes, (image and image.batch) or 1),
        external=files,
        problems=tuple(problems),
    )


def _collect(problems: list[ModelError], check: Callable[[], _Result]) -> _Result | None:
    try:
        return check()
    except ModelError as problem:
        problems.append(problem)
        return None


def _check_versions(proto: onnx.ModelProto) -> None:
    limits = runtime.limits()
    opset = contents.standard_opset(proto)
    newer = "Install a newer onnxruntime, or export the model again with a lower"
    if limits.ir_version is not None and proto.ir_version > limits.ir_version:
        raise ModelError(
            f"The file has IR version {proto.ir_version}; the installed ONNX Runtime reads up to {limits.ir_version}.",
            f"{newer} one: set model.ir_version = {limits.ir_version} and save it.",
        )
    if limits.opset is not None and opset is not None and opset > limits.opset:
        raise ModelError(
            f"The file uses opset {opset}; the installed ONNX Runtime reads up to {limits.opset}.",
            f"{newer} opset.",
        )


def _check_domains(proto: onnx.ModelProto) -> None:
    known = _KNOWN_DOMAINS | {function.domain for function in proto.functions}
    operators = sorted({f"{n.domain}:{n.op_type}" for n in contents.all_nodes(proto) if n.domain not in known})
    if operators:
        raise ModelError(
            f"The model needs custom operators: {', '.join(map(ports.quoted, operators[:5]))}.",
            "onnxspec loads no operator libraries: export the model with standard operators.",
        )


def _check_pixels(graph: onnx.GraphProto, image: Port) -> None:
    """Numbers of words have the type and the shape of flattened pixels; what is done with them tells."""
    if image.type not in ports.WIDE_TYPES or len(image.shape or ()) != 2:
        return
    for node, value in layout.first_layers(image.name, graph):
        if node.op_type == "Gather" and contents.first(node.input) != value:
            raise ModelError(
                f"The input {image} chooses rows of a table (it goes into a Gather): it holds words, say, and no pixels.",
                _OTHERS,
            )


def _check_other_inputs(graph: onnx.GraphProto, inputs: tuple[Port, ...], image: Port, scores: Port) -> None:
    """Inputs beside the images are fed zeros, which is right only where the scores do not depend on them."""
    needed = _ancestors(graph, scores.name)
    others = [port for port in inputs if port.name != image.name]
    others = [port for port in others if port.name in needed or port.type not in ports.FILLED_TYPES]
    if others:
        raise ModelError(
            f"The output {scores.name!r} needs more than images: {'; '.join(map(str, others))}.",
            "Export the model with these fixed, as constants: where it compares images with texts, with the texts' embeddings.",
        )
    if image.name not in needed:
        raise ModelError(f"The output {scores.name!r} does not depend on the input {image.name!r}.", _OTHERS)


def _is_training(proto: onnx.ModelProto) -> bool:
    """In every opset it is in training mode alone that a BatchNormalization gives statistics beside its result."""
    return any(node.op_type == "BatchNormalization" and len(node.output) > 1 for node in contents.all_nodes(proto))


def _producers(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """The node that makes each value."""
    return {value: node for node in graph.node for value in node.output}


def _check_order(scores: Port, final_op: str) -> None:
    if final_op in _RANKING:
        raise ModelError(
            f"The output {scores} holds {_RANKING[final_op]} (it ends in {final_op}); one score per class, always in the "
            "order of the classes, was expected.",
            f"Export the model with what goes into its {final_op} as an output.",
        )


def _check_extreme(scores: Port, graph: onnx.GraphProto, shapes: Mapping[str, tuple[int | str, ...]]) -> None:
    """One column is a binary classifier's, also as a maximum over places of the image, but not as one over classes."""
    node = _maker(graph, scores.name)
    if node.op_type not in _EXTREMES or ports.classes_of(shapes.get(scores.name, scores.shape)) != 1:
        return
    inner = _maker(graph, contents.first(node.input))
    shape = shapes.get(contents.first(inner.output), ())
    classes = ports.classes_of(shape) or 1
    if inner.op_type in _SCORING and classes > 1 and shape[2:] in ((), (1, 1)):
        raise ModelError(
            f"The output {scores} holds {_EXTREMES[node.op_type]} of {classes} scores (it ends in {node.op_type}) and not "
            "that of any one class; one score per class was expected.",
            f"Export the model with what goes into its {node.op_type} as an output.",
        )


def _ancestors(graph: onnx.GraphProto, name: str) -> set[str]:
    """The values that a value is made of, itself included."""
    producers = _producers(graph)
    waiting, seen = [name], {name}
    while waiting:
        node = producers.get(waiting.pop())
        fresh = set(_values_read(node)) - seen if node is not None else set()
        seen |= fresh
        waiting.extend(fresh)
    return seen


def _values_read(node: onnx.NodeProto) -> list[str]:
    """The values a node reads, those that its inner graphs take from outside included."""
    inner = contents.inner_graphs(node)
    return [*node.input, *(value for graph in inner for below in graph.node for value in _values_read(below))]


def _maker(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    """The node that decides what a value means; one without an operator where none makes it."""
    producers, none = _producers(graph), onnx.NodeProto()
    node = producers.pop(name, none)
    while node.op_type in _PASSING:
        node = producers.pop(contents.first(node.input), none)  # popped, since a damaged graph may go in circles
    return node
