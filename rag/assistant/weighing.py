"""What speaks for an answer in the hits of one question, and which of them are drafted from. No model is asked here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rag import attribute, decide, prompt
from rag.assistant.saying import Said
from rag.rerank import lead
from rag.types import Hit

CERTAIN = 7.0
"""From this score on, a name or number of the question that the document lacks is taken for a misspelling."""

NEAR = 2.0
"""A second hit is drafted from, and another article compared, if its score is so near to the best one's."""

_TELLING = 5.0  # a hit may score so much less and still have the sentence that says yes or no; not measured
_HABITS = frozenset(f"name {day}days" for day in "mon tues wednes thurs fri satur sun".split())  # no misspellings

# Source of the three: docs/experiments.md, "Deciding".
_MAX_DRAFTED = 3  # hits that are drafted from, one after the other, until a sentence holds
_MAX_NEAR = 2  # of them so many of any document
_HOPED = 1.5  # log odds of yes; another hit of the same document is asked if these would be enough


@dataclass(frozen=True, slots=True)
class Weighing:
    """The hits of one question.

    Attributes:
        bonus: by document id, what was added to the scores of its paragraphs for its date.
        wanted: the probability from which on an answer is shown.
    """

    question: str
    said: Said
    bonus: Mapping[str, float]
    wanted: float

    def signals(self, hit: Hit) -> decide.Signals:
        """Returns what speaks for an answer in a hit before the model is asked."""
        score = self._read_score(hit) - decide.expected(attribute.n_checkable(self.question))
        is_fresh = bool(self.bonus.get(hit.document))
        is_stale = not is_fresh and bool(self.said.document(hit).date) and prompt.means_now(self.question)
        return decide.Signals(
            score=score,
            premise=float(self._has_false_premise(hit)),
            fresh=float(is_fresh) if is_fresh or is_stale else None,
        )

    def is_denied(self, hit: Hit) -> bool:
        """True if a hit denies what is asked: that is an answer, and the model would say no to it."""
        if attribute.is_negated(self.question):
            return False
        is_no = prompt.asks_whether(self.question) and attribute.says_no(self.question, hit.quote)
        return is_no or attribute.is_denied(self.question, hit.quote)

    def is_likely(self, hit: Hit) -> bool:
        """True if a hit seems to hold the answer before the model is asked."""
        return decide.probability(self.signals(hit)) >= self.wanted

    def chosen(self, hits: Sequence[Hit]) -> list[Hit]:
        """Returns the hits to draft from: the best one, the next one if it is as good, and others of the same document.

        If the best one is not certain and lacks a name or number of the question, a paragraph of the same document that has
        them all comes first: "How many Vietnamese?" is not answered where only the total stands. And a first paragraph has
        all that is asked about, so it is found before the one that has the answer.
        """
        best = hits[0]
        near = [hit for hit in hits if hit.score >= best.score - NEAR]
        if self._read_score(best) < CERTAIN:
            named = (hit for hit in near if hit.document == best.document and not self._unknown(hit))
            first = next(named, best)
            near = [first, *(hit for hit in near if hit is not first)]
        others = (hit for hit in hits if hit.document == best.document and self._may_answer(hit))
        return list(dict.fromkeys([*near[:_MAX_NEAR], *others]))[:_MAX_DRAFTED]

    def telling(self, hit: Hit, hits: Sequence[Hit]) -> Hit:
        """Returns the hit that answers a question for yes or no, or a near one whose sentence says more of what is asked.

        What a text tells an assistant to say is no sentence of it; an article that is not as near must tell the same story.
        """
        named = attribute.facts(hit.title).names
        near = [
            other
            for other in hits
            if other.document == hit.document
            or other.score >= hit.score - NEAR
            or (other.score >= hit.score - _TELLING and attribute.facts(other.title).names & named)
        ]
        titles = " ".join(other.title for other in near)
        best = hit
        for n, other in enumerate((hit, *near)):
            told = attribute.without_orders(other.text)
            quote = attribute.telling_whether(self.question, titles if n else hit.title, best.quote, told)
            if (
                quote != best.quote
                and quote in other.text
                and not attribute.unknown(self.question, self.said.context(other))
            ):
                best = replace(other, quote=quote)
        return best

    def _may_answer(self, hit: Hit) -> bool:
        """True if a hit would be drafted from if the model said yes to it."""
        return decide.probability(replace(self.signals(hit), yes=_HOPED)) >= self.wanted

    def _has_false_premise(self, hit: Hit) -> bool:
        """True if a question takes for granted what the document of a hit does not say."""
        if not prompt.asks_whether(self.question) and attribute.opposed(self.question, hit.quote):
            return True
        lacking = attribute.unknown(self.question, self.said.context(hit))
        return bool(lacking) and (self._read_score(hit) < CERTAIN or not _HABITS.isdisjoint(lacking))

    def _read_score(self, hit: Hit) -> float:
        """Returns the reranker's own score, without what was added for date and place."""
        return hit.score - self.bonus.get(hit.document, 0.0) - lead(hit)

    def _unknown(self, hit: Hit) -> tuple[str, ...]:
        return attribute.unknown(self.question, f"{hit.title}\n{hit.text}")
