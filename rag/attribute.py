"""Draft sentences and hits to claims with citations. Pure: no model is called here.

A sentence is carried by a span of a paragraph when everything checkable in it occurs there: numbers (normalised: 1,362 =
1362, "70 million" = 70,000,000), names, quoted words, and most of its other words. That a number occurs is not enough:
in "347 Vietnamese, 271 Indonesians" it must belong to what was asked (`is_bound`). And a question may take for granted what
the document does not say (`unknown`, `opposed`): its best paragraph is then no ground for an answer.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.split import sentences
from rag.types import Citation, Claim, Hit

MIN_COVERAGE = 0.5
"""Share of a claim's own words and numbers (not the question's) that its passage must have. Guards against invented
predicates; numbers and names are checked one by one as well."""

_MAX_SPAN = 3  # sentences quoted for one claim; a claim drawn from more quotes the whole paragraph

_WORD = re.compile(r"\w+(?:[-'’]\w+)*")
_QUOTED = re.compile(r"[\"“«„]([^\"“”«»„]{8,})[\"”»]")
_DIGITS = r"\d{1,2}(?:,\d{2})+,\d{3}|\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
_SMALL += "seventeen eighteen nineteen"
_UNITS = {word: n for n, word in enumerate(_SMALL.split())}
_TENS = {w: 10 * n for n, w in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "lakh": 1e5, "crore": 1e7}
_SCALES |= {"k": 1e3, "mn": 1e6, "m": 1e6, "bn": 1e9, "b": 1e9, "tn": 1e12}
_METRES = "wide|long|tall|high|deep|thick|across|away|above|below|race|sprint|dash|hurdles|freestyle|relay|apart"
_BIG = "thousand|million|billion|trillion|lakh|crore|mn|bn|tn"
_BELOW_100 = rf"(?:(?:{'|'.join(_TENS)})(?:[\s-]+(?:{'|'.join(list(_UNITS)[1:10])})\b)?|(?:{'|'.join(_UNITS)}))\b"
_BELOW_1000 = rf"{_BELOW_100}(?:[\s-]+hundred\b(?:(?:\s+and)?\s+{_BELOW_100}(?![\s-]+hundred\b))?)?"
_SPELLED = (  # "two hundred and fifty thousand", "one thousand three hundred"; "one thousand and two thousand" are two
    rf"{_BELOW_1000}(?:(?:[\s-]+(?:{_BIG})\b)+(?:\s+{_BELOW_1000}(?:[\s-]+(?:{_BIG})\b)+)*"
    rf"(?:(?:\s+and)?\s+{_BELOW_1000}(?![\s-]+(?:hundred|{_BIG})\b))?)?"
)
_NUMBER = re.compile(
    rf"(?<![\w.])(?:(?P<minus>(?<!\S)[-−])?(?P<digits>{_DIGITS})"
    rf"(?:(?:st|nd|rd|th|(?P<short>k|mn|m(?!\s+(?:{_METRES})\b)|bn|b|tn))(?!\w))?(?!\d)"  # or a unit: 100kg
    rf"(?P<scales>(?:[\s-]+(?:hundred|{_BIG})\b)*)"
    rf"|(?P<spelled>{_SPELLED}))",
    re.IGNORECASE,
)
_FUNCTION_WORDS = frozenset(
    """a an the this that these those there here it its he she they them their his her we our you your i my me us
    and or but nor so yet if then than as at by for from in into of off on onto out over to up with within without about
    after before between during since until through under against among across per via is are was were be been being am
    do does did done have has had having will would shall should can could may might must not no yes who whom whose which
    what when where why how many much any some all both each few more most other such only own same too very just also
    however while because although though according around approximately nearly almost least least""".split()
)
_LIGHT_WORDS = frozenset(
    """take takes took taken place happen happens happened occur occurs occurred make makes made give gives gave given say
    says said tell tells told call called name named know known base based include includes included total number
    go goes went gone get gets got come came do done one two become becomes became becoming""".split()
)
"""A paraphrase may bring these along; they claim nothing by themselves."""
_NEGATIONS = frozenset("no not none never nobody nothing neither nor without cannot".split())
_NO_NEGATION = re.compile(  # "not only the town", "no fewer than 9", "it did not open until Friday"
    r"\bnot (?:only|just|merely|least)\b|\bno (?:fewer|less|later|more|earlier) than\b|\bno doubt\b"
    r"|\b(?:not|never|\w+n['’]t)\b(?=[^,;.]*\b(?:until|till)\b)",
    re.IGNORECASE,
)
_DENIAL = re.compile(r"\b(?:not|never|cannot|\w+n['’]t|no more)\b", re.IGNORECASE)
_INSERTED = re.compile(r",\s*(?:however|though|of course|in fact|yet|so far|as yet)\s*,", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(
    r"[,;:—()]|\s–\s|[.!?]\s|\b(?:and|but|while|whereas|although|though|because|despite|instead)\b", re.IGNORECASE
)
_DAYS_AND_MONTHS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december""".split()
)
_PAIRS = """north south, northern southern, east west, eastern western, less more, less over, fewer more, fewest most,
    least most, under over, below above, before after, first last, increase decrease, increased decreased, rise fall,
    rose fell, high low, higher lower, highest lowest, large small, larger smaller, largest smallest, bigger smaller,
    biggest smallest, older younger, oldest youngest, oldest newest, old new, long short, longer shorter, longest shortest,
    early late, earlier later, earliest latest, better worse, best worst, maximum minimum, majority minority, win lose,
    won lost, begin end, began ended, start end, started ended, open close, opened closed, buy sell, bought sold,
    import export, imports exports, male female, men women, left right, upper lower, inside outside, accept reject,
    accepted rejected, allow ban, allowed banned, support oppose, supported opposed, supporters opponents, always never,
    all none, public private, same different, strong weak, stronger weaker, wet dry, hot cold, positive negative,
    success failure, rich poor, fast slow, faster slower, heavy light, deep shallow, wide narrow, gain loss, gained lost,
    ancient modern, internal external, major minor, former latter, simple complex, easy difficult, urban rural,
    prevent cause, prevented caused, attack defend, attacked defended, allies enemies, summer winter"""
_OPPOSITES: dict[str, set[str]] = {}
for _one, _other in (pair.split() for pair in _PAIRS.split(",")):
    _OPPOSITES.setdefault(_one, set()).add(_other)
    _OPPOSITES.setdefault(_other, set()).add(_one)
_OPPOSING_PREFIXES = ("un", "in", "im", "ir", "il", "non", "anti")
_MIN_ROOT = 5  # letters: "impact" is no opposite of "pact"
_MIN_ASKED_NUMBER = 4  # "What two things ...?" counts what is asked for, and no article needs to say it


@dataclass(frozen=True, slots=True)
class Facts:
    """What can be checked in a text, normalised for comparison."""

    numbers: frozenset[float]
    names: frozenset[str]
    quoted: tuple[str, ...]
    words: frozenset[str]  # all words but function words; names among them


@dataclass(frozen=True, slots=True)
class Span:
    """A candidate for a citation: characters [start, end) of `hit.text`."""

    hit: Hit
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.hit.text[self.start : self.end]


def numbers(text: str) -> list[tuple[float, int, int]]:
    """Returns (value, start, end) of the numbers of a text, in digits or English words, with their scale."""
    found = []
    for match in _NUMBER.finditer(text):
        if match["spelled"]:
            value = _spelled(match["spelled"])
        else:
            value = float(re.sub(r"[^\d.]", "", match["digits"])) * _SCALES.get((match["short"] or "").lower(), 1)
            for scale in re.findall(r"[a-z]+", match["scales"].lower()):
                value *= _SCALES[scale]
            value = -value if match["minus"] else value
        found.append((round(value, 6), match.start(), match.end()))
    return found


def _spelled(text: str) -> float:
    total = part = 0.0
    for word in re.findall(r"[a-z]+", text.lower()):
        if word == "hundred":
            part *= 100
        elif word in _SCALES:
            total, part = (total + part * _SCALES[word], 0.0) if part else (total * _SCALES[word], 0.0)
        elif word != "and":
            part += _UNITS.get(word, _TENS.get(word, 0))
    return total + part


def fold(word: str) -> str:
    """Returns a word without case, accents and possessive, for comparison."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))
    return re.sub(r"['’]s?$", "", plain.casefold())


def is_same(a: str, b: str) -> bool:
    """True for folded words that differ in a short ending only: Indonesian, Indonesians; Cambodia, Cambodian."""
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


def facts(text: str) -> Facts:
    """Returns what can be checked in a sentence."""
    matches = list(_WORD.finditer(text))
    values = numbers(text)
    inside = [(start, end) for _, start, end in values]
    names, words = set(), set()
    for n, match in enumerate(matches):
        word = match[0]
        if any(start <= match.start() < end for start, end in inside) or word[0].isdigit():
            continue
        parts = [fold(part) for part in re.split(r"[-]", word)]
        content = [part for part in parts if part and part not in _FUNCTION_WORDS]
        words.update(content)
        if word[0].isupper() and (n or _is_name_at_start(matches)):
            names.update(content)
    counted = {value for value, start, _ in values if not text[start].isalpha() or value > 1}  # "one" is often no number
    return Facts(frozenset(counted), frozenset(names), tuple(_QUOTED.findall(text)), frozenset(words))


def _is_name_at_start(matches: Sequence[re.Match[str]]) -> bool:
    """The first word has a capital anyway: it is taken as a name before another one, and in an answer of few words."""
    return len(matches) <= 3 or matches[1][0][0].isupper()


def missing(claim: str, question: str, passage: str, context: str) -> tuple[str, ...]:
    """Returns what of a claim the passage does not have, worded for a log; empty if it carries the claim.

    Args:
        context: the whole document with its title and date. What the question names need not be in the passage if it is
            in the context, as the subject of an article is not named in each of its paragraphs.
    """
    said, asked, there = facts(claim), facts(question), _everything(passage)
    around = _everything(context)
    lacking = [
        f"number {value:g}"
        for value in sorted(said.numbers - there.numbers)
        if not (value in asked.numbers and value in around.numbers)
    ]
    for name in sorted(said.names | _name_at_start(claim, context)):
        if not has(there.words, name) and not (has(asked.words, name) and has(around.words, name)):
            lacking.append(f"name {name}")
    plain = _plain(passage)
    lacking += [f"quoted {quoted!r}" for quoted in said.quoted if _plain(quoted) not in plain]
    common = [word for word in said.words - _LIGHT_WORDS if has(asked.words, word)]
    if common and not any(has(there.words, word) for word in common):
        lacking.append("any word of the question")
    own = [word for word in said.words - _LIGHT_WORDS if not has(asked.words, word)]
    own_numbers = len(said.numbers - asked.numbers)
    if sum(has(there.words, word) for word in own) + own_numbers < MIN_COVERAGE * (len(own) + own_numbers):
        lacking.append(f"most words of {claim!r}")
    lacking += [f"the opposite of {word}" for word in opposed(claim, passage)]
    if not (said.numbers or said.words):
        lacking.append("anything to check")
    if _is_negated(claim) and not _is_negated(passage):
        lacking.append("a negation")
    if not _is_negated(claim) and _is_denied(claim, passage):
        lacking.append("the word not")
    if not is_bound(claim, question, passage):
        lacking.append("the value for what was asked")
    return tuple(lacking)


def support(claim: str, question: str, passages: Sequence[str], scores: Sequence[float]) -> float:
    """Returns how surely the passages together say what the claim says, 0 to 1; from 0.5 on they do.

    Args:
        scores: the reranker's, of the claim with each passage.
    """
    passage = "\n".join(passages)
    return 1.0 if not missing(claim, question, passage, passage) and max(scores) > 0 else 0.0


def _name_at_start(claim: str, context: str) -> frozenset[str]:
    """Returns the first word of a claim if the document writes it with a capital inside a sentence too."""
    first = _WORD.match(claim)
    if first is None or not first[0][0].isupper() or not re.search(rf"[a-z,] {re.escape(first[0])}\b", context):
        return frozenset()
    return frozenset({fold(first[0])} - _FUNCTION_WORDS)


def unknown(question: str, context: str) -> tuple[str, ...]:
    """Returns the names and numbers of a question that its document lacks: an article is no answer to what it never names.

    How often that is right is in docs/experiments.md, "Premises".

    Args:
        context: the whole document with its title and date.
    """
    around = _everything(context)
    lacking = [f"number {n:g}" for n in sorted(facts(question).numbers - around.numbers) if n >= _MIN_ASKED_NUMBER]
    return (*lacking, *(f"name {name}" for name in _asked_names(question) if not has(around.words, name)))


def n_checkable(question: str) -> int:
    """Returns how many different words and numbers of a question a passage can be held against."""
    asked = facts(question)
    return len(asked.words - _LIGHT_WORDS) + len(asked.numbers)


def opposed(question: str, sentence: str) -> tuple[str, ...]:
    """Returns the words of a question whose opposite the sentence has instead: "the smallest" is not "the largest".

    How often that is right is in docs/experiments.md, "Premises".
    """
    asked, said = _everything(question).words, _everything(sentence).words
    return tuple(word for word in sorted(asked - said) if _has_opposite(word, said))


def _asked_names(question: str) -> Iterator[str]:
    """Yields the folded names of a question but its first word, short ones (US, EU: written in many ways), and dates."""
    words = list(_WORD.finditer(question))
    if not any(match[0].islower() for match in words):  # IN CAPITALS, or Each Word With One: no sign of a name
        return
    for match in words[1:]:
        for part in match[0].split("-"):
            name = fold(part)
            if part[:1].isupper() and len(name) > 2 and name not in _DAYS_AND_MONTHS | _FUNCTION_WORDS:
                yield name


def _has_opposite(word: str, words: frozenset[str]) -> bool:
    if not words.isdisjoint(_OPPOSITES.get(word, ())):
        return True
    pairs = [(prefix + word, word) for prefix in _OPPOSING_PREFIXES]
    pairs += [
        (word.removeprefix(prefix), word.removeprefix(prefix)) for prefix in _OPPOSING_PREFIXES if word.startswith(prefix)
    ]
    return any(len(root) >= _MIN_ROOT and other in words for other, root in pairs)


def _is_negated(text: str) -> bool:
    words = (match[0].lower() for match in _WORD.finditer(_NO_NEGATION.sub(" ", text)))
    return any(word in _NEGATIONS or word.endswith(("n't", "n’t")) for word in words)


def _is_denied(claim: str, passage: str) -> bool:
    """True if the clause of a passage that has most words of a claim is denied: "has not replied" is not "replied"."""
    wanted = facts(claim).words
    clauses = [part for part in _CLAUSE_ENDS.split(_INSERTED.sub(" ", passage)) if part.strip()]
    common = [sum(has(_everything(clause).words, word) for word in wanted) for clause in clauses]
    nearest = [clause for clause, n in zip(clauses, common, strict=True) if n == max(common)]
    return bool(nearest) and all(_DENIAL.search(_NO_NEGATION.sub(" ", clause)) for clause in nearest)


def is_bound(claim: str, question: str, passage: str) -> bool:
    """False if a number of the claim counts something else in the passage than what was asked or claimed.

    "How many Indonesians?" is not answered by 347 where the passage says "347 Vietnamese, 271 Indonesians": the noun
    belongs to another number there.
    """
    counted = [(value, _noun_after(passage, end)) for value, _, end in numbers(passage)]
    asked = _asked_nouns(question)
    for value, start, end in numbers(claim):
        if claim[:start].rstrip().endswith("("):  # "1,600 miles (2,600 km)": the same in another unit
            continue
        for nouns in filter(None, (asked, _noun_after(claim, end))):
            own = [ns for v, ns in counted if v == value]
            others = [ns for v, ns in counted if v != value]
            if own and all(own) and not any(_share(nouns, ns) for ns in own) and any(_share(nouns, ns) for ns in others):
                return False
    return True


def _share(nouns: frozenset[str], others: frozenset[str]) -> bool:
    return any(has(others, noun) for noun in nouns)


def _noun_after(text: str, position: int) -> frozenset[str]:
    """Returns the words that a number counts: up to three words after it, to the next mark or function word."""
    found: set[str] = set()
    if of := re.compile(r"\s+of(?:\s+the)?(?=\s)").match(text, position):  # "347 of the Vietnamese"
        position = of.end()
    for match in _WORD.finditer(text, position):
        between = text[position : match.start()]
        word = fold(match[0])
        if between.strip() or len(found) == 3 or word in _FUNCTION_WORDS or word[0].isdigit():
            break
        found.add(word)
        position = match.end()
    return frozenset(found)


def _asked_nouns(question: str) -> frozenset[str]:
    match = re.search(r"\b(?:how many|number of)\b", question, re.IGNORECASE)
    return _noun_after(question, match.end()) if match else frozenset()


@lru_cache(maxsize=128)
def _everything(text: str) -> Facts:
    """Facts of a longer text: all its numbers, and all its words, function words too (a name may be one: "The Who")."""
    values = frozenset(value for value, _, _ in numbers(text))
    words = {fold(part) for match in _WORD.finditer(text) for part in (match[0], *match[0].split("-"))}
    return Facts(values, frozenset(), (), frozenset(words))


def _plain(text: str) -> str:
    return " ".join(fold(match[0]) for match in _WORD.finditer(text))


def candidates(claim: str, question: str, hits: Sequence[Hit], contexts: Mapping[str, str]) -> tuple[Span, ...]:
    """Returns for each hit that carries the claim the shortest span of its sentences that does; in the hits' order.

    Args:
        contexts: by document id: title, date and whole text.
    """
    spans = []
    for hit in hits:
        context = contexts.get(hit.document, "")
        if not missing(claim, question, hit.text, context):
            spans.append(_shortest(claim, question, hit, context))
    return tuple(spans)


def _shortest(claim: str, question: str, hit: Hit, context: str) -> Span:
    parts = sentences(hit.text) or ((0, len(hit.text)),)
    wanted = facts(f"{question} {claim}").words
    for length in range(1, min(_MAX_SPAN, len(parts)) + 1):
        runs = [(parts[n][0], parts[n + length - 1][1]) for n in range(len(parts) - length + 1)]
        carrying = [(s, e) for s, e in runs if not missing(claim, question, hit.text[s:e], context)]
        if carrying:
            common = [sum(has(_everything(hit.text[s:e]).words, word) for word in wanted) for s, e in carrying]
            return Span(hit, *carrying[max(range(len(carrying)), key=common.__getitem__)])
    return Span(hit, parts[0][0], parts[-1][1])


def cite(text: str, span: Span, number: int) -> Claim:
    """Returns a claim with one citation, its quote copied from the hit's text by offsets."""
    hit = span.hit
    citation = Citation(
        number=number,
        document=hit.document,
        version=hit.version,
        title=hit.title,
        source=hit.source,
        paragraph=hit.paragraph,
        start=hit.start + span.start,
        end=hit.start + span.end,
        quote=span.text,
    )
    return Claim(text, (citation,))


def marked(claims: Iterable[Claim]) -> str:
    """Returns the text of an answer: its sentences, each with the marks of its citations."""
    return " ".join(" ".join((c.text, *(f"[{citation.number}]" for citation in c.citations))) for c in claims)
