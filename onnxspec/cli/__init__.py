"""The command line: each command parses, calls the library and renders.

Commands load when they are called, so that `onnxspec --help` imports click and the errors alone.
"""

import errno
import os
import sys
from importlib import import_module

import click

from onnxspec import __version__, interruption
from onnxspec.errors import ExitCode, OnnxspecError, inert

COMMANDS = {
    "analyze": "Measure a classifier and write a frequency report.",
    "compare": "Measure several models on the same paths, and say which differ.",
    "heatmap": "Find the image frequencies that a classifier depends on.",
    "noise": "Make label noise of one frequency; see what fits it.",
    "diversity": "Set the classes of a report against their diversity.",
    "audit": "Check a policy and a baseline: for CI.",
    "show": "Print a report again.",
    "report": "Make an HTML page of a report.",
    "plot": "Make a figure of a report for a paper.",
    "inspect": "Say what a model holds and whether it can be analysed.",
    "stamp": "Write preprocessing and class names into a model.",
    "doctor": "Say what is installed, what works and what to mend.",
}


# What libraries say that cannot be loaded, or start no thread, for want of memory.
NO_MEMORY = ("failed to map segment", "Cannot allocate memory", "can't start new thread", "std::bad_alloc")


class LazyGroup(click.Group):
    """A group that knows its commands by name and one line, and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"onnxspec.cli.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="onnxspec", message="%(prog)s %(version)s")
def cli() -> None:
    """How wiggly is an image classifier between images?

    Start with: onnxspec analyze model.onnx --data images
    """


def run() -> None:
    """The program: ends this process with the exit code of the command line it was called with."""
    from onnxspec.cli import streams, supervision

    streams.stand_in()
    if supervision.wanted(sys.argv[1:]):
        code = supervision.supervise(sys.argv[1:])
        interruption.silence()
        sys.exit(code)
    interruption.listen()
    supervision.follow()
    code = main()
    interruption.silence()
    supervision.tell(code)
    if interruption.abandoned():
        from onnxspec.files import remove_temporary

        remove_temporary()
        sys.stderr.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Runs a command line and gives its exit code (`ExitCode`); a bug keeps its traceback and exits 70."""
    try:
        interruption.admit()
        code = cli.main(arguments, prog_name="onnxspec", standalone_mode=False)
        sys.stdout.flush()
        interruption.ignore()
        return int(code or 0)
    except OnnxspecError as error:
        return _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return ExitCode.USAGE
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"See {context.command_path} --help." if context else ""
        said = " ".join(error.format_message().split())
        return _fail(said if said.endswith((".", "?")) else f"{said}.", hint, ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort) as error:
        # click turns an interrupt into an Abort and keeps it as the cause.
        return _interrupted(str(error.__cause__ or error))
    except (Exception, SystemExit) as error:
        from onnxspec.cli.streams import nobody_reads, reader_gone

        if reader_gone(error):
            nobody_reads()
            return ExitCode.PASS
        # An extension module that is interrupted while it loads tells of an ImportError.
        if interruption.requested():
            return _interrupted("")
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return _fail("The output cannot be written: the disk is full.", "", ExitCode.EXHAUSTED)
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            return _fail(f"The name of a file is too long: {str(error.filename)[:60]}...", "", ExitCode.USAGE)
        if isinstance(error, MemoryError) or any(sign in str(error) for sign in NO_MEMORY):
            hint = "Use fewer --pairs, --points or --threads, a smaller --batch, or a machine with more."
            return _fail("Memory ran out.", hint, ExitCode.EXHAUSTED)
        import traceback

        traceback.print_exc()
        return _fail("This is a bug in onnxspec.", "Please report it with the lines above.", ExitCode.BUG)


def _interrupted(outcome: str) -> int:
    return _fail(f"Interrupted{'; ' + outcome if outcome else '.'}", "", ExitCode.INTERRUPTED)


def _fail(message: str, hint: str, code: ExitCode) -> int:
    interruption.ignore()
    from onnxspec.cli.streams import complain

    complain(inert(f"onnxspec: {message} {hint}".rstrip()))
    return code
