"""What can go wrong, one class a kind; each message is one sentence: what, where, what to do."""

__all__ = [
    "BuildFailed",
    "DoesNotFit",
    "FlashFailed",
    "LutformerError",
    "NotEqual",
    "TimingMissed",
    "ToolMissing",
    "UnknownBoard",
    "UsageError",
]


class LutformerError(RuntimeError):
    """Base of every error that a user sees as one sentence; the work failed."""

    exit_code = 1


class UsageError(LutformerError, ValueError):
    """The request refers to something that does not exist or is invalid."""

    exit_code = 2


class UnknownBoard(UsageError):
    """No board data file has that name."""


class NotEqual(LutformerError):
    """Two runs that must make the same integers do not."""


class ToolMissing(LutformerError):
    """A program or library that this step needs is not installed."""


class BuildFailed(LutformerError):
    """A synthesis, place and route or packing tool ended with an error of its own."""


class FlashFailed(LutformerError):
    """The bitstream could not be written to the board."""


class DoesNotFit(LutformerError):
    """The design needs more than the chip has.

    Attributes
    ----------
    over : dict of str to tuple of int
        For each resource that is exceeded: (used, available).
    consumers : dict of str to dict of str to int
        For each of them, what the largest modules take, largest first.
    """

    def __init__(
        self,
        message: str,
        *,
        over: dict[str, tuple[int, int]] | None = None,
        consumers: dict[str, dict[str, int]] | None = None,
    ) -> None:
        super().__init__(message)
        self.over = over or {}
        self.consumers = consumers or {}


class TimingMissed(LutformerError):
    """The routed design is slower than the board's clock.

    Attributes
    ----------
    fmax_mhz, clock_mhz : float
        What was reached and what the board runs at.
    path : list of str
        Names on the critical path, from its start to its end.
    """

    def __init__(
        self,
        message: str,
        *,
        fmax_mhz: float = 0.0,
        clock_mhz: float = 0.0,
        path: list[str] | None = None,
    ) -> None:
        super().__init__(message)
        self.fmax_mhz = fmax_mhz
        self.clock_mhz = clock_mhz
        self.path = path or []
