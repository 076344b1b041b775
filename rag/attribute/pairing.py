"""What belongs together in an enumeration or an apposition: of "Ada won gold, Bo silver" Bo won no gold. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

from rag.attribute.clauses import sentence_texts
from rag.attribute.keeping import kept
from rag.attribute.values import numbers, places
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has, joined, unmarked

_ITEM_ENDS = re.compile(r"[,:](?!\d)|;|\s[–—]\s|[.!?](?=\s|$)|[()]|\b(?:and|while|whereas|but)\b", re.IGNORECASE)
_DETERMINERS = frozenset("a an the his her its their another some about over nearly almost only just then".split())
_OPEN = re.compile(r"\b(?:or|not|besides|except|other than|\w+n['’]t)\b", re.IGNORECASE)
"""A question that names what the answer is not: "Did Ada or Bo win?", "Who besides Ada won?"."""
_NEAR = 20  # characters before a word in which its article is looked for
_MAX_SLOTS = 12  # words of an item; a longer one is no item of an enumeration


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of an item: a name, a number, or a word; small words hold the items of an enumeration together."""

    kind: str  # "name", "number", "noun" (a word after "the"), "word", "small"
    word: str


@kept
def items(sentence: str) -> tuple[tuple[Slot, ...], ...]:
    """Returns the parts of a sentence between marks and conjunctions, each as its slots in order."""
    sentence = joined(sentence)
    values = numbers(sentence)
    inside = places(values)
    found, start = [], 0
    ends = [m for m in _ITEM_ENDS.finditer(sentence) if m.start() not in inside]
    for stop, after in [*((m.start(), m.end()) for m in ends), (len(sentence), len(sentence))]:
        slots = _slots(sentence, start, stop, values, inside)
        if slots:
            found.append(slots)
        start = after
    return tuple(found)


def _slots(
    text: str, start: int, stop: int, values: list[tuple[float, int, int]], inside: frozenset[int]
) -> tuple[Slot, ...]:
    slots: list[Slot] = []
    first, last = (bisect_left(values, place, key=lambda value: value[1]) for place in (start, stop))
    marks: list[tuple[int, Slot]] = [(s, Slot("number", f"{v:g}")) for v, s, e in values[first:last] if e <= stop]
    for match in WORD.finditer(text, start, stop):
        if not inside.isdisjoint(range(match.start(), match.end())):
            continue
        word = fold(match[0])
        if match[0][0].isupper() and word not in FUNCTION_WORDS:
            marks.append((match.start(), Slot("name", word)))
        elif word not in _DETERMINERS:
            before = text[max(start, match.start() - _NEAR) : match.start()].split()
            after_the = bool(before) and before[-1].lower() in _DETERMINERS
            kind = "small" if word in FUNCTION_WORDS else "noun" if after_the else "word"
            marks.append((match.start(), Slot(kind, word)))
    for _, slot in sorted(marks, key=lambda mark: mark[0]):
        if slot.kind == "name" and slots and slots[-1].kind == "name":
            slots[-1] = Slot("name", f"{slots[-1].word} {slot.word}")
        else:
            slots.append(slot)
    return tuple(slots)


def _pairs(one: tuple[Slot, ...], two: tuple[Slot, ...]) -> list[tuple[str, str]]:
    """Returns the words that stand in the same place of two items of an enumeration, where they differ; [] if it is none.

    The shorter item repeats some places of the longer one, in order: "[Bo] [silver]" those of "[Ada] won [gold]".
    """
    short, long = sorted((one, two), key=len)
    if len(short) < 2 or len(long) > _MAX_SLOTS:
        return []
    aligned = _aligned(short, long)
    if aligned is None:
        return []
    swapped = short is not one
    pairs = [(b.word, a.word) if swapped else (a.word, b.word) for a, b in aligned if a.kind != "small" and a.word != b.word]
    kinds = {a.kind for a, b in aligned if a.word != b.word}
    return pairs if len(pairs) >= 2 and kinds & {"name", "number"} else []


def _aligned(short: tuple[Slot, ...], long: tuple[Slot, ...]) -> list[tuple[Slot, Slot]] | None:
    """Matches each slot of the short item with one of the long item, in order; None if that cannot be done.

    Either the short item is as the end of the long one ("including 347 Vietnamese, 271 Indonesians"), or their first words
    are matched and the other ones from the end: "the museum opened in 1990, the library in 2001".
    """
    tail = long[-len(short) :]
    if all(_is_alike(a, b) for a, b in zip(short, tail, strict=True)):
        return list(zip(short, tail, strict=True))
    heads = [next((n for n, slot in enumerate(item) if slot.kind != "small"), None) for item in (short, long)]
    if heads[0] is None or heads[1] is None or not _is_alike(short[heads[0]], long[heads[1]]):
        return None
    if heads[0] and heads[1] and short[heads[0] - 1].word != long[heads[1] - 1].word:  # "to 1901", "of 700"
        return None
    aligned = [(short[heads[0]], long[heads[1]])]
    n = len(long)
    for slot in reversed(short[heads[0] + 1 :]):
        n = next((k for k in range(n - 1, heads[1], -1) if _is_alike(slot, long[k])), -1)
        if n < 0:
            return None
        aligned.append((slot, long[n]))
    return aligned


def _is_alike(one: Slot, two: Slot) -> bool:
    return one.kind == two.kind and (one.kind != "small" or one.word == two.word)


def crossed_items(claim: str, question: str, passage: str) -> list[str]:
    """Returns the pairs of a claim that an enumeration of the passage has otherwise: 347 with Indonesians."""
    asked = _said(claim) if _OPEN.search(question) else _said(f"{question} {claim}")
    wholes = [asked]
    parts = [_said(" ".join(slot.word for slot in item)) for item in items(claim)]
    found = []
    all_items = [item for sentence in sentence_texts(passage) for item in items(sentence)]
    for sentence in sentence_texts(passage):
        parallel = items(sentence)
        for n, one in enumerate(parallel):
            for two in parallel[n + 1 :]:
                pairs = _pairs(one, two)
                if not pairs:  # what an enumeration lists follows one another
                    break
                for said in (*wholes, *(parts if all(_fills(part, pairs) != 1 for part in parts) else ())):
                    crossed = _crossed(said, pairs)
                    if crossed and not any(_holds(item, crossed) for item in all_items):
                        found.append(" with ".join(crossed))
    return sorted(set(found))


def _said(text: str) -> str:
    values = " ".join(f"{v:g}" for v, _, _ in numbers(text))
    return f"{unmarked(joined(text))} {values}"


@lru_cache(maxsize=1024)  # of a long enumeration each item is paired with each other one
def _has(said: str, term: str) -> bool:
    words = said.split()
    return any(has(words, part) for part in term.split() if part not in FUNCTION_WORDS)


def _fills(said: str, pairs: list[tuple[str, str]]) -> int:
    return sum(_has(said, a) or _has(said, b) for a, b in pairs)


def _crossed(said: str, pairs: list[tuple[str, str]]) -> tuple[str, str] | None:
    """Returns two words of different items that are said together, each without its own partner."""
    ones = [p for p in pairs if _has(said, p[0]) and not _has(said, p[1])]
    twos = [p for p in pairs if _has(said, p[1]) and not _has(said, p[0])]
    return (ones[0][0], twos[0][1]) if ones and twos else None


def _holds(item: tuple[Slot, ...], terms: tuple[str, str]) -> bool:
    words = {word for slot in item for word in slot.word.split()}
    return all(any(has(words, part) for part in term.split()) for term in terms)


# --- appositions ---------------------------------------------------------------------------------------------------

_NAME = r"[^\W\d_a-z][\w'’-]+(?: [^\W\d_a-z][\w'’-]+){0,3}"
_WORDS = r"[\w'’-]+(?: [\w'’-]+){0,6}"  # a space between two of them always: one long word is tried in one way only
_OFFICE = rf"(?:the|a|an) {_WORDS}"
_APPOSITION = re.compile(rf"(?<![\w'’-])(?P<name>{_NAME}), (?P<office>{_OFFICE})(?=[,.;]|$)")
_REVERSED = re.compile(rf"(?:^|[.;,] |\b(?:said|by|with|to|and) )(?P<office>[Tt]he {_WORDS}), (?P<name>{_NAME})(?=[,.;]|$)")
_IS = re.compile(rf"^\W*(?P<name>{_NAME}) (?:is|was|serves as|served as) (?P<office>{_OFFICE})(?=[,.;]|$)")
_IS_NAMED = re.compile(rf"^\W*(?P<office>[Tt]he [\w'’-]+(?: [\w'’-]+){{0,6}}?) (?:is|was) (?P<name>{_NAME})(?=[,.;]|$)")
_MET = r"\b(?:about|against|with|to|from|by|at|for|on) (?:the|a|an|his|her|their|its) (?:(?!as\b)[\w'’-]+ )?"
_BEFORE = 200  # characters before an office in which the name is looked for
_WHO_IS = re.compile(r"^\W*who (?:is|was) (?P<office>(?:the|a|an) .+?)\??\s*$", re.IGNORECASE)


def wrong_office(claim: str, question: str, passage: str) -> list[str]:
    """Returns who is said to be what another one is in the passage: "Ilse Varga, the mayor, met Jon Reyk, the governor"."""
    said = [(m["name"], m["office"]) for m in (_IS.match(claim), _IS_NAMED.match(claim)) if m]
    if (asked := _WHO_IS.match(question)) and not said and (first := re.search(_NAME, claim)):
        said = [(first[0], asked["office"])]
    if not said:
        return []
    found = []
    there = [(m["name"], m["office"]) for p in (_APPOSITION, _REVERSED) for m in p.finditer(passage)]
    for name, office in said:
        words = [word for word in unmarked(office).split() if word not in FUNCTION_WORDS]
        holders = [who for who, what in there if words and all(has(unmarked(what).split(), word) for word in words)]
        is_others = holders and not any(has(unmarked(w).split(), word) for w in holders for word in unmarked(name).split())
        if is_others or (words and not holders and _only_meets(name, words[0], passage)):
            found.append(f"office {name} as {office}")
    return found


def _only_meets(name: str, office: str, passage: str) -> bool:
    """True if an office is only somebody that one has to do with in a passage: "Varga complained about the referee"."""
    word = re.escape(office)
    heads = re.findall(rf"\b{word}s?\b", passage, re.IGNORECASE)
    met = list(re.finditer(rf"{_MET}{word}\b", passage, re.IGNORECASE))
    surname = name.split()[-1]
    is_near = any(surname in re.split(r"[,.;]", passage[max(0, m.start() - _BEFORE) : m.start()])[-1].split() for m in met)
    is_held = re.search(rf"\bas (?:the |an? )?{word}\b", passage, re.IGNORECASE)
    return is_near and len(met) == len(heads) and not is_held
