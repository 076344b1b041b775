"""A question that is answered by reckoning: its parts are asked one by one, then the result is told with all they cite."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from rag import arithmetic
from rag.types import Answer, Claim, Done, Event, Evidence, Withdrawn


@dataclass(frozen=True, slots=True)
class Reckoned:
    """What the parts of a question came to.

    Attributes:
        answers: of the parts, in their order.
        claims: theirs, and behind them the result if every part gave one number.
        missing: the parts that the documents do not answer.
    """

    answers: tuple[Answer, ...]
    claims: tuple[Claim, ...]
    missing: tuple[str, ...]


def reckon(plan: arithmetic.Plan, ask: Callable[[str], Iterator[Event]]) -> Generator[Event, None, Reckoned]:
    """Yields what is written and confirmed for the parts, then the result, and returns it all.

    Args:
        ask: streams the answer to one question; its citations are numbered on from those of the part before.
    """
    answers: list[Answer] = []
    claims: list[Claim] = []
    for part in plan.parts:
        for event in ask(part):
            if isinstance(event, Done):
                answers.append(event.answer)
                claims += [claim for claim in event.answer.claims if claim not in claims]
            elif isinstance(event, Claim) and event in claims:  # one sentence answers two parts
                yield Withdrawn(event.text)
            elif not isinstance(event, Evidence):
                yield event
    missing = tuple(part for part, answer in zip(plan.parts, answers, strict=True) if not answer.found)
    values = [_value(plan, n, answer) for n, answer in enumerate(answers)]
    if all(values) and (result := arithmetic.result(plan, [v for v in values if v])):
        cited = dict.fromkeys(citation for claim in claims for citation in claim.citations)
        claims.append(Claim(result, tuple(cited)))
        yield claims[-1]
    return Reckoned(tuple(answers), tuple(claims), missing)


def _value(plan: arithmetic.Plan, n: int, answer: Answer) -> arithmetic.Value | None:
    """Returns the number of an answer of one sentence; where articles differ there are several."""
    return arithmetic.value(plan, n, answer.claims[0].text) if len(answer.claims) == 1 else None
