"""A list of steps, each done again only when something that it depends on has changed."""

import hashlib
import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from . import __version__
from .workspace import write_text

__all__ = ["Outcome", "Step", "code_hash", "run_step"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One piece of work, from files and options to files.

    Parameters
    ----------
    name : str
        What the step list says; also names its stamp.
    work : callable
        Does it; returns one line on what came out.
    outputs : sequence of Path
        Files and directories that it makes.
    inputs : sequence of Path
        Files that it reads.
    options : mapping
        Whatever else decides the outputs; must go to JSON.
    code : sequence of str
        Packages of lutformer whose source decides the outputs.
    """

    name: str
    work: Callable[[], str]
    outputs: Sequence[Path]
    inputs: Sequence[Path] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    code: Sequence[str] = ()

    def key(self) -> str:
        """Return the hash of all that decides the outputs."""
        facts = {
            "version": __version__,
            "options": dict(self.options),
            "inputs": {path.name: _file_hash(path) for path in self.inputs},
            "code": {package: code_hash(package) for package in self.code},
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a step."""

    note: str
    seconds: float
    """Of the run that made the outputs."""
    skipped: bool


def run_step(step: Step, stamps: Path) -> Outcome:
    """Do ``step`` unless its stamp says that the outputs are still right.

    A step that was interrupted finds what it left, so that it can resume; before a step with
    other inputs, its old outputs are removed.
    """
    stamp = stamps / f"{step.name.replace(' ', '-')}.json"
    earlier, key = _read(stamp), step.key()
    if earlier.get("key") == key:
        if earlier.get("outputs") == _hashes(step.outputs):
            return Outcome(note=earlier["note"], seconds=earlier["seconds"], skipped=True)
    else:
        for path in step.outputs:
            _remove(path)
    stamps.mkdir(parents=True, exist_ok=True)
    write_text(stamp, json.dumps({"key": key}))
    start = time.monotonic()
    note = step.work()
    seconds = round(time.monotonic() - start, 2)
    done = {"key": key, "note": note, "seconds": seconds, "outputs": _hashes(step.outputs)}
    write_text(stamp, json.dumps(done, indent=2) + "\n")
    return Outcome(note=note, seconds=seconds, skipped=False)


def code_hash(package: str) -> str:
    """Return the hash of the sources of a package of lutformer, such as ``model``."""
    digest = hashlib.sha256()
    for name, source in sorted(_sources(resources.files(f"lutformer.{package}"), "")):
        digest.update(name.encode() + b"\0" + hashlib.sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _sources(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith((".py", ".cpp")):
            found.append((prefix + entry.name, entry))
    return found


def _hashes(paths: Sequence[Path]) -> dict[str, str] | None:
    """Return the content hash of every file at or below ``paths``, None if one is missing."""
    hashes: dict[str, str] = {}
    for path in paths:
        if not path.exists():
            return None
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        hashes |= {str(f.relative_to(path.parent)): _file_hash(f) for f in files if f.is_file()}
    return hashes


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _read(stamp: Path) -> dict[str, Any]:
    try:
        found = json.loads(stamp.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
