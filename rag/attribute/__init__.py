"""Draft sentences and hits to claims with citations. Pure: no model is called here.

A sentence is carried by a span of a paragraph when everything checkable in it occurs there: numbers (normalised: 1,362 =
1362, "70 million" = 70,000,000), dates, names, quoted words, and most of its other words. To occur is not enough: they must
belong together and to what was asked ("347 Vietnamese, 271 Indonesians"), and what is denied, alleged or hedged there
must be so here. `check` says what is lacking; before it, `restore_hedges` puts back the hedges that a draft left out. And a
question may take for granted what the document does not say (`unknown`, `opposed`): its best paragraph is then no ground
for an answer.
"""

from rag.attribute.binding import is_bound, is_plural, unit
from rag.attribute.changing import differs_by
from rag.attribute.checking import MIN_COVERAGE, check
from rag.attribute.citing import Span, candidates, cite, marked, numbered
from rag.attribute.clauses import clauses, nearest, sentence_texts, telling_whether
from rag.attribute.comparing import counts_differ, differs, disputes
from rag.attribute.correcting import corrected_by, correction
from rag.attribute.dating import undated
from rag.attribute.facts import Facts, facts, n_checkable
from rag.attribute.hedging import hedges, restore_hedges
from rag.attribute.negating import is_denied, is_negated, says_no
from rag.attribute.ordering import is_order, without_orders
from rag.attribute.premises import opposed, unknown
from rag.attribute.speaking import told_in
from rag.attribute.supporting import support
from rag.attribute.values import numbers
from rag.attribute.words import FUNCTION_WORDS, WORD, fold, has, is_same

__all__ = [
    "FUNCTION_WORDS",
    "MIN_COVERAGE",
    "WORD",
    "Facts",
    "Span",
    "candidates",
    "check",
    "cite",
    "clauses",
    "corrected_by",
    "correction",
    "counts_differ",
    "differs",
    "differs_by",
    "disputes",
    "facts",
    "fold",
    "has",
    "hedges",
    "is_bound",
    "is_denied",
    "is_negated",
    "is_order",
    "is_plural",
    "is_same",
    "marked",
    "n_checkable",
    "nearest",
    "numbered",
    "numbers",
    "opposed",
    "restore_hedges",
    "says_no",
    "sentence_texts",
    "support",
    "telling_whether",
    "told_in",
    "undated",
    "unit",
    "unknown",
    "without_orders",
]
