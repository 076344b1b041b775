"""Attribution as a whole: no text, however odd, makes it slow, and no texts, however many, stay in memory."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator

import pytest

from rag.attribute import (
    candidates,
    check,
    clauses,
    differs,
    differs_by,
    facts,
    is_denied,
    numbers,
    opposed,
    restore_hedges,
    sentence_texts,
    support,
    telling_whether,
    undated,
    unit,
    unknown,
)
from rag.attribute.facts import everything
from rag.attribute.naming import runs
from rag.types import Hit

SIZE = 10_000  # characters
SECONDS = 2.0  # of this process, .6 here at most; of any of these texts something once took up to 15 s
CLAIM = "On 15 July Ilse Varga said that at least 40 owls were not seen in the harbour of Arlen."
QUESTION = "How many owls did Ilse Varga see in Arlen?"
PASSAGE = "Ilse Varga, the mayor, said that 40 owls were seen in Arlen on 15 July 2025. Jon Reyk may have seen 30 voles."
CONTEXT = f"Owls\n2025-07-18\n{PASSAGE}"
REPEATED = (
    " ",
    "A",
    "Ab ",
    "W# w#, ",  # a new number at each mark
    "1,",
    "1 ",
    "1-",
    "1 to ",
    "1, 2, ",
    "# w#, ",
    "[1",
    "May 1, ",
    "a, ",
    "don't ",
    "twenty ",
    "1 more ",
    "said, ",
    "suspected owls ",
)


def long(piece: str) -> str:
    return "".join(piece.replace("#", str(n)) for n in range(2, SIZE))[:SIZE]


def uses(text: str) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yields every way in which a text of somebody else's comes to what `rag.attribute` offers."""
    around = f"Owls\n2025-07-18\n{text}"
    hit = Hit("owls", "v", "Owls", "/owls.txt", 1, 0, len(text), text, 0.0)
    yield "a passage checked", lambda: check(CLAIM, QUESTION, text, around)
    yield "a document checked", lambda: check(CLAIM, QUESTION, PASSAGE, around)
    yield "a claim checked", lambda: check(text, QUESTION, PASSAGE, CONTEXT)
    yield "an office checked", lambda: check("Ilse Varga is the mayor.", "Who is the mayor?", text, around)
    yield "candidates", lambda: candidates("", QUESTION, [hit], {"owls": around})
    yield "support", lambda: support(CLAIM, QUESTION, [text], [1.0])
    yield "hedges restored", lambda: restore_hedges(CLAIM, text)
    yield "differs", lambda: differs(text, PASSAGE, QUESTION)
    yield "differs_by", lambda: differs_by(f"1{text}", 1)
    yield "unknown", lambda: unknown(text, CONTEXT)
    yield "opposed", lambda: opposed(text, PASSAGE)
    yield "is_denied", lambda: is_denied(CLAIM, text)
    yield "unit", lambda: unit(f"40{text}", 0, 2)
    yield from (
        (function.__name__, lambda f=function: f(text)) for function in (clauses, facts, numbers, sentence_texts, undated)
    )


@pytest.mark.parametrize("piece", REPEATED)
def test_no_long_text_takes_long(piece):
    slow = {}
    for name, use in uses(long(piece)):
        started = time.process_time()
        use()
        taken = time.process_time() - started
        if taken > SECONDS:
            slow[name] = taken
    assert slow == {}


class Text(str):
    """A text of which one can tell whether it is still in memory."""


def test_of_all_the_texts_that_were_checked_only_the_last_few_stay_in_memory():
    # The last 1024 of every size did once.
    articles, words = [], []
    for n in range(20):
        article, word = Text(f"{CONTEXT} {n}{' The owls flew.' * 400}"), Text(f"{n}{'a' * 50_000}")
        assert check("40 owls were seen in Arlen.", QUESTION, PASSAGE, article) == ()
        check("40 owls were seen in Arlen.", QUESTION, word, word)
        articles.append(weakref.ref(article))
        words.append(weakref.ref(word))
    del article, word
    assert sum(ref() is not None for ref in (*articles, *words)) <= 6


def test_no_word_that_is_kept_is_longer_than_words_are():
    text = "A" * 1000 + "-1" * 1000
    assert max(map(len, everything(text).words)) < 700
    assert max(len(word) for run in runs(text) for word in run) < 100


def test_a_question_for_yes_or_no_gets_the_sentence_that_says_it():
    first = "A fire destroyed the Odeon in Castell early on Tuesday."
    passage = f"{first} Nobody was killed, the fire brigade said."
    question = "Was anyone killed in the fire at the Odeon?"
    assert telling_whether(question, "Blaze in Castell", first, passage) == "Nobody was killed, the fire brigade said."
    assert telling_whether("Was the Odeon destroyed?", "Blaze in Castell", first, passage) == first
    assert telling_whether("Was it closed?", "Blaze in Castell", first, passage) == first  # none says it: the best one


@pytest.mark.parametrize(
    ("question", "best", "other"),
    [
        ("Has Anna Berg resigned as mayor?", "Berg said she will stay mayor.", "Her deputy resigned as mayor of Nordby."),
        ("Was Varga injured in the crash?", "Varga walked away from the crash.", "Three others were injured in the crash."),
    ],
)
def test_a_question_for_yes_or_no_gets_no_sentence_about_somebody_else(question, best, other):
    assert telling_whether(question, "News", best, f"{best} {other}") == best
