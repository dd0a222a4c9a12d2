"""The characters that a text network knows, each a token."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from lutformer.errors import UsageError

from .arithmetic import Integers
from .storage.part import Part, check

__all__ = ["MAX_CHARACTERS", "Vocabulary"]

MAX_CHARACTERS = 4096


@dataclass(frozen=True, kw_only=True, eq=False)
class Vocabulary(Part):
    """Characters by token: character number t is token t.

    Attributes
    ----------
    characters : str
        V different ones, by ascending code point.
    """

    characters: str

    def __post_init__(self) -> None:
        check(
            2 <= self.size <= MAX_CHARACTERS,
            f"Vocabulary.characters must hold 2 to {MAX_CHARACTERS} characters, not {self.size}",
        )
        ordered = all(a < b for a, b in zip(self.characters, self.characters[1:], strict=False))
        check(ordered, "Vocabulary.characters must be different and ascend")

    @classmethod
    def of(cls, text: str) -> "Vocabulary":
        """Return the characters of ``text``."""
        return cls(characters="".join(sorted(set(text))))

    @property
    def size(self) -> int:
        """V."""
        return len(self.characters)

    @property
    def start(self) -> int:
        """Token that stands for an empty prompt: a line break if there is one, else token 0."""
        return max(self.characters.find("\n"), 0)

    def encode(self, text: str) -> Integers:
        """Return the tokens of ``text``.

        Raises
        ------
        UsageError
            If it has a character that is none of these.
        """
        token = {character: n for n, character in enumerate(self.characters)}
        unknown = sorted(set(text) - set(token), key=text.index)
        if unknown:
            number, known = text.index(unknown[0]) + 1, f"the {self.size} that the network knows"
            if len(unknown) == 1:
                raise UsageError(
                    f"Character {unknown[0]!r} (number {number} of the text) is none of {known}; "
                    "leave it out or replace it"
                )
            raise UsageError(
                f"Characters {', '.join(map(repr, unknown))} (the first is number {number} of the "
                f"text) are none of {known}; leave them out or replace them"
            )
        return np.array([token[character] for character in text], np.int64)

    def prompt(self, text: str) -> Integers:
        """Return the tokens of ``text``, :attr:`start` if it is empty."""
        return self.encode(text) if text else np.array([self.start], np.int64)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens."""
        return "".join(self.characters[token] for token in tokens)
