"""The steps that change pixels, as Pillow does them: channels, resampling, the crop of the centre.

Arrays are (h, w, c) uint8.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onnxspec.errors import DataError

MAX_RESIZED_PIXELS = 2**26


def with_channels(image: NDArray[Any], channels: int) -> NDArray[Any]:
    """The image in grey, RGB or with the channels it has, (h, w, channels); DataError where there is no such way."""
    have = image.shape[2]
    if have == channels:
        return image
    if not convertible(have, channels):
        raise DataError(
            f"An image has {have} channels and the model takes {channels}.", "Pass images with the model's channels."
        )
    if have == 1:
        return np.repeat(image, channels, axis=2)
    if channels == 1:
        from PIL import Image

        return np.asarray(Image.fromarray(np.ascontiguousarray(image[..., :3])).convert("L"))[..., None]
    return image[..., :3]


def convertible(have: int, wanted: int) -> bool:
    """Whether `with_channels` can make `wanted` channels of `have`."""
    return have == wanted or (have in (1, 3, 4) and wanted in (1, 3))


def conversion_note(image_channels: int, channels: int) -> str | None:
    """What `with_channels` does to the channels of such an image, in words; None for nothing."""
    if image_channels == channels:
        return None
    if image_channels == 1:
        return f"grey images repeated over the model's {channels} channels"
    if channels == 1:
        return "colour images turned grey for the model's one channel"
    return "transparency dropped (alpha channel ignored)"


def colour_channels(channels: int) -> int:
    """The channels of a model that leaves them open: the images' own, less transparency."""
    return 3 if channels == 4 else channels


def resampled(image: NDArray[Any], size: tuple[int, int], interpolation: str) -> NDArray[Any]:
    """The image at `size` = (height, width), antialiased by one of Pillow's filters.

    Raises
    ------
    DataError
        That is more than 67 million pixels: a line of pixels, brought to a short side of 256, is a huge image.
    """
    from PIL import Image

    if size[0] * size[1] > MAX_RESIZED_PIXELS:
        raise DataError(
            f"An image of {image.shape[0]} x {image.shape[1]} would be {size[0]} x {size[1]} after resizing, more than "
            f"{MAX_RESIZED_PIXELS:,} pixels.",
            "Leave it out, or squash it: --preprocess 'resize=HEIGHT,WIDTH'.",
        )

    # Pillow weighs the colours of a four-channel image by the fourth, so all but RGB go channel by channel.
    parts = [image] if image.shape[2] == 3 else [image[..., k] for k in range(image.shape[2])]
    kernel = Image.Resampling[interpolation.upper()]
    resized = [np.asarray(Image.fromarray(np.ascontiguousarray(p)).resize(size[::-1], kernel)) for p in parts]
    return resized[0] if image.shape[2] == 3 else np.stack(resized, axis=2)


def centre(image: NDArray[Any], crop: tuple[int, int]) -> NDArray[Any]:
    """The (height, width) in the middle; DataError where the image is smaller."""
    height, width = image.shape[:2]
    if crop[0] > height or crop[1] > width:
        raise DataError(
            f"An image is {height} x {width} after resizing; the crop of {crop[0]} x {crop[1]} does not fit in it.",
            "Resize first: --preprocess 'resize=SHORT_SIDE;crop=HEIGHT,WIDTH'.",
        )
    # Python's round, half to even, as torchvision's CenterCrop does it.
    top, left = round((height - crop[0]) / 2), round((width - crop[1]) / 2)
    return image[top : top + crop[0], left : left + crop[1]]
