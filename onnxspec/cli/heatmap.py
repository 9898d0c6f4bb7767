"""`onnxspec heatmap`: which spatial frequencies of an image a classifier depends on."""

from pathlib import Path
from typing import Any

import click

from onnxspec.cli.arguments import Command
from onnxspec.cli.options import opening


@click.command(cls=Command)
@click.argument("model", type=click.Path())
@click.option(
    "-o", "file", metavar="HEATMAP.h5", type=click.Path(), help="The heat map [default: MODEL-stem-heatmap.h5 here]."
)
@click.option("--picture", metavar="FIGURE", type=click.Path(), help="Draw it, too: a .svg, .pdf or .png file.")
@click.option(
    "--eps", type=float, help="L2 norm per channel of a wave, pixels in 0..1 [default: 4 at 32x32, 15.6 at 224x224]."
)
@click.option("--images", type=int, help="Images that are used [default: 400].")
@click.option("--highest", type=int, metavar="N", help="No wave with more cycles per height or width [default: 32].")
@click.option("--seed", type=int, help="Seed of the images and of the waves' signs [default: 0].")
@opening
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
def heatmap(
    model: str,
    file: str | None,
    picture: str | None,
    eps: float | None,
    images: int | None,
    highest: int | None,
    config: str | None,
    as_json: bool,
    **flags: Any,
) -> None:
    """Add a wave of every spatial frequency to images, and take low and high frequencies away: what does MODEL answer?

    Every image is evaluated once per frequency of half the plane, 514 times at 32x32 pixels.
    """
    from onnxspec import configuration
    from onnxspec.cli.pictures import require_picture, save_picture
    from onnxspec.cli.plain import say_written
    from onnxspec.cli.progress import TerminalProgress
    from onnxspec.heatmap import storing
    from onnxspec.heatmap.measuring import HIGHEST, IMAGES, heat_map

    destination = Path(file) if file else Path(f"{Path(model).stem}-heatmap.h5")
    storing.require_writable(destination)
    if picture is not None:
        require_picture(picture)
    chosen = configuration.load(config, **flags)
    most = IMAGES if images is None else images
    top = HIGHEST if highest is None else highest
    with TerminalProgress("spatial frequencies") as progress:
        found = heat_map(model, None, chosen, eps=eps, images=most, highest=top, listener=progress)
    found.save(destination)
    if picture is not None:
        from onnxspec.heatmap.figure import picture as drawn

        save_picture(drawn(found), picture)
    _print(found, as_json)
    say_written(destination, " (onnxspec show prints it again)")


def _print(found: Any, as_json: bool) -> None:
    if as_json:
        from onnxspec.heatmap.storing import to_json

        click.echo(to_json(found))
        return
    from onnxspec.cli.plain import print_view
    from onnxspec.heatmap.view import View

    print_view(View(found))
