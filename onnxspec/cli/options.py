"""The options of every command that measures or evaluates: one list, so that all take the same words."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import click

from onnxspec.errors import ExitCode

PREPROCESS = (
    "How pixels become the input: imagenet, 0..1, ..., a file, auto, or 'mean=...;std=...' "
    "[default: what the model or a file beside it says, else auto]."
)
CONFIG = "A TOML file of settings [default: onnxspec.toml or pyproject.toml here]."

_DATA = (
    click.option(
        "--data",
        metavar="PATH",
        help="Images: a folder of class folders, zip, tar, .npz or .h5 [default: generated probe images].",
    ),
)
_PATHS = (
    click.option("--pairs", type=int, help="Pairs of images a kind [default: 400; with --precision at most 20,000]."),
    click.option(
        "--precision",
        type=float,
        metavar="R",
        help="Take as many pairs as put hff within this share of itself, such as 0.05.",
    ),
    click.option("--points", metavar="N", help="Points on a path, 2^m + 1 [default: auto, by lengths and a pilot]."),
    click.option("--seed", type=int, help="Seed of the pairs [default: 0]."),
    click.option("--kinds", metavar="LIST", help="Pairs within a class or between classes [default: within,between]."),
    click.option(
        "--paths",
        metavar="LIST",
        help="Walk beside straight lines: ellipse,amplitude,phase,random,augment,fourier [default: linear alone].",
    ),
    click.option(
        "--signals",
        metavar="LIST",
        help="What is watched of the outputs: prob,logit,label,distance [default: prob,logit].",
    ),
    click.option(
        "--estimator",
        metavar="NAME",
        help="How spectra are estimated: sine, cosine, hann, rfft or mool [default: sine].",
    ),
    click.option(
        "--cutoff",
        type=float,
        help="Where fast begins, in cycles per unit RMS pixel distance [default: 4 / d_ref, the median distance].",
    ),
)
_SUBJECT = (
    click.option("--preprocess", metavar="SPEC", help=PREPROCESS),
    click.option(
        "--classes",
        metavar="FILE",
        help="A line per output: folder, or folder TAB name to show [default: what the model or a file beside it says].",
    ),
    click.option(
        "--labels", metavar="FILE", help="Lines file,label for a flat folder; or the word predicted: the model's own."
    ),
    click.option("--restrict-outputs", is_flag=True, default=None, help="Softmax over the classes in the data only."),
    click.option("--images-key", metavar="NAME", help="The array of images in an .npz or .h5 file."),
    click.option("--labels-key", metavar="NAME", help="The array of labels in an .npz or .h5 file."),
    click.option("--skip-bad", type=int, metavar="N", help="Leave out up to N unreadable images [default: 0]."),
    click.option("--input", metavar="NAME", help="The image input, where the model has several."),
    click.option("--output", metavar="NAME", help="The class scores, where the model has several outputs."),
    click.option(
        "--device",
        metavar="NAME",
        help="Where the model runs: auto, cpu, cuda, cuda:0,1, cuda:all, or any provider [default: auto].",
    ),
    click.option(
        "--path-graph",
        metavar="WHEN",
        help="Have the model's graph form paths: on, off or auto, which is off on a CPU [default: auto].",
    ),
    click.option("--batch", type=int, help="Images per batch [default: measured]."),
    click.option("--threads", type=int, help="Worker threads [default: the cores, shared out as is fastest]."),
)
_RESUMING = (
    click.option(
        "--resume/--no-resume",
        default=None,
        help="Go on with what an interrupted run has kept, or start anew [default: go on, if it was this very run].",
    ),
    click.option(
        "--cache", metavar="DIR", help="Take over what runs have evaluated before, and leave this one's there."
    ),
    click.option(
        "--cluster", metavar="ADDRESS", help="Share out paths: a Dask scheduler, tcp://HOST:PORT, or local:N workers."
    ),
)
_LIMITS = (
    click.option(
        "--timeout",
        type=float,
        metavar="S",
        help="Give up when a batch takes longer than S seconds, 0 never [default: 600].",
    ),
    click.option(
        "--max-memory",
        metavar="SIZE",
        help="Refuse a model that would take more, such as 4GB or 512MiB [default: what the machine offers].",
    ),
    click.option("--tf32", is_flag=True, default=None, help="Allow TF32 on CUDA: faster, with a higher noise floor."),
    click.option("--config", metavar="FILE", help=CONFIG),
)


def measuring(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of a measurement; all but `config` are settings by name, None where not given."""
    return _given(command, (*_DATA, *_PATHS, *_SUBJECT, *_RESUMING, *_LIMITS))


def opening(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options of a model and images alone, without those of paths between images."""
    return _given(command, (*_DATA, *_SUBJECT, *_LIMITS))


def evaluating(command: Callable[..., Any]) -> Callable[..., Any]:
    """As `opening`, for a command whose --data says something else."""
    return _given(command, (*_SUBJECT, *_LIMITS))


def worded(
    helps: Mapping[str, str], without: Container[str] = (), hidden: Container[str] = ()
) -> Callable[[click.Command], click.Command]:
    """Words options, by name, for a command in which they mean something else.

    without : options that mean nothing there; hidden : those that are refused with a reason of their own
    """

    def change(command: click.Command) -> click.Command:
        command.params = [option for option in command.params if option.name not in without]
        for option in command.params:
            if isinstance(option, click.Option):
                option.help = helps.get(option.name or "", option.help)
                option.hidden = option.name in hidden
        return command

    return change


def precision_code(ended: Mapping[str, str]) -> ExitCode:
    """The exit code of a run that ended so: inconclusive where a precision was asked for and not reached."""
    from onnxspec.sampling import REACHED

    return ExitCode.PASS if all(why == REACHED for why in ended.values()) else ExitCode.INCONCLUSIVE


def _given(command: Callable[..., Any], options: Sequence[Callable[..., Any]]) -> Callable[..., Any]:
    for option in reversed(options):
        command = option(command)
    return command
