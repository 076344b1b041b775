"""Words for comparison: folded, without short endings, and which of them claim nothing. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

WORD = re.compile(r"\w{1,60}(?:[-'’]\w{1,60}){0,9}")
"""A longer one is several words: `fold` and `is_same` keep 100,000 words in memory, however odd the text."""
FUNCTION_WORDS = frozenset(
    """a an the this that these those there here it its he she they them their his her we our you your i my me us
    and or but nor so yet if then than as at by for from in into of off on onto out over to up with within without about
    after before between during since until through under against among across per via is are was were be been being am
    do does did done have has had having will would shall should can could may might must not no yes who whom whose which
    what when where why how many much any some all both each few more most other such only own same too very just also
    however while because although though according around approximately nearly almost least least""".split()
)
LIGHT_WORDS = frozenset(
    """take takes took taken place happen happens happened occur occurs occurred make makes made give gives gave given say
    says said tell tells told call called name named know known base based include includes included total number
    go goes went gone get gets got come came do done one two become becomes became becoming""".split()
)
"""A paraphrase may bring these along; they claim nothing by themselves."""
_FORMS = """man men, woman women, child children, foot feet, tooth teeth, goose geese, mouse mice, leaf leaves, life lives,
    wife wives, knife knives, wolf wolves, half halves, shelf shelves, thief thieves, loaf loaves, person persons people,
    begin began begun, bite bit bitten, blow blew blown, break broke broken, bring brought, build built, burn burnt,
    buy bought, catch caught, choose chose chosen, come came, deal dealt, die died dying, dig dug, draw drew drawn,
    drink drank drunk, drive drove driven, eat ate eaten, fall fell fallen, feed fed, feel felt, fight fought, find found,
    flee fled, fly flew flown, forbid forbade forbidden, forget forgot forgotten, freeze froze frozen, grow grew grown,
    hang hung, hear heard, hide hid hidden, hold held, keep kept, lay laid, lead led, leave left, lend lent, lie lying,
    lose lost, mean meant, meet met, pay paid, ride rode ridden, ring rang rung, rise rose risen, run ran, see saw seen,
    seek sought, sell sold, send sent, shake shook shaken, shine shone, shoot shot, show shown, shrink shrank shrunk,
    sing sang sung, sink sank sunk, sit sat, sleep slept, slide slid, speak spoke spoken, spend spent, spin spun,
    stand stood, steal stole stolen, stick stuck, strike struck, swear swore sworn, sweep swept, swim swam swum,
    teach taught, tear tore torn, think thought, throw threw thrown, tie tying, understand understood, wake woke woken,
    wear wore worn, weep wept, win won, write wrote written"""
_BASES = {form: forms.split()[0] for forms in _FORMS.split(",") for form in forms.split()}
"""Forms that no ending makes. Left out are those with a second meaning of their own: "bore", "wound"."""
_DOTTED = re.compile(r"\b(?:[A-Z]\.){2,}")


@lru_cache(maxsize=20_000)
def fold(word: str) -> str:
    """Returns a word without case, accents and possessive, for comparison."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return re.sub(r"['’]s?$", "", plain.casefold())


def joined(text: str) -> str:
    """Returns a text with the dots of its abbreviations left out: U.S. and US are one word."""
    return _DOTTED.sub(lambda match: match[0].replace(".", ""), text)


@lru_cache(maxsize=10_000)
def is_same(a: str, b: str) -> bool:
    """True for folded words that differ in a short ending only (Indonesian, Indonesians; city, cities), or like man, men."""
    return _is_ended(a, b) or _is_ended(_BASES.get(a, a), _BASES.get(b, b))


def _is_ended(a: str, b: str) -> bool:
    if a == b:
        return True
    short, long = sorted((a, b), key=len)
    if long == f"{short}s" and len(short) > 2:
        return True
    if short[-1:] == "y" and long.startswith(f"{short[:-1]}i"):  # city, cities; Italy, Italian
        stem = short[:-1]
    else:
        stem = short[:-1] if short[-1:] == "e" and len(short) > 4 else short
    if len(short) < 4 or len(short) == len(long):  # Mary is not Mark
        return False
    return long.startswith(stem) and len(long) - len(stem) <= 3


def has(words: Iterable[str], word: str) -> bool:
    """True if a folded word or one like it is among folded words."""
    return any(is_same(word, other) for other in words)


def unmarked(text: str) -> str:
    """Returns the folded words of a text, one space between them."""
    return " ".join(fold(match[0]) for match in WORD.finditer(text))
