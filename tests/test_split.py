"""Paragraphs and sentences: exact offsets on any text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sentencex import get_sentence_boundaries

from rag import split
from rag.config import ROOT
from rag.errors import ReadError
from rag.read import canonical, make_document
from rag.split import paragraphs, sentences
from tests.conftest import BRIDGES, read_one
from tests.hostile import texts


@given(texts, st.sampled_from(["/a/b.txt", "/a/b.md"]))
@example("| a | b |\n|---|---|\n\u200b", "/a/b.md")  # a row of invisible marks was an empty paragraph
def test_paragraphs_are_exact_trimmed_in_order_and_numbered(raw, source):
    try:
        document = make_document(raw, source)
    except ReadError:
        return  # no paragraph: that is said, not shown
    found = paragraphs(document)
    assert [p.number for p in found] == list(range(1, len(found) + 1))
    assert found
    end = 0
    for p in found:
        assert end <= p.start < p.end <= len(document.text)
        quote = document.text[p.start : p.end]
        assert quote == quote.strip()
        end = p.end


@given(texts.map(canonical))
def test_sentences_are_trimmed_in_order_and_cover_every_visible_character(text):
    outside, at = "", 0
    for start, end in sentences(text):
        assert at <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        outside += text[at:start]
        at = end
    assert not (outside + text[at:]).strip()


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        ("word " * 500, [999, 999, 499]),  # 200 words and their blanks are 1000 characters
        ("w" * 2500, [1000, 1000, 500]),  # nowhere to cut
        ("🦉 " * 700, [999, 399]),
    ],
)
def test_a_sentence_without_end_is_cut_between_words(text, lengths):
    assert [end - start for start, end in sentences(text)] == lengths


@given(texts)
def test_the_same_text_gives_the_same_document_whatever_its_line_ends(raw):
    def made(text):
        try:
            return make_document(text, "/a/b.txt")
        except ReadError as exc:
            return exc.message

    plain = raw.replace("\r", "")
    assert made(plain) == made(plain.replace("\n", "\r\n"))


def test_paragraphs_by_hand():
    document = make_document(BRIDGES, "/a/bridges.txt")
    assert [document.text[p.start : p.end].split()[:3] for p in paragraphs(document)] == [
        ["The", "stone", "bridge"],
        ["Its", "repair", "cost"],
        ["Some", "12,000", "people"],
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Mr. Reyk paid $1.5 million. He left.", ["Mr. Reyk paid $1.5 million.", "He left."]),
        ("He said “Stop.” They did.", ["He said “Stop.”", "They did."]),
        ("🦉 An owl. Another 🦉.", ["🦉 An owl.", "Another 🦉."]),
        ("  padded  ", ["padded"]),
        ("ไม่มีเครื่องหมายจบประโยค", ["ไม่มีเครื่องหมายจบประโยค"]),
        ("一句话。又一句。", ["一句话。", "又一句。"]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_by_hand(text, expected):
    assert [text[start:end] for start, end in sentences(text)] == expected


@pytest.mark.parametrize(
    "sentences_of_it",
    [
        [
            "Am 5. Mai kam er.",
            "Die Brücke wurde am 2. Februar 2025 nach z. B. drei Jahren eröffnet.",
            "Dann ging er nach Hause.",
        ],
        ["Den 5. maj 2025 åbnede broen.", "Hun gik hjem igen."],
        ["La población de EE. UU. creció mucho este año.", "El puente fue construido en el 750 d.C. por los romanos."],
        ["M. Dupont est arrivé à Paris lundi.", "Il est reparti mardi."],
    ],
)
def test_a_text_of_another_language_is_cut_by_its_rules_too(sentences_of_it):
    text = " ".join(sentences_of_it)
    assert [text[start:end] for start, end in sentences(text)] == sentences_of_it


def test_an_english_text_is_cut_by_the_rules_of_english_alone(monkeypatch):
    document = read_one(next((ROOT / "seeds").glob("*.txt")))
    found = paragraphs(document)
    assert len(found) > 5
    monkeypatch.setattr(split, "_language", None)  # which takes forty times as long
    for paragraph in found:
        text = document.text[paragraph.start : paragraph.end]
        expected = [text[b["start_index"] : b["end_index"]].strip() for b in get_sentence_boundaries("en", text)]
        assert [text[start:end] for start, end in sentences(text)] == expected
