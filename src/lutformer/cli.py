"""The command line: one file a command in ``commands/``, one list of them here."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console

from . import __version__
from .errors import LutformerError
from .invocation import invoked

__all__ = ["COMMANDS", "app", "main"]

COMMANDS = (
    "train",
    "export",
    "generate",
    "simulate",
    "build",
    "verify",
    "flash",
    "run",
    "chat",
    "report",
    "boards",
    "presets",
    "demo",
)
"""Names of the commands, and of their modules and functions, in the order of use."""

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,  # help is plain text: it looks the same in a pipe
    pretty_exceptions_enable=False,  # errors are sentences, see main
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  lutformer demo                                  all of the steps below, in minutes
  lutformer train digits -o build/digits          train a network
  lutformer export build/digits/checkpoint.safetensors -o build/digits/network.safetensors
  lutformer generate build/digits/network.safetensors --board icebreaker -o build/ice
  lutformer simulate build/ice                    compare the Verilog with the network
  lutformer build build/ice                       build the bitstream
  lutformer run build/ice --virtual --index 0     classify an image""",
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"lutformer {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (anywhere in the line).")
    ] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Train transformers made of popcounts and lookup tables; generate exact hardware from them.

    Exit status: 0 done, 1 the work failed (mismatch, does not fit, timing missed), 2 wrong usage.
    """


def _register() -> None:
    for name in COMMANDS:
        module = import_module(f".commands.{name}", __package__)
        lines = "\n".join(f"  {example}" for example in module.EXAMPLES)
        app.command(name, epilog=f"\b\nExamples:\n{lines}")(getattr(module, name))


_register()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; errors become one sentence on standard error."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in arguments
    words = [word for word in arguments if word != "--debug"]
    try:
        with invoked(words):
            app(words, prog_name="lutformer")
    except Exception as error:
        if debug:
            raise
        text, code = _sentence(error)
        Console(stderr=True, soft_wrap=True).print(text, style="red", highlight=False, markup=False)
        sys.exit(code)


def _sentence(error: Exception) -> tuple[str, int]:
    """Return the message for the user about ``error``, and the exit status."""
    if isinstance(error, LutformerError):
        return str(error), error.exit_code
    if isinstance(error, OSError) and error.filename is not None:
        return f"{str(error.filename)!r} cannot be used: {error.strerror}", 1
    kind = type(error).__name__
    return f"Unexpected {kind}: {error}; run again with --debug and report it as a bug", 1
