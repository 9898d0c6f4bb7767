"""What `onnxspec inspect` answers: the file, what would run it, what it carries, and the verdict."""

import os
from dataclasses import dataclass
from typing import Any

from onnxspec.errors import DeviceError, ModelError, OnnxspecError, ResourceError
from onnxspec.images import presets, processors
from onnxspec.images.preprocess import Preprocess
from onnxspec.model import machine, metadata, providers
from onnxspec.model.inspection import ModelInfo, inspect
from onnxspec.model.machine import size_text
from onnxspec.model.memory import SMALLEST_BATCH
from onnxspec.model.metadata import Stamp
from onnxspec.model.ports import Port
from onnxspec.model.providers import Choice
from onnxspec.model.session import start_session

_SHOWN_CLASSES = 6
_SHOWN_CHARACTERS = 200
_OPEN_SIZE = "depends on the size of the images, which the model leaves open"


@dataclass(frozen=True)
class Summary:
    """`providers` holds for each provider why it would not run the model ("" where it runs it)."""

    info: ModelInfo
    providers: tuple[tuple[str, str], ...]
    preprocess: Preprocess | None
    stamp: Stamp
    problems: tuple[str, ...]

    @property
    def path(self) -> str:
        return os.fspath(self.info.path)

    @property
    def can_be_analysed(self) -> bool:
        return not self.problems

    def rows(self) -> list[tuple[str, str]]:
        """Name and value, for people."""
        info = self.info
        rows = [
            ("file", f"{_bytes(info.size)}, IR version {info.ir_version}, {_opsets(info)}"),
            ("producer", info.producer or "not said"),
            *(("input", _marked(port, info.input)) for port in info.inputs),
            *(("output", _marked(port, info.output)) for port in info.outputs),
            ("layout", _layout(info)),
            ("batch", "open" if info.fixed_batch is None else f"fixed at {info.fixed_batch}"),
            ("scores", _scores(info)),
            *(
                (("precision", f"values are rounded to {info.spec.inside} inside"),)
                if info.spec and info.spec.inside
                else ()
            ),
            ("parameters", f"{info.cost.parameters:,}"),
            ("FLOPs", _flops(info)),
            ("memory", _memory(info)),
            *(("weights", f"{file.location!r}, {_present(file.size)}") for file in info.external),
            *(("runs on", f"{name}: {f'no: {problem}' if problem else 'yes'}") for name, problem in self.providers),
            ("preprocess", "not said; see --preprocess" if self.preprocess is None else str(self.preprocess)),
            ("classes", _classes(self.stamp, self.info.classes)),
        ]
        stamped = (metadata.PREPROCESS_KEY, metadata.CLASSES_KEY)
        return rows + [("metadata", _cut(f"{key}: {value}")) for key, value in info.metadata if key not in stamped]

    def as_dict(self) -> dict[str, Any]:
        """The same, JSON-ready."""
        info, spec = self.info, self.info.spec
        return {
            "path": self.path,
            "bytes": info.size,
            "ir_version": info.ir_version,
            "opsets": dict(info.opsets),
            "producer": info.producer,
            "inputs": [_port(port) for port in info.inputs],
            "outputs": [_port(port) for port in info.outputs],
            "input": info.input and info.input.name,
            "output": info.output and info.output.name,
            "layout": spec and spec.layout,
            "layout_reason": info.layout_reason,
            "dtype": spec and spec.dtype.name,
            "coarsest": spec and spec.coarsest,
            "fixed_batch": info.fixed_batch,
            "classes": info.classes,
            "final_operator": info.final_op,
            "parameters": info.cost.parameters,
            "flops": info.cost.flops,
            "flops_partial": info.cost.partial,
            "memory": info.memory.total(info.fixed_batch or SMALLEST_BATCH),
            "external_data": [{"location": file.location, "bytes": file.size} for file in info.external],
            "providers": {name: problem or None for name, problem in self.providers},
            "preprocess": self.preprocess and self.preprocess.as_dict(),
            "class_names": self.stamp.classes,
            "metadata": dict(info.metadata),
            "can_be_analysed": self.can_be_analysed,
            "problems": list(self.problems),
        }


def summarise(path: str | os.PathLike[str], input: str | None = None, output: str | None = None) -> Summary:
    """Read and try the ONNX file at `path`; raises as `inspection.inspect` does, everything else is in `problems`."""
    info = inspect(path, input, output)
    problems: list[OnnxspecError] = [*info.problems, *_too_large(info)]
    startable = not problems
    stamp, preprocess = Stamp(), None
    try:
        stamp = metadata.of(info.metadata, info.path)
        preprocess = _preprocess(info, stamp)
    except OnnxspecError as problem:
        problems.append(problem)
    tried = [(choice.provider, _problem(info, choice)) for choice in _choices()] if startable else []
    problems += [problem for provider, problem in tried if provider == providers.CPU and problem is not None]
    runs_on = tuple((provider, str(problem or "")) for provider, problem in tried)
    return Summary(info, runs_on, preprocess, stamp, tuple(map(str, problems)))


def _too_large(info: ModelInfo) -> list[ResourceError]:
    try:
        info.memory.require(machine.limit())
    except ResourceError as problem:
        return [problem]
    return []


def _choices() -> tuple[Choice, ...]:
    return Choice(providers.CPU, "cpu", ""), providers.cuda_choice()


def _problem(info: ModelInfo, choice: Choice) -> OnnxspecError | None:
    if (problem := providers.obstacle(choice)) is not None:
        return problem
    try:
        start_session(info, choice)
    except (ModelError, DeviceError, ResourceError) as problem:
        return problem
    return None


def _preprocess(info: ModelInfo, stamp: Stamp) -> Preprocess | None:
    found = processors.beside(info.path)
    return presets.from_metadata(stamp.preprocess_json) if found is None and stamp.preprocess_json else found


def _marked(port: Port, chosen: Port | None) -> str:
    return str(port) if port == chosen else f"{port} (not used)"


def _layout(info: ModelInfo) -> str:
    return "not known" if info.spec is None else f"{info.spec.layout} ({info.layout_reason})"


def _scores(info: ModelInfo) -> str:
    if info.output is None and len(info.outputs) > 1:
        return "not settled which output they are: name it with --output"
    width = "an open number of columns" if info.classes is None else f"{info.classes} columns"
    width = "1 column, read as a binary classifier's" if info.classes == 1 else width
    return f"{width}, from {info.final_op}" if info.final_op else width


def _open_size(info: ModelInfo) -> bool:
    spec = info.spec
    return spec is not None and spec.layout != "flat" and (spec.height is None or spec.width is None)


def _memory(info: ModelInfo) -> str:
    images = info.fixed_batch or SMALLEST_BATCH
    least = f"at least {size_text(info.memory.total(images))}"
    return f"{least}; {_OPEN_SIZE}" if _open_size(info) else f"{least} for a batch of {images}"


def _flops(info: ModelInfo) -> str:
    if info.cost.flops is None:
        return "not known"
    if _open_size(info):
        return _OPEN_SIZE
    more = "; more for layers that are not counted" if info.cost.partial else ""
    return f"{_short(info.cost.flops)} for an image{more}"


def _opsets(info: ModelInfo) -> str:
    return ", ".join(f"opset {version}" if name == "ai.onnx" else f"{name} {version}" for name, version in info.opsets)


def _classes(stamp: Stamp, columns: int | None) -> str:
    if stamp.classes is None:
        return "not named; see --classes"
    rest = ", ..." if len(stamp.classes) > _SHOWN_CLASSES else ""
    listed = f"{len(stamp.classes)}: {', '.join(stamp.classes[:_SHOWN_CLASSES])}{rest}"
    outputs = max(columns or 0, 2)
    return listed if columns is None or len(stamp.classes) == outputs else f"{listed}; not used: {outputs} are needed"


def _port(port: Port) -> dict[str, Any]:
    return {"name": port.name, "type": port.type, "shape": None if port.shape is None else list(port.shape)}


def _present(size: int | None) -> str:
    return "missing" if size is None else _bytes(size)


def _bytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= 1e6 else f"{count / 1e3:,.1f} kB"


def _short(count: int) -> str:
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g} {unit}FLOP"
    return f"{count} FLOP"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
