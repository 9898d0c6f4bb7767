"""An ONNX classifier that runs: images (n, ...) in, scores (n, K) out, on the provider that was asked for."""

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from onnxspec.errors import DeviceError, ModelError, OnnxspecError, ResourceError
from onnxspec.images.inputspec import InputSpec
from onnxspec.model import devices, external, machine, metadata, onnxfile, outputs, runtime
from onnxspec.model.alone import alone
from onnxspec.model.fingerprint import Fingerprint, changed
from onnxspec.model.inspection import ModelInfo, inspect
from onnxspec.model.outputs import Scores
from onnxspec.model.ports import Port, shape_text, size_of
from onnxspec.model.protocol import Classifier
from onnxspec.model.providers import CPU, Choice
from onnxspec.model.spread import Spread

Result = TypeVar("Result")

IN_FLIGHT = 2
"""Batches at a time on a device: one is copied while the other is computed."""
_OPEN_SIDE = 224
_NO_OPERATOR = "No Op registered for"
_NO_KERNEL = ("Could not find an implementation for", "Type Error: Type 'tensor(")
_OLDEST_OPSET = 7
"""Of those that ONNX Runtime promises to run; of older ones it runs what has not changed since."""
_OUT_OF_MEMORY = (
    *("Failed to allocate memory", "out of memory", "bad allocation", "bad_alloc", "Available memory of"),
    *("ALLOC_FAILED", "ALLOCATION_FAILED"),
    # WebGPU's: a buffer may be no larger than the device says; one that could not be had is found out when it is used.
    *("exceeds the max buffer size limit", "maximum storage buffer binding size", "[Invalid Buffer"),
)


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """A session for each device and what is known of its model; a `protocol.Classifier`. Made by `OnnxModel.open`.

    threads : ONNX Runtime's own inside one `run`
    nodes_on_cpu : how many nodes a device leaves to the CPU, and how many there are; None where that is not known
    """

    info: ModelInfo
    spec: InputSpec
    choices: tuple[Choice, ...]
    sessions: Spread[onnxruntime.InferenceSession]
    fingerprint: Fingerprint
    limit: machine.Limit
    threads: int = 1
    nodes_on_cpu: tuple[int, int] | None = None

    threads_allowed = True

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        device: str = "auto",
        tf32: bool = False,
        input: str | None = None,
        output: str | None = None,
        max_memory: int | None = None,
    ) -> "OnnxModel":
        """Load the ONNX classifier at `path`; `run` takes one of ONNX Runtime's threads, to suit several of Python's.

        Parameters
        ----------
        device, tf32 : see `devices.choose`
        input, output : names, where the model has several
        max_memory : bytes that it may take; None takes what the machine offers

        Raises
        ------
        ModelError
            The file cannot be analysed, ONNX Runtime refuses it, or it changes while it is opened.
        ResourceError
            It takes more memory than there is.
        DeviceError
            The device that was asked for does not run here.
        UsageError
            An unknown device, input or output.
        """
        info = inspect(path, input, output)
        info.check()
        assert info.spec is not None, "check() lets no model without an image input pass"
        limit = machine.limit(max_memory)
        info.memory.require(limit)
        choices = devices.choose(device, tf32)
        fingerprint = Fingerprint.of(info.files)
        if fingerprint.hashes[0] != info.sha256:
            raise changed(path, "opened")
        sessions = _sessions(info, choices, 1)
        # Asked now: later on they may be let go of, for want of memory.
        nodes = None if choices[0].provider == CPU else runtime.nodes_on_cpu(sessions.start()[0])
        model = cls(info, info.spec, choices, sessions, fingerprint, limit, nodes_on_cpu=nodes)
        model.require_unchanged()
        return model

    @property
    def stamp(self) -> metadata.Stamp:
        """What its file, or one beside it, says of preprocessing and classes; raises ModelError as `metadata.of`."""
        return metadata.of(self.info.metadata, self.info.path)

    def graph(self) -> tuple[onnx.ModelProto, Path | None]:
        """What is in its file, and the folder of its external weights; raises ModelError where that has changed."""
        content = onnxfile.read(self.info.path)
        if hashlib.sha256(content).hexdigest() != self.info.sha256:
            raise changed(self.info.path, "in use")
        proto = onnxfile.parse(content, self.info.path)
        return proto, external.relocate(proto, self.info.external)

    def with_threads(self, threads: int) -> "OnnxModel":
        """The same model with `threads` of ONNX Runtime's own threads inside one `run`: for very small networks."""
        self.require_unchanged()
        model = replace(self, sessions=_sessions(self.info, self.choices, threads), threads=threads)
        self.require_unchanged()
        return model

    def renew(self) -> None:
        """Gives back what a device's memory is full of, which an arena never does: the next batch finds new sessions."""
        if self.provider != CPU:
            alone(self.choices[0], self.sessions.renew().clear)

    def trim(self, batch: NDArray[Any]) -> None:
        """Gives back what the CPU's arena holds beyond what it takes to run such a batch, as of `run`."""
        if self.provider == CPU:
            self._run(self._as_input(batch), len(batch), runtime.shrinking())

    def affordable(self, images: int, workers: int) -> int:
        """How many of `images` in a batch, of which as many as there are workers run at a time, memory allows.

        A device's own memory is not known: there the batch is halved when it runs out.
        """
        return self.info.memory.affordable(self.limit, images, workers) if self.provider == CPU else images

    def require_unchanged(self) -> None:
        """Raises ModelError where the model's files are no longer those that the session was made from.

        To be asked when the work is done, before `digest` is written beside its results. Costs a look at each file's
        times, as a rule; see `Fingerprint.require_unchanged` for when a file is read again.
        """
        self.fingerprint.require_unchanged()

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.info.path.stem

    @property
    def in_flight(self) -> int:
        """Batches that keep its devices busy; 0 on the CPU, where that is a matter of cores."""
        return 0 if self.provider == CPU else IN_FLIGHT * len(self.choices)

    @property
    def image_port(self) -> Port:
        """The input that takes the images."""
        assert self.info.input is not None, "open() lets no model without one pass"
        return self.info.input

    @property
    def scores_port(self) -> Port:
        """The output that gives the scores."""
        assert self.info.output is not None, "open() lets no model without one pass"
        return self.info.output

    @property
    def fixed_batch(self) -> int | None:
        """The batch size that the file fixes; `run` pads and splits to it."""
        return self.info.fixed_batch

    @property
    def final_op(self) -> str:
        """The operator that makes the scores, for `outputs.detect`."""
        return self.info.final_op

    @property
    def provider(self) -> str:
        """The execution provider that runs the model; `start_session` takes no other."""
        return self.choices[0].provider

    @property
    def device_note(self) -> str:
        """The devices, why they were taken, and what they leave to the CPU, for people."""
        reason = self.choices[0].reason.rstrip(".")
        if self.nodes_on_cpu is not None and self.nodes_on_cpu[0]:
            reason += "; {:,} of {:,} nodes run on the CPU".format(*self.nodes_on_cpu)
        return f"{', '.join(choice.device for choice in self.choices)} ({reason})"

    @cached_property
    def outputs(self) -> int | None:
        """K: from the file, else from one run on zeros; None where only real images can tell."""
        if self.info.classes is not None:
            return self.info.classes
        shape = [size_of(d) for d in self.image_port.shape or ("",) * 4]
        trial = [d or (3 if axis == self._channel_axis else _OPEN_SIDE) for axis, d in enumerate(shape)]
        try:
            return self.run(np.zeros((1, *trial[1:]), self.spec.dtype)).shape[1]
        except ModelError:
            return None

    @property
    def digest(self) -> str:
        """SHA-256 of what the session was made from (`Fingerprint.digest`)."""
        return self.fingerprint.digest

    def run(self, batch: NDArray[Any]) -> Scores:
        """Scores of a batch; several threads may call this at once.

        Parameters
        ----------
        batch : (n, ...) laid out as `spec` says, n >= 1, any real dtype; rounded to 0..255 for one of whole numbers

        Returns
        -------
        (n, K) float32, or float64 where the model computes so; the bits do not depend on n >= 2 on the CPU provider

        Raises
        ------
        ModelError
            The batch has another shape than the model takes, or ONNX Runtime fails on it.
        ResourceError
            Memory ran out, on the host or on the device.
        """
        images = self._as_input(batch)
        self._check_shape(images)
        size = self.fixed_batch
        if size is None:
            return self._run(images, len(images))
        parts = (images[start : start + size] for start in range(0, len(images), size))
        return np.concatenate([self._run(padded(part, size), size)[: len(part)] for part in parts])

    @property
    def _channel_axis(self) -> int:
        return 3 if self.spec.layout == "NHWC" else 1

    def _run(self, images: NDArray[Any], count: int, options: onnxruntime.RunOptions | None = None) -> Scores:
        feed = {self.image_port.name: images} | self.fillers(count)
        with self.sessions.one() as session:
            run = partial(session.run, [self.scores_port.name], feed, options)
            found = result_or_problem(partial(alone, self.choices[0], run), count, self.spec)
            # Whoever waits for its memory makes another as soon as this block is left.
            del session, run
        if isinstance(found, OnnxspecError):
            raise found
        return outputs.squeeze(found[0], count)

    def fillers(self, count: int) -> dict[str, NDArray[Any]]:
        """Zeros, by name, for inputs that the scores do not depend on (inspection refuses the others): they must be fed."""
        return {
            port.name: np.zeros(
                [size_of(d) or (1 if axis else count) for axis, d in enumerate(port.shape or ())], port.type
            )
            for port in self.info.inputs
            if port.name != self.image_port.name
        }

    def _as_input(self, batch: NDArray[Any]) -> NDArray[Any]:
        return np.ascontiguousarray(self.spec.cast(batch))

    def _check_shape(self, images: NDArray[Any]) -> None:
        expected = self.image_port.shape
        if expected is None:
            return
        fits = len(expected) == images.ndim and all(
            size_of(d) in (None, length) for d, length in zip(expected[1:], images.shape[1:], strict=True)
        )
        if not fits:
            raise ModelError(
                f"The model's input {self.image_port.name!r} takes {shape_text(expected)}; "
                f"it was given {shape_text(images.shape)}.",
                "Check the preprocessing: size, channels and layout.",
            )


def computed_by(model: Classifier) -> str:
    """What may decide bits: the provider; of a plugin, which runs on devices of several kinds, which version and where."""
    plugin = model.choices[0].plugin if isinstance(model, OnnxModel) else ""
    return f"{model.provider} {plugin}".rstrip()


def start_session(
    info: ModelInfo, choice: Choice, threads: int = 1, content: bytes | None = None, weights: Path | None = None
) -> onnxruntime.InferenceSession:
    """A session for the model on the chosen provider and no other; raises as `OnnxModel.open` does.

    content, weights : what is run in place of the model's file, and the folder of its external weights
    """
    try:
        what, asked = info.path if content is None else content, choice.session_providers
        session = runtime.make_session(what, asked, threads, weights=weights, captures=choice.captures)
    except runtime.ERRORS as error:
        raise _load_error(error, info) from None
    if session.get_providers()[0] != choice.provider:
        raise DeviceError(
            f"{choice.provider} was asked for and ONNX Runtime took {session.get_providers()[0]}.",
            "See `onnxspec doctor`; or use --device cpu.",
        )
    return session


def _sessions(info: ModelInfo, choices: Sequence[Choice], threads: int) -> Spread[onnxruntime.InferenceSession]:
    makers = [partial(alone, one, partial(start_session, info, one.without_graphs, threads)) for one in choices]
    sessions = Spread(makers, None if choices[0].provider == CPU else IN_FLIGHT)
    sessions.start()
    return sessions


def _load_error(error: Exception, info: ModelInfo) -> ModelError | ResourceError:
    if _is_out_of_memory(error):
        return ResourceError(
            f"Memory ran out while {info.path} was loaded: {runtime.sentence(error)}",
            "Use a machine, or a device, with more memory.",
        )
    refused = f"ONNX Runtime {onnxruntime.__version__} refuses {info.path}: {runtime.sentence(error)}"
    if _NO_OPERATOR in str(error):
        hint = (
            "Export the model with standard operators; Keras's layers that augment images have none: leave these out."
        )
    # The checker would find nothing wrong with these: ONNX has more types and versions than the runtime has kernels.
    elif not any(sign in str(error) for sign in _NO_KERNEL):
        hint = "Check the export: onnx.checker.check_model(path, full_check=True)."
    elif (opset := dict(info.opsets).get("ai.onnx", _OLDEST_OPSET)) < _OLDEST_OPSET:
        hint = f"Opset {opset} is too old for it: convert the model with onnx.version_converter.convert_version(model, 13)."
    else:
        hint = "It has no such operator for this type of numbers: export the model in float32 (PyTorch: model.float())."
    return ModelError(refused, hint)


def result_or_problem(run: Callable[[], Result], count: int, spec: InputSpec) -> Result | ModelError | ResourceError:
    """What a run gives, or as `run_error` what is wrong with it.

    No error is left, which would hold on to what has failed: to a session, and with it to a device's memory.
    """
    try:
        return run()
    except runtime.ERRORS as error:
        return run_error(error, count, spec)


def run_error(error: Exception, count: int, spec: InputSpec) -> ModelError | ResourceError:
    """What ONNX Runtime says of a batch of `count` images, in words; `spec` as the model's file has it."""
    if _is_out_of_memory(error):
        if count == 1:
            return ResourceError("Memory ran out on one image.", "Use fewer --threads, or a machine with more memory.")
        return ResourceError(f"Memory ran out on a batch of {count} images.", "Use a smaller --batch.")
    hints = []
    if spec.layout != "flat" and (spec.height is None or spec.width is None):
        hints.append(
            "The file leaves the size of the images open; if the network takes one size only, say it: "
            "--preprocess 'resize=SHORT_SIDE;crop=HEIGHT,WIDTH'."
        )
    if count > 1:
        hints.append(
            "If it runs on one image, a batch size is built into its graph: export it with an open batch dimension."
        )
    return ModelError(f"The model fails on a batch of {count} images: {runtime.sentence(error)}", " ".join(hints))


def _is_out_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or any(sign in str(error) for sign in _OUT_OF_MEMORY)


def padded(batch: NDArray[Any], size: int) -> NDArray[Any]:
    """A batch of at least `size` images: the last one again, since whatever the model does, it does to values it knows."""
    return batch if len(batch) >= size else np.concatenate([batch, np.repeat(batch[-1:], size - len(batch), axis=0)])
