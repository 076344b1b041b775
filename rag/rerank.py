"""Hits to hits: a cross-encoder reads the question with each paragraph, then with the sentences of the best ones."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rag.embed import onnx_module
from rag.errors import DependencyMissing, ModelCorrupt
from rag.split import index_text, sentence_texts
from rag.terms import question_terms, terms
from rag.types import Hit, Reranker

BARE = 0.4
"""Weight of a paragraph's score without its title. Source: docs/experiments.md, "Retrieval"."""

SURE = 6.0
_FIRST = 6
"""If one of so many hits scores so much with its title, no more are read. Source: docs/experiments.md, "Retrieval"."""

_RANKED = 1 / 180
"""What is added to scores, in those of the search: `RECENT` is worth a first place in one of its rankings (1 / 60)."""

_READ_BARE = 12
_AT_ONCE = 2
"""So many hits at most are read without their title too, so many at once: as long as the next one may still be the best."""

RECENT = 3.0
_RECENT_DAYS = (-1, 10)
"""An article from these days before the question gets so much. Source: docs/experiments.md, "Retrieval"."""

LEAD = 0.5
_LEADING = 2
"""An article says what it is about in its first paragraphs: so many of them get so much. Source: as above."""

ALONE = 4.0
"""A question whose best paragraph scores so much needs no conversation to order the others. Source: "Follow-ups"."""

CONTEXT = 0.5
"""Weight of a paragraph's score for question and conversation, beside its score for the question. Source: as above."""

UNSURE = 2.0
_AGAIN = 8
_OPENED, _ALONE = 2.0, 1.0
_LONG = 1000
"""If no hit scores so much, so many of the best ones are read again: behind the first sentence of their article, which
often names who "the vessel" is, for so much less, and if they have so many characters by single sentences, for so much
less. Source: docs/experiments.md, "Retrieval"."""

_QUOTED = 3
_NEAR = 2.0
"""So many hits at most, with scores so near to the best one's, have their sentences read by the model; the best sentence
of the others is chosen by common words."""

_UNREAD = 4.0  # so much below the best hit at least are those that were not read

_READ = 24
"""So many sentences of a hit are read by the model, those with the most words of the question: a text without line ends is
one paragraph, however long."""


class CrossReranker:
    """A `Reranker` over any cross-encoder with one output that sentence-transformers loads from a folder."""

    def __init__(self, folder: Path, *, threads: int, languages: frozenset[str] = frozenset()) -> None:
        """Loads the model, which reads these languages; any, if there are none.

        Raises:
            DependencyMissing: sentence-transformers is not installed.
            ModelCorrupt: the files cannot be loaded.
        """
        try:
            import torch
            from sentence_transformers import CrossEncoder
        except ImportError as exc:
            raise DependencyMissing(f"The package {exc.name} is not installed.", f"pip install {exc.name}") from exc
        self.languages = languages
        raw = torch.nn.Identity()  # logits: a sigmoid flattens the differences between good hits
        if (folder / "model.onnx").is_file() and not (folder / "config.json").is_file():
            modules = [onnx_module(folder, "scores", threads)]
            self._model = CrossEncoder(modules=modules, num_labels=1, activation_fn=raw, device="cpu")
        else:
            try:
                self._model = CrossEncoder(str(folder), activation_fn=raw, device="cpu", local_files_only=True)
            except Exception as exc:  # transformers raises OSError, ValueError, KeyError and others for a bad folder
                raise ModelCorrupt(f"{folder} cannot be loaded as a reranking model: {exc}.") from exc

    def scores(self, question: str, texts: Sequence[str]) -> list[float]:
        """Returns one logit a text, in their order; higher is better."""
        if not texts:
            return []
        values = self._model.predict([(question, text) for text in texts], show_progress_bar=False)
        return [float(value) for value in values.reshape(-1)]


def rerank(
    question: str,
    hits: Sequence[Hit],
    reranker: Reranker,
    *,
    depth: int,
    keep: int,
    bonus: Mapping[str, float] | None = None,
    context: str = "",
    typed: str = "",
    opening: Callable[[Hit], str] = lambda hit: "",
) -> tuple[Hit, ...]:
    """Returns the best hits with their scores and best sentences, best first.

    With its title before it, every paragraph of an article is near to a question that the title answers. So those that may
    be the best one are read without it too, and their score is a mean of both. Reading is what takes the time: what is
    behind is not read any further, and comes after what was. For a follow-up all are read, as its order was measured so.

    Args:
        depth: so many of the hits are read, at most.
        keep: so many are returned, at most.
        bonus: by document id, what is added to the scores of its paragraphs; see `recency`.
        context: the question together with what the conversation is about, "" without one. Where the question alone finds
            no sure paragraph, it orders those after the best one.
        typed: a follow-up as it was typed, if the question only stands in for it. It orders the paragraphs better, but of
            how sure the best one is it says less than the question; so for it reading again only orders them.
        opening: gives the first sentence of a hit's article, if it is not the hit's own.
    """
    added = {hit: (bonus or {}).get(hit.document, 0.0) + lead(hit) for hit in hits[:depth]}
    hits = sorted(added, key=lambda hit: -(hit.score + _RANKED * added[hit]))
    asked = typed or question
    texts = [index_text(h.title, h.searched or h.text) for h in hits]
    is_follow_up = bool(context or typed)
    titled = _titled(asked, texts, reranker, len(texts) if is_follow_up else _FIRST)
    if context and max(titled, default=ALONE) < ALONE:
        titled = _ordered_by_both(titled, reranker.scores(context, texts))
    first = _best_windows(sorted(zip(hits, titled, strict=False), key=lambda pair: -(pair[1] + added[pair[0]])))
    scores = _means(asked, first, added, reranker, _READ_BARE if is_follow_up else _AT_ONCE)
    if max(scores, default=UNSURE) < UNSURE:
        scores = _read_again(asked, [hit for hit, _ in first], scores, opening, reranker)
    if typed and scores:
        raised = max(reranker.scores(question, texts[: len(titled)])) - max(scores)
        scores = [score + raised for score in scores]
    scored = [replace(hit, score=score + added[hit]) for (hit, _), score in zip(first, scores, strict=True)]
    ranked = sorted(scored, key=lambda hit: -hit.score)
    # Nothing is known of those that were not read, so they are near to none that were.
    behind = [(replace(hit, score=min(ranked[-1].score, ranked[0].score - _UNREAD)), 0.0) for hit in hits[len(titled) :]]
    kept = [hit for hit, _ in _best_windows([*((hit, 0.0) for hit in ranked), *behind])][:keep]
    return _quoted(question, kept, reranker)


def _titled(question: str, texts: Sequence[str], reranker: Reranker, n_first: int) -> list[float]:
    """Returns the scores of the first texts, if one of them is sure, else of all."""
    scores = reranker.scores(question, texts[:n_first])
    if max(scores, default=SURE) < SURE and len(texts) > n_first:
        scores = [*scores, *reranker.scores(question, texts[n_first:])]
    return scores


def _means(
    question: str,
    titled: Sequence[tuple[Hit, float]],
    added: Mapping[Hit, float],
    reranker: Reranker,
    n_at_once: int,
) -> list[float]:
    """Returns the mean scores with the title and without it; without it only those are read that may be the best one.

    Args:
        titled: hits with their scores with the title; the best ones, with what is `added`, come first.
    """
    scores: list[float] = []
    while len(scores) < min(len(titled), _READ_BARE):
        hit, score = titled[len(scores)]  # without its title a paragraph seldom scores more than with it
        if scores and max(s + added[h] for s, (h, _) in zip(scores, titled, strict=False)) >= score + added[hit]:
            break
        group = titled[len(scores) : min(len(scores) + n_at_once, _READ_BARE)]
        bare = reranker.scores(question, [_bare(hit) for hit, _ in group])
        scores += [(1 - BARE) * t + BARE * b for (_, t), b in zip(group, bare, strict=True)]
    return [*scores, *(min(t, *scores) for _, t in titled[len(scores) :])]


def _read_again(
    question: str, hits: Sequence[Hit], scores: Sequence[float], opening: Callable[[Hit], str], reranker: Reranker
) -> list[float]:
    """Returns the scores, raised for those of the first hits that are nearer behind an opening, or by one sentence."""
    texts: list[tuple[int, float, str]] = []  # number of the hit, what is taken off, text
    for n, hit in enumerate(hits[:_AGAIN]):
        searched = hit.searched or hit.text
        if opened := opening(hit):
            texts.append((n, _OPENED, index_text(hit.title, f"{opened}\n{searched}")))
        if len(searched) > _LONG:
            texts += ((n, _ALONE, index_text(hit.title, text)) for text in _likest(question, _bare(hit))[:_READ])
    raised = list(scores)
    read = reranker.scores(question, [text for _, _, text in texts]) if texts else ()
    for (n, less, _), score in zip(texts, read, strict=True):
        raised[n] = max(raised[n], score - less)
    return raised


def by_words(question: str, hits: Sequence[Hit], *, keep: int) -> tuple[Hit, ...]:
    """Returns the best hits as they were found, for a question in a language that the reranker does not read.

    Their scores are those of the search, and their best sentence is the one with most of the question's terms.
    """
    wanted = frozenset(question_terms(question))
    found = [hit for hit, _ in _best_windows((hit, hit.score) for hit in hits)][:keep]
    return tuple(
        replace(hit, quote=max(_sentences(hit.text), key=lambda s: len(wanted.intersection(terms(s))))) for hit in found
    )


def share_of_words(question: str, hit: Hit) -> float:
    """Returns the share of the question's terms that a paragraph or its title has, 0 to 1."""
    wanted = frozenset(question_terms(question))
    return len(wanted.intersection(terms(index_text(hit.title, hit.text)))) / max(1, len(wanted))


def _best_windows(ranked: Iterable[tuple[Hit, float]]) -> list[tuple[Hit, float]]:
    """Returns the first hit of each paragraph with its score, in their order."""
    best: dict[tuple[str, int], tuple[Hit, float]] = {}
    for hit, score in ranked:
        best.setdefault((hit.document, hit.paragraph), (hit, score))
    return list(best.values())


def _bare(hit: Hit) -> str:
    """Returns the paragraph, or the window of it that was found, but never its neighbours: they would get the same score."""
    return hit.searched if hit.searched and hit.searched in hit.text else hit.text


def _ordered_by_both(alone: Sequence[float], together: Sequence[float]) -> list[float]:
    """Returns the weighted means of both scores, none above the best score of the first; that one stays first."""
    means = [(a + CONTEXT * b) / (1 + CONTEXT) for a, b in zip(alone, together, strict=True)]
    best = max(range(len(alone)), key=alone.__getitem__)
    lowered = min(alone[best] - max(means), 0.0)
    return [alone[n] if n == best else mean + lowered for n, mean in enumerate(means)]


def lead(hit: Hit) -> float:
    """Returns what is added to the score of a paragraph for its place in the article."""
    return LEAD if hit.paragraph <= _LEADING else 0.0


def recency(published: str, asked_on: str) -> float:
    """Returns what is added to the scores of an article that was new when the question was asked, else 0.

    Args:
        published: an ISO date, or "" if it is not known; `asked_on` likewise.
    """
    try:
        age = (datetime.date.fromisoformat(asked_on) - datetime.date.fromisoformat(published)).days
    except ValueError:  # an article without a date that can be read is as good as one without a date
        return 0.0
    return RECENT if _RECENT_DAYS[0] <= age <= _RECENT_DAYS[1] else 0.0


def _quoted(question: str, hits: Sequence[Hit], reranker: Reranker) -> tuple[Hit, ...]:
    """Returns the hits with their best sentences: of the best hits those that the model likes best, else the likest ones.

    They are read without the title, as the title may be what the model likes.
    """
    ordered = [_likest(question, hit.text) for hit in hits]
    near = [n for n, hit in enumerate(hits[:_QUOTED]) if hit.score >= hits[0].score - _NEAR]
    read = [text for n in near if len(ordered[n]) > 1 for text in ordered[n][:_READ]]
    liked = dict(zip(read, reranker.scores(question, read), strict=True)) if read else {}
    return tuple(
        replace(hit, quote=max(texts[:_READ], key=lambda text: liked.get(text, 0.0)) if n in near else texts[0])
        for n, (hit, texts) in enumerate(zip(hits, ordered, strict=True))
    )


def _likest(question: str, text: str) -> list[str]:
    """Returns the sentences of a text, those with most words of the question first."""
    return sorted(_sentences(text), key=lambda one: -_n_common(question, one))


def _n_common(question: str, text: str) -> int:
    return len(set(question.lower().split()) & set(text.lower().split()))


def _sentences(text: str) -> Sequence[str]:
    return sentence_texts(text) or (text,)
