"""Citations by exact offsets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.attribute import Span, candidates, cite, facts, marked
from rag.errors import ReadError
from rag.read import make_document
from rag.split import paragraphs, sentences
from rag.types import Claim, Hit
from tests.conftest import BRIDGES
from tests.hostile import texts

COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga. The town paid 1.1 million crowns of it."


def hit(text, number=1, start=0, document="id"):
    return Hit(document, "version", "Title", "/a/b.txt", number, start, start + len(text), text, 0.0)


def test_the_shortest_run_of_sentences_that_carries_the_claim_is_chosen():
    text = f"Some 12,000 people came. {COST} They were glad."
    first = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."
    (one,) = candidates("The repair cost 4.2 million crowns.", "What did it cost?", [hit(text)], {})
    assert one.text == first
    (two,) = candidates("The repair cost 4.2 million; the town paid 1.1 million.", "What did it cost?", [hit(text)], {})
    assert two.text == COST
    assert (two.start, two.end) == (25, 25 + len(COST))


def test_of_two_sentences_that_carry_it_the_one_nearer_to_the_question_is_chosen():
    text = "Crowns: 40 in all. The town paid 40 crowns for the owls. She had 40 crowns."
    (span,) = candidates("40 crowns.", "What did the town pay for the owls?", [hit(text)], {})
    assert span.text == "The town paid 40 crowns for the owls."


def test_a_claim_drawn_from_more_than_three_sentences_quotes_the_whole_paragraph():
    text = "There were 11 owls. There were 22 voles. There were 33 mice. There were 44 hares. Then came snow."
    (span,) = candidates("11 owls, 22 voles, 33 mice, 44 hares.", "What was there?", [hit(text)], {})
    assert span.text == text


def test_candidates_are_the_hits_that_carry_the_claim_in_their_order():
    hits = [hit("Four owls came.", 1), hit("Five owls came.", 2), hit("Rain. So 4 owls came.", 3, document="other")]
    spans = candidates("4 owls came.", "How many owls came?", hits, {})
    assert [(span.hit.paragraph, span.text) for span in spans] == [(1, "Four owls came."), (3, "So 4 owls came.")]


def test_the_context_of_a_hit_is_that_of_its_own_document():
    hits = [hit("Owls: 44.", 1, document="a"), hit("Owls: 44.", 2, document="b")]
    spans = candidates("In Arlen 44 owls came.", "How many owls came in Arlen?", hits, {"b": "Owls of Arlen came"})
    assert [span.hit.paragraph for span in spans] == [2]


def test_a_citation_is_the_span_by_offsets_into_the_document():
    document = make_document(BRIDGES, "/a/bridges.txt")
    second = paragraphs(document)[1]
    found = Hit(
        document.id, document.version, document.title, document.source, 2, second.start, second.end,
        document.text[second.start : second.end], 5.0,
    )  # fmt: skip
    (span,) = candidates("The town paid 1.1 million crowns.", "Who paid?", [found], {})
    claim = cite("The town paid 1.1 million crowns.", span, 7)
    (citation,) = claim.citations
    assert claim.text == "The town paid 1.1 million crowns."
    assert citation.quote == "The town paid 1.1 million crowns of it."
    assert document.text[citation.start : citation.end] == citation.quote
    assert (citation.number, citation.paragraph) == (7, 2)
    assert (citation.document, citation.version) == (document.id, document.version)
    assert (citation.title, citation.source) == (document.title, "/a/bridges.txt")


@given(texts, st.data())
def test_quotes_are_exact_for_any_text(raw, data):
    try:
        document = make_document(raw, "/a/b.txt")
    except ReadError:
        return  # no paragraph: that is said, not shown
    hits = [
        Hit(document.id, document.version, "", "", p.number, p.start, p.end, document.text[p.start : p.end], 0.0)
        for p in paragraphs(document)
    ]
    chosen = data.draw(st.sampled_from(hits))
    first, last = data.draw(st.sampled_from(sentences(chosen.text)))
    claim = chosen.text[first:last]
    spans = candidates(claim, "What is there?", hits, {document.id: document.text})
    if facts(claim).words or facts(claim).numbers:
        assert chosen in [span.hit for span in spans]  # a sentence is carried by the paragraph that it is taken from
    for span in spans:
        assert span.text.strip() == span.text != ""
        (citation,) = cite(claim, span, 1).citations
        assert document.text[citation.start : citation.end] == citation.quote


@given(texts.filter(bool), st.data())
def test_any_span_of_a_hit_becomes_exact_offsets(text, data):
    before = data.draw(texts)
    first = data.draw(st.integers(0, len(text) - 1))
    last = data.draw(st.integers(first + 1, len(text)))
    (citation,) = cite("claim", Span(hit(text, start=len(before)), first, last), 1).citations
    assert (before + text)[citation.start : citation.end] == citation.quote == text[first:last]


def test_an_answer_s_text_has_the_mark_of_each_claim_behind_it():
    one, two = hit("Owls came.", 1), hit("Voles went.", 2)
    first, second = cite("Owls came.", Span(one, 0, 10), 1), cite("Voles went.", Span(two, 0, 11), 2)
    both = Claim("Owls and voles.", first.citations + second.citations)
    assert marked([first, second, both]) == "Owls came. [1] Voles went. [2] Owls and voles. [1] [2]"
    assert marked([]) == ""
