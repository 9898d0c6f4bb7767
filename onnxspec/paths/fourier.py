"""Paths along one spatial frequency: x + t A U_ij, t from -1 to 1 (method.md section 9).

Each is a straight line of its own, through an image along a wave that is the same on every channel, so that every
band of image frequency gets a function spectrum: the two frequencies that Fridovich-Keil et al. 2022 connect. Natural
images vary mostly along low frequencies, and `spread` says how much.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from onnxspec.images.dataset import generator
from onnxspec.paths import families
from onnxspec.paths.columns import Columns
from onnxspec.paths.waves import Waves, octaves

SEED = 1906


@dataclass(frozen=True)
class Crossings(Columns):
    """Which images are crossed along which wave.

    band : (paths,) int64, see `octaves`; image : (paths,) int64 indices into the data set
    wave : (paths,) int64 indices into the waves
    """

    band: np.ndarray
    image: np.ndarray
    wave: np.ndarray


def draw(images: np.ndarray, waves: Waves, digest: str, seed: int) -> Crossings:
    """Every image along one wave of every band, image by image, so that bands pair over the same images.

    Which wave of a band depends on the data, the seed and the image alone, so that more images only add paths.

    Parameters
    ----------
    images : (n,) int indices into the data set; digest : of the data, hexadecimal
    """
    of = octaves(waves.radius)
    bands = np.unique(of)
    members = [np.flatnonzero(of == band) for band in bands]
    generators = (generator(digest, seed, SEED, int(image)) for image in images)
    wave = [[int(rng.choice(some)) for some in members] for rng in generators]
    return Crossings(
        np.tile(bands, len(images)),
        np.repeat(np.asarray(images, np.int64), len(bands)),
        np.ravel(wave).astype(np.int64),
    )


def crossing(points: int) -> np.ndarray:
    """t_j = -1 + 2 j / (points - 1), both ends included: weights (points, 2) float32 of image and step."""
    t = np.linspace(-1, 1, points)
    return np.stack([np.ones(points), t], axis=-1).astype(np.float32)


def walk(
    crossings: Crossings,
    waves: Waves,
    points: int,
    amplitude: float,
    anchors: Callable[[int], np.ndarray],
    planes: Callable[[np.ndarray], np.ndarray],
    change: np.ndarray,
    names: Sequence[str] = (),
) -> families.Frames:
    """The paths, as frames over the image and the step A U.

    Parameters
    ----------
    amplitude : A, the L2 norm per channel that t = 1 adds, in units of pixels
    anchors : image index to its input (*shape) float32
    planes : shows inputs (n, *shape) as planes (n, channels, height, width), see `onnxspec.images.planes`
    change : (channels,) float64, how much an input changes per unit of pixels, from there too
    names : what the images are called in errors, by index
    """
    scale = (amplitude * np.asarray(change))[:, None, None]

    def ends(path: int) -> np.ndarray:
        image, wave = anchors(int(crossings.image[path])), int(crossings.wave[path])
        both = np.stack([image, np.zeros_like(image)])
        planes(both)[1] = scale * waves.images(slice(wave, wave + 1))
        return both

    def where(path: int) -> str:
        image, (i, j) = int(crossings.image[path]), waves.frequency[crossings.wave[path]]
        return f"for {names[image] if names else f'image {image}'} along the frequency ({i}, {j})"

    return families.Frames(ends, crossing(points), len(crossings), where)


def length(amplitude: float, height: int, width: int) -> float:
    """RMS distance in units of pixels between the two ends: every pixel of every channel moves 2 A U."""
    return 2 * amplitude / np.sqrt(height * width)


def spread(coordinates: np.ndarray) -> np.ndarray:
    """Spread of the data along every wave, (waves,) float64 in units of pixels.

    Parameters
    ----------
    coordinates : (images, channels, waves) float64, <x, U> of every channel, from `Waves.coordinates`

    Returns
    -------
    standard deviation over images of <x, V>, V being the wave on all channels, of unit L2 norm over all of them
    """
    along = np.asarray(coordinates, np.float64).sum(1) / np.sqrt(coordinates.shape[1])
    return along.std(0, ddof=1)
