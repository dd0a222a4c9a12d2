"""TextBoard on a line that loses, damages and repeats: no token but the golden run's comes out."""

import random
import struct
from itertools import islice
from typing import cast

import pytest
from serial import Serial

from lutformer.boards.host import Board, BoardSilent, WrongNetwork
from lutformer.boards.text_board import TextBoard
from lutformer.hdl.passes import context
from lutformer.model.generation import generate
from lutformer.model.gpt import GptState, step
from lutformer.model.link import BoardInfo, Frame, FrameType, take_frame
from lutformer.model.random_gpt import GptShape, random_gpt
from lutformer.model.sampling import Sampler, Sampling
from lutformer.model.text_link import ANSWER, HEADER, REPLY_BYTES, REQUEST_BYTES, Flag, Status
from lutformer.model.text_session import TextLost, TextSession

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
        self.dead = False
        self.reset()

    def reset(self):
        """Do what the board's reset button does."""
        self.turn = self.loaded = 0
        self.state, self.choose = GptState(self.network), Sampler(Sampling())
        self.reply = (0, ())
        self.done = 0

    def write(self, data):
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
                classes=self.network.head.rows,
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
    start = [n % network.head.rows for n in range(prompt)]
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
    board.prepare(done.append)
    assert done == [32, 64, 96, 100]
    again = TextBoard(opened(line), bytes(100))
    again.prepare(done.append)
    assert len(done) == 4
    assert again.turn == board.turn


def test_a_reset_is_noticed():
    line = FakeBoard(ENDLESS)
    pieces = begun(line)
    line.reset()
    with pytest.raises(TextLost, match=r"^The board has lost the text .*: it was reset meanwhile"):
        list(pieces)


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


def test_another_network():
    line = cast(Serial, FakeBoard(ENDED))
    board = Board(line, network_hash=ENDLESS.digest, timeout=0.02)
    with pytest.raises(WrongNetwork, match=r"^The board runs network"):
        TextBoard(board).prepare()
