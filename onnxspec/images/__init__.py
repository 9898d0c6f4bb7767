"""Labelled images in: from folders, archives, array files and Python data to pixels and model inputs."""

from onnxspec.images.cache import PixelCache
from onnxspec.images.classes import ClassMap, map_classes
from onnxspec.images.dataset import ImageSet
from onnxspec.images.decode import UnreadableImageError
from onnxspec.images.inputspec import InputSpec
from onnxspec.images.opening import open_images
from onnxspec.images.preprocess import Preprocess, fit, rms_distance
from onnxspec.images.presets import METADATA_KEY, PRESETS, from_metadata, from_table, read_preprocess
from onnxspec.images.probe import probe_images
from onnxspec.images.processors import beside, from_file

__all__ = [
    "METADATA_KEY",
    "PRESETS",
    "ClassMap",
    "ImageSet",
    "InputSpec",
    "PixelCache",
    "Preprocess",
    "UnreadableImageError",
    "beside",
    "fit",
    "from_file",
    "from_metadata",
    "from_table",
    "map_classes",
    "open_images",
    "probe_images",
    "read_preprocess",
    "rms_distance",
]
