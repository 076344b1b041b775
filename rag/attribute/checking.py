"""Does a passage carry a sentence? What of it is lacking. Pure."""

from __future__ import annotations

import re

from rag.attribute.agents import other_place, unsaid_role, wrong_agent
from rag.attribute.binding import far_values, is_bound, wrong_units
from rag.attribute.changing import invented_differences
from rag.attribute.clauses import nearest, sentence_texts
from rag.attribute.dating import dates, missing_dates, past_days, undated
from rag.attribute.facts import Facts, everything, facts, name_at_start
from rag.attribute.hedging import missing_hedges
from rag.attribute.naming import abbreviations, crossed_names, is_named, unnamed_person
from rag.attribute.negating import is_denied, is_negated, is_undone
from rag.attribute.ordering import without_orders
from rag.attribute.pairing import crossed_items, wrong_office
from rag.attribute.premises import opposed
from rag.attribute.scoping import left_office, narrowed_count, unsaid_superlative, wrong_antecedent, wrong_stage
from rag.attribute.speaking import unmarked_allegation, unmarked_demand, wrong_speaker
from rag.attribute.values import numbers, ordinals
from rag.attribute.words import FUNCTION_WORDS, LIGHT_WORDS, has, joined, unmarked

MIN_COVERAGE = 0.5
"""Share of a claim's own words and numbers (not the question's) that its passage must have. Guards against invented
predicates; numbers and names are checked one by one as well."""

_UNKNOWN = re.compile(r"\b(?:unknown|unclear|not (?:yet )?known)\b", re.IGNORECASE)


def check(claim: str, question: str, passage: str, context: str) -> tuple[str, ...]:
    """Returns what of a claim the passage does not have, worded for a log; empty if it carries the claim.

    Everything that can be checked must be there (numbers, dates, names, quoted words, most other words), belong together as
    it does there, and be said as it is said there: not where it is denied, alleged or hedged, or told to an assistant.

    Args:
        context: the whole document with its title and, on the second line, its ISO date. What the question names need not
            be in the passage if it is in the context, as the subject of an article is not named in each of its paragraphs.
    """
    passage = without_orders(passage)
    plain = undated(claim)
    said, asked, around = facts(plain), facts(question), everything(context)
    there = everything(passage)
    lacking = _missing_numbers(plain, said, question, passage, context)
    lacking += missing_dates(claim, question, passage, context)
    lacking += past_days(claim, passage)
    named = {name for name in said.names if not has(there.words, name) and is_named(name, claim, passage, context)}
    for name in sorted((said.names | name_at_start(plain, context)) - named):
        if not has(there.words, name) and not (has(asked.words, name) and has(around.words, name)):
            lacking.append(f"name {name}")
    lacking += _missing_abbreviations(claim, question, passage, context)
    quotable = unmarked(passage)
    lacking += [f"quoted {quoted!r}" for quoted in facts(claim).quoted if unmarked(quoted) not in quotable]
    lacking += _missing_words(claim, said, asked, there, named)
    lacking += [f"the opposite of {word}" for word in opposed(claim, passage)]
    lacking += _turned(claim, passage)
    lacking += invented_differences(plain, passage)
    if not is_bound(claim, question, passage):
        lacking.append("the value for what was asked")
    else:
        lacking += crossed_items(claim, question, passage)
        lacking += far_values(claim, question, passage)
    lacking += wrong_units(plain, undated(passage))
    lacking += [f"name {name}" for name in crossed_names(claim, passage, context)]
    lacking += wrong_office(claim, question, passage)
    lacking += left_office(claim, passage)
    lacking += wrong_agent(claim, passage)
    lacking += unsaid_role(claim, question, context)
    lacking += other_place(claim, question, passage)
    lacking += wrong_antecedent(claim, passage)
    lacking += wrong_stage(claim, passage)
    lacking += narrowed_count(claim, passage)
    lacking += unsaid_superlative(question, passage)
    lacking += unmarked_allegation(claim, question, passage)
    lacking += wrong_speaker(claim, question, passage)
    lacking += unmarked_demand(claim, passage)
    lacking += unnamed_person(claim, question)
    lacking += missing_hedges(claim, question, passage)
    return tuple(lacking)


def _missing_numbers(plain: str, said: Facts, question: str, passage: str, context: str) -> list[str]:
    """Numbers and ordinals of a claim, dates left out: "the 3rd" is there if "the third" is."""
    there = everything(passage).numbers
    known = {value for value, _, _ in numbers(question)} & everything(context).numbers
    ranks = ordinals(plain)
    places = {start for _, start, _ in ranks}
    cardinal = {value for value, start, _ in numbers(plain) if start not in places} & said.numbers
    lacking = [f"number {value:g}" for value in sorted(cardinal - there - known)]
    ranked = {value for value, _, _ in ranks if value > 1}  # "first" is often no rank: at first, first opened
    if ranked := ranked - {value for value, _, _ in ordinals(passage)}:
        ranked -= {value for value, _, _ in ordinals(question)} & {value for value, _, _ in ordinals(context)}
    return lacking + [f"rank {value:g}" for value in sorted(ranked)]


def _missing_abbreviations(claim: str, question: str, passage: str, context: str) -> list[str]:
    """Abbreviations that look like small words: US, WHO, IT. The other ones are checked as names."""
    short = (abbreviations(claim) & FUNCTION_WORDS) - abbreviations(question)
    there = abbreviations(passage)
    return [f"name {name.upper()}" for name in sorted(short - there) if not is_named(name, claim, passage, context)]


def _missing_words(claim: str, said: Facts, asked: Facts, there: Facts, named: set[str]) -> list[str]:
    """Most of the words that are not the question's must be there; numbers, dates and names were checked one by one."""
    lacking = []
    words = said.words - LIGHT_WORDS
    common = [word for word in words if has(asked.words, word)]
    if common and not any(has(there.words, word) or word in named for word in common):
        lacking.append("any word of the question")
    ranks = [claim[start:end].casefold() for _, start, end in ordinals(claim)]
    own = [word for word in words if not has(asked.words, word) and word not in ranks]
    n_values = len(said.numbers - asked.numbers) + len(dates(claim)) + len(ranks)
    n_there = sum(has(there.words, word) or word in named for word in own)
    if n_there + n_values < MIN_COVERAGE * (len(own) + n_values):
        lacking.append(f"most words of {claim!r}")
    if not (said.numbers or said.words or dates(claim)):
        lacking.append("anything to check")
    return lacking


def _turned(claim: str, passage: str) -> list[str]:
    """Returns what is denied in a claim and not in the passage, or the other way round."""
    if _UNKNOWN.search(claim) and not _UNKNOWN.search(passage):
        return ["what is not known"]
    negated = is_negated(claim)
    if negated and not any(is_negated(part) or is_undone(part) for part in nearest(joined(claim), sentence_texts(passage))):
        return ["a negation"]
    if not negated and is_denied(claim, passage):
        return ["the word not"]
    return []
