"""What a conversation adds to a question, and when a question is too vague to answer. Pure: no model is called here.

A follow-up that leans on what was said ("How old is she?") is completed: by a rewrite of the answer model's if it can be
trusted, else by the question before. Every later question of a conversation is also searched together with the words that
say what it is about, so that a bad rewrite, or a question that only seems complete, loses nothing. A question that points
at something new is left as it is. Where several articles would do and nothing says which, `choices` names them.
How well each of this works is in docs/experiments.md, "Follow-ups" and "Asking back".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import takewhile

from rag.attribute import facts, fold, has, is_same, n_checkable
from rag.prompt import is_refusal
from rag.split import sentences
from rag.types import NOT_FOUND, Hit

History = Sequence[Mapping[str, str]]
"""Messages with "role" ("user" or "assistant") and "content", oldest first."""

MAX_CHOICES = 4

_OPENING = re.compile(  # what is said before a question, and asks nothing
    r"^(?:(?:ok|okay|yes|yeah|no|not quite|really|thanks|thank you|i see|well|wow|great|cool|interesting|sorry|hi|hello)\b"
    r"[\s,.!?;:–-]+)+(?=\w)",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^\W*(?:(?:hello|hi|hey|hiya|greetings|good (?:morning|afternoon|evening|day)|there|you)\b\W*){1,3}$", re.IGNORECASE
)
_THANKS = re.compile(
    r"^\W*(?:(?:ok|okay|great|good|perfect|cool)\b\W*)?(?:many )?(?:thanks|thank you|thx|cheers|bye|goodbye)\b\W*"
    r"(?:(?:a lot|so much|very much|again)\b\W*)?$",
    re.IGNORECASE,
)
_LEANING_START = re.compile(r"^\W*(?:and|but|or|so|also|then|what about|how about|what else|who else|that)\b", re.IGNORECASE)
_PRONOUN = re.compile(r"\b(?:it|its|he|him|his|she|her|hers|they|them|their|theirs)\b", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\b(?:(?:is|was) it|it (?:is|was))(?=\W+\w+\W+(?:to|that|for)\b)", re.IGNORECASE
)  # "Is it possible to ...?"
_NAMED = re.compile(r"\w\W+(?!I\b)[A-Z]")
_ONE = re.compile(r"\ban?\W+[a-z]")
_SUBJECT = re.compile(  # "Which company lost its head?", but not "Which teams did he play for?"
    r"^\W*which\W+\w+\b(?!.*\b(?:is|are|was|were|did|does|do|has|have|had|can|could|will|would|should)\b)",
    re.IGNORECASE | re.DOTALL,
)
_LEANING = re.compile(
    r"\b(?:others|both|which ones?)\b|\bthe (?:ones?|others?|former|latter|same)\b|\bthe (?:two|three)\b(?:\W+\w+){0,2}\W*$"
    r"|\b(?:first|second|third|last|next|other|another|such|similar) ones?\b"
    # "that" points back after a verb or preposition, and at the end; behind a noun it begins a clause
    r"|\b(?:is|are|was|were|did|does|do|has|had|in|on|at|of|to|by|for|from|with|about|after|before|why|how|when) that\b"
    r"|\b(?:that|then)\W*$"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were)\b)",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:this|these|those)\b"
    r"(?!\W+(?:week|month|year|morning|evening|weekend|season|summer|winter|spring|autumn|time|century|decade)s?\b)",
    re.IGNORECASE,
)
_POINTED_AT = re.compile(_POINTING.pattern + r"\W+(\w+(?:\W+\w+){0,2})", re.IGNORECASE)
_PREDICATE = re.compile(r"\b(?:is|are|was|were) (?:this|these|those)\W+\w+\W*$", re.IGNORECASE)  # "Were these repainted?"
_SOURCES = frozenset("article document text story page passage paragraph report".split())  # what a reader has before them
_BARE = re.compile(
    r"^\W*(?:why|when|where|how|who|which one|(?:for|with|by|from|to|at|in|of|about|on|since|until) (?:what|whom|which))\b"
    r"\W*(?:\w+\b\W*){0,3}$",
    re.IGNORECASE,
)
_BARE_COUNT = re.compile(r"^\W*how (?:many|much)\b\W*(?:\w+\b\W*){0,2}$", re.IGNORECASE)
_PARALLEL = re.compile(r"^\W*(?:and|but|or|so|then)?\W*how (?P<kind>many|much) (?P<noun>\w+)\W*$", re.IGNORECASE)
_COUNTED = re.compile(
    r"^\W*how (?P<kind>many|much) \w+ (?P<rest>(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would)\b.+)$",
    re.IGNORECASE,
)
_COMPARING = re.compile(  # "Which is older?", "What is the smallest?"
    r"^\W*(?:(?:what|who|which)(?: \w+)? (?:is|are|was|were) the (?:most|least|best|worst|\w+est)"
    r"|which(?: \w+)? (?:is|are|was|were) (?:more|less|better|worse|\w+er))\b\W*(?:\w+\b\W*){0,2}$",
    re.IGNORECASE,
)
_ASKING = frozenset(  # by five letters, as `_weighty` gives them
    "what about when where which whom whose does were have there then this that these those they them their hers "
    "other ones also else forme latte same both".split()
)
_BEGINNING_A_QUESTION = frozenset(
    """what who whom whose when where why which how is are was were do does did has have had can could will would should may
    tell list name give show explain describe""".split()
)
_ORDER = {
    "first": 0,
    "former": 0,
    "1": 0,
    "second": 1,
    "2": 1,
    "third": 2,
    "3": 2,
    "fourth": 3,
    "4": 3,
    "last": -1,
    "latter": -1,
}
_ASKED_BACK = re.compile(r"^Which one do you mean: (.+)\?$", re.DOTALL)
_CHOICE = re.compile(r"“([^”]+)”")
_DEFINING = re.compile(
    r"^\W*(?:what|who) (?:is|are|was|were) (?:an? )?\w+\W*$|\b(?:mean|stand for|define|definition)\b", re.IGNORECASE
)

_MAX_REWRITE = 300  # characters
_MAX_PREVIOUS = 400  # characters of the question before that stands in for a rewrite
_MAX_NAMED = 400  # characters of an answer that names are taken from
_MAX_CONTEXT = 40  # words
_MAX_TITLE = 90  # characters of a title that is offered

ALIKE = 2.0
"""Articles whose best hits are so near to the best of all compete. Source: docs/experiments.md, "Asking back"."""


# --- does it lean on the conversation? --------------------------------------------------------------------------------


def reply_to_greeting(text: str) -> str:
    """Returns what is said to "Hello" and "Thanks!", which ask nothing; "" to anything else."""
    if _GREETING.match(text):
        return "Hello. What would you like to know from your articles?"
    return "You are welcome. What else would you like to know?" if _THANKS.match(text) else ""


def without_greetings(history: History) -> History:
    """Returns a conversation without "Hello" and "Thanks!" and what was said to them."""
    asked = [n for n, message in enumerate(history) if message["role"] == "user" and reply_to_greeting(message["content"])]
    greeted = {*asked, *(n + 1 for n in asked if history[n + 1 : n + 2] and history[n + 1]["role"] == "assistant")}
    return [message for n, message in enumerate(history) if n not in greeted]


def is_follow_up(question: str, history: History) -> bool:
    """True if a question leans on what was said before: a pronoun, "and ...", "why?", "how many voles?".

    "This library" is none where no library was spoken of: it is a new topic, and a vague one.
    """
    if not any(m["role"] == "user" for m in history):
        return False
    asked = _OPENING.sub("", question)
    if _has_open_pronoun(asked) or _LEANING.search(asked) or any(_LEANING_START.match(part) for part in _parts(asked)):
        return True
    if _POINTING.search(asked):
        return not is_new_topic(question, history)
    if _BARE_COUNT.match(asked) or _COMPARING.match(asked):
        return True
    has_name = any(word[0].isupper() for word in re.findall(r"\w+", asked)[1:])
    return bool(_BARE.match(asked)) and not has_name and len(_weighty(asked) - _ASKING) < 2


def _has_open_pronoun(question: str) -> bool:
    """True if a pronoun stands for nothing that the question itself names before it, a name or "a bridge"."""
    question = _EXPLETIVE.sub("", question)
    return any(not _is_named_before(match, question[: match.start()]) for match in _PRONOUN.finditer(question))


def _is_named_before(pronoun: re.Match[str], before: str) -> bool:
    one = _ONE.search(before) if pronoun[0].lower() in ("it", "its") else None
    return bool(_NAMED.search(before) or one or _SUBJECT.match(before))


def is_new_topic(question: str, history: History) -> bool:
    """True if "this" or "these" stands before a noun that was said neither before it nor in the conversation."""
    return any(True for _ in _pointed_nowhere(question, history))


def _pointed_nowhere(question: str, history: History) -> Iterator[frozenset[str]]:
    """Yields the first words of what a question points at, if no word of it was said: "state" of "this state library"."""
    for match in () if _PREDICATE.search(question) else _POINTED_AT.finditer(question):
        named = [fold(word) for word in takewhile(n_checkable, re.findall(r"\w+", match[1]))]
        said = facts(" ".join([question[: match.start()], *(m["content"] for m in history)])).words | _SOURCES
        if named and not any(has(said, word) for word in named):
            yield frozenset(named[:1])


def _parts(text: str) -> Iterator[str]:
    yield from (text[start:end] for start, end in sentences(text)) if text.strip() else ()


# --- completing -------------------------------------------------------------------------------------------------------


def checked_rewrite(rewrite: str, question: str, history: History) -> str:
    """Returns the model's rewrite if it can be trusted, else "".

    It can be trusted if it is one question, keeps the words of what the follow-up asks, has no word of weight that was not
    said, and adds one.
    """
    lines = rewrite.strip().splitlines()
    candidate = lines[0].strip().strip('"') if lines else ""
    said = _weighty(" ".join([question, *(m["content"] for m in history)]))
    words = _weighty(candidate) - _ASKING
    own = _weighty(_asked(question)) - _ASKING
    is_one = candidate.endswith("?") and len(candidate) <= _MAX_REWRITE
    if is_one and own <= _weighty(candidate) and words <= said and words - _weighty(question):
        return candidate
    return ""


def paralleled(question: str, history: History) -> str:
    """Returns "And how many Chinese?" as the last such question went on: "How many Chinese were arrested?"; "" if none did.

    The answer model left such a question's verb out: "How many Chinese are there?".
    """
    bare = _PARALLEL.match(_OPENING.sub("", question))
    if not bare:
        return ""
    for message in reversed(history):
        asked = _COUNTED.match(message["content"]) if message["role"] == "user" else None
        if asked and asked["kind"].lower() == bare["kind"].lower():
            return f"How {asked['kind'].lower()} {bare['noun']} {asked['rest']}"
    return ""


def stand_in(question: str, history: History) -> str:
    """Returns a follow-up with the question before it behind it, for want of a rewrite."""
    return f"{question} {_shortened(_question_before(history), _MAX_PREVIOUS)}"


def _asked(question: str) -> str:
    """Returns the sentences of a message that ask; all of it if none does: "I see. And the voles?" asks for the voles."""
    asking = [part for part in _parts(_OPENING.sub("", question)) if part.rstrip().endswith("?")]
    return " ".join(asking) or question


def _question_before(history: History) -> str:
    """Returns the last question that can be understood by itself, else the first one."""
    asked = [n for n, m in enumerate(history) if m["role"] == "user"]
    full = (n for n in reversed(asked) if not is_follow_up(history[n]["content"], history[:n]))
    return history[next(full, asked[0])]["content"]


def topic(history: History) -> str:
    """Returns the words that say what a conversation is about: those of the last question and names of the last answer.

    A question that leans on another brings that one's words too. Refusals and questions back tell nothing.
    """
    asked = [m["content"] for m in history if m["role"] == "user"]
    answers = [m["content"] for m in history if m["role"] == "assistant" and not _tells_nothing(m["content"])]
    if not asked:
        return ""
    before = _question_before(history)
    spoken = [asked[-1], *([before] if before != asked[-1] else [])]
    words = [word for text in spoken for word in _in_order(_OPENING.sub("", text), facts(text).words)]
    for part in _parts(answers[-1][:_MAX_NAMED]) if answers else ():
        words += _in_order(part, facts(part).names)
    unique = {fold(word): word for word in reversed(words)}
    return " ".join(list(reversed(unique.values()))[:_MAX_CONTEXT])


def _tells_nothing(answer: str) -> bool:
    return answer.strip() == NOT_FOUND or is_refusal(answer) or bool(_ASKED_BACK.match(answer.strip()))


def _in_order(text: str, kept: frozenset[str]) -> list[str]:
    return [word for word in re.findall(r"\w[\w'’]*", text) if fold(word) in kept]


# --- asking back ------------------------------------------------------------------------------------------------------


def chosen(reply: str, history: History) -> str:
    """Returns the question that was asked back about, with what the reply chooses; "" if the reply is no choice."""
    if len(history) < 2 or history[-1]["role"] != "assistant" or history[-2]["role"] != "user":
        return ""
    offered = _ASKED_BACK.match(history[-1]["content"].strip())
    if not offered or _is_question(reply):
        return ""
    asked = history[-2]["content"].strip()
    title = _picked(reply, _CHOICE.findall(offered[1]))
    return f"{asked.rstrip(' ?.!')} (“{title}”)?" if title else f"{asked.rstrip(' ?.!')} ({reply.strip(' ?.!')})?"


def _is_question(reply: str) -> bool:
    return _begins_a_question(reply) and n_checkable(reply) > 1


def _begins_a_question(text: str) -> bool:
    first = re.search(r"\w+", text.lower())
    return first is not None and first[0] in _BEGINNING_A_QUESTION


def _picked(reply: str, titles: Sequence[str]) -> str:
    """Returns the title that a reply has most words of, or that it counts off; "" if there is no such one."""
    words = facts(reply).words
    common = [sum(has(facts(title).words, word) for word in words) for title in titles]
    best = max(common, default=0)
    if best and common.count(best) == 1:
        return titles[common.index(best)]
    counted = (_ORDER[word] for word in re.findall(r"\w+", reply.lower()) if word in _ORDER)
    place = next(counted, None)
    return titles[place] if place is not None and place < len(titles) else ""


def choices(question: str, history: History, hits: Sequence[Hit]) -> tuple[str, ...]:
    """Returns the titles to choose from if a question is too vague to answer, two to four; else nothing.

    It is vague if it names nothing to tell articles apart by, and if articles of different titles are about as near to it.

    Args:
        question: as typed.
        hits: for it, best first.
    """
    wanted = _vague_words(question, history)
    if wanted is None or (history and _ASKED_BACK.match(history[-1]["content"].strip())):
        return ()
    titles: dict[str, str] = {}
    for hit in hits:
        if hit.score < hits[0].score - ALIKE:
            break
        there = facts(f"{hit.title}\n{hit.text}").words
        if all(any(is_same(word, other) for other in there) for word in wanted):
            titles.setdefault(hit.title.casefold(), hit.title)
    offered = tuple(titles.values())[:MAX_CHOICES]
    return offered if len(offered) > 1 else ()


def _vague_words(question: str, history: History) -> frozenset[str] | None:
    """Returns the words that an article must have to be meant by a vague question; None if it is not vague.

    Vague are, at the beginning or where the topic changes, "this library" of which nothing was said; and at the beginning
    "What happened?", "Who won?", "When did it open?": at most one word to look for, and no name and number.
    """
    asked = _OPENING.sub("", question)
    if nouns := next(_pointed_nowhere(asked, history), None):
        return nouns
    if any(m["role"] == "user" for m in history) or _DEFINING.search(asked) or not _begins_a_question(asked):
        return None
    said = facts(asked)
    has_name = any(word[0].isupper() for word in re.findall(r"\w+", asked)[1:])
    is_vague = not (said.numbers or said.quoted or has_name) and (n_checkable(asked) == 0 or _is_bare(asked))
    return frozenset(word for word in said.words if n_checkable(word)) if is_vague else None


def _is_bare(question: str) -> bool:
    is_short = _BARE.match(question) or _BARE_COUNT.match(question) or _has_open_pronoun(question)
    return n_checkable(question) == 1 and bool(is_short)


def question_back(titles: Sequence[str]) -> str:
    """Returns the sentence that asks which one is meant."""
    quoted = [f"“{_shortened(_unquoted(title), _MAX_TITLE)}”" for title in titles]
    return f"Which one do you mean: {', '.join(quoted[:-1])} or {quoted[-1]}?"


def _unquoted(title: str) -> str:
    return " ".join(title.replace("“", "‘").replace("”", "’").split())


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most].rsplit(" ", 1)[0] + " …"


def _weighty(text: str) -> set[str]:
    """Words of four letters or more, and numbers, by their first five letters: enough to compare inflected words."""
    return {word[:5] for word in re.findall(r"\w+", text.lower()) if len(word) > 3 or word.isdigit()}
