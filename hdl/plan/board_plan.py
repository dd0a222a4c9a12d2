"""The part of every plan that concerns the board."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["BoardPlan"]


class BoardPlan(BaseModel):
    """The part of a plan that the board top needs, of whatever family the network is.

    Attributes
    ----------
    board : str
        Name of the board that the plan was made for; empty for none.
    clock_hz, baud : int
        Clock of the design, and rate of its serial link.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    board: str = ""
    clock_hz: Annotated[int, Field(ge=1_000_000, le=1_000_000_000)] = 12_000_000
    baud: Annotated[int, Field(ge=300, le=50_000_000)] = 1_000_000

    @property
    def divisor(self) -> int:
        """Clock cycles of a bit on the serial link."""
        return round(self.clock_hz / self.baud)
