"""A question that is answered by reckoning: its parts are asked one by one, then the result is told with all they cite."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from rag import arithmetic
from rag.types import Answer, Claim, Delta, Done, Event, Withdrawn


def reckon(
    plan: arithmetic.Plan, ask: Callable[[str], Iterator[Event]]
) -> Generator[Event, None, tuple[list[Answer], list[Claim]]]:
    """Yields what is written for the parts, and their claims with the result behind them once every part gave a number.

    If one of them gives none, everything is withdrawn: half of a difference is no answer.

    Args:
        ask: streams the answer to one question; its citations are numbered on from those of the part before.

    Returns:
        The answers to the parts that were asked, and the claims; no claims if nothing can be reckoned.
    """
    answers: list[Answer] = []
    values: list[arithmetic.Value] = []
    written = kept = ""  # draft words that are shown, and those of them that hold
    for n, part in enumerate(plan.parts):
        for event in ask(part):
            if isinstance(event, Delta):
                written += event.text
                yield event
            elif isinstance(event, Withdrawn):  # it takes back the words of earlier parts too
                yield Withdrawn(written)
                written = kept
                if kept:
                    yield Delta(kept)
            elif isinstance(event, Claim):
                kept = written
            elif isinstance(event, Done):
                answers.append(event.answer)
        said = answers[-1].claims
        value = arithmetic.value(plan, n, said[0].text) if len(said) == 1 else None  # several: articles differ
        if value is None:
            break
        values.append(value)
    result = arithmetic.result(plan, values) if len(values) == len(plan.parts) else ""
    if not result:
        if written:
            yield Withdrawn(written)
        return answers, []
    claims = list(dict.fromkeys(claim for answer in answers for claim in answer.claims))
    claims.append(Claim(result, tuple(dict.fromkeys(citation for claim in claims for citation in claim.citations))))
    yield from claims
    return answers, claims
