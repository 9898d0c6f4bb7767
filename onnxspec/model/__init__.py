"""ONNX classifiers in: what a file holds, which provider runs it, and images in, scores out.

`inspection` reads a file, `session` runs it, `callable` wraps a Python function instead; both are a `Classifier`.
"""

from onnxspec.model.protocol import Classifier

__all__ = ["Classifier"]
