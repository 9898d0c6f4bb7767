"""What a worker of a cluster does: it opens what is measured, once, and then does the work on items that it is sent.

Everything here but `pickled` runs on the worker. What it needs for many items it was lent beforehand, as
bytes by name (`cluster`), and what it has made of that stays until it is given back.
"""

import io
import pickle
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import PIL
import scipy

from onnxspec import __version__
from onnxspec.engine.local import LocalEngine
from onnxspec.engine.way import Pixels, Way
from onnxspec.errors import DeviceError, OnnxspecError, ResourceError

SECONDS_BETWEEN_NEWS = 0.5
VERSIONS = {
    "onnxspec": __version__,
    "ONNX Runtime": onnxruntime.__version__,
    "NumPy": np.__version__,
    "SciPy": scipy.__version__,
    "Pillow": PIL.__version__,
}
"""Of all that decides a row's bits: pixels, outputs, spectra."""


@dataclass(frozen=True)
class Refusal:
    """An error that would come again on any worker."""

    error: OnnxspecError


_LOCK = threading.Lock()


def _made(worker: Any, name: str, make: Callable[[bytes], Any]) -> Any:
    """What a worker has made of a loan; made once, whichever thread comes first."""
    with _LOCK:
        made = worker.__dict__.setdefault("onnxspec_made", {})
        if name not in made:
            made[name] = make(worker.onnxspec_lent[name])
        return made[name]


@dataclass
class News:
    """Tells how many images were evaluated, not too often."""

    tell: Callable[[int], None]
    _waiting: int = 0
    _told: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, images: int, now: bool = False) -> None:
        """So many more; `now` tells at once."""
        with self._lock:
            self._waiting += images
            now = now or time.monotonic() - self._told > SECONDS_BETWEEN_NEWS
            if not (now and self._waiting):
                return
            told, self._waiting, self._told = self._waiting, 0, time.monotonic()
        self.tell(told)


class _Opened:
    """An engine at work, how it tells of that, and the folder that it needs."""

    def __init__(self, way: Way, tell: Callable[[int], None]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="onnxspec-", ignore_cleanup_errors=True)
        self._form = way.path_form
        self.news = News(tell)
        self.engine = way.opened(Path(self._folder.name), self.news.add)

    def ready(self, images: np.ndarray) -> None:
        """Forms paths where they are to be formed; tried on some images, which must be there."""
        with _LOCK:
            if self.engine.path_form != self._form and (reason := self.engine.form_in_graph("on", images.tolist())):
                raise DeviceError(
                    f"Paths cannot be formed in the model's graph here: {reason}", "Use --path-graph off."
                )


def present() -> None:
    """Nothing: a worker that can be asked has what the others here need."""


def serve(
    versions: Mapping[str, str], way: str, work: str, item: Any, images: np.ndarray, pixels: Pixels | None
) -> Any:
    """A task of Dask's: does the work on an item that needs some images.

    Parameters
    ----------
    versions : of what decides bits, as the sender has them
    way, work : names of loans: a pickled `Way`, and a function that was `pickled`
    pixels : the images, where they are sent
    """
    from distributed import get_worker

    worker = get_worker()
    try:
        opened = _made(worker, way, lambda content: _opened(content, versions, partial(worker.log_event, way)))
        function = _made(worker, work, lambda content: _unpickled(content, opened.engine))
        with nullcontext() if pixels is None else opened.engine.pixels.lending(pixels):
            opened.ready(images)
            try:
                return function(item)
            finally:
                opened.news.add(0, now=True)
    except ResourceError:
        raise  # another worker may have more
    except OnnxspecError as error:
        return Refusal(type(error)(f"A worker ({worker.address}): {error.message}", error.hint))


def _require_versions(versions: Mapping[str, str]) -> None:
    for name, version in versions.items():
        if VERSIONS[name] != version:
            raise DeviceError(
                f"{name} is {VERSIONS[name]} here, and {version} where the run was started.",
                "Install the same versions everywhere.",
            )


def _opened(content: bytes, versions: Mapping[str, str], tell: Callable[[int], None]) -> _Opened:
    _require_versions(versions)  # before what another version has pickled is unpickled
    return _Opened(pickle.loads(content), tell)


def pickled(work: Callable[..., Any], engine: LocalEngine) -> bytes:
    """A function as bytes, for an engine like the one that it works with: `engine` and its parts are left out.

    With it goes the size of a batch, which may change from work to work and, on a device, the rounding with it.
    """
    import cloudpickle

    standing = {id(whole): name for name, whole in _parts(engine).items()}

    class Pickler(cloudpickle.Pickler):
        def persistent_id(self, what: Any) -> str | None:
            return standing.get(id(what))

    buffer = io.BytesIO()
    Pickler(buffer).dump((work, engine.tile))
    return buffer.getvalue()


def _unpickled(content: bytes, engine: LocalEngine) -> Any:
    parts = _parts(engine)

    class Unpickler(pickle.Unpickler):
        def persistent_load(self, name: Any) -> Any:
            return parts[name]

    work, engine.tile = Unpickler(io.BytesIO(content)).load()
    return work


def _parts(engine: LocalEngine) -> dict[str, Any]:
    return {"engine": engine, "model": engine.model, "pixels": engine.pixels, "images": engine.pixels.images}
