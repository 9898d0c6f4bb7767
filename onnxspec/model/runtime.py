"""ONNX Runtime itself: what this installation can read, sessions that keep quiet, and its errors in one sentence."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as _binding

from onnxspec.errors import ModelError

if os.environ.get("ORT_DISABLE_TELEMETRY") == "1":
    onnxruntime.disable_telemetry_events()  # where somebody else has loaded it before, and on Windows

ERRORS: tuple[type[Exception], ...] = (
    *(kind for kind in vars(_binding).values() if isinstance(kind, type) and issubclass(kind, Exception)),
    RuntimeError,
    ValueError,
    MemoryError,
)
"""What ONNX Runtime raises: its own exceptions share no base class but Exception."""

CPU = "CPUExecutionProvider"
_RECORDED = "session.record_ep_graph_assignment_info"
_WEIGHTS_FOLDER = "session.model_external_initializers_file_folder_path"
# A session's own log level: errors arrive as exceptions, so nothing needs to be printed too.
_FATAL_ONLY = 4
# What ONNX Runtime's own logger starts with; it has no getter.
_WARNINGS = 2
# Beyond any release: asking for it makes ONNX Runtime name its own limit.
_TOO_NEW = 9999
# Names from the model stand in messages, at any length, and what follows takes time that grows with its square.
_LONGEST_MESSAGE = 4000
# "/src/model.cc:256 void ns::Function(types) const ", or "file.cc:12 Function " where it has no signature.
_SOURCE = re.compile(
    r"\S*\.(?:cc|h|cpp|cu):\d+ "
    r"(?:[\w:<>&*,~ ]*::[\w:<>&*,~ ]*\((?:[^()]|\([^()]*\))*\)(?: const)?(?: \[with [^\]]*\])? |(?:\w+|operator\(\)) (?=[A-Z]))?"
)
# In front of an error, and once more where a provider's error is handed on by another function; a run with bound
# buffers has words in place of it.
_CODE = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : |^Error in execution: ")
# Where a call of CUDA failed, beside what and on which GPU.
_PLACE = re.compile(r" ; (?:hostname|file|line)=[^;]*(?= ;)")


Asked = tuple[Any, Mapping[str, str]]
"""A provider by its name, or a plugin's device (`OrtEpDevice`), and the provider's options."""


@dataclass(frozen=True)
class Limits:
    """The newest IR version and default-domain opset that this ONNX Runtime reads; None where it does not say."""

    ir_version: int | None
    opset: int | None


@cache
def limits() -> Limits:
    """What the installed ONNX Runtime reads, learnt from its refusal of a model from the far future."""
    return Limits(
        _named_in_refusal(r"max supported IR version: (\d+)", ir_version=_TOO_NEW, opset=13),
        _named_in_refusal(r"domain ai\.onnx is till opset (\d+)", ir_version=8, opset=_TOO_NEW),
    )


def tiny_model(ir_version: int = 8, opset: int = 13) -> bytes:
    """A serialised model of one Relu over `x` (1, 1, 2, 2) float32, giving `y` of the same shape."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 2, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "tiny", [x], [y])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    return bytes(model.SerializeToString())


def tiny_input() -> NDArray[np.float32]:
    """An input for `tiny_model`."""
    return np.array([-1, 0, 1, 2], np.float32).reshape(1, 1, 2, 2)


def make_session(
    model: str | os.PathLike[str] | bytes,
    providers: Sequence[Asked],
    threads: int = 1,
    strict: bool = False,
    weights: Path | None = None,
    captures: bool = False,
) -> onnxruntime.InferenceSession:
    """A session on `providers` that prints nothing, never spins, and takes no configuration from the model.

    Raises one of `ERRORS`, which `sentence` puts into words, or a ModelError where the file's name is no text. A provider
    that could not start may be left out without an error: compare `get_providers()` with what was asked. `strict` refuses
    where a node would run on the CPU instead; `weights` is the folder of the external weights of a model that comes as
    bytes; `captures` says that CUDA graphs are captured.
    """
    if not isinstance(model, bytes):
        _require_text(os.fspath(model))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = _FATAL_ONLY
    # Idle threads that spin take the cores from the threads that work (performance.md).
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # A run asks for all its memory in one piece, and does with many where there is none that large: but asking for it
    # while a graph is captured ends the capture.
    options.enable_mem_pattern = not captures
    # With this set, a model configures the session that runs it; ONNX Runtime has no other switch that wins over it.
    os.environ.pop("ORT_LOAD_CONFIG_FROM_MODEL", None)
    if weights is not None:
        options.add_session_config_entry(_WEIGHTS_FOLDER, str(weights))
    options.add_session_config_entry(_RECORDED, "1")
    if strict:
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    named = [(one, dict(settings)) for one, settings in providers if isinstance(one, str)]
    for device, settings in providers:
        if not isinstance(device, str):
            options.add_provider_for_devices([device], dict(settings))
    with quiet():
        return onnxruntime.InferenceSession(
            model,
            options,
            providers=named or None,
            enable_fallback=0,  # the fallback prints to stdout and goes on with another provider
        )


def nodes_on_cpu(session: onnxruntime.InferenceSession) -> tuple[int, int] | None:
    """How many of a session's nodes, once optimised, its CPU provider runs, and how many there are.

    None where ONNX Runtime does not say, as before 1.24.
    """
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None:
        return None
    places = [part.ep_name for part in ask() for _ in part.get_nodes()]
    return places.count(CPU), len(places)


def shrinking() -> onnxruntime.RunOptions:
    """For a run after which the CPU's arena gives back whatever is not in use."""
    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


@contextmanager
def quiet() -> Iterator[None]:
    """Silences the logger of the whole process, to which providers talk past a session's own level."""
    onnxruntime.set_default_logger_severity(_FATAL_ONLY)
    try:
        yield
    finally:
        onnxruntime.set_default_logger_severity(_WARNINGS)


def sentence(error: BaseException) -> str:
    """The essential sentence of an ONNX Runtime error, without codes, C++ signatures and source lines."""
    text = " ".join(str(error)[:_LONGEST_MESSAGE].split())
    text = _CODE.sub("", text)
    text = re.sub(r"^Load model from .*? failed:", "", text)
    # What a node reads and makes stands before the error itself, which would be cut off where there is much of it.
    values, mark, said = text.rpartition(") , Error ")
    text = f"{values.partition(' : (')[0]}: {said}" if mark else text
    text = _PLACE.sub("", _SOURCE.sub("", text))
    text = text.replace("Status Message: ", "").strip(" ;")
    text = text[:300] + ("..." if len(text) > 300 else "") if text else type(error).__name__
    return text if text.endswith((".", "!")) else f"{text}."


def _require_text(name: str) -> None:
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ModelError(f"The name {name!r} is no UTF-8, and ONNX Runtime takes no other.", "Rename it.") from None


def _named_in_refusal(pattern: str, ir_version: int, opset: int) -> int | None:
    try:
        make_session(tiny_model(ir_version, opset), [(CPU, {})])
    except ERRORS as error:
        found = re.search(pattern, str(error))
        return int(found.group(1)) if found else None
    return None
