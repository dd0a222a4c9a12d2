"""What networks are given or compute one of, in words."""

from dataclasses import dataclass

__all__ = ["Unit"]


@dataclass(frozen=True)
class Unit:
    """A countable noun.

    Attributes
    ----------
    singular : str
        Its plural ends in s.
    """

    singular: str

    @property
    def plural(self) -> str:
        """The noun for several."""
        return f"{self.singular}s"

    @property
    def one(self) -> str:
        """The noun with its article."""
        return f"{'an' if self.singular[0] in 'aeiou' else 'a'} {self.singular}"

    def counted(self, number: int) -> str:
        """Return ``number`` of them, with separators of thousands."""
        return f"{number:,} {self.singular if number == 1 else self.plural}"
