"""Options of a kind: default, bounds, and how text becomes a value."""

from dataclasses import dataclass
from typing import Any

from ..storage.part import check

__all__ = ["Option", "Value"]

Value = bool | int | float | str | tuple[int, ...]

BOOLEANS = {"true": True, "false": False}
WORDS = {bool: "true or false", int: "int", float: "float", str: "str", tuple: "numbers"}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One setting of a kind.

    Attributes
    ----------
    name : str
        As in ``--set NAME=VALUE``.
    default : bool, int, float, str or tuple of int
        Its type is the type of every value.
    least, most : float or None
        Inclusive bounds of a number, or of each number of a tuple.
    choices : tuple of str
        All values of a str; empty if any value will do.
    """

    name: str
    default: Value
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.check(self.default, f"Default of option {self.name}")

    def check(self, value: Any, label: str) -> None:
        """Raise ValueError, with the name ``label``, unless ``value`` is one of this option's."""
        fits = type(value) is type(self.default)
        fits |= isinstance(self.default, float) and type(value) is int
        check(fits, f"{label} must be {WORDS[type(self.default)]}, not {value!r}")
        check(
            not self.choices or value in self.choices,
            f"{label} must be one of {', '.join(self.choices)}, not {value!r}",
        )
        numbers = value if isinstance(value, tuple) else (value,)
        inside = all(self._inside(number) for number in numbers)
        check(inside, f"{label} must be {self._bounds()}, not {value!r}")

    def _inside(self, number: Any) -> bool:
        return (self.least is None or number >= self.least) and (
            self.most is None or number <= self.most
        )

    def _bounds(self) -> str:
        if self.most is None:
            return f"at least {self.least}"
        return f"at most {self.most}" if self.least is None else f"{self.least} to {self.most}"

    def read(self, text: str) -> Value:
        """Return the value that ``text`` stands for.

        Raises
        ------
        ValueError
            If it is of another type.
        """
        try:
            if isinstance(self.default, tuple):
                return tuple(int(part) for part in text.split(","))
            return BOOLEANS[text] if isinstance(self.default, bool) else type(self.default)(text)
        except (ValueError, KeyError) as error:
            raise ValueError(
                f"{self.name} takes {WORDS[type(self.default)]}, not {text!r}"
            ) from error
