"""What articles say differently of the same thing: pairs of their sentences. Pure but for the embedder."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rag.attribute import corrected_by, correction, counts_differ, facts, has, sentence_texts, undated
from rag.types import Claim, Embedder, Hit

_ARTICLES = r"(?:articles|reports|sources|newspapers|documents|accounts)"
_ASKED = re.compile(
    rf"^\W*(?:on what|in what|what|where|how|which \w+|do|does|is there|are there)\b.{{0,40}}?\b{_ARTICLES}\b"
    r".{0,40}?\b(?:disagree|differ(?:ently)?|contradict|vary)\b"
    rf"|^\W*(?:what|which|are there|is there)\b.{{0,20}}?\b(?:disagreements?|contradictions?|discrepanc(?:y|ies))\b"
    rf".{{0,40}}\b{_ARTICLES}\b"
    rf"|^\W*(?:what|which) (?:figures?|numbers?|values?) differ\b.{{0,40}}\b{_ARTICLES}\b",
    re.IGNORECASE,
)
_SAID_ANYWAY = frozenset(
    """vary figure figures number numbers value values two article articles report reports source sources newspaper
    newspapers paper papers document documents text texts story stories account accounts disagree disagrees
    differ differs differently odds say conflict conflicts contradict contradicts contradiction contradictions
    disagreement disagreements discrepancy discrepancies difference differences each other anything there about
    over""".split()
)
_SAME_THING = 0.6
"""Cosine from which on two sentences with two words in common, of articles on the same story, speak of the same thing; from
`_SURELY` on one word will do. Source: docs/experiments.md, "Disagreement"."""
_SURELY = 0.7
_SAME_STORY = 0.8
_LEAD = 1500  # characters of an article that tell its story
_MOST = 3  # pairs that are told
_PLAIN = frozenset("people million billion thousand percent euros dollars pounds year years day days hours said".split())


Pair = tuple[Hit, Hit]
"""Two hits whose quotes give different values for what seems to be the same."""


def asks_for_disagreement(question: str) -> bool:
    """True for "What do the articles disagree on?"."""
    return bool(_ASKED.search(question))


def subject(question: str) -> frozenset[str]:
    """Returns the words that say what the articles are to be compared on; none for "What do the articles disagree on?"."""
    return facts(question).words - _SAID_ANYWAY


def disagreements(articles: Sequence[tuple[str, Sequence[Hit]]], embedder: Embedder) -> list[Pair]:
    """Returns where articles give different numbers for the same thing, the surest first; at most three.

    Args:
        articles: of each its headline and text, and its paragraphs.
    """
    said = [
        (n, replace(hit, quote=text))
        for n, (_, paragraphs) in enumerate(articles)
        for hit in paragraphs
        for text in sentence_texts(hit.text)
        if facts(text).numbers
    ]
    if not said:
        return []
    stories = embedder.embed_paragraphs([text[:_LEAD] for text, _ in articles])
    vectors = embedder.embed_paragraphs([hit.quote for _, hit in said])
    alike = vectors @ vectors.T
    found = []
    for i, j in zip(*np.nonzero(np.triu(alike >= _SAME_THING)), strict=True):
        (a, one), (b, other) = said[i], said[j]
        if a != b and counts_differ(one.quote, other.quote):
            is_story = stories[a] @ stories[b] >= _SAME_STORY
            if is_story and _is_same_thing(one.quote, other.quote, float(alike[i, j])):
                found.append((float(alike[i, j]), (one, other)))
    found.sort(key=lambda pair: -pair[0])
    return _each_sentence_once([pair for _, pair in found])[:_MOST]


def rivals(claim: Claim, question: str, own: str, others: Sequence[tuple[str, Hit]], embedder: Embedder) -> list[Hit]:
    """Returns the hits of other articles on the same story that give another number than a claim, best sentence as quote.

    Args:
        own: headline and text of the claim's article.
        others: hits of other articles, each behind its article's headline and text.
    """
    quote = claim.citations[0].quote
    if len(facts(undated(claim.text)).numbers - facts(question).numbers) != 1:
        return []
    counted = [
        (article, replace(hit, quote=text))
        for article, hit in others
        for text in sentence_texts(hit.text)
        if counts_differ(claim.text, text, question) and counts_differ(quote, text, question)
    ]
    if not counted:
        return []
    vectors = embedder.embed_paragraphs([quote, *(hit.quote for _, hit in counted)])
    stories = embedder.embed_paragraphs([text[:_LEAD] for text in (own, *(article for article, _ in counted))])
    alike, story = vectors[1:] @ vectors[0], stories[1:] @ stories[0]
    return [
        hit
        for n, (_, hit) in enumerate(counted)
        if story[n] >= _SAME_STORY and alike[n] >= _SAME_THING and _is_same_thing(quote, hit.quote, float(alike[n]))
    ]


def taken_back(claim: Claim, question: str, own: Sequence[Hit], others: Sequence[Hit]) -> Hit | None:
    """Returns the hit, with its sentences as quote, that says that a claim was wrong and what is right; None if none does.

    Args:
        own: the paragraph that the claim cites: it may be a notice of correction itself, which tells both.
        others: hits of other articles.
    """
    spans = [(hit, correction(claim.citations[0].quote, hit.text, hit.title)) for hit in own]
    spans += [(hit, corrected_by(claim.text, question, hit.text, hit.title)) for hit in others]
    return next((replace(hit, quote=hit.text[slice(*span)]) for hit, span in spans if span), None)


def _is_same_thing(one: str, other: str, alike: float) -> bool:
    words = facts(other).words
    n_common = sum(has(words, word) for word in facts(one).words - _PLAIN)
    return n_common > 1 or (n_common == 1 and alike >= _SURELY)


def _each_sentence_once(pairs: Sequence[Pair]) -> list[Pair]:
    told: set[tuple[str, int, str]] = set()
    kept = []
    for pair in pairs:
        keys = {(hit.document, hit.paragraph, hit.quote) for hit in pair}
        if told.isdisjoint(keys):
            told |= keys
            kept.append(pair)
    return kept
