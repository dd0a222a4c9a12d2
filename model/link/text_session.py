"""A text that a board continues, as requests and replies (docs/link.md, text)."""

from dataclasses import dataclass, field, replace

from lutformer.errors import LutformerError

from ..network.gpt import Gpt
from ..sampling import Sampling, next_random
from .text_link import SLOTS, Flag, Status, TextReply, TextRequest

__all__ = ["TextLost", "TextSession"]

PLACES = (1 << 16) - 1  # what a reply can count


class TextLost(LutformerError):
    """The board is not where the text is."""


@dataclass(kw_only=True)
class TextSession:
    """The state of a text on a board, and the next request.

    Asks so that the tokens are those of :func:`lutformer.model.network.generation.generate`,
    windows (Eq. 40) included. A request that begins a context brings all that the context depends
    on, the state of the generator too: then a board that was reset before it has lost nothing.

    Attributes
    ----------
    network : Gpt
    text : list of int
        All tokens so far, those of the prompt first; more may be appended at any time.
    sampling : Sampling
        May be changed at any time but for its seed, which counts at the beginning.
    turn : bool
        Of the board's last request.
    """

    network: Gpt
    text: list[int]
    sampling: Sampling = field(default_factory=Sampling)
    turn: bool = False
    _begun: bool = field(default=False, init=False)
    _random: int = field(init=False)  # state of the board's generator
    _start: int = field(default=0, init=False)  # of the window
    _taken: int = field(default=0, init=False)  # tokens of the window that the board has

    def __post_init__(self) -> None:
        self._random = self.sampling.seed

    def request(self, count: int) -> TextRequest:
        """Return a request for ``count`` tokens, or for as many as one request can return.

        It asks for none where the board has to take in more than a request brings.
        """
        network, text = self.network, self.text
        window = network.window(len(text))
        flags = Flag.NONE if self.turn else Flag.TURN
        if not self._begun or window != self._start:
            flags |= Flag.RESET | Flag.RESEED
            self._start, self._taken = window, 0
        pending = text[self._start + self._taken :]
        if len(pending) > SLOTS:
            pending, count = pending[:SLOTS], 0
        count = min(count, SLOTS)
        while count > 1 and network.window(len(text) + count - 1) != window:
            count -= 1
        sampling = replace(self.sampling, seed=self._random)
        return TextRequest(flags=flags, tokens=tuple(pending), count=count, sampling=sampling)

    def accept(self, request: TextRequest, reply: TextReply) -> tuple[int, ...]:
        """Take the reply to a request; return the tokens chosen, which the text now has.

        Raises
        ------
        TextLost
            If the reply is not the expected one, because the board was reset.
        """
        due = self.expected(request, reply.tokens)
        if replace(reply, cycles=0) != due or len(reply.tokens) != request.count:
            raise TextLost(
                f"The board has lost the text (status {reply.status.name}, {reply.place} tokens in "
                f"its context instead of {due.place}) because it was reset; start again"
            )
        self._begun, self._taken = True, self._after(request)
        self.turn = Flag.TURN in request.flags
        self.text += reply.tokens
        for _ in range(
            len(reply.tokens) * request.sampling.candidates(self.network.head.out_features)
        ):
            self._random = next_random(self._random)
        return reply.tokens

    def expected(self, request: TextRequest, tokens: tuple[int, ...]) -> TextReply:
        """Return the reply that brings ``tokens``; its cycles are 0."""
        return TextReply(
            status=Status.DONE,
            tokens=tokens,
            cycles=0,
            place=min(self._after(request), PLACES),
            turn=Flag.TURN in request.flags,
        )

    def _after(self, request: TextRequest) -> int:
        """Return how many tokens of the window the board has after a request."""
        return self._taken + request.taken
