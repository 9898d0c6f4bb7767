"""One image file's bytes to 8-bit grey, RGB or RGBA. Files are untrusted: formats, bytes and pixels are limited."""

import hashlib
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError

EXTENSIONS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
MAX_FILE_BYTES = 256 * 2**20
MAX_PIXELS = 2**30 // 4 // 3
"""Pillow's own limit for images that are not decompression bombs, 89 million pixels."""
MAX_SCANS = 64
"""A hundred bytes of a progressive JPEG cost a pass over all of its pixels; encoders make about ten."""

_STRIP_ROWS = 512
_START_OF_SCAN = b"\xff\xda"


class UnreadableImageError(DataError):
    """One image that cannot be read: the kind of DataError that `--skip-bad` is about."""

    def __init__(self, name: str, reason: str):
        super().__init__(f"The image {name} cannot be read: {reason}.", "Remove it, or pass --skip-bad N.")


def decode(content: bytes, name: str) -> NDArray[np.uint8]:
    """The image in a file's bytes: EXIF rotation applied, the first frame of several, 16 bits brought to 8.

    Returns
    -------
    (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA uint8

    Raises
    ------
    UnreadableImageError
        Not an image of a known format, damaged, or larger than an honest image is. It carries `name`.
    """
    from PIL import Image, ImageOps

    if len(content) > MAX_FILE_BYTES:
        raise UnreadableImageError(name, f"{len(content):,} bytes, more than {MAX_FILE_BYTES:,}")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise UnreadableImageError(name, f"{image.width} x {image.height} pixels, more than {MAX_PIXELS:,}")
            if image.format in ("JPEG", "MPO") and content.count(_START_OF_SCAN) > MAX_SCANS:
                raise UnreadableImageError(name, f"more than {MAX_SCANS} progressive scans")
            image.load()
            ImageOps.exif_transpose(image, in_place=True)
            return eight_bits(image, name)
    except UnreadableImageError:
        raise
    except Image.DecompressionBombError:
        raise UnreadableImageError(name, f"more than {MAX_PIXELS:,} pixels") from None
    except Image.UnidentifiedImageError:
        raise UnreadableImageError(name, "not an image, or of a format that is not supported") from None
    except Exception as error:
        # Pillow's decoders let nearly every exception escape on damaged files; all of them mean the same.
        raise UnreadableImageError(name, str(error).rstrip(".") or type(error).__name__) from None


def content_digest(content: bytes) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def eight_bits(image: Any, name: str) -> NDArray[np.uint8]:
    """A loaded PIL image as `decode` gives it; raises UnreadableImageError for pixels that have no 8 bits."""
    mode = image.mode
    if mode.startswith("I"):
        # Pillow's own conversion clips at 255 instead of scaling.
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535 or (mode == "I" and image.format == "TIFF"):
            raise UnreadableImageError(name, f"{mode} pixels are neither 8 nor 16 bits")
        return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if mode == "F":
        raise UnreadableImageError(name, "floating-point pixels; pass them in 0..1 as an array (.npz or .h5)")
    if mode in ("1", "L"):
        return _converted(image, "L")[..., 0]
    transparent = mode in ("LA", "PA", "RGBA", "La", "RGBa") or "transparency" in image.info
    return _converted(image, "RGBA" if transparent else "RGB")


def _converted(image: Any, mode: str) -> NDArray[np.uint8]:
    """(H, W, channels of `mode`), strip by strip: at once, Pillow and numpy would hold four copies of a large image."""
    made = np.empty((image.height, image.width, len(mode)), np.uint8)
    for top in range(0, image.height, _STRIP_ROWS):
        strip = image.crop((0, top, image.width, min(top + _STRIP_ROWS, image.height)))
        made[top : top + _STRIP_ROWS] = np.asarray(strip.convert(mode)).reshape(-1, image.width, len(mode))
    return made
