"""A slip of the finger in a question, told by the words of what was found. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rag.attribute import FUNCTION_WORDS, WORD, fold, has

_MIN_LETTERS = 5  # of both words: "cost" is no misspelt "coast"


def respelled(question: str, texts: Iterable[str]) -> str:
    """Returns a question with each misspelt word as the texts spell it; "" if none is misspelt.

    Misspelt is a word in small letters that no text has, and that differs from one that a text has by two letters changed
    over, or one too many or too few. "policy" is no misspelt "police": that is another question. What is a word of its own
    ("trial" for "trail") cannot be told from a slip; so it is tried only for a question that finds nothing, and shown.
    """
    known = {fold(match[0]) for text in texts for match in WORD.finditer(text)} | FUNCTION_WORDS
    fixed, end = "", 0
    for match in WORD.finditer(question):
        word = match[0]
        if len(word) < _MIN_LETTERS or not word.isalpha() or not word.islower() or has(known, word):
            continue
        meant = sorted(other for other in known if len(other) >= _MIN_LETTERS and _is_slip(word, other))
        if len(meant) == 1:
            fixed += question[end : match.start()] + meant[0]
            end = match.end()
    return fixed + question[end:] if end else ""


def _is_slip(word: str, other: str) -> bool:
    if word[0] != other[0] or abs(len(word) - len(other)) > 1:
        return False
    if len(word) != len(other):
        short, long = sorted((word, other), key=len)
        return any(short == long[:n] + long[n + 1 :] for n in range(1, len(long)))
    places = [n for n, (a, b) in enumerate(zip(word, other, strict=True)) if a != b]
    if len(places) != 2:
        return False
    first, *rest = places
    return rest == [first + 1] and word[first] + word[first + 1] == other[first + 1] + other[first]
