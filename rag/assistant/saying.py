"""What an answer says so far: its claims with their citations, and the documents that these come from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from rag import attribute
from rag.library import Library
from rag.split import paragraphs, sentences
from rag.types import Citation, Claim, Delta, Document, Hit, Withdrawn

_MAX_OPENING = 300  # characters of a first sentence that is read with another paragraph
_MAX_AROUND = 60  # paragraphs of an article that are searched for what a draft says
_INITIAL = re.compile(r"(?<!\w)[A-Z]\.$")  # "R-N.Y.", "J. Smith": taken for the end of a sentence
_SENTENCE_ENDS = '.!?。！？…"”’)'


class Said:
    """The claims of one answer, in order; equal citations are one, numbered from 1.

    Attributes:
        claims: may be reordered or replaced, then `renumber` them.
        citations: of all claims, by number.
    """

    def __init__(self, library: Library) -> None:
        self.library = library
        self.claims: list[Claim] = []
        self.citations: list[Citation] = []
        self._read: dict[tuple[str, str], Document] = {}  # documents of hits, by id and version

    def part(self) -> Said:
        """Returns no claims yet, whose citations will be numbered on from these."""
        other = Said(self.library)
        other.citations, other._read = self.citations, self._read
        return other

    def document(self, hit: Hit | Citation) -> Document:
        """Returns the document of a hit, in its version."""
        key = hit.document, hit.version
        if key not in self._read:
            self._read[key] = self.library.document(*key)
        return self._read[key]

    def context(self, hit: Hit | Citation) -> str:
        """Returns the title, the date and the text of a hit's document, as `attribute.check` reads them."""
        document = self.document(hit)
        return f"{document.title}\n{document.date}\n{document.text}"

    def opening(self, hit: Hit) -> str:
        """Returns the first sentence of a hit's article, which often names what the others call "it"; "" for its own."""
        first = next(hits_in(self.document(hit)))
        return "" if first.paragraph == hit.paragraph else first_sentence(first.text)[:_MAX_OPENING]

    def around(self, hit: Hit) -> Iterator[Hit]:
        """Yields the paragraphs of a hit's document as hits of their own, the nearest ones first."""
        near = sorted(hits_in(self.document(hit)), key=lambda other: abs(other.paragraph - hit.paragraph))
        yield from (replace(other, score=hit.score) for other in near[:_MAX_AROUND])

    def quote(self, hit: Hit) -> Claim:
        """Adds the best sentence of a hit itself as a claim."""
        start = hit.text.index(hit.quote)
        return self.say(hit.quote, attribute.Span(hit, start, start + len(hit.quote)))

    def say(self, sentence: str, span: attribute.Span) -> Claim:
        """Adds a claim."""
        claim = attribute.cite(sentence, span, len(self.citations) + 1)
        citation = claim.citations[0]
        for known in self.citations:
            if replace(known, number=citation.number) == citation:
                claim = Claim(sentence, (known,))
                break
        else:
            self.citations.append(citation)
        self.claims.append(claim)
        return claim

    def conclude(self, sentence: str) -> Claim:
        """Adds a claim that follows from all the others, and cites what they cite."""
        cited = dict.fromkeys(citation for claim in self.claims for citation in claim.citations)
        self.claims.append(Claim(sentence, tuple(cited)))
        return self.claims[-1]

    def renumber(self) -> None:
        """Numbers the citations anew, in the order in which they stand."""
        self.claims, self.citations = attribute.numbered(self.claims)

    def tell_apart(self) -> None:
        """If the claims are of several articles: puts the newest one's first, and names each one's article and date."""
        if len({claim.citations[0].document for claim in self.claims}) > 1:
            self.claims = [self.named(claim) for claim in sorted(self.claims, key=self._date, reverse=True)]
            self.renumber()

    def named(self, claim: Claim) -> Claim:
        """Returns a claim with its article and date before it."""
        document = self.document(claim.citations[0])
        named = f"“{document.title}”" + (f" ({document.date})" if document.date else "")
        return replace(claim, text=f"{named}: {claim.text}")

    def _date(self, claim: Claim) -> str:
        return self.document(claim.citations[0]).date


def hits_in(document: Document) -> Iterator[Hit]:
    """Yields the paragraphs of a document as hits without a score, in its order."""
    for one in paragraphs(document):
        place = (document.id, document.version, document.title, document.source, one.number, one.start, one.end)
        yield Hit(*place, text=document.text[one.start : one.end], score=0.0, page=one.page, box=one.box)


def first_sentence(text: str) -> str:
    """Returns the first sentence of a text."""
    return text[slice(*next(iter(sentences(text)), (0, len(text))))]


def in_sentences(draft: Iterator[str], begun: str) -> Iterator[Delta | Withdrawn | str]:
    """Yields the words of a draft as they come, and at each sentence's end the sentence, before the words of the next one.

    Args:
        begun: its first word, which was shown before; withdrawn if the draft has another one, as the model read anew.
    """
    pending, n_shown = "", len(begun)
    for piece in draft:
        pending += piece
        if not pending.startswith(begun[: len(pending)]):
            yield Withdrawn(begun)
            begun, n_shown = "", 0
        begun = begun if len(pending) < len(begun) else ""
        while (end := first_sentence_end(pending)) is not None:
            if n_shown < end:
                yield Delta(pending[n_shown:end])
            yield pending[:end].strip()
            pending, n_shown = pending[end:], max(n_shown - end, 0)
        if n_shown < len(pending):
            yield Delta(pending[n_shown:])
            n_shown = len(pending)
    if pending.strip():
        yield pending.strip()
    elif begun:
        yield Withdrawn(begun)


def first_sentence_end(text: str) -> int | None:
    """Returns where the first sentence of a growing text ends; None while the rest of it may still come."""
    for _, end in sentences(text)[:-1]:
        if text[end - 1] in _SENTENCE_ENDS and not _INITIAL.search(text, 0, end):
            return end
    return None
