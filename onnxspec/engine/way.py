"""The way from one process to what another measures: the same model, the same images, an engine like its engine.

Small models and images are sent, large ones are opened where they lie; either way they are checked by their digests.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from onnxspec.engine.local import LocalEngine
from onnxspec.errors import DataError, DeviceError, ModelError
from onnxspec.images.cache import PixelCache
from onnxspec.images.dataset import ImageSet
from onnxspec.images.opening import open_images
from onnxspec.model.protocol import Classifier
from onnxspec.model.session import computed_by

_OWN = {"model", "pixels", "workers", "on_images", "pulse", "graph", "elsewhere"}
"""Fields of an engine that belong to its process, and are not handed on."""
Pixels = Mapping[int, tuple[np.ndarray, str]]
"""Images by index: what `PixelCache.get` and `PixelCache.content_digest` give."""


@dataclass(frozen=True)
class Way:
    """How a worker opens what another process measures.

    opener : path of a model -> the classifier; path : where it lies, as text: no system unpickles another's Path
    files : the bytes of the model's files by name, itself first, where they are sent
    digest, provider : the classifier must have; the latter as `computed_by`
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
        if (here := computed_by(model)) != self.provider:
            raise DeviceError(
                f"{here} runs the model here, and {self.provider} was expected.",
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
    """Pixels that came with the items at hand: of a data set that is not on the worker."""

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
