"""TextBoard on a line that loses, damages and repeats: no token but the golden run's comes out."""

import io
import random
import signal
import struct
import sys
import time
from itertools import islice
from typing import cast

import pytest
from serial import Serial, SerialException

from lutformer.boards.host.board_link import Board, BoardSilent, PortFailed, WrongNetwork
from lutformer.boards.host.text_board import REPLY_SECONDS, Piece, TextBoard
from lutformer.hdl.transformer.passes import context
from lutformer.model.link.frames import BoardInfo, Frame, FrameType, take_frame
from lutformer.model.link.text_link import ANSWER, HEADER, REPLY_BYTES, REQUEST_BYTES, Flag, Status
from lutformer.model.link.text_session import TextLost, TextSession
from lutformer.model.network.generation import generate
from lutformer.model.network.gpt import GptState, step
from lutformer.model.sampling import Sampler, Sampling
from lutformer.session.chat import Chat
from lutformer.testing.random_gpt import GptShape, random_gpt

ENDED = random_gpt(GptShape(heads=2, block_size=12))
ENDLESS = random_gpt(
    GptShape(attention="linear", hash="linear", form="and", heads=2, positions=False)
)
SAMPLING = Sampling(temperature=300, top_k=5, seed=7)


class FakeBoard:
    """A serial line to a core that is the golden run; ``faults`` is their share of the frames."""

    baudrate, port, in_waiting = 1_000_000, "fake", 0

    def __init__(self, network, *, weights=0, faults=0.0):
        self.network, self.weights, self.faults = network, weights, faults
        self.rng = random.Random(5)
        self.incoming, self.outgoing = bytearray(), bytearray()
        self.dead = self.unplugged = False
        self.delay = 0.0  # seconds a token
        self.slowness = 0.0  # seconds a request
        self.reset()

    def reset(self):
        """Do what the board's reset button does."""
        self.turn = self.loaded = 0
        self.state, self.choose = GptState(self.network), Sampler(Sampling())
        self.reply = (0, ())
        self.done = 0

    def write(self, data):
        if self.unplugged:
            raise SerialException("device disconnected")
        time.sleep(self.slowness)
        self.incoming += data
        while (frame := take_frame(self.incoming, REQUEST_BYTES)) is not None:
            if self.dead or self.rng.random() < self.faults:
                continue  # the request was lost
            reply = bytearray(self.answer(frame).pack())
            fault = self.rng.random()
            if fault < self.faults:
                continue  # the reply was
            if fault < 2 * self.faults:
                reply[self.rng.randrange(len(reply))] ^= 1 << self.rng.randrange(8)
            self.outgoing += reply * (2 if fault > 1 - self.faults else 1)

    def read(self, count):
        data = bytes(self.outgoing)
        self.outgoing.clear()
        return data

    def close(self):
        pass

    def answer(self, frame):
        if frame.type == FrameType.INFO:
            info = BoardInfo(
                network_hash=self.network.digest,
                input_bytes=REQUEST_BYTES,
                classes=self.network.head.out_features,
                clock_khz=12_000,
            )
            return Frame(FrameType.INFO_REPLY, frame.tag, info.pack())
        status = self.act(frame.payload)
        count, tokens = self.reply
        status |= 0x80 if self.turn else 0
        place = min(self.state.tokens, (1 << 16) - 1)
        head = ANSWER.pack(status, count, place, 100)
        body = struct.pack(f"<{count}H", *tokens)
        return Frame(FrameType.RESULT, frame.tag, (head + body).ljust(REPLY_BYTES, b"\0"))

    def act(self, payload):
        flags, items, count, temperature, top_k, seed = HEADER.unpack_from(payload)
        turn = int(bool(flags & Flag.TURN))
        if turn == self.turn:
            return Status.DONE
        self.reply = (0, ())
        if flags & Flag.LOAD:
            self.loaded = (0 if flags & Flag.RELOAD else self.loaded) + items
            self.turn = turn
            return Status.DONE
        if self.loaded < self.weights:
            return Status.NOT_LOADED
        if not 1 <= items <= 16:
            return Status.REFUSED
        before = 0 if flags & Flag.RESET else self.state.tokens
        if not self.network.endless and before + items + max(count - 1, 0) > context(self.network):
            return Status.FULL
        self.turn = turn
        if flags & Flag.RESET:
            self.state = GptState(self.network)
        if flags & Flag.RESEED:
            self.choose = Sampler(Sampling(seed=seed))
        self.choose.sampling = Sampling(temperature=temperature, top_k=top_k)
        time.sleep(self.delay * (items + max(count - 1, 0)))
        taken, tokens = list(struct.unpack_from(f"<{items}H", payload, HEADER.size)), []
        logits = None
        for left in range(count, -1, -1):
            if taken:
                logits = step(self.network, self.state, [taken])["logits"][0, -1]
            if left:
                taken = [self.choose(logits)]
                tokens += taken
                taken = taken if left > 1 else []
        self.reply = (count, tuple(tokens))
        self.done += 1
        return Status.DONE


def opened(line, **options):
    options = {"timeout": 0.02, "silence": 0.002, "attempts": 12} | options
    return Board(cast(Serial, line), network_hash=line.network.digest, **options)


def begun(line, weights=b"", **options):
    """Return pieces of a text, the first of which has come."""
    board = TextBoard(opened(line, **options), weights)
    board.prepare()
    board.load()
    network = line.network
    session = TextSession(network=network, text=[1, 2], sampling=SAMPLING, turn=board.turn)
    pieces = board.go_on(session, 100)
    next(pieces)
    return pieces


@pytest.mark.parametrize("faults", [0.0, 0.15])
@pytest.mark.parametrize("network", [ENDED, ENDLESS], ids=["contexts with an end", "endless"])
@pytest.mark.parametrize("prompt", [1, 40])
def test_tokens_are_those_of_the_golden_run(network, faults, prompt):
    """A prompt of 40 tokens is longer than a context, and than a request."""
    line = FakeBoard(network, faults=faults)
    board = TextBoard(opened(line))
    board.prepare()
    start = [n % network.head.out_features for n in range(prompt)]
    session = TextSession(network=network, text=list(start), sampling=SAMPLING, turn=board.turn)
    tokens = [token for piece in board.go_on(session, 50) for token in piece.tokens]
    expected = [g.token for g in islice(generate(network, start, Sampler(SAMPLING)), 50)]
    assert tokens == expected
    assert session.text == start + expected


def test_a_text_goes_on_from_call_to_call():
    board = TextBoard(opened(FakeBoard(ENDED)))
    board.prepare()
    session = TextSession(network=ENDED, text=[1], sampling=SAMPLING, turn=board.turn)
    for count in (1, 7, 30):
        list(board.go_on(session, count))
    expected = [g.token for g in islice(generate(ENDED, [1], Sampler(SAMPLING)), 38)]
    assert session.text == [1, *expected]


def test_weights_are_loaded_once():
    line = FakeBoard(ENDED, weights=100)
    board = TextBoard(opened(line), bytes(100))
    done = []
    assert board.prepare()
    board.load(done.append)
    assert done == [32, 64, 96, 100]
    again = TextBoard(opened(line), bytes(100))
    assert not again.prepare()
    assert again.turn == board.turn


def test_a_reset_is_noticed():
    line = FakeBoard(ENDLESS)
    pieces = begun(line)
    line.reset()
    with pytest.raises(TextLost, match=r"^The board has lost the text .* because it was reset"):
        list(pieces)


@pytest.mark.parametrize("network", [ENDED, ENDLESS], ids=["contexts with an end", "endless"])
@pytest.mark.parametrize("after", range(1, 26))
def test_a_reset_changes_no_token(network, after):
    """Between any two tokens, where a new window begins too: noticed, or nothing was lost."""
    line = FakeBoard(network)
    board = TextBoard(opened(line))
    board.prepare()
    session = TextSession(network=network, text=[1], sampling=SAMPLING, turn=board.turn)
    tokens = []
    try:
        for piece in board.go_on(session, 40, piece=1):
            tokens += piece.tokens
            if len(tokens) == after:
                line.reset()
    except TextLost:
        assert len(tokens) == after
    expected = [g.token for g in islice(generate(network, [1], Sampler(SAMPLING)), len(tokens))]
    assert tokens == expected


def test_the_choice_may_change_on_the_way():
    """In a new window the generator goes on, after as many candidates as each choice had."""
    board = TextBoard(opened(FakeBoard(ENDED)))
    board.prepare()
    session = TextSession(network=ENDED, text=[1], sampling=SAMPLING, turn=board.turn)
    choose, expected = Sampler(SAMPLING), [1]
    for top_k in (0, 5, 3, 99):
        session.sampling = choose.sampling = Sampling(temperature=300, top_k=top_k, seed=7)
        list(board.go_on(session, 13))
        expected += [g.token for g in islice(generate(ENDED, expected, choose), 13)]
        assert session.text == expected


def test_pieces_are_large_where_tokens_are_fast():
    line = FakeBoard(ENDLESS)
    board = TextBoard(opened(line))
    board.prepare()
    session = TextSession(network=ENDLESS, text=[1], sampling=SAMPLING, turn=board.turn)
    assert len(list(board.go_on(session, 160))) < 40
    assert {len(piece.tokens) for piece in board.go_on(session, 12, piece=4)} == {4}
    line.delay = 1.1 * REPLY_SECONDS
    sizes = [len(piece.tokens) for piece in board.go_on(session, 20)]
    assert sizes == [16, 1, 1, 1, 1]  # the first one shows how long they take now


def test_pieces_are_large_where_the_line_is_slow():
    """To take few tokens at a time would then save nothing."""
    line = FakeBoard(ENDLESS)
    line.slowness = 1.1 * REPLY_SECONDS
    board = TextBoard(opened(line))
    board.prepare()
    session = TextSession(network=ENDLESS, text=[1], sampling=SAMPLING, turn=board.turn)
    sizes = [len(piece.tokens) for piece in board.go_on(session, 100)]
    assert sizes[0] == 1
    assert max(sizes) == 16


def test_weights_that_went_are_noticed():
    line = FakeBoard(ENDED, weights=10)
    pieces = begun(line, bytes(10))
    line.reset()
    with pytest.raises(TextLost, match=r"^The board has lost the text \(status"):
        list(pieces)


def test_silence_in_the_middle():
    line = FakeBoard(ENDED)
    pieces = begun(line, attempts=2)
    line.dead = True
    with pytest.raises(BoardSilent, match=r"^No answer on 'fake' to 2 requests"):
        list(pieces)


def test_a_port_that_goes_away():
    line = FakeBoard(ENDED)
    board = TextBoard(opened(line))
    board.prepare()
    session = TextSession(network=ENDED, text=[1], sampling=SAMPLING, turn=board.turn)
    pieces = board.go_on(session, 100)
    next(pieces)
    line.unplugged = True
    with pytest.raises(PortFailed, match=r"^Serial port 'fake' failed: device disconnected$"):
        list(pieces)


def test_a_talk_stops_where_lines_end(monkeypatch, capsys):
    """Token by token that of the golden run, however many the board gives at once."""
    board = TextBoard(opened(FakeBoard(ENDLESS)))
    board.prepare()
    characters = ENDLESS.vocabulary.characters
    lines = [characters[1:4], "", characters[5:], characters[2] * 30, characters[3]]
    expected, text, choose = "", list[int](), Sampler(SAMPLING)
    for line in lines:
        text += ENDLESS.vocabulary.encode(line + "\n").tolist()
        answer = ""
        for g in islice(generate(ENDLESS, list(text), choose), 60):
            text.append(g.token)
            answer += characters[g.token]
            if answer.endswith("\n"):
                break
        expected += answer if answer.endswith("\n") else answer + "\n"
    assert expected.count("\n") == len(lines)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    Chat(board, ENDLESS, SAMPLING, 60).talk()
    assert capsys.readouterr().out == expected


class Interrupted:
    """A board at which Ctrl-C is pressed while it makes the second token, ``times`` times."""

    turn = False

    def __init__(self, times):
        self.times, self.given = times, 0

    def go_on(self, session, count, *, piece):
        for n in range(count):
            for _ in range(self.times if n == 1 else 0):
                signal.raise_signal(signal.SIGINT)
            session.text.append(2)
            self.given += 1
            yield Piece(tokens=(2,), taken=1, cycles=1, seconds=1.0)


@pytest.fixture
def interruptible():
    """A program that was started in the background may ignore interrupts."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_stops_an_answer_and_the_next_the_talk(monkeypatch, capsys, interruptible):
    lines = f"{ENDED.vocabulary.characters[1]}\n" * 2
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    once = Interrupted(1)
    Chat(cast(TextBoard, once), ENDED, SAMPLING, 50).talk()
    assert once.given == 4  # two of each answer
    assert capsys.readouterr().out == f"{ENDED.vocabulary.characters[2] * 2}\n" * 2
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    twice = Interrupted(2)
    with pytest.raises(KeyboardInterrupt):
        Chat(cast(TextBoard, twice), ENDED, SAMPLING, 50).talk()
    assert twice.given == 1
    assert signal.getsignal(signal.SIGINT) is interruptible


def test_another_network():
    line = cast(Serial, FakeBoard(ENDED))
    board = Board(line, network_hash=ENDLESS.digest, timeout=0.02)
    with pytest.raises(WrongNetwork, match=r"^The board runs network"):
        TextBoard(board).prepare()
