"""A build directory: which file is where, and who must make it when it is missing."""

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import LutformerError, UsageError
from .invocation import command

if TYPE_CHECKING:
    from .boards.board import Board
    from .hdl.plan.board_plan import BoardPlan
    from .model.network.stored_network import StoredNetwork
    from .model.network.vit import Network

__all__ = ["NotWritable", "Workspace", "writable", "write_text"]


BESIDE_CORE = ("core.json", "core.vlt", "core_axis.v", "core_template.v", "lutformer.core")


class NotWritable(LutformerError):
    """A directory in which nothing can be written."""


def writable(directory: Path) -> Path:
    """Make ``directory`` and return it; refuse one in which no file can be made."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            pass
    except OSError as error:
        reason = error.strerror or str(error)
        raise NotWritable(
            f"Nothing can be written to {str(directory)!r} ({reason}); give another directory"
        ) from error
    return directory


class Workspace:
    """The files of one build directory.

    Parameters
    ----------
    path : Path
        The directory; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.network_file = path / "network.safetensors"
        self.plan_file = path / "plan.json"
        self.board_file = path / "board.json"
        self.top = path / "top.v"
        self.core = path / "core.v"
        self.beside_core = [path / name for name in BESIDE_CORE]
        self.program = path / "program.txt"
        self.generation = path / "generate.json"
        self.accuracy = path / "accuracy.json"
        self.simulation = path / "simulation.json"
        self.build = path / "build.json"
        self.verification = path / "verify.json"
        self.activity = path / "activity.json"
        self.answers = path / "answers.json"
        self.report_json = path / "report.json"
        self.report_html = path / "report.html"

    @property
    def name(self) -> str:
        """Name of the directory."""
        return self.path.resolve().name

    def require(self, file: Path, command: str) -> Path:
        """Return ``file`` if it is there, else say which command makes it."""
        if not file.is_file():
            raise UsageError(f"There is no {str(file)!r}: run `{command}` first")
        return file

    @property
    def verilog(self) -> Path:
        """The board top with the core, or the core alone if that was generated."""
        return self.core if self.core.is_file() and not self.top.is_file() else self.top

    def require_verilog(self) -> Path:
        """Return :attr:`verilog`, which must be there."""
        return self.require(self.verilog, "lutformer generate")

    def digest(self) -> str:
        """Return the SHA-256 of :attr:`verilog`, which identifies the Verilog of a record."""
        return hashlib.sha256(self.verilog.read_bytes()).hexdigest()

    def require_top(self) -> Path:
        """Return the board top, which must be there."""
        if self.core.is_file() and not self.top.is_file():
            raise UsageError(
                f"{str(self.path)!r} holds the core alone: run `lutformer generate` without --core"
            )
        return self.require(self.top, "lutformer generate")

    def network(self) -> "Network":
        """Load the network that the Verilog was made from."""
        from .model.network.network_file import load_vit

        return load_vit(self.require(self.network_file, "lutformer generate"))

    def stored_network(self) -> "StoredNetwork":
        """Load the same, of whatever family."""
        from .model.network.network_file import load_network

        return load_network(self.require(self.network_file, "lutformer generate"))

    def plan(self) -> "BoardPlan":
        """Load the plan that the Verilog was made by."""
        from pydantic import ValidationError

        from .hdl.plan.stored_plan import read_plan

        text = self.require(self.plan_file, "lutformer generate").read_bytes()
        try:
            return read_plan(text)
        except ValidationError as error:
            raise UsageError(
                f"{str(self.plan_file)!r} is not a plan of this version; run `lutformer generate`"
            ) from error

    def board(self) -> "Board":
        """Load the board that the Verilog was made for, from here if it is one of the user's."""
        from .boards.board import Board, board

        if self.board_file.is_file():
            return Board.model_validate_json(self.board_file.read_bytes())
        return board(self.plan().board)

    def built_from_this(self, board: str) -> bool:
        """Return whether the board's folder is a build of this very Verilog."""
        copy = self.path / board / "lutformer_top.v"
        return copy.is_file() and copy.read_bytes() == self.verilog.read_bytes()

    def build_record(self, board: str) -> dict[str, Any] | None:
        """Return the record of a build for ``board``, or None if there is none of this Verilog."""
        record = self.read(self.build)
        same = record is not None and record.get("board") == board
        return record if same and self.built_from_this(board) else None

    def read(self, file: Path) -> dict[str, Any] | None:
        """Return a record, or None if there is none that can be read."""
        try:
            record = json.loads(file.read_text())
        except (OSError, ValueError):
            return None
        return record if isinstance(record, dict) else None

    def write(self, file: Path, record: dict[str, Any]) -> None:
        """Write a record, whole or not at all; it remembers the command line that made it."""
        made = {"command": command()} if command() else {}
        write_text(file, json.dumps(record | made, indent=2) + "\n")


def write_text(file: Path, text: str) -> None:
    """Put ``text`` into ``file``, whole or not at all."""
    part = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        part.write_text(text)
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
