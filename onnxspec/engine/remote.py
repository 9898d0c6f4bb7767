"""What a worker of a cluster does: it opens what is measured, once, and then does the work on items that it is sent.

Everything here but `Way` and `pickled` runs on the worker. What it needs for many items it was lent beforehand, as
bytes by name (`cluster`), and what it has made of that stays until it is given back.
"""

import io
import pickle
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import PIL
import scipy

from onnxspec import __version__
from onnxspec.engine.local import LocalEngine
from onnxspec.errors import DataError, DeviceError, ModelError, OnnxspecError, ResourceError
from onnxspec.images.cache import PixelCache
from onnxspec.images.dataset import ImageSet
from onnxspec.images.opening import open_images
from onnxspec.model.protocol import Classifier

SECONDS_BETWEEN_NEWS = 0.5
VERSIONS = {
    "onnxspec": __version__,
    "ONNX Runtime": onnxruntime.__version__,
    "NumPy": np.__version__,
    "SciPy": scipy.__version__,
    "Pillow": PIL.__version__,
}
"""Of all that decides a row's bits: pixels, outputs, spectra."""
_OWN = {"model", "pixels", "workers", "on_images", "pulse", "graph", "elsewhere"}

Pixels = Mapping[int, tuple[np.ndarray, str]]
"""Images by index: what `PixelCache.get` and `PixelCache.content_digest` give."""


@dataclass(frozen=True)
class Way:
    """How a worker opens what another process measures.

    opener : path of a model -> the classifier; path : where it lies, as text: no system unpickles another's Path
    files : the bytes of the model's files by name, itself first, where they are sent
    digest, provider : the classifier must have
    names, images_digest : of the images; images : what `open_images` takes, None where pixels come with every item
    engine : fields of the engine; path_form : as `LocalEngine.path_form`
    """

    opener: Callable[[Path], Classifier]
    path: str
    files: Mapping[str, bytes] | None
    digest: str
    provider: str
    names: tuple[str, ...]
    images_digest: str
    images: Mapping[str, Any] | None
    engine: Mapping[str, Any]
    path_form: str

    def opened(self, folder: Path, on_images: Callable[[int], None]) -> LocalEngine:
        """An engine like the one that this leads to.

        Parameters
        ----------
        folder : for files that were sent, as long as the engine is used: sessions may be made again

        Raises
        ------
        OnnxspecError
            Model or images are not there, or not the same.
        """
        model = self._model(folder)
        preprocess, spec = self.engine["preprocess"], self.engine["spec"]
        if self.images is None:
            pixels: PixelCache = LentPixels(
                ImageSet(self.names, None, (), self.images_digest, _unread), preprocess, spec
            )
        else:
            pixels = PixelCache(self._images(self.images), preprocess, spec)
        return LocalEngine(model, pixels, **self.engine, on_images=on_images)

    def _model(self, folder: Path) -> Classifier:
        path = Path(self.path)
        if self.files is None and not path.exists():
            raise ModelError(f"There is no file {self.path} here.", "Let all machines see the same file.")
        model = self.opener(path if self.files is None else _written(self.files, folder))
        if model.digest != self.digest:
            raise ModelError(
                f"{self.path} is another model here: its digest is {model.digest}, and {self.digest} was expected.",
                "Let all machines see the same file.",
            )
        if model.provider != self.provider:
            raise DeviceError(
                f"{model.provider} runs the model here, and {self.provider} was expected.",
                "A report is of one kind of device: say which, such as --device cpu.",
            )
        return model

    def _images(self, way: Mapping[str, Any]) -> ImageSet:
        images = open_images(**way)
        if images.digest != self.images_digest:
            raise DataError(
                f"{images.source} holds other images here: their digest is {images.digest}, and {self.images_digest} "
                "was expected.",
                "Let all machines see the same files.",
            )
        return images


def engine_fields(engine: LocalEngine) -> dict[str, Any]:
    """Of an engine what one like it must have, too."""
    names = (f.name for f in fields(LocalEngine))
    return {name: getattr(engine, name) for name in names if name not in _OWN and not name.startswith("_")}


class LentPixels(PixelCache):
    """Pixels that came with the items at hand."""

    def __init__(self, *what: Any) -> None:
        super().__init__(*what)
        self._lent: dict[int, tuple[np.ndarray, str]] = {}
        self._uses: Counter[int] = Counter()

    @contextmanager
    def lending(self, pixels: Pixels) -> Iterator[None]:
        """Has some pixels for the time of a block; several threads may have the same."""
        with self._lock:
            self._lent.update(pixels)
            self._uses.update(pixels.keys())
        try:
            yield
        finally:
            with self._lock:
                self._uses.subtract(pixels.keys())
                for index in [index for index in pixels if not self._uses[index]]:
                    del self._lent[index], self._uses[index]

    def get(self, index: int) -> np.ndarray:
        """As of any cache."""
        return self._lent[index][0]

    def content_digest(self, index: int) -> str:
        """As of any cache."""
        return self._lent[index][1]


def _unread(index: int) -> Any:
    raise LookupError(f"image {index} was not sent")


def _written(files: Mapping[str, bytes], folder: Path) -> Path:
    """The first of some files, which are written to a folder."""
    places = [folder / name for name in files]
    for place, content in zip(places, files.values(), strict=True):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    return places[0]


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
