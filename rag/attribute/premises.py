"""What a question takes for granted, and whether its document says it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from rag.attribute.facts import everything, facts
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has

DAYS_AND_MONTHS = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may june july august
    september october november december""".split()
)
_PAIRS = """north south, northern southern, east west, eastern western, less more, less over, fewer more, fewest most,
    least most, under over, below above, before after, first last, increase decrease, increased decreased,
    rise fall, rose fell, high low, higher lower, highest lowest, large small, larger smaller, largest
    smallest, bigger smaller, biggest smallest, older younger, oldest youngest, oldest newest, old new, long
    short, longer shorter, longest shortest, early late, earlier later, earliest latest, better worse, best
    worst, maximum minimum, majority minority, win lose, won lost, begin end, began ended, start end, started
    ended, open close, opened closed, buy sell, bought sold, import export, imports exports, male female, men
    women, left right, upper lower, inside outside, accept reject, accepted rejected, allow ban, allowed
    banned, support oppose, supported opposed, supporters opponents, always never, all none, public private,
    same different, strong weak, stronger weaker, wet dry, hot cold, positive negative, success failure, rich
    poor, fast slow, faster slower, heavy light, deep shallow, wide narrow, gain loss, gained lost, ancient
    modern, internal external, major minor, former latter, simple complex, easy difficult, urban rural,
    prevent cause, prevented caused, attack defend, attacked defended, allies enemies, summer winter,
    convicted acquitted, convicted cleared, guilty innocent, admitted denied, confirmed denied, granted
    denied, granted refused, approved rejected, approved vetoed, upheld overturned, imposed lifted, agreed
    refused, agreed declined, accepted declined, hired fired, hired dismissed, appointed dismissed, joined
    left, entered left, arrived departed, survived died, survived killed, alive dead, raised cut, raised
    lowered, expanded reduced, praised criticised, praised criticized, passed failed, scored saved, scored
    conceded"""
_OPPOSITES: dict[str, set[str]] = {}
for _one, _other in (pair.split() for pair in _PAIRS.split(",")):
    _OPPOSITES.setdefault(_one, set()).add(_other)
    _OPPOSITES.setdefault(_other, set()).add(_one)
_OPPOSING_PREFIXES = ("un", "in", "im", "ir", "il", "non", "anti")
_MIN_ROOT = 5  # letters: "impact" is no opposite of "pact"
_MIN_ASKED_NUMBER = 4  # "What two things ...?" counts what is asked for, and no article needs to say it


def unknown(question: str, context: str) -> tuple[str, ...]:
    """Returns the names and numbers of a question that its document lacks: an article is no answer to what it never names.

    How often that is right is in docs/experiments.md, "Premises".

    Args:
        context: the whole document with its title and date.
    """
    around = everything(context)
    lacking = [f"number {n:g}" for n in sorted(facts(question).numbers - around.numbers) if n >= _MIN_ASKED_NUMBER]
    return (*lacking, *(f"name {name}" for name in _asked_names(question) if not has(around.words, name)))


def opposed(question: str, sentence: str) -> tuple[str, ...]:
    """Returns the words of a question whose opposite the sentence has instead: "the smallest" is not "the largest".

    How often that is right is in docs/experiments.md, "Premises".
    """
    asked, said = everything(question).words, everything(sentence).words
    return tuple(word for word in sorted(asked - said) if _has_opposite(word, said))


def _asked_names(question: str) -> Iterator[str]:
    """Yields the folded names of a question but its first word, short ones (US, EU: written in many ways), and dates."""
    words = list(WORD.finditer(question))
    if not any(match[0].islower() for match in words):  # IN CAPITALS, or Each Word With One: no sign of a name
        return
    for match in words[1:]:
        for part in match[0].split("-"):
            name = fold(part)
            if part[:1].isupper() and len(name) > 2 and name not in DAYS_AND_MONTHS | FUNCTION_WORDS:
                yield name


def _has_opposite(word: str, words: frozenset[str]) -> bool:
    if not words.isdisjoint(_OPPOSITES.get(word, ())):
        return True
    pairs = [(prefix + word, word) for prefix in _OPPOSING_PREFIXES]
    pairs += [
        (word.removeprefix(prefix), word.removeprefix(prefix)) for prefix in _OPPOSING_PREFIXES if word.startswith(prefix)
    ]
    return any(len(root) >= _MIN_ROOT and other in words for other, root in pairs)
