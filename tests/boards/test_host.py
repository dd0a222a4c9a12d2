"""Host, pseudo-terminal, UART, link and a stand-in core, all of it as a user would run it."""

import contextlib
import hashlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import serial
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from lutformer.boards.host.board_link import (
    Board,
    BoardRefused,
    BoardSilent,
    LinkError,
    PortFailed,
    WrongNetwork,
)
from lutformer.errors import BuildFailed, ToolMissing, UsageError
from lutformer.hdl.core.link import Link
from lutformer.hdl.lib.uart import UartReceiver, UartTransmitter
from lutformer.hdl.lib.verilog import emit
from lutformer.model.link.frames import (
    ErrorCode,
    Frame,
    FrameType,
    LinkConfig,
    Result,
    crc32,
    take_frame,
)
from lutformer.sim.virtual_board import VirtualBoard, VirtualBoardDied

DIVISOR = 4
CONFIG = LinkConfig(
    network_hash=hashlib.sha256(b"sum of bytes").digest(),
    input_bytes=300,
    classes=2,
    clock_hz=1_000_000,
    timeout_ms=4,
)


class SumCore(wiring.Component):
    """Adds up the bytes of an image; the second logit is the sum negated, the class its low bits.

    Its cycle counter counts the images begun since reset, so that a test sees what was dropped.
    """

    image: stream.Interface
    result: stream.Interface
    abort: Signal

    def __init__(self, config):
        self.config = config
        byte_stream = stream.Signature(8)
        super().__init__({"image": In(byte_stream), "result": Out(byte_stream), "abort": In(1)})

    def elaborate(self, platform):
        m = Module()
        total, runs = Signal(32), Signal(32)
        seen = Signal(range(self.config.input_bytes + 1))
        place = Signal(range(self.config.result_bytes))
        full = seen == self.config.input_bytes
        words = [total[:16], runs, total, -total]
        result = [word[n : n + 8] for word in words for n in range(0, len(word), 8)][:14]
        m.d.comb += [self.image.ready.eq(~full), self.result.valid.eq(full)]
        with m.If(self.image.valid & self.image.ready):
            m.d.sync += [seen.eq(seen + 1), total.eq(total + self.image.payload)]
            with m.If(seen == 0):
                m.d.sync += runs.eq(runs + 1)
        with m.Switch(place):
            for n, byte in enumerate(result):
                with m.Case(n):
                    m.d.comb += self.result.payload.eq(byte)
        with m.If(self.result.valid & self.result.ready):
            m.d.sync += place.eq(place + 1)
            with m.If(place == self.config.result_bytes - 1):
                m.d.sync += [place.eq(0), seen.eq(0), total.eq(0)]
        with m.If(self.abort):
            m.d.sync += [seen.eq(0), total.eq(0)]
        return m


class Top(wiring.Component):
    rx: Signal
    tx: Signal
    led: Signal

    def __init__(self, config):
        self.config = config
        super().__init__({"rx": In(1), "tx": Out(1), "led": Out(3)})

    def elaborate(self, platform):
        m = Module()
        m.submodules.receiver = receiver = UartReceiver(DIVISOR)
        m.submodules.transmitter = transmitter = UartTransmitter(DIVISOR)
        m.submodules.link = link = Link(self.config)
        m.submodules.core = core = SumCore(self.config)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx), core.abort.eq(link.abort)]
        wiring.connect(m, receiver.o, link.rx)
        wiring.connect(m, link.tx, transmitter.i)
        wiring.connect(m, link.image, core.image)
        wiring.connect(m, core.result, link.result)
        return m


@pytest.fixture(scope="module")
def virtual(tmp_path_factory):
    """The compiled board; every test starts it afresh."""
    directory = tmp_path_factory.mktemp("virtual board")  # with a space
    verilog = directory / "top.v"
    verilog.write_text(emit(Top(CONFIG), top="lutformer_top"))
    return VirtualBoard(verilog, divisor=DIVISOR, build_dir=directory / "build")


@pytest.fixture
def port(virtual):
    with virtual as path:
        yield path
        assert virtual.running


def open_board(port, **options):
    return Board.open(port, **{"network_hash": CONFIG.network_hash, "timeout": 2, **options})


def expected(image):
    total = sum(image)
    return total & 0xFFFF, (total, -total)


def check_run(board, image=None):
    image = random.randbytes(CONFIG.input_bytes) if image is None else image
    result = board.classify(image)
    assert (result.class_index, result.logits) == expected(image)
    return result.cycles


def test_answers(port):
    with open_board(port) as board:
        assert board.info() == CONFIG.info
        images = [bytes(CONFIG.input_bytes), b"\xff" * CONFIG.input_bytes, b"\xa5" * 300]
        images += [random.randbytes(CONFIG.input_bytes) for _ in range(20)]
        for n, image in enumerate(images, 1):
            assert check_run(board, image) == n
    with open_board(port) as board:  # a second program, the same board
        assert check_run(board) == len(images) + 1


def test_image_of_another_size_is_refused(port):
    with (
        open_board(port) as board,
        pytest.raises(ValueError, match=r"^Image must have 300 bytes, not 299$"),
    ):
        board.classify(bytes(299))


def test_arrays_are_images(port):
    image = np.random.default_rng(1).integers(0, 256, (10, 30))
    with open_board(port) as board:
        for array in (image, image.astype(np.uint8), image.T.copy(), image.T, image[::-1]):
            result = board.classify(array)
            assert (result.class_index, result.logits) == expected(array.astype(np.uint8).tobytes())


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((3, 100)), r"^Image must be bytes or integers from 0 to 255, not float64$"),
        (np.full(300, 256), r"^Image must be bytes or integers from 0 to 255, not 256$"),
        (np.full(300, -1), r"^Image must be bytes or integers from 0 to 255, not -1$"),
        (np.zeros((3, 10), np.uint8), r"^Image must have 300 bytes, not 30$"),
        (np.zeros(0, np.uint8), r"^Image must have 300 bytes, not 0$"),
    ],
)
def test_other_arrays_are_refused(port, image, message):
    with open_board(port) as board, pytest.raises(ValueError, match=message):
        board.classify(image)


def test_the_example_of_the_documentation(port, capsys):
    text = (Path(__file__).parents[2] / "docs" / "link.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = example.replace("/dev/ttyUSB1", port).replace("(8, 8)", "(10, 30)")
    assert code.count(port) == code.count("(10, 30)") == 1
    exec(compile(code, "docs/link.md", "exec"), {})
    network, answer = capsys.readouterr().out.splitlines()
    assert network == f"{CONFIG.network_hash.hex()[:16]} takes 300 bytes"
    assert answer == f"class {expected(bytes(300))[0]}, logits (0, 0)"


def test_the_package_is_light_until_a_board_is_asked_for():
    code = "import sys, lutformer; print('serial' in sys.modules); lutformer.Board.open"
    command = [sys.executable, "-c", f"{code}; print('serial' in sys.modules)"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert said.split() == ["False", "True"]


def test_other_network_is_refused(port):
    other = hashlib.sha256(b"another").digest()
    message = rf"^The board runs network {CONFIG.network_hash.hex()[:16]}, not {other.hex()[:16]}; "
    with pytest.raises(WrongNetwork, match=message):
        Board.open(port, network_hash=other)
    with Board.open(port) as board:  # whoever expects nothing in particular is told what it is
        assert board.info().network_hash == CONFIG.network_hash


def test_garbage_on_the_line(port):
    generator = random.Random(1)
    with open_board(port, timeout=0.5) as board:
        for _ in range(10):
            junk = generator.randbytes(generator.randint(1, 60))
            board._line.write(junk + b"\xa5" * generator.randint(0, 2))
            check_run(board)


def test_truncated_image_is_forgotten(port):
    with open_board(port, timeout=0.5) as board:
        before = check_run(board)
        frame = Frame(FrameType.RUN, 9, b"\x77" * CONFIG.input_bytes).pack()
        board._line.write(frame[:200])
        time.sleep(0.2)
        board._line.read(board._line.in_waiting)
        assert check_run(board) == before + 2  # the core had begun with the broken one


def test_late_reply_is_not_taken_for_another(port):
    with open_board(port) as board:
        board.info()
        stale = Frame(FrameType.RUN, board._tag, bytes(CONFIG.input_bytes)).pack()
        board._line.write(stale)
        time.sleep(0.2)  # its reply now lies in the port's buffer, before that of the next request
        check_run(board, b"\x01" * CONFIG.input_bytes)


def test_silent_board():
    """A port with nothing behind it, as an unplugged board behind a plugged adapter."""
    master, slave = os.openpty()
    try:
        started = time.monotonic()
        with pytest.raises(BoardSilent, match=r"^No answer on '/dev/\S+' to 2 requests; is the bo"):
            open_board(os.ttyname(slave), timeout=0.2, attempts=2, silence=0.05)
        assert time.monotonic() - started < 2
    finally:
        os.close(master)
        os.close(slave)


class FakeBoard:
    """A pseudo-terminal whose far side is a function from frames to bytes."""

    def __init__(self, answer):
        self.answer = answer
        self.master, self.slave = os.openpty()
        self.requests = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        line = serial.Serial(os.ttyname(self.slave))  # raw mode
        line.close()
        self.thread.start()
        return os.ttyname(self.slave)

    def __exit__(self, *details):
        self.over.set()
        os.write(self.slave, b"\0")  # wakes the thread up
        self.thread.join(5)
        assert not self.thread.is_alive()
        os.close(self.master)
        os.close(self.slave)

    def serve(self):
        buffer = bytearray()
        while not self.over.is_set():
            buffer += os.read(self.master, 4096)
            while (frame := take_frame(buffer, 10_000)) is not None:
                self.requests.append(frame)
                os.write(self.master, self.answer(frame))


def reply_to(frame):
    if frame.type == FrameType.INFO:
        return Frame(FrameType.INFO_REPLY, frame.tag, CONFIG.info.pack())
    result = Result(class_index=1, cycles=2, logits=(3, -4))
    return Frame(FrameType.RESULT, frame.tag, result.pack())


def test_replies_damaged_on_the_way_are_asked_for_again():
    generator = random.Random(2)

    def damaging(frame):
        reply = bytearray(reply_to(frame).pack())
        if len(fake.requests) % 3:
            bit = generator.randrange(8 * len(reply))
            reply[bit // 8] ^= 1 << bit % 8
        return bytes(reply)

    fake = FakeBoard(damaging)
    with fake as path, open_board(path, timeout=0.1, silence=0.02) as board:
        for _ in range(5):
            assert board.classify(bytes(300)) == Result(class_index=1, cycles=2, logits=(3, -4))


def test_reply_with_another_tag_is_no_reply():
    fake = FakeBoard(lambda frame: Frame(FrameType.INFO_REPLY, frame.tag ^ 1, b"").pack())
    with fake as path, pytest.raises(BoardSilent):
        open_board(path, timeout=0.1, attempts=2, silence=0.02)
    assert len(fake.requests) == 2
    assert fake.requests[0].tag != fake.requests[1].tag


def test_a_board_that_always_refuses():
    fake = FakeBoard(lambda frame: Frame(FrameType.ERROR, frame.tag, b"\x01").pack())
    with (
        fake as path,
        pytest.raises(BoardRefused, match=r"^The board refused INFO: error 1 \(VERS"),
    ):
        open_board(path, timeout=0.5, silence=0.02)
    assert len(fake.requests) == 3


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b"short", r"^The board does not follow the protocol: Result cannot have 5 bytes$"),
        (bytes(6 + 4 * 3), r"^The board sent 3 logits, not 2$"),
    ],
)
def test_results_of_another_shape_are_refused(payload, message):
    def answer(frame):
        if frame.type == FrameType.INFO:
            return reply_to(frame).pack()
        return Frame(FrameType.RESULT, frame.tag, payload).pack()

    with (
        FakeBoard(answer) as path,
        open_board(path) as board,
        pytest.raises(LinkError, match=message),
    ):
        board.classify(bytes(300))


def test_missing_port():
    with pytest.raises(PortFailed, match=r"^Serial port '/dev/nonesuch' cannot be opened: "):
        Board.open("/dev/nonesuch")


def test_board_that_goes_away(virtual):
    with virtual as path:
        board = open_board(path, timeout=0.2, attempts=2, silence=0.05)
    with pytest.raises((PortFailed, BoardSilent)):
        board.classify(bytes(300))
    board.close()


def test_virtual_board_leaves_nothing_behind(virtual):
    with virtual as path, open_board(path) as board:
        process = virtual._process
        check_run(board)
    assert process.returncode == 0
    with pytest.raises(PortFailed):
        open_board(path)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_virtual_board_dies_with_its_owner(virtual, end):
    """The simulator ends when the program that started it does, and leaves no terminal."""
    build = virtual.program.parent
    script = (
        "import signal, time\n"
        "from lutformer.sim.virtual_board import VirtualBoard\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # also where it was ignored\n"
        f"top, build = {str(build.parent / 'top.v')!r}, {str(build)!r}\n"
        f"with VirtualBoard(top, divisor={DIVISOR}, build_dir=build) as port:\n"
        "    import os\n"
        "    children = open(f'/proc/self/task/{os.getpid()}/children').read().split()\n"
        "    print(children[0], port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    pipe = subprocess.PIPE
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=pipe, stderr=pipe, text=True)
    assert owner.stdout is not None
    pid, port = owner.stdout.readline().split()
    assert os.path.exists(f"/proc/{pid}/exe")
    assert os.path.exists(port)
    owner.send_signal(end)
    owner.communicate()
    assert owner.returncode == -end
    deadline = time.monotonic() + 30
    while os.path.exists(f"/proc/{pid}/exe") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not os.path.exists(f"/proc/{pid}/exe")
    assert not os.path.exists(port)


def test_exception_of_its_owner_ends_the_virtual_board(virtual):
    def interrupted():
        with virtual as path:
            raise KeyboardInterrupt(path)

    with pytest.raises(KeyboardInterrupt) as caught:
        interrupted()
    assert virtual._process.returncode == 0  # waited for: no zombie
    assert not os.path.exists(caught.value.args[0])


def test_two_virtual_boards_at_once(virtual):
    verilog = virtual.program.parent.parent / "top.v"
    other = VirtualBoard(verilog, divisor=DIVISOR, build_dir=virtual.program.parent)
    with (
        virtual as one,
        other as two,
        open_board(one) as first,
        open_board(two) as second,
    ):
        assert one != two
        assert [check_run(board) for board in (first, second, first, first)] == [1, 1, 2, 3]


def test_two_processes_compile_once(virtual, tmp_path):
    """Both find no program, and ask for it at the same time."""
    verilog = virtual.program.parent.parent / "top.v"
    where = f"divisor={DIVISOR}, build_dir={str(tmp_path)!r}"
    script = (
        "from lutformer.sim.virtual_board import VirtualBoard\n"
        "from lutformer.boards.host.board_link import Board\n"
        f"virtual = VirtualBoard({str(verilog)!r}, {where})\n"
        "with virtual as port, Board.open(port) as board:\n"
        "    print(virtual.program.stat().st_ino, board.classify(bytes(300)).logits)\n"
    )
    start = [sys.executable, "-c", script]
    owners = [subprocess.Popen(start, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = [owner.communicate()[0] for owner in owners]
    assert [owner.returncode for owner in owners] == [0, 0]
    assert said[0] == said[1]  # one file
    assert said[0].endswith(" (0, 0)\n")
    assert [path.name for path in tmp_path.iterdir()] == [virtual.program.name]


@pytest.mark.parametrize(("suffix", "start"), [(".vcd", b"$version"), (".fst", b"\x00")])
def test_waves(virtual, tmp_path, suffix, start):
    verilog = virtual.program.parent.parent / "top.v"
    waves = tmp_path / f"waves{suffix}"
    traced = VirtualBoard(verilog, divisor=DIVISOR, build_dir=tmp_path, waves=waves)
    with traced as port, open_board(port) as board:
        check_run(board)
    data = waves.read_bytes()
    assert data.startswith(start)
    assert len(data) > 1000
    if suffix == ".vcd":
        assert b"fsm_state" in data
        assert data.count(b"\n#") > 10_000  # times


def test_waves_that_cannot_be_written(virtual, tmp_path, monkeypatch):
    verilog = virtual.program.parent.parent / "top.v"
    where = {"divisor": DIVISOR, "build_dir": tmp_path}
    with pytest.raises(UsageError, match=r"^Waves go into a file that ends in \.vcd or \.fst, "):
        VirtualBoard(verilog, **where, waves=tmp_path / "waves.txt")
    monkeypatch.setattr("lutformer.sim.board_program.FST_HEADERS", ("nonesuch.h",))
    with pytest.raises(ToolMissing, match=r"^FST waves need the headers of lz4 and zlib; run `apt"):
        VirtualBoard(verilog, **where, waves=tmp_path / "waves.fst")


def test_death_of_the_virtual_board_is_reported(virtual):
    virtual.__enter__()
    virtual._process.kill()
    virtual._process.wait()
    with pytest.raises(VirtualBoardDied, match=r"^The virtual board ended with -9: "):
        virtual.__exit__(None, None, None)


def test_build_is_kept(virtual):
    before = virtual.program.stat().st_mtime_ns
    verilog = virtual.program.parent.parent / "top.v"
    again = VirtualBoard(verilog, divisor=DIVISOR, build_dir=virtual.program.parent)
    assert again.program == virtual.program
    assert again.program.stat().st_mtime_ns == before


def test_verilog_that_does_not_compile(tmp_path):
    (tmp_path / "top.v").write_text("module lutformer_top(input clk); nonsense endmodule\n")
    with pytest.raises(BuildFailed, match="Verilator did not build"):
        VirtualBoard(tmp_path / "top.v", divisor=4, build_dir=tmp_path)
    assert list(tmp_path.iterdir()) == [tmp_path / "top.v"]


def test_missing_compiler(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "top.v").write_text("")
    with pytest.raises(ToolMissing, match=r"^Not found on the PATH: perl, make, g\+\+; run `apt-"):
        VirtualBoard(tmp_path / "top.v", divisor=4, build_dir=tmp_path)


def test_crc_is_the_catalogued_one():
    assert crc32(b"123456789") == 0x340BC6D9  # the check value of CRC-32/JAMCRC


def test_take_frame_skips_what_is_no_frame():
    frame = Frame(FrameType.RUN, 3, b"\xa5\xa5payload")
    data = frame.pack()
    for junk in (b"", b"\x00\x01", b"\xa5", b"\xa5\x01\x02", data[:-1], data[:-1] + b"\x00"):
        buffer = bytearray(junk + data + b"rest")
        assert take_frame(buffer, 20) == frame, junk
        assert buffer == b"rest"
    for end in range(len(data)):
        buffer = bytearray(data[:end])
        assert take_frame(buffer, 20) is None
        buffer += data[end:]
        assert take_frame(buffer, 20) == frame
    assert take_frame(bytearray(data), 8) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network_hash": b"x"}, r"^Network hash must have 32 bytes, not 1$"),
        ({"input_bytes": 0}, r"^Input must have 1 to 16777215 bytes, not 0$"),
        ({"input_bytes": 1 << 24}, r"^Input must have 1 to 16777215 bytes, not 16777216$"),
        ({"classes": 0}, r"^Classes must be 1 to 65535, not 0$"),
        ({"clock_hz": 999}, r"^Clock must be at least 1000 Hz and the timeout 1 ms, not 999 Hz "),
    ],
)
def test_impossible_links_are_refused(change, message):
    fields = {"network_hash": bytes(32), "input_bytes": 1, "classes": 2, "clock_hz": 1_000_000}
    with pytest.raises(ValueError, match=message):
        LinkConfig(**{**fields, **change})


def test_error_codes_are_distinct_and_fit():
    assert len(set(ErrorCode)) == 5
    assert max(ErrorCode) < 8  # three bits in hdl/core/link.py


def test_an_echo_is_no_board():
    fake = FakeBoard(lambda frame: frame.pack())
    with fake as path, pytest.raises(LinkError, match=r"^Whatever is on '\S+' sends back what it "):
        open_board(path, timeout=0.5, silence=0.02)


@pytest.mark.parametrize("kind", [FrameType.RESULT, FrameType.RUN])
def test_a_reply_of_another_kind_is_a_dialect_and_no_refusal(kind):
    fake = FakeBoard(lambda frame: Frame(kind, frame.tag, b"x").pack())
    message = rf"^The board speaks another dialect: it answered INFO with a frame of type {kind}$"
    with fake as path, pytest.raises(LinkError, match=message):
        open_board(path, timeout=0.1, attempts=2, silence=0.02)


def test_a_line_that_talks_for_ever_is_left():
    """Each byte extends the deadline by its own time on the line: of a slow line, without end."""
    with Talker() as path:
        started = time.monotonic()
        with pytest.raises(BoardSilent):
            open_board(path, baud=4800, timeout=0.1, attempts=1, silence=0.02)
        assert time.monotonic() - started < 20


class Talker(FakeBoard):
    """Sends faster than its line could, whatever it is asked."""

    def __init__(self):
        super().__init__(None)

    def serve(self):
        os.set_blocking(self.master, False)
        while not self.over.is_set():
            with contextlib.suppress(BlockingIOError):
                os.write(self.master, b"U" * 64)
            time.sleep(0.001)


@pytest.mark.parametrize("url", ["socket://localhost:1", "rfc2217://localhost:1", "no://where"])
def test_addresses_of_pyserial_are_ports(url):
    with pytest.raises(PortFailed, match=rf"^Serial port '{url}' cannot be opened: "):
        open_board(url)


def test_a_port_behind_a_socket():
    with socket.create_server(("localhost", 0)) as server:

        def serve():
            line, _ = server.accept()
            with line:
                buffer = bytearray()
                while news := line.recv(4096):
                    buffer += news
                    while (frame := take_frame(buffer, 10_000)) is not None:
                        line.sendall(reply_to(frame).pack())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        with open_board(f"socket://localhost:{server.getsockname()[1]}") as board:
            assert board.classify(bytes(300)).logits == (3, -4)
        thread.join(5)
