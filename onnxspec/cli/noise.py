"""`onnxspec noise`: targets with noise to train on, and how far checkpoints fit it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onnxspec.cli.arguments import Command, numbers, require_one_form
from onnxspec.cli.options import CONFIG, evaluating, worded
from onnxspec.errors import UsageError

if TYPE_CHECKING:
    from onnxspec.noise.found import NoiseFit
    from onnxspec.noise.making import Targets

_DATA = click.option("--data", metavar="PATH", help="Labelled images: class folders, zip, tar, .npz or .h5.")
_RADIAL = click.option("--radial", is_flag=True, help="Noise in the norm of the input [default].")
_LABELS = "Lines file,label for a flat folder."
_SEED_DIGITS = 18
_DIRECTION = click.option(
    "--direction", metavar="SEED|FILE", help="Noise along a direction: random, or from an .npy, .npz or .h5 file."
)


@click.group()
def noise() -> None:
    """Which frequencies of label noise does a network take up while it is trained?

    Train on what `targets` writes, keep checkpoints, and ask `fit` about them.
    """


@noise.command(cls=Command, short_help="Write soft targets with noise, to train on.")
@_DATA
@click.option("--frequency", type=float, required=True, help="Cycles per unit L2 norm of the normalised input.")
@click.option("--amplitude", type=float, required=True, help="A, at most .5: labels are smoothed by A (1 + sin ...).")
@_RADIAL
@_DIRECTION
@click.option(
    "--preprocess",
    metavar="SPEC",
    help="How training makes pixels the input: imagenet, 0..1, ..., a file or 'mean=...;std=...'.",
)
@click.option("--classes", metavar="FILE", help="A line per output, where targets are in another order than classes.")
@click.option("--labels", metavar="FILE", help=_LABELS)
@click.option("--images-key", metavar="NAME", help="The array of images in an .npz or .h5 file.")
@click.option("--labels-key", metavar="NAME", help="The array of labels in an .npz or .h5 file.")
@click.option("--skip-bad", type=int, metavar="N", help="Leave out up to N unreadable images [default: 0].")
@click.option("--config", metavar="FILE", help=CONFIG)
@click.option("-o", "destination", metavar="TARGETS", required=True, type=click.Path(), help="A .npz or .h5 file.")
def targets(
    frequency: float,
    amplitude: float,
    radial: bool,
    direction: str | None,
    config: str | None,
    destination: str,
    **flags: Any,
) -> None:
    """Write soft targets (images, classes) that carry noise of one frequency, for any framework to train on."""
    from onnxspec import configuration
    from onnxspec.cli.plain import say_written
    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.noise.making import make_targets
    from onnxspec.noise.writing import require_destination, write_targets

    along = _direction(radial, direction)
    chosen = configuration.load(config, **flags)
    if (data := chosen.inputs.data) is not None and os.path.realpath(data) == os.path.realpath(destination):
        raise UsageError(f"The targets would replace the images {data}.", "Choose another name with -o.")
    require_destination(destination)
    with TerminalProgress() as progress:
        found = make_targets(None, chosen, frequency=frequency, amplitude=amplitude, direction=along, listener=progress)
    write_targets(found, destination)
    _print_targets(found)
    say_written(destination)


@worded({"labels": _LABELS}, without=("path_graph",))
@noise.command(cls=Command, short_help="Measure which checkpoints fit the noise, and the dip.")
@click.argument("models", nargs=-1, required=True, metavar="MODEL...", type=click.Path())
@_DATA
@click.option("--frequency", required=True, metavar="F[,F2]", help="Cycles per unit L2 norm of the normalised input.")
@click.option(
    "--amplitude", required=True, metavar="A[,A2]", help="A, at most .5: labels are smoothed by A (1 + sin ...)."
)
@_RADIAL
@_DIRECTION
@click.option(
    "--at", "places", metavar="LIST", help="Places of the models in the training [default: the numbers in their names]."
)
@evaluating
@click.option("-o", "destination", metavar="FIT.h5", type=click.Path(), help="Write all tables to this file.")
@click.option("--picture", metavar="FIGURE", type=click.Path(), help="Draw them: a .svg, .pdf or .png file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
@click.option("--csv", "table", metavar="TABLE", help="Print fits, noises or checkpoints as CSV.")
def fit(
    models: tuple[str, ...],
    frequency: str,
    amplitude: str,
    radial: bool,
    direction: str | None,
    places: str | None,
    config: str | None,
    destination: str | None,
    picture: str | None,
    as_json: bool,
    table: str | None,
    **flags: Any,
) -> None:
    """Measure how far checkpoints fit noise of given frequencies, and where over training noise fitting dips."""
    from onnxspec import configuration
    from onnxspec.cli.pictures import require_picture
    from onnxspec.cli.plain import say_written
    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.noise import fitting, storing
    from onnxspec.report.destination import require_writable

    require_one_form(as_json, table)
    if table is not None:
        storing.require_table(table)
    if destination is not None:
        require_writable(Path(destination))
    if picture is not None:
        require_picture(picture)
    noises = {
        "frequencies": numbers("--frequency", frequency, "0.1,0.2"),
        "amplitudes": numbers("--amplitude", amplitude, "0.1,0.2"),
    }
    along, at = _direction(radial, direction), numbers("--at", places, "1,3,10") if places is not None else None
    chosen = configuration.load(config, **flags)
    with TerminalProgress() as progress:
        found = fitting.fit(models, None, chosen, **noises, direction=along, at=at, listener=progress)
    _print(found, as_json, table)
    if destination is not None:
        storing.write(found, destination)
        say_written(destination, " (onnxspec show prints it again)")
    if picture is not None:
        _draw(found, picture)


def _direction(radial: bool, text: str | None) -> int | str | None:
    """A seed or a file; None for radial noise."""
    if radial and text is not None:
        raise UsageError("--radial and --direction exclude each other.", "Give one of them.")
    seed = text is not None and text.isascii() and text.isdigit() and len(text) <= _SEED_DIGITS
    return int(text) if text is not None and seed and not os.path.exists(text) else text


def _draw(found: "NoiseFit", path: str) -> None:
    from onnxspec.cli.pictures import save_picture
    from onnxspec.noise.picture import picture

    save_picture(picture(found), path)


def _print(found: "NoiseFit", as_json: bool, table: str | None) -> None:
    from onnxspec.noise import storing

    if as_json:
        click.echo(storing.to_json(found))
    elif table is not None:
        from onnxspec.cli.plain import print_csv

        print_csv(storing.to_csv(found, table))
    else:
        from onnxspec.cli.plain import print_view
        from onnxspec.noise.view import View

        print_view(View(found))


def _print_targets(found: "Targets") -> None:
    from onnxspec.cli.plain import print_rows

    s, known = found.s, found.settings
    print_rows(
        [
            ("data", f"{known['data']}: {len(found):,} images, {len(found.class_names)} classes"),
            ("noise", f"{known['noise']}, frequency {known['frequency']:g}, amplitude {known['amplitude']:g}"),
            ("input", f"{' x '.join(map(str, known['shape']))} (channels, height, width), phi {known['phi']:.10f}"),
            ("smoothing", f"from {s.min():.3f} to {s.max():.3f}, mean {s.mean():.3f}"),
            ("phases", f"concentration {found.concentration:.3f} (0: uniform over these images; 1: all alike)"),
            ("digest", known["targets_digest"]),
            *(("!", str(remark)) for remark in found.remarks),
        ],
        indent=0,
    )
