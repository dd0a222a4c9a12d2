"""Texts as tokens: a corpus that comes with Python, or any UTF-8 file."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..arithmetic import Integers
from ..vocabulary import MAX_CHARACTERS, Vocabulary
from .images import fingerprint_of
from .labels import DataError

__all__ = ["TEXTS", "Text", "load_text"]

log = logging.getLogger("lutformer")

SHORTEST = 100
"""Characters that a text must have at least."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Text:
    """Tokens of a text, the first nine tenths to train on and the rest held out.

    Attributes
    ----------
    name : str
    vocabulary : Vocabulary
        Characters of the whole text.
    train_tokens, test_tokens : int64 [tokens]
    """

    name: str
    vocabulary: Vocabulary
    train_tokens: Integers
    test_tokens: Integers

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of tokens and characters, in hexadecimal."""
        characters = np.array([ord(c) for c in self.vocabulary.characters])
        return fingerprint_of(characters, self.train_tokens, self.test_tokens)

    def held_out(self, size: int) -> tuple[Integers, Integers]:
        """Cut the held-out part into blocks [blocks, size]; return them, and what follows each.

        Raises
        ------
        DataError
            If it is shorter than one block.
        """
        count = (len(self.test_tokens) - 1) // size
        if count < 1:
            raise DataError(
                f"Text {self.name} is too short: the tenth of it that is held out has "
                f"{len(self.test_tokens)} characters, a block and what follows it {size + 1}"
            )
        ends = count * size
        shape = (count, size)
        return self.test_tokens[:ends].reshape(shape), self.test_tokens[1 : ends + 1].reshape(shape)


def load_text(source: str | Path) -> Text:
    """Load a text by name (a key of :data:`TEXTS`) or from a UTF-8 file.

    Raises
    ------
    DataError
        If there is no such text, or it is of no use.
    """
    if isinstance(source, str) and source in TEXTS:
        return _text(source, TEXTS[source]())
    path = Path(source)
    if not path.is_file():
        raise DataError(
            f"There is no text {str(source)!r}: give one of {', '.join(TEXTS)}, or a UTF-8 file"
        )
    try:
        return _text(path.name, path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is no text in UTF-8 (byte {error.start} is not valid); convert it"
        ) from error


def _text(name: str, text: str) -> Text:
    if len(text) < SHORTEST:
        raise DataError(f"Text {name} has {len(text)} characters; it needs {SHORTEST} at least")
    cut = len(text) * 9 // 10
    known = len(set(text))
    if not 2 <= known <= MAX_CHARACTERS:
        raise DataError(
            f"Text {name} has {known} different characters; 2 to {MAX_CHARACTERS} can be learned"
        )
    vocabulary = Vocabulary.of(text)
    late = sorted(set(text[cut:]) - set(text[:cut]))
    if late:
        log.warning(
            "Note: %s of text %s only in the last tenth, which is held out: they are tokens that "
            "no training has seen (%s)",
            "a character occurs" if len(late) == 1 else f"{len(late)} characters occur",
            name,
            " ".join(map(repr, late[:10])) + (" ..." if len(late) > 10 else ""),
        )
    return Text(
        name=name,
        vocabulary=vocabulary,
        train_tokens=vocabulary.encode(text[:cut]),
        test_tokens=vocabulary.encode(text[cut:]),
    )


def _pydoc() -> str:
    """Return the help on Python's language that Python carries."""
    from pydoc_data.topics import topics

    return "\n\n".join(topics[name] for name in sorted(topics))


TEXTS: dict[str, Callable[[], str]] = {"pydoc": _pydoc}
"""Corpora by name."""
