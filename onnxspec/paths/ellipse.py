"""The closed ellipse through three images of a class (Novak et al. 2018, arXiv 1802.08760), method.md section 1.

W_i(t) = 1/3 + (2/3) cos 2 pi (t - i/3) at t_j = j / N, N = 2^m: at t = i/3 it is at image i, it never leaves their
plane, and it takes a plain rfft over one turn. Its length is its perimeter. It is not walked at constant speed:
where the three images are equally far from each other it is a circle and is, the flatter it is the less.
"""

from collections.abc import Callable

import numpy as np
from scipy import special

from onnxspec.paths.families import NUMBERED, Frames, Where

ANCHORS = 3


def weights(points: int) -> np.ndarray:
    """One turn: (points, 3) float32; the first point is the first image."""
    return weights_at(np.arange(points) / points)


def weights_at(t: np.ndarray) -> np.ndarray:
    """The ellipse at any t (...,) in turns: (..., 3) float32."""
    turn = np.asarray(t, np.float64)[..., None] - np.arange(ANCHORS) / ANCHORS
    return (1 / 3 + 2 / 3 * np.cos(2 * np.pi * turn)).astype(np.float32)


def ellipses(
    anchors: Callable[[int], np.ndarray],
    points: int,
    paths: int,
    where: Where = NUMBERED,
    images: np.ndarray | None = None,
) -> Frames:
    """Ellipses through anchors(path), (3, *shape) float32 inputs of whole `images`, see `Frames`; `where` as in `Walk`."""
    return Frames(anchors, weights(points), paths, where, images)


def perimeter(ab: np.ndarray, ac: np.ndarray, bc: np.ndarray) -> np.ndarray:
    """Length of the ellipses, (paths,) float64, in the unit of the distances (paths,) between their images.

    x(t) is their mean + u cos 2 pi t + v sin 2 pi t; the semi-axes are the singular values of (u, v), and the
    distances between the images say what u.u, v.v and u.v are.
    """
    ab, ac, bc = (np.square(np.asarray(d, np.float64)) for d in (ab, ac, bc))
    uu, vv, uv = (2 * ab + 2 * ac - bc) / 9, bc / 3, (ac - ab) / (3 * np.sqrt(3))
    spread = np.hypot((uu - vv) / 2, uv)
    long = (uu + vv) / 2 + spread
    flatness = np.divide(2 * spread, long, out=np.zeros_like(long), where=long > 0)
    return 4 * np.sqrt(long) * special.ellipe(np.minimum(flatness, 1.0))
