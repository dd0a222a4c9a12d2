"""The plan: every lane count and placement that turns a network into one particular circuit."""

import tomllib
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from lutformer.errors import UsageError

from ...model.storage.renamed import PLAN, present_names
from ..lib.arithmetic import Popcount
from .board_plan import BoardPlan

__all__ = ["Plan", "read_overrides"]

Lanes = Annotated[int, Field(ge=1, le=4096)]


class Plan(BoardPlan):
    """How a network is laid out in hardware.

    Attributes
    ----------
    in_lanes, out_lanes : int
        Input elements and output features that ``MatVec`` multiplies in a cycle.
    lanes : int
        Bits that ``ConditionalSum`` looks at in a cycle.
    columns : int
        Value columns that attention weights in a cycle; for softmax also the products of a score.
    hash_lanes : int
        Products of a kernel hash in a cycle.
    dsp_norm, dsp_values, dsp_divide, dsp_scale : bool
        Multiply in DSP blocks (else in logic): in layer norm; weights with values, and the
        normalisation of their sums, in attention; the requantisation in ``MatVec``.
    two_cycle_multiply : bool
        Where a factor of layer norm or of attention's normalisation has more than 16 bits, multiply
        in two cycles on one narrow DSP block instead of in one on two.
    registers : bool
        Register products before they are used: faster, where flip-flops are not what is short.
    popcount : "tree" or "carry"
        How bits are counted: what is smallest on the board's family.
    square : bool
        Square sums in layer norm at once, in DSP blocks, instead of bit by bit.
    coder : bool
        Make the codes of a decoder's attention in a matrix engine of their own, beside its values.
    external_weights : bool
        Keep the weights of a decoder, and its tokens' vectors, in one large memory (the iCE40 UP's
        SPRAM) that is loaded before it is used, instead of in block memories with contents.
    """

    in_lanes: Lanes = 4
    out_lanes: Lanes = 4
    lanes: Lanes = 32
    columns: Lanes = 4
    hash_lanes: Lanes = 4
    dsp_norm: bool = True
    dsp_values: bool = True
    dsp_divide: bool = True
    dsp_scale: bool = True
    two_cycle_multiply: bool = False
    registers: bool = True
    popcount: Popcount = "tree"
    square: bool = False
    coder: bool = False
    external_weights: bool = False

    @model_validator(mode="before")
    @classmethod
    def _former_names(cls, values: Any) -> Any:
        return present_names(values, PLAN, cls.model_fields) if isinstance(values, dict) else values


def read_overrides(path: Path, kind: type[BaseModel] = Plan) -> dict[str, Any]:
    """Read fields of a plan of some ``kind`` from a TOML file, each checked on its own.

    Raises
    ------
    UsageError
        If the file is missing, not TOML, or holds what no plan has.
    """
    try:
        values = tomllib.loads(path.read_text())
        chosen = kind(**values).model_dump(exclude_unset=True)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} is not a readable TOML plan ({error}); see `lutformer generate --help`"
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(
            f"{path}: plan field {where!r}: {first['msg']}; "
            f"known fields are {', '.join(kind.model_fields)}"
        ) from error
    return chosen
