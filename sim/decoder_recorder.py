"""Recorder of a decoder's residual stream and logits."""

from typing import Any

from amaranth.hdl import Module, Mux, Signal, signed

from ..model.arithmetic import RESIDUAL_BITS
from .recorder import Record, Recorder, Watched

__all__ = ["LOGIT_BITS", "TIME_BITS", "DecoderRecorder"]

LOGIT_BITS = 32
"""Width in which logits are recorded."""
TIME_BITS = 32


class DecoderRecorder(Recorder):
    """The core of :class:`~lutformer.hdl.core.decoder_core.DecoderCore`; see :class:`Recorder`.

    Records are ``logits``; ``written``, every value of the residual stream; and ``times``, the
    cycle of each token's last logit.

    Parameters
    ----------
    tokens : int
        That a request takes in at most.
    vocabulary : int
        Logits of a token.
    logit_width : int
        Signed width of a logit.
    written : int
        Values that a token writes.
    """

    def __init__(self, *, tokens: int, vocabulary: int, logit_width: int, written: int) -> None:
        self.vocabulary, self.logit_width = vocabulary, logit_width
        super().__init__(
            {
                "logits": Record(width=LOGIT_BITS, values=tokens * vocabulary),
                "written": Record(width=RESIDUAL_BITS, values=tokens * written),
                "times": Record(width=TIME_BITS, values=tokens),
            }
        )

    def watch(self, m: Module) -> tuple[dict[str, Any], dict[str, Watched]]:
        logit, value = Signal(signed(self.logit_width)), Signal(signed(RESIDUAL_BITS))
        logit_valid, value_valid = Signal(), Signal()
        index, time = Signal(range(self.vocabulary)), Signal(TIME_BITS)
        last = index == self.vocabulary - 1
        m.d.sync += time.eq(time + 1)
        with m.If(logit_valid):
            m.d.sync += index.eq(Mux(last, 0, index + 1))
        ports = {
            "o_logits__valid": logit_valid,
            "o_logits__payload": logit,
            "o_written__valid": value_valid,
            "o_written__payload": value,
        }
        return ports, {
            "logits": Watched(valid=logit_valid, value=logit),
            "written": Watched(valid=value_valid, value=value),
            "times": Watched(valid=logit_valid & last, value=time),
        }
