"""The clauses and sentences of a passage, and which of them a sentence is nearest to. Pure."""

from __future__ import annotations

import re

from rag import split
from rag.attribute.facts import everything, facts
from rag.attribute.keeping import kept
from rag.attribute.words import has

_INSERTED = re.compile(r",\s*(?:however|though|of course|in fact|yet|so far|as yet)\s*,", re.IGNORECASE)
_CLAUSE_ENDS = re.compile(
    r"[,:](?!\d)|[;—()]|\s–\s|[.!?]\s|\b(?:and|but|while|whereas|although|though|because|despite|instead)\b", re.IGNORECASE
)
_NOBODY = re.compile(
    r"^\W*(?:everybody|everyone|all)\b"
    r"|(?:^\W*|[;,—]\s+|\band )(?:(?:nobody|no one|none|nothing)\b|there (?:was|were) no\b|no \w+s\b)",
    re.IGNORECASE,
)


@kept
def clauses(text: str) -> tuple[str, ...]:
    """Returns the clauses of a text, cut at marks and conjunctions; "1,362" and "10:30" are no ends."""
    return tuple(part for part in _CLAUSE_ENDS.split(_INSERTED.sub(" ", text)) if part.strip())


@kept
def sentence_texts(text: str) -> tuple[str, ...]:
    """Returns the sentences of a passage; the passage itself if it has no marks."""
    return split.sentence_texts(text) or (text,)


def nearest(claim: str, parts: tuple[str, ...]) -> list[str]:
    """Returns the parts that have most words and numbers of a claim: one, or several that have as many."""
    said = facts(claim)
    common = []
    for part in parts:
        there = everything(part)
        common.append(sum(has(there.words, word) for word in said.words) + len(said.numbers & there.numbers))
    most = max(common, default=0)
    return [part for part, n in zip(parts, common, strict=True) if n == most]


def telling_whether(question: str, title: str, best: str, passage: str) -> str:
    """Returns the sentence of a passage that says more of what a question for yes or no asks than the best one, else that.

    "Nobody was killed" names no fire, and "A fire destroyed the Odeon" is nearer to "Was anyone killed in the fire at the
    Odeon?". So the question's names and the words of the title do not count; all else that the best one has must be there.
    Where the best one has a name of the question, the other one must have it too, unless it is about nobody or all.
    """
    asked, named = facts(question), everything(title).words
    wanted = frozenset(word for word in asked.words - asked.names if not has(named, word))
    names = [name for name in asked.names if has(everything(best).words, name)]

    def said(text: str) -> frozenset[str]:
        return frozenset(word for word in wanted if has(everything(text).words, word))

    def is_of_same(text: str) -> bool:
        return bool(_NOBODY.search(text)) or all(has(everything(text).words, name) for name in names)

    of_best = said(best)
    more = [text for text in sentence_texts(passage) if said(text) > of_best and is_of_same(text)]
    return max(more, key=lambda text: len(said(text)), default=best)
