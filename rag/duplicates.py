"""Texts that say the same: articles that are copies of one another, and hits whose paragraph another article has too. Pure.

**Articles** are compared by their shingles: all runs of four words, of eight characters where words have no spaces between
them. One site cuts a story and another adds a paragraph, so what counts is the share of the shorter text that the longer one
has (`resemblance`), not the share of both together. Candidates are found by a MinHash signature, cut into keys that a
database can look up (`bands`). A form that is filled in anew each day (weather, markets, matches) is no copy: where the same
words stand around other numbers or other names, `copied` says no. Numbers in words are not seen there.

**Paragraphs** say the same only if their words are the same in the same order, but for case, punctuation, articles, a few
words of reporting and the agency's line (`gist`). "Rose" and "fell", 12 and 15, "no" and "about" are single words: whatever
allows for another word somewhere hides a disagreement some day, while a copy that is not seen costs a place among ten.
Source: docs/experiments.md, "Duplicates".
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import numpy as np

from rag.types import Document, Hit, Paragraph

COPY = 0.7
"""From this `resemblance` on two articles are told as the same story. Source: docs/experiments.md, "Duplicates"."""

_WORDS, _CHARACTERS = 4, 8  # of a shingle
_LEAST = 20
"""A text with fewer shingles has no signature: "This article is for subscribers." is no story."""

_BANDS, _ROWS = 32, 2
_AT_ONCE = 8192  # shingles that are signed at once: a file of 20 MB has three million
_EXCHANGED = 0.1
"""A copy may have so many of its numbers, and of its names, exchanged: a corrected figure. Source: as above."""

_AROUND = 2  # words before and after a number or name, by which it is found again in the other text

_LONG, _SPACELESS_LONG = 16, 40
"""Words of a gist that say enough by themselves; characters, where words have no spaces between them."""

_SPACELESS = re.compile(  # Thai, Lao, Tibetan, Burmese; Khmer; kana; Han
    r"[\u0e00-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_CHARACTER = re.compile(r"\d+(?:[.,]\d+)*|[A-Za-z]+|\S")
_RANGE = re.compile(r"(?<=\d)[–—](?=\d)")
_GAP = re.compile(r"[–—…]|(?<!\S)-+(?!\S)")
_OPENING = "\"'‘‚“”„«»([{*_¿¡「『（"  # not a point: ".5"
_CLOSING = "\"'‘“”«».,;:!)]}*_،؛。，、；：！」』）"
_STOPS = ".!?:…"
_AGENCY = re.compile(r"^[^.!?()]{0,50}\([A-Z][\w.]{1,11}\)\s*[-–—:]+\s*")  # "ARLEN, 3 May (Reuters) - "
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_SAYING_NOTHING = frozenset("a an the that which and also said says".split())


# --- articles ---------------------------------------------------------------------------------------------------------


def signature(text: str) -> np.ndarray:
    """Returns the MinHash signature of an article's text: uint64, shape (64,); shape (0,) of a text of too few words.

    The share of equal places of two signatures estimates the share of shingles that are in both texts of those that are in
    any. It is the same in every process and on every machine.
    """
    found = _shingles(text)
    if len(found) < _LEAST:
        return np.zeros(0, np.uint64)
    parts = (found[n : n + _AT_ONCE, None] * _FACTORS + _SUMMANDS for n in range(0, len(found), _AT_ONCE))
    return np.stack([part.min(axis=0) for part in parts]).min(axis=0)


def bands(signed: np.ndarray) -> tuple[int, ...]:
    """Returns the keys of a signature, signed 64-bit; texts that share a key are candidates. None for an empty one.

    32 bands of 2 rows: texts with a share s of their shingles in common (of all that are in any) share a key with the
    probability 1 - (1 - s ** 2) ** 32. That is above .999 for two texts of one length of which .7 is the same (s = .54),
    and for a text that was cut to half (s = .5); .95 if it was cut to half and then only .7 is the same (s = .3); .87 if it
    was cut to a quarter (s = .25), .48 if to a seventh. Texts with one shingle of 500 in common share one by a chance of 1
    in 8,000.
    """
    if not len(signed):
        return ()
    keys = signed.reshape(_BANDS, _ROWS) * _FACTORS[:_ROWS]
    mixed = _mixed(keys.sum(axis=1, dtype=np.uint64) + np.arange(_BANDS, dtype=np.uint64))
    return tuple(mixed.view(np.int64).tolist())


def resemblance(a: str, b: str) -> float:
    """Returns which share of the shingles of the shorter text the other one has too, 0 to 1; symmetric."""
    one, two = _shingles(a), _shingles(b)
    shorter = min(len(one), len(two))
    return len(np.intersect1d(one, two, assume_unique=True)) / shorter if shorter else 0.0


def copied(a: str, b: str) -> float:
    """Returns the `resemblance` of two articles if they are one story, else 0: too little is the same, or only the form."""
    share = resemblance(a, b)
    return share if share >= COPY and not _is_filled_in_anew(_words(a), _words(b)) else 0.0


def body(document: Document, paragraphs: Iterable[Paragraph]) -> str:
    """Returns the text of an article without its furniture, which all articles of a site have in common."""
    return "\n\n".join(document.text[p.start : p.end] for p in paragraphs)


def _is_filled_in_anew(a: Sequence[str], b: Sequence[str]) -> bool:
    """True if many numbers, or many names, of the shorter text are others in the longer one between the same words."""
    shorter, longer = sorted((a, b), key=len)
    kept, exchanged = Counter[str](), Counter[str]()
    theirs = _places(longer)
    for around, words in _places(shorter).items():
        if around in theirs:
            for word in words:
                (kept if word in theirs[around] else exchanged)[_mask(word)] += 1
    return any(n > _EXCHANGED * (n + kept[kind]) for kind, n in exchanged.items())


def _places(words: Sequence[str]) -> dict[tuple[str, ...], set[str]]:
    """Returns the numbers and names of a text by the words around them; among these, all numbers and names are alike."""
    edge = [""] * _AROUND
    masked = [*edge, *map(_mask, words), *edge]
    found: dict[tuple[str, ...], set[str]] = {}
    for n, word in enumerate(words):
        if masked[n + _AROUND] != word:
            found.setdefault(tuple(masked[n : n + 2 * _AROUND + 1]), set()).add(word)
    return found


def _mask(word: str) -> str:
    """Returns "#" for a number, "@" for a name, any other word as it is."""
    if not word.isalpha() and any(map(str.isdigit, word)):
        return "#"
    return "@" if word[:1].isupper() else word


def _shingles(text: str) -> np.ndarray:
    """Returns the hashes of a text's shingles, uint64, each once, in order."""
    words, width = (_characters(text), _CHARACTERS) if _is_spaceless(text) else (_pieces(text), _WORDS)
    n = len(words) - width + 1
    if n < 1:
        return np.zeros(0, np.uint64)
    hashes = [zlib.crc32(word.encode("utf-8", "replace")) for word in "\n".join(words).lower().split("\n")]
    scattered = _mixed(np.array(hashes, np.uint64))
    runs = np.zeros(n, np.uint64)
    for offset in range(width):
        runs = runs * _FACTORS[0] + scattered[offset : offset + n]
    return np.unique(_mixed(runs))


def _mixed(values: np.ndarray) -> np.ndarray:
    """Returns 64-bit values scattered. Source: the last step of SplitMix64, Steele, Lea, Flood, OOPSLA 2014."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_DRAWN = _mixed(np.arange(1, 2 * _BANDS * _ROWS + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
_FACTORS, _SUMMANDS = _DRAWN[::2] | np.uint64(1), _DRAWN[1::2]


# --- paragraphs -------------------------------------------------------------------------------------------------------


def distinct(hits: Sequence[Hit], preferred: Callable[[Hit], float] = lambda _: 0.0) -> tuple[Hit, ...]:
    """Returns the hits without those whose paragraph says the same as that of one that is kept from another document.

    Of copies, the one with the highest `preferred` is kept, then the one whose document comes first among the hits; it
    stands where the first of them stood, with the best score of them. Its `also` names the other documents.

    A short paragraph says little without its article ("It opens at nine."): it is a copy only under the same title.
    """
    ranks: dict[str, int] = {}
    groups: dict[str, list[Hit]] = {}
    for hit in hits:
        ranks.setdefault(hit.document, len(ranks))
        groups.setdefault(_sameness(hit), []).append(hit)
    placed: dict[tuple[str, int, str], Hit] = {}
    for group in groups.values():
        best = max(group, key=lambda hit: (preferred(hit), -ranks[hit.document])) if len(group) > 1 else group[0]
        also = dict.fromkeys(hit.document for hit in group if hit.document != best.document)
        score = max(hit.score for hit in group)
        placed |= {_place(hit): hit for hit in group if hit.document == best.document}
        if also:
            del placed[_place(best)]
            placed[_place(group[0])] = replace(best, score=score, also=tuple(also))
    return tuple(placed[_place(hit)] for hit in hits if _place(hit) in placed)


def _place(hit: Hit) -> tuple[str, int, str]:
    return hit.document, hit.paragraph, hit.searched  # a long paragraph is there once for each of its windows


def gist(text: str) -> str:
    """Returns the words of a paragraph by which it is compared, one space between them; "" if it has none."""
    words = _pieces(_THOUSANDS.sub("", _AGENCY.sub("", text)).casefold())
    return " ".join(word for word in words if word not in _SAYING_NOTHING)


def _sameness(hit: Hit) -> str:
    said = gist(hit.text)
    is_long = len(said) >= _SPACELESS_LONG if _is_spaceless(said) else said.count(" ") + 1 >= _LONG
    return said if is_long else f"{gist(hit.title)}\n{said or hit.text}"


# --- words ------------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    """Returns the words of a text; a capital is kept only inside a sentence. Without spaces, each character is one."""
    if _is_spaceless(text):
        return _characters(text)
    words, is_first = [], True
    for raw in _spaced(text).split():
        word = raw.lstrip(_OPENING).rstrip(_CLOSING)
        if word:
            words.append(word.lower() if is_first else word)
        is_first = any(stop in raw[len(word) :] for stop in _STOPS) or (is_first and not word)
    return words


def _pieces(text: str) -> list[str]:
    """Returns what stands between the spaces of a text, without the punctuation around it."""
    stripped = (raw.lstrip(_OPENING).rstrip(_CLOSING) for raw in _spaced(text).split())
    return [word for word in stripped if word]


def _spaced(text: str) -> str:
    return _GAP.sub(" ", _RANGE.sub("-", text.replace("’", "'")))


def _characters(text: str) -> list[str]:
    return [found for found in _CHARACTER.findall(text) if found not in _CLOSING]


def _is_spaceless(text: str) -> bool:
    return not text.isascii() and len(_SPACELESS.findall(text)) > len(text) / 4
