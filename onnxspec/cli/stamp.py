"""`onnxspec stamp`: write preprocessing and class names into a model, so that they travel with it."""

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.streams import complain
from onnxspec.errors import UsageError


@click.command(cls=Command)
@click.argument("model", type=click.Path())
@click.option("--preprocess", metavar="SPEC", help="imagenet, 0..1, ..., a file, or 'mean=...;std=...'.")
@click.option("--classes", metavar="FILE", help="A line per output (its first column is written), or a config.json.")
@click.option("-o", "output", metavar="OUT.onnx", required=True, help="The model to write; MODEL itself is allowed.")
def stamp(model: str, preprocess: str | None, classes: str | None, output: str) -> None:
    """Write a copy of MODEL that carries its preprocessing and class names; its graph stays as it is."""
    from onnxspec.images.classes import read_classes
    from onnxspec.images.presets import read_preprocess
    from onnxspec.model import metadata

    if preprocess is None and classes is None:
        raise UsageError("There is nothing to stamp.", "Give --preprocess SPEC, --classes FILE or both.")
    wanted = None if preprocess is None else read_preprocess(preprocess, "flag")
    if preprocess is not None and wanted is None:
        raise UsageError(
            "--preprocess auto names no values.", "Give what `onnxspec analyze` found: it prints the line."
        )
    names = None if classes is None else [key for key, _ in read_classes(classes)]
    metadata.stamp(model, output, None if wanted is None else wanted.to_json(), names)
    written = [what for what, value in (("preprocessing", wanted), ("class names", names)) if value is not None]
    complain(f"Wrote {' and '.join(written)} into {click.format_filename(output)}.")
