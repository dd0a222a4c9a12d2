"""Help: every command has it, its examples are right, and it comes at once."""

import shlex
import subprocess
import sys

import pytest
import typer

from lutformer import __version__
from lutformer.cli import COMMANDS, app
from lutformer.commands import (
    boards,
    build,
    chat,
    demo,
    export,
    flash,
    generate,
    presets,
    report,
    run,
    simulate,
    train,
    verify,
)

MODULES = (
    train, export, generate, simulate, build, verify, flash, run, chat, report, boards,
    presets, demo
)  # fmt: skip
EXAMPLES = [example for module in MODULES for example in module.EXAMPLES]
HEAVY = ("torch", "amaranth", "cocotb", "matplotlib", "sklearn", "serial", "numpy")


def test_every_command_is_looked_at():
    assert {module.__name__.rpartition(".")[2] for module in MODULES} == set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(cli, command):
    result = cli(command, "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: lutformer {command}")
    assert f"\n  Examples:\n    lutformer {command}" in result.out
    assert result.err == ""


def test_overview_names_every_command(cli):
    result = cli("--help")
    assert result.code == 0
    listed = result.out.partition("Commands:")[2].partition("Examples:")[0]
    lines = [line.split(maxsplit=1) for line in listed.splitlines() if line.strip()]
    assert [name for name, _ in lines] == list(COMMANDS)
    assert not any(summary.endswith("...") for _, summary in lines)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_right(example):
    program, command, *words = shlex.split(example)
    assert program == "lutformer"
    group = typer.main.get_command(app)
    with group.make_context("lutformer", [command, *words]) as context:
        name, found, rest = group.resolve_command(context, [command, *words])  # type: ignore[attr-defined]
        with found.make_context(name, rest, parent=context):
            assert name == command


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from lutformer.cli import app; "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_version(cli):
    assert cli("--version").out.strip() == f"lutformer {__version__}"


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["train"],
        ["train", "digits", "--nonsense"],
        ["simulate", "x", "--frames", "0"],
    ],
)
def test_wrong_usage_is_status_2(cli, words):
    result = cli(*words)
    assert result.code == 2
    assert "Error: " in result.err
    assert "Traceback" not in result.err
