"""The requests that load a decoder's weights (docs/link.md, text)."""

from .text_link import SLOTS, TOKEN_BYTES, Flag, TextRequest

__all__ = ["weight_requests"]

PIECE = SLOTS * TOKEN_BYTES


def weight_requests(weights: bytes, *, turn: bool) -> tuple[list[TextRequest], bool]:
    """Return the requests that bring ``weights``, and the turn of the last one.

    ``turn`` is that of the request before them.
    """
    requests = list[TextRequest]()
    for at in range(0, len(weights), PIECE):
        turn = not turn
        flags = Flag.LOAD | (Flag.TURN if turn else Flag.NONE)
        flags |= Flag.NONE if at else Flag.RELOAD
        requests.append(TextRequest(flags=flags, weights=weights[at : at + PIECE]))
    return requests, turn
