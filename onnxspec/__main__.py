"""`python -m onnxspec`: the same as the command `onnxspec`."""

from onnxspec.cli import run

run()
