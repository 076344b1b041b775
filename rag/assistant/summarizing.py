"""What an article is about: which one is meant, and which of its paragraphs say it. Pure but for the embedder."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rag.attribute import facts, has
from rag.types import Embedder, Hit

_ARTICLE = "article|story|text|document|report|piece|page|paper"
_SUMMARY = r"(?:summary|overview|gist|(?:main|key) points)"
_ASKED = re.compile(
    r"^\W*(?:(?:please|can you|could you|would you|now|and|ok|okay)\b\W*){0,3}"
    rf"(?:summari[sz]e\b|sum up\b|tl;?dr\b|(?:give|write|make|show)(?: me)?(?: \w+){{0,3}} {_SUMMARY}\b|{_SUMMARY} of\b"
    rf"|what (?:is|are) the {_SUMMARY}\W*$|what (?:is|are) the {_SUMMARY} of\b"
    rf"|what(?:['’]s| is| was) (?:the|this|that) (?:{_ARTICLE})\b(?: \w+){{0,12}} about\W*$)",
    re.IGNORECASE,
)
_SAID_ANYWAY = frozenset(
    f"""{_ARTICLE.replace("|", " ")} summary summarise summarize sum tldr tl dr main key points gist overview please short
    brief briefly give write make show tell bullet sentences sentence words news""".split()
)
_MIN_WORDS = 8  # of a paragraph that says something
_MOST = 4  # paragraphs that are summed up
_NOVELTY = 0.7  # weight of how near a paragraph is to those chosen before it


def asks_for_summary(question: str) -> bool:
    """True for "Summarise the article on the pier" and "What is this article about?"."""
    return bool(_ASKED.search(question))


def topic(question: str) -> frozenset[str]:
    """Returns the words that say which article is to be summed up; none for "Summarise this article"."""
    return facts(question).words - _SAID_ANYWAY


def is_about(words: frozenset[str], text: str) -> bool:
    """True if a document has more than half of the words that say which one is meant."""
    there = facts(text).words
    return not words or sum(has(there, word) for word in words) * 2 > len(words)


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
