"""Prepared pixels of the images that a plan uses: decoded once, kept as uint8 within a bound, from any thread."""

import threading
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from onnxspec.errors import DataError
from onnxspec.images.dataset import ImageSet
from onnxspec.images.decode import UnreadableImageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.pixels import conversion_note
from onnxspec.images.preprocess import Preprocess

LIMIT_BYTES = 256 * 2**20


class PixelCache:
    """Least-recently-used pixels by image index.

    notes : what was done to channels, in words
    unreadable : image index -> why, for the images found unreadable so far
    """

    def __init__(
        self,
        images: ImageSet,
        preprocess: Preprocess,
        spec: InputSpec,
        limit_bytes: int = LIMIT_BYTES,
        skip_bad: int = 0,
    ):
        self.images = images
        self.preprocess = preprocess
        self.spec = spec
        self.limit_bytes = limit_bytes
        self.skip_bad = skip_bad
        self._digests: dict[int, str] = {}
        self.notes: set[str] = set()
        self.unreadable: dict[int, str] = {}
        self._kept: OrderedDict[int, NDArray[Any]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, index: int) -> NDArray[Any]:
        """(h, w, c) pixels of image `index`, see `Preprocess.pixels`; not to be written to.

        Raises
        ------
        DataError
            It cannot be read (UnreadableImageError) or brought to the model's size, or its file has changed since
            it was first read. The message names the image.
        """
        with self._lock:
            if index in self._kept:
                self._kept.move_to_end(index)
                return self._kept[index]
        image, digest = self.images.read(index)
        name = self.images.names[index]
        try:
            pixels = self.preprocess.pixels(image, self.spec)
        except DataError as error:
            raise DataError(f"{name}: {error.message}", error.hint) from None
        pixels.flags.writeable = False
        channels = image.shape[2] if image.ndim == 3 else 1
        with self._lock:
            if self._digests.setdefault(index, digest or "") != (digest or ""):
                raise DataError(f"The image {name} has changed while it was in use.", "Start again.")
            if index not in self._kept:
                self._keep(index, pixels, conversion_note(channels, self.spec.shape[2]))
        return pixels

    @property
    def held_bytes(self) -> int:
        """What the pixels that are kept take."""
        return self._bytes

    @property
    def content_digests(self) -> dict[int, str]:
        """Image index to the sha256 of its file's bytes, of all that were decoded from files so far."""
        with self._lock:
            return {index: digest for index, digest in self._digests.items() if digest}

    def content_digest(self, index: int) -> str:
        """sha256 of the bytes that image `index` was decoded from; empty where the data set's digest covers them.

        Raises
        ------
        DataError
            As `get`.
        """
        if index not in self._digests:
            self.get(index)
        return self._digests.get(index, "")

    def readable(self, index: int) -> bool:
        """Whether image `index` can be used; up to `skip_bad` unreadable ones are only counted in `unreadable`.

        Raises
        ------
        DataError
            One more than `skip_bad` images are unreadable, or what `get` raises for another reason.
        """
        if index in self.unreadable:
            return False
        try:
            self.get(index)
            return True
        except UnreadableImageError as error:
            with self._lock:
                self.unreadable[index] = error.message
                count = len(self.unreadable)
            if count <= self.skip_bad:
                return False
            if self.skip_bad:
                raise DataError(f"At least {count} images are unreadable. {error.message}", error.hint) from None
            raise

    def first(self, order: Iterable[int]) -> NDArray[Any]:
        """Pixels of the first image of an order that can be used; raises as `readable`, DataError where there is none."""
        for index in order:
            if self.readable(int(index)):
                return self.get(int(index))
        raise DataError(f"None of the images of {self.images.source} can be read.", "Check the data.")

    def _keep(self, index: int, pixels: NDArray[Any], note: str | None) -> None:
        if note:
            self.notes.add(note)
        self._kept[index] = pixels
        self._bytes += pixels.nbytes
        while self._bytes > self.limit_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.nbytes
