"""What an article is about: which one is meant, and which of its paragraphs say it. Pure but for the embedder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from rag.attribute import WORD, facts, fold, has
from rag.types import Embedder, Hit

_ARTICLE = "article|story|text|document|report|piece|page|paper"
_SUMMARY = r"(?:summary|overview|gist|(?:main|key) points)"
_ASKED = re.compile(
    r"(?:^|[.?!]\s)[^\w.?!]*(?:(?:please|can you|could you|would you|now|and|ok|okay)\b\W*){0,3}"
    rf"(?:summari[sz]e\b|sum up\b|tl;?dr\b|(?:give|write|make|show)(?: me)?(?: \w+){{0,3}} {_SUMMARY}\b|{_SUMMARY} of\b"
    rf"|what (?:is|are) the {_SUMMARY}\W*$|what (?:is|are) the {_SUMMARY} of\b"
    rf"|what(?:['’]s| is| was) (?:the|this|that)(?: \w+){{0,4}} (?:{_ARTICLE})\b(?: \w+){{0,12}} about\W*$"
    rf"|what (?:does|did) (?:the|this|that)(?: \w+){{0,4}} (?:{_ARTICLE})\b(?: \w+){{0,12}} say\W*$)",
    re.IGNORECASE,
)
_SAID_ANYWAY = frozenset(
    f"""{_ARTICLE.replace("|", " ")} summary summarise summarize sum tldr tl dr main key points gist overview please short
    brief briefly give write make show tell say bullet sentences sentence words news""".split()
)
_BEGINNING = 600  # characters of a document that say what it is about
_MIN_WORDS = 8  # of a paragraph that says something
_MOST = 4  # paragraphs that are summed up
_NOVELTY = 0.7  # weight of how near a paragraph is to those chosen before it


def asks_for_summary(question: str) -> bool:
    """True for "Summarise the article on the pier" and "What is this article about?"."""
    return bool(_ASKED.search(question))


def topic(question: str) -> frozenset[str]:
    """Returns the words that say which article is to be summed up; none for "Summarise this article"."""
    return facts(question).words - _SAID_ANYWAY


def meant(words: frozenset[str], texts: Sequence[str]) -> int | None:
    """Returns which document the words mean; None if none is about them.

    More than half of them must stand in its headline, in its beginning, or more than once in its text: one that mentions a
    flood once is not about the flood. Of several it is the one with most of them in the headline, then in the beginning.

    Args:
        texts: of documents, the best first, each with its headline as the first line.
    """
    if not words:
        return 0 if texts else None
    shares = [tuple(_share(words, part) for part in _parts(text)) for text in texts]
    about = [n for n, share in enumerate(shares) if max(share) > 1 / 2]
    return max(about, key=lambda n: (shares[n], -n), default=None)


def _parts(text: str) -> tuple[str, str, str]:
    """Returns the headline of a document, its beginning, and the words that it has more than once."""
    headline = text.partition("\n")[0]
    counts = Counter(fold(word) for word in WORD.findall(text))
    return headline, text[:_BEGINNING], " ".join(word for word, n in counts.items() if n > 1)


def _share(words: frozenset[str], text: str) -> float:
    there = facts(text).words
    return sum(has(there, word) for word in words) / len(words)


def telling(paragraphs: Sequence[Hit], embedder: Embedder) -> list[Hit]:
    """Returns the paragraphs that say most of what an article says, in its order: the first, then those in its middle.

    Maximal marginal relevance (Carbonell and Goldstein, 1998): near to the mean of all paragraphs, far from those chosen.
    """
    saying = [hit for hit in paragraphs if len(hit.text.split()) >= _MIN_WORDS] or list(paragraphs)
    vectors = embedder.embed_paragraphs([hit.text for hit in saying])
    alike = vectors @ vectors.T
    central = alike.mean(axis=1)
    chosen = [0]
    while len(chosen) < min(_MOST, (len(saying) + 1) // 2):
        gain = central - _NOVELTY * alike[:, chosen].max(axis=1)
        gain[chosen] = -np.inf
        chosen.append(int(gain.argmax()))
    return [saying[n] for n in sorted(chosen)]
