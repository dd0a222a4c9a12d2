"""The link under noise: ``python -m benchmarks.link_noise [--full] [--json]``.

The board top of a small network, compiled from its emitted Verilog; its real host, and between
them a line that flips bits, loses and repeats bytes and makes up some, in both directions. Each
answer is compared with the golden run. Time is that of the simulation: a seed gives the same run
anywhere. Exit status 1: an answer was wrong, or the board did not come back.
"""

import argparse
import binascii
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.bars import Bar, add_full, json_text
from lutformer.boards.host.board_link import Board, LinkError
from lutformer.console import table
from lutformer.families import family_of
from lutformer.hdl.classifier.classifier_core import ClassifierCore
from lutformer.hdl.core.top import Top
from lutformer.hdl.lib.verilog import emit
from lutformer.hdl.plan.classifier_plan import ClassifierPlan
from lutformer.model.link.frames import SYNC, LinkConfig, crc32
from lutformer.model.link.link_format import link_format
from lutformer.sim.stepped_board import SteppedBoard
from lutformer.testing.random_classifier import random_classifier

__all__ = ["LEVELS", "Counts", "Noise", "NoisyLine", "Rates", "measure", "residual"]

CLOCK_HZ, DIVISOR = 1_000_000, 4
SECONDS_PER_POLL = 0.001
TIMEOUT, SILENCE = 0.004, 0.003
"""Of the host, in simulated seconds; a reply takes 0.002, the board gives up after 0.001."""
ATTEMPTS = 5
QUICK, FULL = 100_000, 1_000_000
"""Bytes through the link."""
REQUESTS = 40
"""Asked at one level of noise before it changes."""
NETWORK = random_classifier(features=16, thermometer_bits=3, word_bits=8, luts=(24,), classes=4)


@dataclass(frozen=True, kw_only=True)
class Rates:
    """How probable each fault is: of a byte, and for junk of a frame or of a silence."""

    flip: float = 0.0
    drop: float = 0.0
    repeat: float = 0.0
    junk: float = 0.0


LEVELS = (
    Rates(),
    Rates(junk=0.5),
    *(Rates(**{kind: rate}) for kind in ("flip", "drop", "repeat") for rate in (0.001, 0.01)),
    Rates(flip=0.002, drop=0.002, repeat=0.002, junk=0.1),
    Rates(flip=0.01, drop=0.01, repeat=0.01, junk=0.3),
    Rates(flip=0.1, drop=0.02, repeat=0.02, junk=0.5),
)


class Noise:
    """Damages bytes, and counts what it did."""

    def __init__(self, seed: int) -> None:
        self.random, self.rates = random.Random(seed), Rates()
        self.faults: Counter[str] = Counter(flips=0, drops=0, repeats=0, junk=0)

    def damage(self, data: bytes) -> bytes:
        """Return what arrives of ``data``."""
        rates, rng, out = self.rates, self.random, bytearray()
        drop, repeat = rates.drop, rates.drop + rates.repeat
        for byte in data:
            if rates.flip and rng.random() < rates.flip:
                byte ^= 1 << rng.randrange(8)
                self.faults["flips"] += 1
            chance = rng.random()
            if chance < drop:
                self.faults["drops"] += 1
                continue
            out.append(byte)
            if chance < repeat:
                out.append(byte)
                self.faults["repeats"] += 1
        return bytes(out)

    def junk(self, frame: bytes) -> bytes:
        """Return what comes between frames: nothing, bytes, sync bytes, or a piece of a frame."""
        if self.random.random() >= self.rates.junk:
            return b""
        size = self.random.randint(1, 12)
        start = self.random.randrange(max(len(frame) - 1, 1))
        kinds = (self.random.randbytes(size), bytes([SYNC]) * size, frame[start : start + size])
        made = self.random.choice(kinds)
        self.faults["junk"] += len(made)
        return made


@dataclass(kw_only=True)
class Counts:
    """What became of a run.

    Attributes
    ----------
    bytes_to_board, bytes_to_host : int
        That arrived, the made up ones among them.
    requests, retries : int
        Asked by the program, and sent again by the host.
    answers, given_up : int
        Delivered, or refused with an error after all attempts.
    wrong : int
        Answers that are not those of the golden run.
    lock_ups : int
        How often a board did not answer the first request after the line had been silent.
    """

    bytes_to_board: int = 0
    bytes_to_host: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    answers: int = 0
    given_up: int = 0
    wrong: int = 0
    lock_ups: int = 0
    simulated_cycles: int = 0
    seconds: float = 0.0


class NoisyLine:
    """A serial port in simulated time, with a board at its other end and noise between."""

    port: str | None = "the noisy line"
    baudrate = CLOCK_HZ // DIVISOR

    def __init__(self, board: SteppedBoard, noise: Noise) -> None:
        self.board, self.noise = board, noise
        self.writes, self.to_board, self.to_host = 0, 0, 0
        self._pending, self._received, self._frame = b"", b"", b""

    def now(self) -> float:
        """Return the simulated seconds."""
        return self.board.cycles / CLOCK_HZ

    @property
    def in_waiting(self) -> int:
        """Bytes that have come."""
        return len(self._received)

    def write(self, b: bytes, /) -> int:
        """Send a frame, with what the noise makes of it."""
        self.writes += 1
        self._frame = b
        arrives = self.noise.junk(b) + self.noise.damage(b) + self.noise.junk(b)
        self._pending += arrives
        self.to_board += len(arrives)
        return len(b)

    def read(self, size: int = 1, /) -> bytes:
        """Return what has come, or let time go by until something does."""
        if not self._received:
            sent, self._pending = self._pending, b""
            came = self.board.run(sent, round(SECONDS_PER_POLL * CLOCK_HZ))
            noise = self.noise
            self._received = noise.junk(self._frame) + noise.damage(came)
            self.to_host += len(self._received)
        taken, self._received = self._received[:size], self._received[size:]
        return taken

    def close(self) -> None:
        """Do nothing: the board goes with its ``with`` statement."""


def noisy_top(directory: Path) -> tuple[Path, LinkConfig, int]:
    """Write the board top of a small network; return it, its link, and the cycles of an answer."""
    core = ClassifierCore(NETWORK, ClassifierPlan())
    config = LinkConfig(
        network_hash=NETWORK.digest,
        input_bytes=link_format(NETWORK).input_bytes,
        classes=NETWORK.outputs,
        clock_hz=CLOCK_HZ,
        timeout_ms=1,
    )
    text = emit(core, top="lutformer_core") + emit(Top(core, config, DIVISOR), top="lutformer_top")
    (directory / "top.v").write_text(text)
    return directory / "top.v", config, core.cycles


def measure(least_bytes: int, seed: int, directory: Path) -> Counts:
    """Ask until so many bytes have gone through the link."""
    verilog, config, cycles = noisy_top(directory)
    noise, counts, start = Noise(seed), Counts(), time.monotonic()
    with SteppedBoard(verilog, divisor=DIVISOR, build_dir=directory) as stepped:
        line = NoisyLine(stepped, noise)
        options = {"network_hash": config.network_hash, "timeout": TIMEOUT, "silence": SILENCE}
        board = Board(line, attempts=ATTEMPTS, now=line.now, tag=0, **options)
        strict = Board(line, attempts=1, now=line.now, tag=0, **options)
        levels = _levels(noise.random)
        asked = 0
        while line.to_board + line.to_host < least_bytes and not counts.lock_ups:
            noise.rates = next(levels)
            _ask(board, noise.random, cycles, counts)
            asked = counts.requests
            noise.rates = Rates()
            counts.lock_ups += not _comes_back(strict, line)
            counts.retries -= 1  # what it asked
        counts.retries += line.writes - asked - 1  # the first question was who it is
        counts.simulated_cycles = stepped.cycles
    counts.bytes_to_board, counts.bytes_to_host = line.to_board, line.to_host
    counts.faults, counts.seconds = dict(noise.faults), round(time.monotonic() - start, 1)
    return counts


def _levels(rng: random.Random) -> Iterator[Rates]:
    while True:
        yield from rng.sample(LEVELS, len(LEVELS))


def _ask(board: Board, rng: random.Random, cycles: int, counts: Counts) -> None:
    generator = np.random.default_rng(rng.getrandbits(64))
    shape = (REQUESTS, NETWORK.encoder.features)
    inputs = generator.integers(0, 1 << NETWORK.encoder.bits, shape)
    truth = family_of(NETWORK).answers(NETWORK, inputs)
    for payload, logits, index in zip(
        NETWORK.pack(inputs), truth.logits, truth.classes, strict=True
    ):
        counts.requests += 1
        try:
            result = board.classify(payload)
        except LinkError:
            counts.given_up += 1
            continue
        counts.answers += 1
        right = (int(index), cycles, tuple(map(int, logits)))
        counts.wrong += (result.class_index, result.cycles, result.logits) != right


def _comes_back(board: Board, line: NoisyLine) -> bool:
    """Return whether the board answers at once after a silence."""
    until = line.now() + SILENCE
    while line.now() < until:
        line.read(1 << 16)
    try:
        board.info()
    except LinkError:
        return False
    return True


def residual(frames: int, seed: int) -> dict[str, int]:
    """Return how many of so many damaged frames a CRC of 16 bits and that of the link let pass."""
    noise = Noise(seed)
    noise.rates = Rates(flip=0.05, drop=0.02, repeat=0.02)
    passed = {"damaged": 0, "crc16": 0, "crc32": 0}
    while passed["damaged"] < frames:
        body = noise.random.randbytes(24)
        for name, check in (("crc16", _crc16), ("crc32", _crc32)):
            whole = body + check(body)
            came = noise.damage(whole).ljust(len(whole), b"\0")[: len(whole)]
            if came == whole:
                break
            passed["damaged"] += name == "crc32"
            passed[name] += check(came) == bytes(len(whole) - len(body))
    return passed


def _crc16(data: bytes) -> bytes:
    return binascii.crc_hqx(data, 0xFFFF).to_bytes(2, "big")


def _crc32(data: bytes) -> bytes:
    return crc32(data).to_bytes(4, "little")


def bars(found: dict[str, Any]) -> list[Bar]:
    limits = [
        Bar(name="wrong answers", value=found["wrong"], at_most=0),
        Bar(name="boards that do not come back", value=found["lock_ups"], at_most=0),
    ]
    if "crc" in found:
        passed = found["crc"]["crc32"]
        limits.append(Bar(name="damaged frames that CRC-32 lets pass", value=passed, at_most=0))
    return limits


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="The link under noise.")
    parser.add_argument("--bytes", type=int, help=f"that go through, at least ({QUICK:,})")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--frames", type=int, help="damage so many, for the CRCs alone (0)")
    parser.add_argument("--json", action="store_true", help="print the counts as JSON")
    add_full(parser, f"{FULL:,} bytes, and as many frames")
    options = parser.parse_args(arguments)
    least = options.bytes or (FULL if options.full else QUICK)
    frames = options.frames if options.frames is not None else FULL if options.full else 0
    with tempfile.TemporaryDirectory() as name:
        counts = measure(least, options.seed, Path(name))
    found = asdict(counts)
    if frames:
        found["crc"] = residual(frames, options.seed)
    if options.json:
        print(json_text(bars(found), found))
    else:
        table(("figure", "value"), list(found.items()))
    sys.exit(1 if counts.wrong or counts.lock_ups else 0)


if __name__ == "__main__":
    main()
