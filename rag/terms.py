"""Text to the terms that the word index holds, in any script and language; pure.

What stands between spaces is a word; where a script has no spaces, ICU finds the words with its dictionaries. A term is a
word without accents, by its English stem. Of other languages that have a stemmer, the stems by that one follow after all
words, and where words are written in pieces, those that overlap: a question whose language cannot be told finds its words
without them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from rag.language import language

STOP_WORDS = frozenset(
    """a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to
    was will with""".split()
)
"""Source: Lucene's English list."""

_STEMMERS = {
    "da": "danish",
    "de": "german",
    "es": "spanish",
    "fi": "finnish",
    "fr": "french",
    "hu": "hungarian",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ro": "romanian",
    "sv": "swedish",
    "tr": "turkish",
}
"""Those of tantivy for languages in Latin letters, which only the text as a whole can tell apart."""

_SCRIPTS = (
    (re.compile("[\u0370-\u03ff]"), "greek"),
    (re.compile("[\u0400-\u04ff]"), "russian"),
    (re.compile("[\u0600-\u06ff]"), "arabic"),
)
"""Scripts with one stemmer. Other languages of a script get it too, in questions as in articles."""

_PAIRED = "vi"
"""Its words are mostly two syllables with a space between them: each two neighbours are a term. Questions are often typed
without its accents; then the pairs tell words apart."""

_ASIAN = "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_THAI_TO_KHMER = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u1950-\u19df\u1a20-\u1aaf\ua9e0-\ua9ff\uaa60-\uaadf"
_RUNS = re.compile(f"(?P<two>[{_ASIAN}]+)|(?P<three>[{_THAI_TO_KHMER}]+)|[^{_ASIAN}{_THAI_TO_KHMER}]+")
_HANGUL = re.compile("[\uac00-\ud7a3]{3,}")
_ASCII_WORD = re.compile("[a-z0-9]+")

_ACCENTED = re.compile("[\u0041-\u03ff\u0590-\u06ff\u1e00-\u1fff]")
"""Latin, Greek, Hebrew, Arabic: marks may be left out there. Elsewhere they make another letter."""

_LETTERS = str.maketrans(
    {"æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ħ": "h", "ŋ": "n", "ё": "е"}
)
_CLEANED = dict.fromkeys(map(ord, "\u00ad\u0640\u200d\u2060\ufeff"), "") | dict.fromkeys(map(ord, "™℠"), " ")
"""Soft hyphen, tatweel and joiners are inside of words; the others are none."""

_RECOMPOSED = (("\u0e4d\u0e32", "\u0e33"), ("\u0ecd\u0eb2", "\u0eb3"))
"""Thai and Lao am, which NFKC takes apart: no dictionary has it so."""

_ALL_MARKS = 0x20000  # combining marks have numbers below it, but for variants of the look of a letter
_MAX_CHARS = 60  # of a word; longer ones are data


def terms(text: str) -> list[str]:
    """Returns the terms of a text, each as often as it is in there; none has a space. Words come first, in their order."""
    return _terms(text, language(text))


def question_terms(question: str) -> list[str]:
    """Returns the distinct terms of a question, to be looked for among those of `terms`."""
    return list(dict.fromkeys(_terms(question, language(question) or _PAIRED)))


def _terms(text: str, of: str) -> list[str]:
    found, grams = _words_and_grams(_normalized(text))
    words = [(word, bare) for word in found if (bare := _bare(word)) not in STOP_WORDS and len(word) <= _MAX_CHARS]
    stems = _stemmed([bare for _, bare in words], "english")
    own = _own_stems([word for word, _ in words], stems, of)
    further = [new for new, known in zip(own, stems, strict=True) if new != known]
    pairs = [f"{a}_{b}" for a, b in pairwise(stems)] if of == _PAIRED else []
    return [*stems, *further, *pairs, *grams]


def _normalized(text: str) -> str:
    """Returns a text in lower case, with one form for what is written in several."""
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", text.translate(_CLEANED)).casefold()
    for apart, whole in _RECOMPOSED:
        text = text.replace(apart, whole)
    return text.replace("_", " ")


def _words_and_grams(text: str) -> tuple[list[str], list[str]]:
    """Returns the words of a normalised text; and of scripts whose words run together, their overlapping pieces."""
    if text.isascii():
        return _ASCII_WORD.findall(text), []
    words: list[str] = []
    grams: list[str] = []
    for word in _word_pattern().findall(text):
        if word.isascii():
            words.append(word)
            continue
        for run in _RUNS.finditer(word):
            n = {"two": 2, "three": 3}.get(run.lastgroup or "", 0)
            known = _dictionary_words(run[0]) if n else [run[0]]
            if not n and _HANGUL.match(run[0]):
                n = 2  # its particles are written onto the words
            words += known
            grams += [gram for i in range(len(run[0]) - n + 1) if (gram := run[0][i : i + n]) not in known] if n else []
    return words, grams


def _dictionary_words(run: str) -> list[str]:
    """Returns the words of a run of letters without spaces; from strings, as ICU's offsets count UTF-16 units."""
    from icu4py.breakers import WordBreaker

    return [piece for piece in WordBreaker(run, "en") if piece[0].isalnum()]


@lru_cache(maxsize=1 << 16)
def _bare(word: str) -> str:
    """Returns a word without accents, where these may be left out."""
    if word.isascii():
        return word
    if _ACCENTED.search(word):
        word = "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))
    return word.translate(_LETTERS)


def _own_stems(words: Sequence[str], stems: Sequence[str], of: str) -> list[str]:
    """Returns a stem for each word: by the stemmer of the language or script, else as in `stems`."""
    own = [_bare(stem) for stem in _stemmed(words, _STEMMERS[of])] if of in _STEMMERS else list(stems)
    for letters, name in _SCRIPTS:
        if any(map(letters.match, words)):
            rows = zip(words, own, _stemmed(words, name), strict=True)
            own = [_bare(new) if letters.match(word) else old for word, old, new in rows]
    return own


def _stemmed(words: Sequence[str], name: str) -> list[str]:
    return list(_stemmer(name).analyze(" ".join(words)))


@cache
def _stemmer(name: str) -> Any:
    import tantivy

    return tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(tantivy.Filter.stemmer(name)).build()


@cache
def _word_pattern() -> re.Pattern[str]:
    """Returns what finds words: letters and digits, with the marks that follow them, which a plain pattern leaves out."""
    marks = "".join(char for char in map(chr, range(_ALL_MARKS)) if unicodedata.category(char)[0] == "M")
    return re.compile(rf"\w[\w{marks}]*")
