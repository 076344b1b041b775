"""Formats to documents: what each part is, what is left out, and what is said of files that cannot be read."""

from __future__ import annotations

import io
import json
import random
import shutil
import time
import zipfile
from email.message import EmailMessage

import hypothesis
import pytest
from docx import Document as Docx
from hypothesis import given
from hypothesis import strategies as st
from pdfminer import layout
from pdfminer.pdfinterp import PDFPageInterpreter
from trafilatura import external

from rag.errors import ReadError
from rag.read import Unread, archive, blocks_of, file_of, with_language
from rag.read.encoding import decode
from rag.read.formats import SUFFIXES, documents
from rag.split import paragraphs
from rag.types import Document
from tests import files
from tests.conftest import OWLS

MAX = 10**6


def read_all(data, name):
    """Returns what is found in a file of a name."""
    found = documents(data.encode() if isinstance(data, str) else data, f"/articles/{name}", MAX)
    return [with_language(one) if isinstance(one, Document) else one for one in found]


def read_one(data, name):
    (document,) = read_all(data, name)
    assert isinstance(document, Document)
    return document


def parts(document):
    """Returns kind and text of each part that is no furniture."""
    return [(b.kind, document.text[b.start : b.end]) for b in blocks_of(document) if b.kind != "furniture"]


def refused(data, name, message):
    with pytest.raises(ReadError, match=message):
        read_all(data, name)


# --- pages ---------------------------------------------------------------------------------------------------------


def test_a_page_is_its_article():
    document = read_one(files.PAGE, "owls.html")
    assert (document.title, document.date, document.language) == ("Owls return to Arlen", "2024-02-01", "en")
    found = parts(document)
    assert found[0] == ("title", "Owls return to Arlen")
    assert ("heading", "What comes next") in found
    assert ("row", "Place: Harbour; Owls: 40") in found
    assert ("quotation", "We have never seen so many of them in one place, said the mayor.\n- Ilse Varga") in found
    for gone in ("Home", "Sport", "Photo", "Storks", "cookies", "Copyright"):
        assert gone not in document.text
    assert [p.number for p in paragraphs(document)] == list(range(1, 7))


def test_a_page_without_a_main_text_is_read_as_a_whole_and_scripts_never():
    page = "<html><body><p>Owls<br>fly.</p><script>alert(1)</script><ul><li>Voles</li><li>Mice</li></ul>end</body></html>"
    assert parts(read_one(page, "a.htm"))[-3:] == [
        ("paragraph", "Owls\nfly."),
        ("list", "- Voles\n- Mice"),
        ("paragraph", "end"),
    ]


def test_what_stands_in_lists_and_cells_is_told_once_and_in_its_order():
    lists = (
        "<ul><li>Voles <b>are <i>small</i> and</b> quick<ul><li>Field voles</li><li>Bank voles</li></ul></li><li>Mice</ul>"
    )
    cells = "<table><tr><th>Owl</th><th>Eats</th></tr><tr><td><a>Snowy <b>owl</b></a> (white)</td><td>Voles<br>Mice</table>"
    assert parts(read_one(f"<html><body>{lists}{cells}</body></html>", "a.html")) == [
        ("list", "- Voles are small and quick\n- Field voles\n- Bank voles\n- Mice"),
        ("row", "Owl: Snowy owl (white); Eats: Voles Mice"),
    ]


RETURN, SNOWY = "Owls return to the harbour", "Snowy owls return to the harbour"


@pytest.mark.parametrize(
    ("head", "heading", "headline"),
    [
        ("<title>Owls return - Arlen Post</title>", "", "Owls return"),
        ("<title>Owls return to the harbour | Arlen Post</title>", SNOWY, SNOWY),
        ("<title>Owls return to the harbour - Arlen Post</title>", "Arlen Post", RETURN),
        (
            '<meta property="og:site_name" content="Post"><title>Post | Owls return to the harbour</title>',
            "",
            RETURN,
        ),
        ("<title>A well-known owl</title>", "", "A well-known owl"),
    ],
)
def test_the_headline_is_what_stands_over_the_article_without_its_site(head, heading, headline):
    page = f"<html><head>{head}</head><body><h1>{heading}</h1><p>Forty owls were counted.</p></body></html>"
    assert read_one(page, "a.html").title == headline


PROSE = "<p>Forty snowy owls were counted in the harbour of Arlen in the winter of 1985, the town said on Monday{}.</p>"
META = '<meta property="article:published_time" content="2024-02-02T03:10:00Z">'
CHANGED = '<meta property="article:modified_time" content="2024-05-02T03:10:00Z">'
LINKED = '<script type="application/ld+json">{"@type": "NewsArticle", "datePublished": "2024-02-02T03:10:00Z"}</script>'
LABELLED = "<div>Published 1 February 2024</div>"


@pytest.mark.parametrize(
    ("head", "shown", "day"),
    [
        (META, "<div>Feb. 1, 2024 at 10:10 pm ET</div>", "2024-02-01"),  # Greenwich's day is another one
        (META, "<div>3 February 2024</div>", "2024-02-03"),
        (META, "<div>2 February 2024</div><div>1 February 2024</div>", "2024-02-02"),
        (META, "<ul><li><time>Feb. 1, 2024 at 10:10 pm</time></li></ul>", "2024-02-01"),
        (META, "<div>Updated</div><div>Feb. 1, 2024 at 10:20 pm ET</div>", "2024-02-01"),
        (META, "<div>Updated 3 February 2024</div>", "2024-02-02"),
        (META, "<div>9 November 2023</div>", "2024-02-02"),
        (META, "<div>Harbour Hall, 3 February 2024</div>", "2024-02-02"),
        (META, "<figure><figcaption>1 February 2024</figcaption></figure>", "2024-02-02"),
        (META, "<ul><li><a href='x'>Owls leave</a> <b>1 February 2024</b></li></ul>", "2024-02-02"),
        (META, LABELLED.replace("1 February", "15 January"), "2024-02-02"),
        (LINKED, "", "2024-02-02"),
        (LINKED, "<script>1 February 2024</script>", "2024-02-02"),
        ('<meta property="og:url" content="https://arlen.example/2024/02/02/owls">', "", "2024-02-02"),
        ("", "<span itemprop='datePublished' content='2024-02-02'>today</span>", "2024-02-02"),
        ("", "<time datetime='2024-02-02T10:00Z'>three days ago</time>", "2024-02-02"),
        ("", LABELLED, "2024-02-01"),
        ("", "<div>Published</div><div>1 February 2024</div>", "2024-02-01"),
        ("", "<div>By Ann Smith, 1 February 2024</div>", "2024-02-01"),
        ("", f"<p>{PROSE.format('')}</p>{LABELLED}", "2024-02-01"),  # behind a summary
        ("", f"{LABELLED}<aside><time datetime='2025-05-05'>5 May</time></aside>", "2024-02-01"),
        ("", f"{LABELLED}<div>Last updated</div><time datetime='2024-05-02'>2 May</time>", "2024-02-01"),
        (CHANGED, LABELLED, "2024-02-01"),
        (CHANGED, "", "2024-05-02"),
        ("", "<li itemprop='datePublished'><a href='x'>2 February 2024</a></li>", ""),
        ("", "<div>About owls</div>", ""),
        ("", "<table><tr><td>Born</td><td>5 May 1950</td></tr></table>", ""),
        ("", "<p class='event-date'>12 March 2231</p>", ""),
        ("", "<div class='candidate'>5 May 2019</div>".replace("<div", f"{3 * PROSE.format('')}<div"), ""),
        ("", PROSE.format(" <time datetime='1999-12-26'>26 December 1999</time>"), ""),
    ],
)
def test_the_day_of_a_page_is_the_one_that_its_readers_see_and_is_never_guessed(head, shown, day):
    body = f"<h1>Owls return to Arlen</h1>{shown}{3 * PROSE.format('')}<table><tr><td>2019-05-05</td></tr></table>"
    page = f"<html><head>{head}</head><body>{body}<footer>© 2021 Arlen Post, all rights reserved</footer></body></html>"
    assert read_one(page, "a.html").date == day


@pytest.mark.parametrize(
    "body",
    [
        "<h1>Arlen Post</h1><h2>Owls return to Arlen</h2><div>1 February 2024</div>",
        "<h1>Owls return to Arlen today</h1><div>1 February 2024</div>",
        "<table><tr><td><h1>Owls return to Arlen</h1><b>1 February 2024</b></td></tr></table>",
    ],
)
def test_the_day_is_found_by_the_headline_wherever_that_stands(body):
    page = f"<html><head><title>Owls return to Arlen</title></head><body>{body}{3 * PROSE.format('')}</body></html>"
    assert read_one(page, "a.html").date == "2024-02-01"


def test_a_day_over_the_headline_or_behind_a_short_article_is_of_something_else():
    for body in (
        "<div>Tuesday, 3 June 2025</div><h1>Owls return</h1>" + 3 * PROSE.format(""),
        f"<h1>Owls return</h1>{PROSE.format('')}<div>Posted on 9 May 2024</div>",
    ):
        assert read_one(f"<html><body>{body}</body></html>", "a.html").date == ""


def test_a_page_of_very_many_times_is_read_at_once():
    times = 300 * "<div class=date>" + 3000 * "<time>5 May</time>"
    page = f"<html><body><h1>Owls return to Arlen</h1>{times}{3 * PROSE.format('')}</body></html>"
    begun = time.process_time()
    assert read_one(page, "a.html").date == ""
    assert time.process_time() - begun < 10


def test_lines_that_lead_elsewhere_are_no_paragraphs():
    page = (
        f"<html><body><h1>Owls return</h1>{2 * PROSE.format('')}<p>Read also: Storks leave Arlen early</p>{PROSE.format('')}"
    )
    assert "Storks" not in read_one(page + "</body></html>", "a.html").text


def test_day_and_author_at_the_beginning_are_told_in_any_format():
    document = Docx()
    for text in ("Owls return to Arlen", "By Ann Smith", "12 January 2026", "Forty snowy owls were counted in the harbour."):
        document.add_paragraph(text)
    out = io.BytesIO()
    document.save(out)
    found = read_one(out.getvalue(), "a.docx")
    assert found.date == "2026-01-12"
    assert [found.text[p.start : p.end] for p in paragraphs(found)][-1].startswith("Forty")
    assert "By Ann Smith" not in [found.text[p.start : p.end] for p in paragraphs(found)]
    lines = [(60, 700, 11, "Arlen Trust, 27 February 2026"), *files.paragraph(["Forty owls were counted."], 60, 600)]
    assert read_one(files.pdf([lines]), "a.pdf").date == "2026-02-27"
    assert parts(read_one(files.pdf([lines[:1]]), "a.pdf")) == [("paragraph", "Arlen Trust, 27 February 2026")]


def test_a_page_that_is_one_preformatted_text_is_its_paragraphs():
    text = "\n\n".join(f"SECTION {n}. Forty snowy owls may be\n   counted in the harbour of Arlen." for n in range(60))
    found = parts(read_one(f"<html><body><h1>The law of owls</h1><pre>{text}</pre></body></html>", "a.html"))
    assert [kind for kind, _ in found] == ["title", *60 * ["paragraph"]]


def test_the_small_words_by_which_trafilatura_tells_prose_are_its_own(monkeypatch):
    read_one(files.PAGE, "owls.html")
    words = external.JT_STOPLIST
    monkeypatch.setattr(external, "JT_STOPLIST", words)  # which is put back
    assert frozenset(external.jt_stoplist_init()) == words - {""}
    assert all(word == word.lower() for word in words)


# --- PDF -----------------------------------------------------------------------------------------------------------

LEFT = [
    "The harbour of Arlen was closed on",
    "Monday, as forty snowy owls rested on",
    "the northern quay for the whole after-",
]
LEFT_2 = ["noon and would not leave it."]
RIGHT = ["A second paragraph stands in the", "right column and ends there."]


def columns():
    page = [(60, 800, 9, "Arlen Post"), *files.paragraph(["Owls return to Arlen"], 60, 760, 20)]
    page += files.paragraph(LEFT, 60, 700) + files.paragraph(LEFT_2, 320, 700) + files.paragraph(RIGHT, 320, 660)
    second = [(60, 800, 9, "Arlen Post"), *files.paragraph(["The count goes on until March."], 60, 700), (290, 30, 9, "2")]
    return files.pdf([page, second, [(60, 800, 9, "Arlen Post"), *files.paragraph(["A last word was said here."], 60, 700)]])


def test_a_pdf_is_read_column_by_column_without_running_heads_and_with_its_pages():
    document = read_one(columns(), "owls.pdf")
    assert document.title == "Owls return to Arlen"
    first, second, third, fourth = paragraphs(document)
    text = document.text[first.start : first.end]
    assert text.startswith("The harbour of Arlen was closed on Monday, as forty")
    assert text.endswith("for the whole afternoon and would not leave it.")
    assert document.text[second.start : second.end] == "A second paragraph stands in the right column and ends there."
    assert "Arlen Post" not in document.text
    assert (first.page, second.page, third.page, fourth.page) == (1, 1, 2, 3)
    left, bottom, right, top = second.box
    assert 315 < left < 325 < right < 595
    assert 600 < bottom < top < 680


def test_a_hyphen_stays_where_the_file_writes_the_word_with_one():
    lines = ["A well-known owl came back to the well-", "known harbour of the town."]
    document = read_one(files.pdf([files.paragraph(lines, 60, 700)]), "a.pdf")
    assert "the well-known harbour" in document.text


def test_a_pdf_that_cannot_be_read_says_why(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    refused(b"", "a.pdf", "The file is empty")
    refused(b"Words.", "a.pdf", "The file is not what its name says: no PDF")
    refused(b"%PDF-1.4\nnothing more", "a.pdf", "The PDF (is damaged|has no pages)")
    refused(files.pdf([]), "a.pdf", "The PDF has no pages")
    refused(files.pdf([[]]), "a.pdf", "The PDF holds no text")
    refused(files.pdf([[(60, 500, 11, "- - -")]]), "a.pdf", "The PDF holds no text")
    refused(files.scanned("Owls"), "a.pdf", "The PDF is scanned, or .* Install tesseract")
    locked = f"/ID [<{'00' * 16}> <{'00' * 16}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 "
    locked += f"/O <{'11' * 32}> /U <{'22' * 32}> >>"
    refused(
        files.pdf([files.paragraph(["Secret."], 60, 700)], extra=locked), "a.pdf", "The PDF is protected with a password"
    )


def test_pages_that_cannot_be_read_are_named_and_the_others_are_read(monkeypatch):
    data = files.pdf([files.paragraph([f"This is what stands on page {n}."], 60, 700) for n in (1, 2, 3)])
    process, seen = PDFPageInterpreter.process_page, []

    def failing(self, page):
        seen.append(page)
        if len(seen) == 2:
            raise KeyError("Contents")
        process(self, page)

    monkeypatch.setattr(PDFPageInterpreter, "process_page", failing)
    document, failed = read_all(data, "a.pdf")
    assert [p.page for p in paragraphs(document)] == [1, 3]
    assert failed.reason == "Page 2 of the PDF cannot be read: KeyError. Open it in a reader and save it again."


def test_boxes_that_are_equally_far_apart_are_told_apart_by_when_they_were_found_and_not_by_where_in_memory_they_are():
    boxes = [layout.LTTextBoxHorizontal() for _ in range(100)]
    random.Random(0).shuffle(boxes)
    read_one(files.pdf([files.paragraph(["Forty owls were counted."], 60, 700)]), "a.pdf")  # which loads what reads pages
    numbers = [layout.id(box) for box in boxes]
    assert numbers == sorted(numbers)
    assert numbers == [layout.id(box) for box in boxes]


def test_a_page_of_very_many_boxes_is_read_in_its_lines():
    rows, columns = 50, 40
    cells = [(20 + 14 * c, 780 - 14 * r - 0.3 * (c % 3), 3, f"r{r}c{c}") for r in range(rows) for c in range(columns)]
    begun = time.process_time()
    text = " ".join(read_one(files.pdf([cells]), "a.pdf").text.split())
    assert " ".join(f"r9c{c}" for c in range(columns)) in text
    assert text.index("r9c39") < text.index("r10c0 ")
    assert time.process_time() - begun < 20  # as pdfminer orders them: 32 s


def test_signs_without_a_letter_are_not_told_as_numbers_and_a_page_of_them_is_a_picture(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    told = files.pdf([files.paragraph(["Forty owls were counted \u2022 in Arlen."], 60, 700)], encoding="")
    assert "Forty owls were counted \ufffd in Arlen." in read_one(told, "a.pdf").text
    untold = files.pdf([files.paragraph([8 * "\u2022 " + "a."], 60, 700)], encoding="")
    refused(untold, "a.pdf", "The PDF is scanned, or .* Install tesseract")


def test_text_in_a_drawing_that_a_page_names_is_read():
    page = [files.paragraph(["Forty owls were counted."], 60, 700)]
    assert parts(read_one(files.pdf(page, drawn="They slept by day."), "a.pdf")) == [
        ("paragraph", "Forty owls were counted."),
        ("paragraph", "They slept by day."),
    ]
    assert parts(read_one(files.pdf([[]], drawn="They slept by day."), "a.pdf")) == [("paragraph", "They slept by day.")]


def test_a_paragraph_stays_whose_first_line_has_no_words():
    lines = ["* * *", "The mayor closed the northern quay", "because of the owls."]
    assert (
        "The mayor closed the northern quay because of the owls."
        in read_one(files.pdf([files.paragraph(lines, 60, 700)]), "a.pdf").text
    )


@pytest.mark.parametrize("number", ["7", "- 7 -", "Page 7", "7/12", "Page 7 of 12", "xii"])
def test_a_page_number_is_left_out_and_another_number_is_not(number):
    page = [*files.paragraph(["Forty owls were counted."], 60, 500), (290, 30, 11, number)]
    assert parts(read_one(files.pdf([page]), "a.pdf")) == [("paragraph", "Forty owls were counted.")]
    page[-1] = (290, 30, 11, "4,100 in all")
    assert "4,100" in read_one(files.pdf([page]), "a.pdf").text
    page[-1:] = files.paragraph(["2024", "was the year of the owls."], 60, 60)
    assert "2024 was the year of the owls." in read_one(files.pdf([page]), "a.pdf").text


def test_pages_that_tesseract_cannot_read_do_not_take_the_others_with_them(monkeypatch):
    def broken(*_):
        raise RuntimeError("no such page")

    monkeypatch.setattr("rag.read.pdf.recognised", broken)
    pages = [files.paragraph(["Forty owls were counted."], 60, 700), [(60, 700, 11, 8 * "\u2022 ")]]
    document, failed = read_all(files.pdf(pages, encoding=""), "a.pdf")
    assert "Forty owls" in document.text
    assert failed.reason.startswith("Page 2 of the PDF: pictures, or signs without letters.")


def test_the_title_of_a_pdf_in_utf_8_is_read():
    title = "\ufeffZählung der Eulen".encode().decode("cp1252")
    page = files.paragraph(["Forty owls were counted in all."], 60, 700)
    assert read_one(files.pdf([page], title=title), "a.pdf").title == "Zählung der Eulen"


def cells(rows, lefts, top=600, step=16):
    return [(x, top - step * n, 11, text) for n, row in enumerate(rows) for x, text in zip(lefts, row, strict=True) if text]


WARDS = [("Ward", "Beds", "Occupancy"), ("Maternity", "38", "71 %"), ("Stroke", "22", "96 %"), ("Children", "30", "64 %")]


def test_a_table_in_a_pdf_is_its_rows_each_with_the_header_and_its_place():
    page = [*files.paragraph(["The wards of Arlen were full."], 60, 700), *cells(WARDS, (60, 140, 200))]
    page += files.paragraph(["All beds were taken in January."], 60, 500)
    document = read_one(files.pdf([page]), "a.pdf")
    assert parts(document) == [
        ("paragraph", "The wards of Arlen were full."),
        *(("row", f"Ward: {ward}; Beds: {beds}; Occupancy: {share}") for ward, beds, share in WARDS[1:]),
        ("paragraph", "All beds were taken in January."),
    ]
    _, first, second, *_ = paragraphs(document)
    assert first.page == 1
    assert 575 < first.box[1] < first.box[3] < 600
    assert second.box[3] < first.box[3]


def test_cells_that_stand_close_or_are_wrapped_or_missing_are_in_their_columns():
    rows = [
        (*WARDS[0], "Head"),
        ("Maternity", "38", "71 %", "Ilse"),
        ("", "", "", "Varga"),
        ("Stroke", "", "96 %", "Jo Reyk"),
    ]
    close = cells([*rows[:2]], (60, 111, 140, 204)) + cells([rows[2]], (60, 111, 140, 204), 600 - 27)
    close += cells([rows[3], ("Children", "30", "64 %", "Ana Sorn")], (60, 111, 140, 204), 550)
    assert [text for _, text in parts(read_one(files.pdf([close]), "a.pdf"))] == [
        "Ward: Maternity; Beds: 38; Occupancy: 71 %; Head: Ilse Varga",
        "Ward: Stroke; Occupancy: 96 %; Head: Jo Reyk",
        "Ward: Children; Beds: 30; Occupancy: 64 %; Head: Ana Sorn",
    ]


def test_lines_between_the_rows_of_a_table_stay_apart_and_a_form_has_no_header():
    cities = [("City", "Inhabitants"), ("Arlen", "4,100"), ("South", ""), ("Tam", "900"), ("Marrow", "70")]
    page = [*cells(cities, (60, 200)), (60, 520, 11, "All figures are of 2024.")]
    assert [text for _, text in parts(read_one(files.pdf([page]), "a.pdf"))] == [
        "City: Arlen; Inhabitants: 4,100",
        "South",
        "City: Tam; Inhabitants: 900",
        "City: Marrow; Inhabitants: 70",
        "All figures are of 2024.",
    ]
    form = cells([("Name:", "Ilse Varga"), ("Street:", "Harbour road"), ("Town:", "Arlen")], (60, 200))
    assert parts(read_one(files.pdf([form]), "a.pdf"))[0] == ("row", "Name: Ilse Varga")
    counts = [("Place", "2022", "2023"), ("Arlen", "40", "52"), ("Tam", "12", "9"), ("Marrow", "3", "4")]
    years = cells(counts, (60, 150, 200))
    assert parts(read_one(files.pdf([years]), "a.pdf"))[0] == ("row", "Place: Arlen; 2022: 40; 2023: 52")


def test_a_table_stands_behind_the_paragraph_over_it_and_one_over_every_page_is_left_out():
    prose = files.paragraph(
        ["The wards of Arlen were full on Monday, as the trust", "said in its report of the year."], 60, 632
    )
    document = read_one(files.pdf([[*prose, *cells(WARDS, (60, 140, 200))]]), "a.pdf")
    assert [kind for kind, _ in parts(document)] == ["paragraph", "row", "row", "row"]
    head = cells([("Trust", "2024"), ("Arlen", "17"), ("Page", "x")], (60, 300), 830, 12)
    pages = [[*head, *files.paragraph([f"What is said on page {n}."], 60, 600)] for n in range(4)]
    assert "Arlen" not in read_one(files.pdf(pages), "a.pdf").text


def test_narrow_columns_and_words_that_are_spread_over_their_lines_are_no_table():
    left = ["The harbour of Arlen was", "closed on Monday as forty", "snowy owls rested on the", "northern quay all day."]
    right = ["They would not leave it", "until the mayor had come", "to see them, and left for", "the forest at night."]
    page = [*files.paragraph(left, 60, 700), *files.paragraph(right, 320, 700)]
    assert [kind for kind, _ in parts(read_one(files.pdf([page]), "a.pdf"))] == ["paragraph", "paragraph"]
    spread = []
    for row, line in enumerate(left):
        x = 60.0
        for word in line.split():
            spread.append((x, 700 - 14 * row, 11, word))
            x += 5.5 * len(word) + 9 + 3 * row
    assert {kind for kind, _ in parts(read_one(files.pdf([spread]), "a.pdf"))} <= {"paragraph", "heading"}


def test_items_with_bullets_are_a_list():
    lines = ["The owls eat all this.", "\u2022 fish from the harbour, which is", "the largest part", '\u2022 "mice"']
    document = read_one(files.pdf([[*files.paragraph(lines, 60, 700), (60, 600, 11, "They sleep by day.")]]), "a.pdf")
    assert parts(document) == [
        ("paragraph", "The owls eat all this."),
        ("list", '- fish from the harbour, which is the largest part\n- "mice"'),
        ("paragraph", "They sleep by day."),
    ]
    _, items, _ = paragraphs(document)
    _, bottom, _, top = items.box
    assert items.page == 1
    assert top - bottom > 30


@pytest.mark.skipif(not shutil.which("tesseract"), reason="tesseract is not installed")
def test_a_scanned_pdf_is_read_where_tesseract_is_installed():
    document = read_one(files.scanned("Forty snowy owls were counted\nin the harbour of Arlen."), "scan.pdf")
    assert "Forty snowy owls were counted in the harbour of Arlen." in document.text
    assert paragraphs(document)[0].page == 1


# --- office, books, mails ------------------------------------------------------------------------------------------


def test_a_docx_is_read_by_its_styles():
    document = read_one(files.docx(), "owls.docx")
    assert parts(document) == [
        ("title", "Owls return to Arlen"),
        ("paragraph", "Forty snowy owls were counted in the harbour this winter."),
        ("heading", "What they eat"),
        ("list", "- Voles\n- Mice"),
        ("quotation", "They come back each year."),
        ("row", "Place: Marrow; Owls: 12"),
        ("paragraph", "The count goes on until March."),
    ]


def test_what_only_wraps_in_a_docx_is_looked_into_once():
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    paragraph = "<w:p><w:r><w:t>Forty owls came.</w:t></w:r></w:p>"
    row = "<w:tr><w:tc><w:p><w:r><w:t>Arlen</w:t></w:r></w:p></w:tc><w:sdt><w:sdtContent><w:tc>"
    row += "<w:p><w:r><w:t>40</w:t></w:r></w:p></w:tc></w:sdtContent></w:sdt></w:tr>"
    wrapped = paragraph
    for _ in range(18):
        wrapped = f"<w:sdt><w:sdtContent>{wrapped}</w:sdtContent></w:sdt>"
    body = f"<w:customXml>{wrapped}</w:customXml><w:tbl><w:sdt><w:sdtContent>{row}</w:sdtContent></w:sdt></w:tbl>"
    with zipfile.ZipFile(io.BytesIO(files.docx())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["word/document.xml"] = f'<w:document xmlns:w="{w}"><w:body>{body}</w:body></w:document>'
    assert parts(read_one(files.zipped(members), "a.docx")) == [("paragraph", "Forty owls came."), ("row", "Arlen: 40")]


def test_a_book_is_read_in_the_order_of_its_chapters():
    document = read_one(files.epub(), "owls.epub")
    assert (document.title, document.date) == ("The owls of Arlen", "2024-02-01")
    changed = '<dc:date xmlns:opf="http://www.idpf.org/2007/opf" opf:event="modification">2025-01-01</dc:date>'
    again = files.epub(**{"O/book.opf": files.PACKAGE.replace("<dc:date>", f"{changed}<dc:date>")})
    assert read_one(again, "owls.epub").date == "2024-02-01"
    assert [text for kind, text in parts(document) if kind == "paragraph"] == [
        "Forty owls came in the first year.",
        "Fifty owls came in the second.",
    ]
    sealed = "<encryption><EncryptedData/></encryption>"
    refused(files.epub(**{"META-INF__encryption.xml": sealed}), "a.epub", "The book is protected against copying")
    only_fonts = '<encryption><EncryptedData Algorithm="http://www.idpf.org/2008/embedding"/></encryption>'
    assert read_one(files.epub(**{"META-INF__encryption.xml": only_fonts}), "a.epub").title == "The owls of Arlen"
    refused(files.zipped({"META-INF/container.xml": "<container/>"}), "a.epub", "it does not list its chapters")


def test_a_mail_is_read_with_what_is_attached():
    found = read_all(files.mail({"owls.txt": OWLS.encode(), "../x/photo.png": b"\x89PNG"}), "a.eml")
    mail, attached, picture = found
    assert picture == Unread("/articles/a.eml/_x_photo.png", "", is_other=True)
    assert (mail.title, mail.date) == ("Zählung der Eulen", "2024-02-02")
    assert parts(mail) == [
        ("title", "Zählung der Eulen"),
        ("paragraph", "Forty owls were counted."),
        ("quotation", "How many owls did you count?"),
    ]
    assert attached.source == "/articles/a.eml/owls.txt"
    assert attached.title == "Owls return to the Marrow forest"
    assert ("paragraph", "Owls fly.") in parts(read_one(files.mail(html="<p>Owls fly.</p><img src=x>"), "b.eml"))
    refused("Just a text.", "c.eml", "The file is not a mail")


def test_a_mail_that_only_carries_files_is_these_and_a_huge_table_is_no_bomb():
    mail = EmailMessage()
    mail["Subject"] = "Owls"
    mail.set_content("\n")
    mail.add_attachment(b"Forty owls were counted.", maintype="text", subtype="plain", filename="owls.txt")
    assert read_one(mail.as_bytes(), "a.eml").source == "/articles/a.eml/owls.txt"
    cell = "<td rowspan=1000 colspan=1000>x</td>"
    begun = time.process_time()
    read_one(
        files.mail(html=f"<p>Forty owls were counted.</p><table><tr>{40 * cell}</tr>{999 * '<tr></tr>'}</table>"), "a.eml"
    )
    assert time.process_time() - begun < 10


def alternative(plain, html, *, footer=""):
    mail = EmailMessage()
    mail["Subject"] = "Owls"
    mail.set_content(plain)
    mail.add_alternative(html, subtype="html")
    if footer:
        mail.make_mixed()
        mail.attach(EmailMessage())
        mail.get_payload()[-1].set_content(footer)
    return mail.as_bytes()


def test_of_a_mail_that_says_the_same_twice_the_text_is_read_unless_it_says_little():
    long = " ".join(["Forty snowy owls were counted."] * 10)
    told = [text for _, text in parts(read_one(alternative(long, f"<p>{long} HTML.</p>"), "a.eml"))]
    assert told[-1] == long
    told = [text for _, text in parts(read_one(alternative("See the HTML.", f"<p>{long}</p>", footer="The list."), "a.eml"))]
    assert told[-2:] == [long, "The list."]
    assert "See the HTML." not in told


def test_addresses_alone_are_no_paragraph():
    mail = EmailMessage()
    mail["Subject"] = "Owls"
    mail.set_content(
        "Forty owls were counted.\n\n<https://a.example/x?y=1>\nhttps://a.example/z\n\nSee www.a.example today.\n"
    )
    found = parts(read_one(mail.as_bytes(), "a.eml"))
    assert found[1:] == [("paragraph", "Forty owls were counted."), ("paragraph", "See www.a.example today.")]


def test_a_quotation_is_told_from_the_line_above_it_and_a_nameless_attachment_is_read():
    mail = EmailMessage()
    mail["Subject"] = "Owls"
    mail.set_content("Jo wrote:\n> How many were\n> there?\n>\n> Tell me.\nForty owls were counted.\n")
    mail.add_attachment("Twelve were in the Marrow forest.", subtype="plain", disposition="attachment")
    body, attached = read_all(mail.as_bytes(), "a.eml")
    assert parts(body)[1:] == [
        ("paragraph", "Jo wrote:"),
        ("quotation", "How many were\nthere?"),
        ("quotation", "Tell me."),
        ("paragraph", "Forty owls were counted."),
    ]
    assert (attached.source, attached.text.strip()) == (
        "/articles/a.eml/attachment.txt",
        "Twelve were in the Marrow forest.",
    )


def test_mails_within_a_mail_are_mails_of_their_own():
    outer, inner = EmailMessage(), EmailMessage()
    for message, subject in ((outer, "Fwd: owls"), (inner, "Owls")):
        message["Subject"] = subject
    inner.set_content("Forty owls came.")
    outer.set_content("See below.")
    outer.add_attachment(inner)
    for _ in range(2):
        outer.add_attachment(OWLS.encode(), maintype="text", subtype="plain", filename="owls.txt", disposition="inline")
    first, second, third, fourth = read_all(outer.as_bytes(), "a.eml")
    assert [text for kind, text in parts(first) if kind == "paragraph"] == ["See below."]
    assert (second.source, second.title) == ("/articles/a.eml/Owls.eml", "Owls")
    assert [third.source, fourth.source] == ["/articles/a.eml/owls.txt", "/articles/a.eml/owls (2).txt"]


# --- tables --------------------------------------------------------------------------------------------------------


def test_each_row_of_articles_is_a_document():
    table = 'id,headline,published,body\n7,Owls,2024-02-01,"Forty owls were counted.\n\nThey hunt voles at night."\n'
    table += "x/y,Bridge,3 May 2024,The old bridge of Arlen is open again after nine years.\n"
    owls, bridge = read_all(table, "news.csv")
    assert (owls.source, owls.title, owls.date) == ("/articles/news.csv/7", "Owls", "2024-02-01")
    assert [text for kind, text in parts(owls) if kind == "paragraph"] == [
        "Forty owls were counted.",
        "They hunt voles at night.",
    ]
    assert (bridge.source, bridge.date) == ("/articles/news.csv/x_y", "2024-05-03")


def test_what_excel_writes_as_utf_8_is_read_as_any_other_table():
    rows = "text,id\n" + "".join(f"Forty snowy owls were counted in harbour {n}.,{n}\n" for n in "ab")
    assert [one.source for one in read_all(f"\ufeff{rows}", "a.csv")] == ["/articles/a.csv/a", "/articles/a.csv/b"]
    line = '{"id": "a", "text": "Forty owls were counted."}\n'
    assert read_one(f"\ufeff{line}", "a.jsonl").source == "/articles/a.jsonl/a"
    assert read_one(b"\xef\xbb\xbf" + files.mail(), "a.eml").title == "Zählung der Eulen"


def test_a_cell_over_several_columns_or_rows_leaves_the_others_in_their_place():
    table = (
        "<table><tr><th>Country</th><th>City</th><th>Owls</th></tr><tr><td rowspan=2>Marrow</td><td>Arlen</td><td>40</td>"
    )
    table += "</tr><tr><td>Castell</td><td>12</td></tr><tr><td colspan=2>In all</td><td>52</td></tr></table>"
    told = [text for _, text in parts(read_one(files.mail(html=f"<p>Dear all</p>{table}"), "a.eml"))][-3:]
    assert told == [
        "Country: Marrow; City: Arlen; Owls: 40",
        "Country: Marrow; City: Castell; Owls: 12",
        "Country: In all; Owls: 52",
    ]
    found = Docx()
    grid = found.add_table(4, 3)
    for cell, text in zip(
        (c for row in grid.rows for c in row.cells),
        "Country City Owls Marrow Arlen 40 x Castell 12 Sum y 52".split(),
        strict=True,
    ):
        cell.text = text
    grid.cell(2, 0).text = grid.cell(3, 1).text = ""
    grid.cell(1, 0).merge(grid.cell(2, 0))
    grid.cell(3, 0).merge(grid.cell(3, 1))
    out = io.BytesIO()
    found.save(out)
    told[-1] = "Country: Sum; Owls: 52"
    assert [text for _, text in parts(read_one(out.getvalue(), "a.docx"))] == told


def test_a_long_cell_makes_no_page_of_a_table_of_data():
    long = "Forty owls were counted. " * 10
    document = read_one(f"Place,Note\nHarbour,{long}\nMarrow,none\n", "a.csv")
    assert parts(document)[-1] == ("row", "Place: Marrow; Note: none")
    markdown = read_one(f"| Place | Note |\n|---|---|\n| Harbour | {long} |\n| Marrow | none |\n", "a.md")
    assert parts(markdown)[-1] == ("row", "Place: Marrow; Note: none")


def test_rows_without_a_text_are_told():
    rows = "id,text\na,Forty snowy owls were counted in the harbour.\nb,\nc,Twelve of them were seen in the Marrow forest.\n"
    *_, untold = read_all(rows, "a.csv")
    assert untold == Unread("/articles/a.csv", "1 of 3 rows have no text. Fill the column, or leave them out.")


@pytest.mark.parametrize("text", ["Place,Owls\nHarbour,40\n", "- fish\n- mice\n"])
def test_a_row_or_a_list_is_no_title(text):
    name = "count.csv" if "," in text else "count.md"
    assert read_one(f"{text}\n", name).title == "count"


def test_names_that_are_the_same_are_told_apart_before_their_suffix():
    line = '{{"id": "{}", "text": "Forty owls were counted."}}\n'
    found = read_all("".join(line.format(name) for name in ("a", "a", "a (2)", "a.b", "a.b")), "n.jsonl")
    assert [one.source.removeprefix("/articles/n.jsonl/") for one in found] == ["a", "a (2)", "a (2) (2)", "a.b", "a (2).b"]


def test_a_table_of_data_is_one_document_whose_rows_carry_the_header():
    document = read_one("Place;Owls\nHarbour;40\nMarrow forest;12\n", "count.csv")
    assert parts(document) == [("row", "Place: Harbour; Owls: 40"), ("row", "Place: Marrow forest; Owls: 12")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.jsonl", 3 * '{"text": "Forty owls were counted."}\n'),
        ("a.csv", "text\n" + 3 * "Forty snowy owls were counted in the harbour.\n"),
    ],
)
def test_how_far_a_file_of_many_articles_is_read_is_told(name, text):
    ticks = []
    found = documents(text.encode(), f"/articles/{name}", MAX, lambda *tick: ticks.append(tick))
    assert len(list(found)) == 3
    assert [done for done, _ in ticks[:3]] == [1, 2, 3]


def test_lines_of_json_are_documents_and_a_broken_line_fails_alone():
    lines = [
        json.dumps({"doc_id": "a", "title": "Owls", "paragraphs": ["Forty owls were counted.", "They hunt voles."]}),
        "{broken",
        json.dumps({"title": "No text"}),
        json.dumps({"doc_id": "a", "text": "Fifty owls were counted.", "date": "2024-02-01T10:00:00Z"}),
    ]
    first, broken, without, again = read_all("\n".join(lines), "news.jsonl")
    assert [text for kind, text in parts(first) if kind == "paragraph"] == ["Forty owls were counted.", "They hunt voles."]
    assert isinstance(broken, Unread)
    assert broken.reason.startswith("Line 2 is not JSON: Expecting property name")
    assert without == Unread(
        "/articles/news.jsonl", "Line 3 has no field with a text. Name it one of text, body, content, article."
    )
    assert (again.source, again.date) == ("/articles/news.jsonl/a (2)", "2024-02-01")
    refused("{}\n", "a.jsonl", "The file holds no article: line 1 has no text")


def test_quotes_within_a_cell_stay_whatever_the_beginning_of_a_table_is_like():
    rows = [f'{n},"They said ""owls"" came, and more of them than in the year before, {n} times."' for n in range(400)]
    found = read_all("\n".join(["id,text", *rows]), "a.csv")
    assert len(found) == 400
    assert all(
        one.text == f'They said "owls" came, and more of them than in the year before, {n} times.'
        for n, one in enumerate(found)
    )


def test_lines_of_json_may_hold_any_character_and_any_value():
    lines = [
        json.dumps({"id": "x\udc80\ny/z", "text": "Owls fly.\u2028They hunt."}, ensure_ascii=True),
        '{"text": "Voles run.\u2028They hide.", "id": "' + "long" * 200 + '"}',
        json.dumps({"text": {"a": 1}}),
        json.dumps({"text": [{"a": 1}], "date": "2024-00-00"}),
    ]
    first, second, third, fourth = read_all("\n".join(lines), "a.jsonl")
    assert (first.source, first.text) == ("/articles/a.jsonl/x y_z", "Owls fly.\nThey hunt.")
    assert second.text == "Voles run.\nThey hide."
    assert len(second.source) < 250
    assert "has no field with a text" in third.reason
    assert "has no field with a text" in fourth.reason
    many = read_all("\n".join([json.dumps({"text": "Owls fly."}), *["{"] * 1000]), "b.jsonl")
    assert len(many) == 12
    assert many[-1].reason == "990 more lines cannot be read. Mend them."
    assert [one.source[-2:] for one in read_all("\n".join(['{"id": "a", "text": "Owls fly."}'] * 3), "c.jsonl")] == [
        "/a",
        "2)",
        "3)",
    ]


# --- archives ------------------------------------------------------------------------------------------------------


def test_an_archive_is_a_folder_of_its_files():
    inner = files.zipped({"deep/owls.txt": OWLS})
    data = files.zipped(
        {"a/page.html": files.PAGE, "b.png": b"x", "in.zip": inner, "empty.txt": "", ".hidden.txt": "x", "a/": ""}
    )
    page, picture, owls, empty = read_all(data, "all.zip")
    assert page.source == "/articles/all.zip/a/page.html"
    assert picture == Unread("/articles/all.zip/b.png", "", is_other=True)
    assert owls.source == "/articles/all.zip/in.zip/deep/owls.txt"
    assert empty == Unread("/articles/all.zip/empty.txt", "The file is empty. Nothing was added.")


def test_nothing_leads_out_of_an_archive():
    link = zipfile.ZipInfo("link.txt")
    link.external_attr = 0o120777 << 16
    with archive.opened(
        files.zipped({"../out.txt": "x", "/etc/passwd.txt": "x", "C:/x.txt": "x", "ok.txt": "x"}), MAX
    ) as found:
        found.filelist.append(link)
        assert {name: reason for _, name, reason in archive.members(found)} == {
            "../out.txt": "Its name leads out of the archive.",
            "/etc/passwd.txt": "Its name leads out of the archive.",
            "C:/x.txt": "Its name leads out of the archive.",
            "ok.txt": "",
            "link.txt": "It is a link.",
        }


def test_archives_that_would_explode_are_refused():
    bomb = files.zipped({f"{n}.txt": b"0" * 900_000 for n in range(30)})
    assert len(bomb) < 100_000
    refused(bomb, "bomb.zip", "The archive would unpack to 27 MB, at most 20 MB")
    (large,) = read_all(files.zipped({"large.txt": b"0" * (MAX + 1)}), "large.zip")
    assert large.reason == "It is too large: more than 1 MB. Split it, or raise max_file_mb."
    nested = files.zipped({"a.txt": OWLS})
    for _ in range(5):
        nested = files.zipped({"a.zip": nested})
    (deep,) = read_all(nested, "nested.zip")
    assert deep.reason == "It stands in 3 archives. Unpack them, and add the folder."
    lying = bytearray(files.zipped({"a.docx": files.zipped({"word/document.xml": b"0" * 30 * MAX})}))
    (inner,) = read_all(bytes(lying), "a.zip")
    assert inner.reason.startswith("The archive would unpack to 30 MB")


def test_entities_of_xml_are_not_expanded():
    entities = "".join(f'<!ENTITY a{n + 1} "{f"&a{n};" * 10}">' for n in range(12))
    bomb = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "owl">{entities}]><html><body><p>&a12;</p></body></html>'
    assert len(read_one(files.epub(**{"O__a.xhtml": bomb}), "a.epub").text) < 10_000
    assert len(read_all(f"{bomb}", "a.html")) == 1
    file = '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><html><body><p>See &f; there</p></body></html>'
    assert "root:" not in read_one(file, "a.html").text


def test_what_is_taken_out_of_archives_in_archives_is_counted_together():
    inner = files.zipped({f"{n}.txt": b"Owls fly. " * 90_000 for n in range(8)})
    found = read_all(files.zipped({f"{n}.zip": inner for n in range(9)}), "all.zip")
    assert sum(isinstance(one, Document) for one in found) <= 22
    assert found[-1].reason.startswith("The archive unpacks to more than 20 MB.")


def test_names_in_archives_are_taken_as_programs_write_them():
    names = ("./a.txt", "12:30 news.txt", f"{'long' * 90}.txt")
    first, second, third = read_all(files.zipped(dict.fromkeys(names, OWLS)), "all.zip")
    assert (first.source, second.source) == ("/articles/all.zip/a.txt", "/articles/all.zip/12:30 news.txt")
    assert (third.source[-8:], len(third.source)) == ("long.txt", len("/articles/all.zip/") + 200)


def test_locked_and_damaged_archives_say_so():
    data = bytearray(files.zipped({"a.txt": OWLS}))
    for at in (6, data.index(b"PK\x01\x02") + 8):  # the flags of the member
        data[at] |= 1
    (locked,) = read_all(bytes(data), "a.zip")
    assert locked.reason == "It is protected with a password. Unpack it, and add the folder."
    refused(b"PK\x03\x04 and no more", "a.zip", "The archive is damaged")
    refused(files.zipped({}), "a.zip", "not what its name says|empty")


# --- what a file is called -----------------------------------------------------------------------------------------


def test_a_file_of_another_type_than_its_name_says_is_read_as_what_it_is_or_refused():
    assert parts(read_one(files.docx(), "owls.pdf"))[0] == ("title", "Owls return to Arlen")
    assert read_one(columns(), "owls.txt").title == "Owls return to Arlen"
    assert read_one(files.PAGE, "owls.txt").date == "2024-02-01"
    refused(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 99, "a.docx", "of an old office program .* Save it as DOCX or PDF")
    protected = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    refused(protected, "a.docx", "The file is protected with a password")
    refused(b"{\\rtf1 Owls}", "a.docx", "The file is RTF")
    refused(files.zipped({"xl/workbook.xml": "<x/>"}), "a.docx", "The file is a spreadsheet")


def test_the_file_of_a_source_is_found(tmp_path):
    (tmp_path / "all.zip").write_bytes(b"x")
    assert file_of(str(tmp_path / "all.zip/a/b.txt")) == file_of(str(tmp_path / "all.zip")) == tmp_path / "all.zip"
    assert file_of(str(tmp_path / "gone.txt")) == tmp_path / "gone.txt"


# --- encodings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "The café’s owner said “no” to the naïve offer – £40."),
        ("cp1250", "Burmistrz otworzył most w mieście Łódź i powiedział, że żółty most jest nowy."),
        ("koi8-r", "Мэр города сообщил, что мост открыт после ремонта."),
        ("cp1251", "Мэр города сообщил, что мост открыт после ремонта."),
        ("shift_jis", "町長は、修理の後に橋が再び開かれたと述べた。"),
        ("gb18030", "市长说，经过维修，大桥已经重新开放。"),
        ("utf-16-le", "The mayor opened the bridge."),
    ],
)
def test_texts_are_decoded_in_whatever_encoding(encoding, text):
    assert decode(text.encode(encoding)) == text


def test_a_page_is_decoded_as_it_says_unless_that_cannot_be():
    page = '<html><head><meta charset="iso-8859-2"></head><body>Łódź</body></html>'
    assert decode(page.encode("iso-8859-2"), is_markup=True) == page
    assert decode(page.encode("utf-8"), is_markup=True) == page
    wrong = page.replace("iso-8859-2", "ascii")
    assert "ód" in decode(wrong.encode("cp1250"), is_markup=True)


def test_utf_8_with_a_bad_byte_is_refused_with_its_place_and_not_guessed_at():
    with pytest.raises(ReadError, match="seems to be UTF-8 text, but byte 0xff at offset 5 is not"):
        decode("“No”".encode()[:5] + b"\xff" + "市长说，经过维修".encode())
    cut = "Größe und Länge".encode() + "ß".encode()[:1]
    assert decode(cut) == "Größe und Länge"


@pytest.mark.parametrize("text", ["£40 paid", "a naïve owl", "El Niño"])
def test_a_word_or_two_with_an_accent_are_of_windows(text):
    assert decode(text.encode("cp1252")) == text


# --- whatever bytes ------------------------------------------------------------------------------------------------

SAMPLES = {
    "a.html": files.PAGE.encode(),
    "a.pdf": columns(),
    "a.docx": files.docx(),
    "a.epub": files.epub(),
    "a.eml": files.mail({"owls.txt": OWLS.encode()}),
    "a.csv": b"id,title,body\n1,Owls,Forty owls were counted in the harbour this winter.\n",
    "a.jsonl": b'{"title": "Owls", "text": "Forty owls were counted."}\n',
    "a.zip": files.zipped({"a.txt": OWLS, "b.html": files.PAGE}),
}


def checked(data, name):
    """Reads bytes; whatever they are, there are documents with exact spans, or a reason. Bugs of libraries count too."""
    try:
        found = read_all(data, name)
    except ReadError:
        return
    for one in found:
        if isinstance(one, Document):
            ends = [0, *(end for block in blocks_of(one) for end in (block.start, block.end))]
            assert ends == sorted(ends)
            assert ends[-1] <= len(one.text)


@pytest.mark.parametrize("name", SAMPLES)
def test_flipped_and_lost_bytes_are_survived(name):
    chance = random.Random(name)
    for _ in range(60):
        data = bytearray(SAMPLES[name])
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        checked(bytes(data[: chance.choice((len(data), chance.randrange(len(data))))]), name)


@given(st.binary(max_size=400), st.sampled_from(sorted(SUFFIXES)))
@hypothesis.settings(max_examples=300)
def test_any_bytes_are_survived(data, suffix):
    checked(data, f"a{suffix}")
