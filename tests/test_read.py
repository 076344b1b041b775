"""Reading: one canonical text, and the article told apart from what surrounds it."""

import contextlib
import hashlib
import os
import textwrap
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.config import ROOT
from rag.errors import ReadError
from rag.read import blocks_of, canonical, document_id, file_name, find_files, is_layout, make_document
from rag.read.encoding import decode
from rag.read.text import layout
from rag.split import paragraphs
from tests.conftest import OWLS, read_one
from tests.hostile import texts

MAX = 2**20


def kinds(text, source="/a/b.txt"):
    """Returns (kind, text) of each block, with the first words only."""
    text = canonical(text)
    return [(b.kind, " ".join(text[b.start : b.end].split()[:3])) for b in layout(text, source)]


def found(text, kind="paragraph", source="/a/b.txt"):
    text = canonical(text)
    return [text[b.start : b.end] for b in layout(text, source) if b.kind == kind]


# --- the seed article ----------------------------------------------------------------------------------------------

SEED = ROOT / "seeds" / "000_49d6ac24b2776e2d.txt"


def test_the_seed_is_the_article_as_it_was_delivered():
    digest = hashlib.sha256(SEED.read_bytes()).hexdigest()
    assert digest == "c52f77ba8e08da2ec0521454b29362c65cbabbe376277325629db0f13b9a502e"


def test_the_seed_has_its_headline_its_date_and_fourteen_paragraphs():
    document = read_one(SEED, MAX)
    assert document.title == (
        "Cambodia Targets Cross-Border Crime with Mass Arrests, Signs Pact with Laos to Combat Scams, Drug Trafficking"
    )
    assert document.date == "2025-07-19"
    paragraphs = [document.text[b.start : b.end] for b in layout(document.text, document.source) if b.kind == "paragraph"]
    assert len(paragraphs) == 14
    assert paragraphs[0].startswith("Cambodian authorities have arrested more than 1,362")
    assert paragraphs[6] == "The Lao Embassy in Phnom Penh has not immediately replied for comments."
    assert paragraphs[7].endswith("were targeted, according to CamboJA News")  # it has no full stop in the article
    assert paragraphs[13].startswith("Cambodia alone is estimated to host at least 53 scam compounds")


def test_the_seed_s_furniture_is_no_paragraph():
    text = canonical(SEED.read_text(encoding="utf-8"))
    assert found(text, "furniture") == ["32.3 C", "Vientiane", "spot_img", "This Week", "Latest article"]
    assert found(text, "date") == ["Saturday, July 19, 2025"]


# --- bytes to text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_byte_order_marks_decide_the_encoding(encoding):
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    data = marks.get(encoding, b"") + "Größe 🦉 ๙".encode(encoding)
    assert canonical(decode(data)) == "Größe 🦉 ๙"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04\x00\x00binary", r"The file is not text\. Save it in a format that is read, or as UTF-8 text\."),
        (b"\xff\xfea\x00\x00\xd8b\x00ab", r"seems to be UTF-16 text, but byte 0x00 at offset 4 is not\. Save it as UTF-8\."),
    ],
)
def test_what_is_not_text_is_refused_with_the_place(data, message):
    with pytest.raises(ReadError, match=message):
        decode(data)


def test_canonical_by_hand():
    raw = "\ufeffa\r\nb\rc\x0bd\u2028e\x85f\x00\x07g cafe\u0301\x7f"
    assert canonical(raw) == "a\nb\nc\nd\ne\nfg café"


@given(texts)
def test_canonical_is_idempotent_nfc_and_has_one_kind_of_line_end(raw):
    text = canonical(raw)
    assert canonical(text) == text
    assert unicodedata.is_normalized("NFC", text)
    assert "\r" not in text
    assert len(text.splitlines()) <= text.count("\n") + 1
    text.encode()  # no lone surrogate is left


@given(texts, st.sampled_from(["/a/b.txt", "/a/b.md"]))
@example("# a\u200b", "/a/b.md")  # the heading's words were not found again, and its span began at the mark
def test_blocks_are_trimmed_in_order_and_do_not_overlap(raw, source):
    text = canonical(raw)
    end = 0
    for block in layout(text, source):
        assert end <= block.start < block.end <= len(text)
        assert text[block.start : block.end].strip() == text[block.start : block.end]
        end = block.end


@given(st.lists(st.sampled_from(["| a | b |", "|---|---|", "| c | ``` |", "```", "- x", "> y", "# z", "w", ""])))
def test_the_layout_of_a_markdown_text_with_tables_is_whole(lines):
    with contextlib.suppress(ReadError):
        document = make_document("\n".join(lines), "/a/b.md")
        assert is_layout(document.layout, len(document.text))


@given(texts)
def test_every_visible_character_of_a_plain_text_is_in_a_block(raw):
    text = canonical(raw)
    outside, at = "", 0
    for block in layout(text, "/a/b.txt"):
        outside += text[at : block.start]
        at = block.end
    outside += text[at:]
    assert not [c for c in outside if not c.isspace() and unicodedata.category(c) != "Cf"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("/a/owls.txt", "owls.txt"),
        ("/a/news.zip/2026/owls.html", "news.zip/2026/owls.html"),
        ("/a/all.zip/mail.eml/owls.pdf", "all.zip/mail.eml/owls.pdf"),
        ("/a/wire.jsonl/https:_example.org_17", "wire.jsonl/https:_example.org_17"),
        ("/a/news.zip", "news.zip"),
    ],
)
def test_what_is_in_a_file_is_called_by_both_names(source, name):
    assert file_name(source) == name


# --- files ---------------------------------------------------------------------------------------------------------


def refused(path, message, max_bytes=MAX):
    with pytest.raises(ReadError, match=message):
        read_one(path, max_bytes)


def test_files_that_are_no_articles_say_why_and_what_to_do(write, tmp_path):
    refused(write("empty.txt", ""), r"The file is empty\. Nothing was added\.")
    refused(write("blank.txt", " \n\u00a0\t\r\n"), "The file is empty")
    refused(write("invisible.txt", "\ufeff\u200b\n\u200d"), "The file is empty")  # used to be an IndexError
    refused(write("a.pages", "PK"), r"\.pages is not a format that is read\. Save it as one of \.csv, \.docx, .*\.zip")
    refused(write("a.docx", "PK"), r"The file is not what its name says: no DOCX\. Check where it comes from\.")
    refused(write("README", "Words of a sentence."), "A file without a suffix is not a format")
    refused(write("binary.txt", b"\x7fELF\0\0"), r"The file is not text\. Save it in a format that is read")
    refused(tmp_path / "gone.txt", r"The file is not there\. Check the path")
    (tmp_path / "folder.txt").mkdir()
    refused(tmp_path / "folder.txt", r"It is not a file\. Name a file\.")


def test_a_file_of_50_mb_is_refused_before_it_is_read(tmp_path):
    with open(tmp_path / "huge.txt", "wb") as file:
        file.truncate(50_000_000)
    refused(tmp_path / "huge.txt", r"too large: 50 MB, at most 20 MB\. Split it, or raise max_file_mb\.", 20_000_000)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    # Opening it used to block for ever.
    os.mkfifo(tmp_path / "pipe.txt")
    refused(tmp_path / "pipe.txt", "It is not a file")


def test_a_name_that_is_not_utf_8_is_refused(tmp_path):
    # It used to end the whole batch with a UnicodeEncodeError from SQLite.
    path = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")
    with open(path, "w") as file:
        file.write(OWLS)
    refused(Path(path), r"name is not UTF-8\. Rename it\.")
    with pytest.raises(ReadError, match=r"caf\ufffd\.txt is not UTF-8\. Rename it\."):
        list(find_files([path]))


def test_folders_are_walked_in_name_order_without_hidden_files(write, tmp_path):
    for name in ("b.txt", "a/z.md", "a/y.MARKDOWN", ".hidden/x.txt", "a/.secret.txt", "a/picture.png", "c.text"):
        write(f"in/{name}", "x")
    found = [str(path.relative_to(tmp_path / "in")) for path in find_files([tmp_path / "in"])]
    assert found == ["b.txt", "c.text", "a/y.MARKDOWN", "a/z.md"]


def test_a_relative_path_and_a_home_are_made_absolute(write, monkeypatch, tmp_path):
    write("home/a.txt", OWLS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert list(find_files(["home/a.txt"])) == list(find_files(["~/a.txt"])) == [tmp_path / "home" / "a.txt"]
    for missing in ("nowhere/b.txt", "~nobody-of-that-name/b.txt"):
        with pytest.raises(ReadError, match=rf"{missing} does not exist\. Check the path\."):
            list(find_files([missing]))


def test_a_document_names_its_source_and_its_text(write):
    path = write("articles/owls.txt", OWLS.replace("\n", "\r\n"))
    document = read_one(path, MAX)
    assert document.text == OWLS
    assert document.version == hashlib.sha256(OWLS.encode()).hexdigest()
    assert document.id == hashlib.sha256(str(path).encode()).hexdigest()[:12] == document_id(str(path))
    assert (document.source, document.title) == (str(path), "Owls return to the Marrow forest")


# --- headline and date ---------------------------------------------------------------------------------------------


def test_the_headline_is_found_before_the_article_and_after_the_menu():
    page = "Menu\nHome\nNews\nSport\n\nSubscribe to our newsletter now\n\n" + OWLS
    assert make_document(page, "/a/b.txt").title == "Owls return to the Marrow forest"


def test_a_headline_that_asks_is_the_first_line():
    text = "Why do owls return?\n\nForty owls were counted in the forest this winter, more than before.\n"
    assert make_document(text, "/a/b.txt").title == "Why do owls return?"
    assert found(text) == ["Forty owls were counted in the forest this winter, more than before."]


def test_without_a_headline_the_file_s_name_is_the_title():
    text = "Forty owls were counted in the forest this winter.\n\n" * 2
    only = make_document("Forty owls were counted in the forest this winter. " * 5, "/a/owls.txt")
    assert only.title == "owls"
    assert make_document(text, "/a/owls.txt").title == "Forty owls were counted in the forest this winter."


HEAD = "Castell bridge delayed again, costs climb to 91 million euros"
BODY = "The bridge over the Lorne opens in October, the council said.\n\nIt costs more than was planned."


@pytest.mark.parametrize(
    "head",
    [
        f"{HEAD}\nPublished 18 November 2026",  # was one title of 13 words
        f"{HEAD}\n\nRegion Today, 18 November 2026",
        f"{HEAD}\nBy Ann Smith, 18 November 2026",
        f"{HEAD}\nBy Ann Smith\n18 November 2026",
        "Castell bridge delayed again,\ncosts climb to 91 million euros\nPublished 18 November 2026",
        f"{HEAD}\nUpdated: 19 November 2026\nPublished: 18 November 2026",
        f"{HEAD}\nThe Lorne Herald | Wednesday, November 18, 2026 | 4:36 pm",
        f"# {HEAD}\n\n*18 November 2026*",
        f"# {HEAD}\n\n**By Ann Smith**\n_Published 18 November 2026_",
    ],
)
def test_a_line_under_the_headline_tells_the_date_and_is_no_part_of_it(head):
    source = "/a/b.md" if head.startswith("#") else "/a/b.txt"
    document = make_document(f"{head}\n\n{BODY}\n", source)
    assert (document.title, document.date) == (HEAD, "2026-11-18")
    assert found(document.text, source=source) == BODY.split("\n\n")


@pytest.mark.parametrize("head", [f"{HEAD}\n\n", f"# {HEAD}\n\n", ""])
def test_a_dateline_that_opens_the_article_tells_the_date_and_is_not_what_it_says(head):
    source = "/a/b.md" if head.startswith("#") else "/a/b.txt"
    document = make_document(f"{head}CASTELL, Nov. 18, 2026 (Region Press) — {BODY}\n", source)
    assert (document.title, document.date) == (HEAD if head else "b", "2026-11-18")
    assert found(document.text, source=source) == BODY.split("\n\n")


def test_the_entries_of_a_diary_keep_place_and_date():
    entries = ["CASTELL, 3 May 1998 — Today we walked to the sea.", "NORDBY, 4 May 1998 — Today we walked along the river."]
    document = make_document("\n\n".join(entries) + "\n", "/a/b.txt")
    assert found(document.text) == entries
    assert document.date == ""


def test_a_headline_may_end_with_a_small_word():
    document = make_document(f"Castell bridge: what we know a week on\nPublished 18 November 2026\n\n{BODY}\n", "/a/b.txt")
    assert (document.title, document.date) == ("Castell bridge: what we know a week on", "2026-11-18")


def test_a_wrapped_sentence_that_ends_with_a_date_stays_whole():
    sentence = "The new bridge over the River Lorne in the town of Castell opened on\n18 November 2026"
    document = make_document(f"Bridge\n\n{sentence}\n", "/a/b.txt")
    assert document.date == ""
    assert found(document.text) == [sentence]


# --- paragraphs as a reader counts them ----------------------------------------------------------------------------

FIRST = "Forty snowy owls were counted in the Marrow forest this winter."
SECOND = "The biologist Tomas Reyk says that mild winters bring more voles."
THIRD = "He will count them again in spring."


def test_lines_without_blank_lines_are_paragraphs():
    assert found(f"Owls return to the Marrow forest\n{FIRST}\n{SECOND}\n{THIRD}\n") == [FIRST, SECOND, THIRD]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r", "\u2028", "\x85"])
def test_line_ends_of_every_system_are_the_same(newline):
    assert found(f"{FIRST}\n\n{SECOND}\n\n{THIRD}".replace("\n", newline)) == [FIRST, SECOND, THIRD]


def test_mixed_line_ends_are_the_same():
    assert found(f"{FIRST}\r\n\r\n{SECOND}\n\r\n{THIRD}\r\r") == [FIRST, SECOND, THIRD]


def test_text_wrapped_by_a_program_is_joined():
    wrapped = textwrap.fill(" ".join([FIRST, SECOND, THIRD] * 3), 72)
    assert wrapped.count("\n") > 4
    assert found(f"{wrapped}\n\n{wrapped.replace('Forty', 'Fifty')}\n") == [wrapped, wrapped.replace("Forty", "Fifty")]


def test_an_indented_wrapped_text_is_joined():
    wrapped = textwrap.fill(" ".join([FIRST, SECOND, THIRD] * 2), 68)
    indented = textwrap.indent(wrapped, "   ")
    assert found(indented) == [indented.strip()]


def test_headings_between_paragraphs_are_no_paragraphs():
    text = f"Owls return to the forest\n\n{FIRST}\n\nWhat brings them\n\n{SECOND}\n\n{THIRD}\n"
    assert found(text) == [FIRST, SECOND, THIRD]
    assert found(text, "heading") == ["What brings them"]


def test_a_list_is_one_paragraph():
    items = "- snowy owls, forty of them\n- barn owls\n- tawny owls, which nobody counted"
    assert found(f"{FIRST}\n\n{items}\n\n{SECOND}") == [FIRST, items, SECOND]
    assert found(f"{FIRST}\n\nSnowy owl\n\nBarn owl\n\nTawny owl\n\n{SECOND}") == [
        FIRST,
        "Snowy owl\n\nBarn owl\n\nTawny owl",
        SECOND,
    ]


def test_a_page_saved_as_text_has_menus_before_and_after():
    page = f"""24.5 C
Arlen
Friday, May 3, 2024
Sign in
Home
Politics
Business

logo_img

Owls return to the Marrow forest

By Ana Lind

{FIRST}

Advertisement

{SECOND}

Related: Voles in the north

{THIRD}

Previous article
Storm over the coast

Latest article

Copyright © 2024 The Arlen Post. All rights reserved.
"""
    document = make_document(page, "/a/page.txt")
    assert (document.title, document.date) == ("Owls return to the Marrow forest", "2024-05-03")
    assert found(page) == [FIRST, SECOND, THIRD]


TEASERS = """
More from The Arlen Post

Storm over the coast
The wind broke forty trees on Sunday.

4h ago

Mayor meets the miners

Politics

They spoke for an hour about the old shafts.

2h ago

World

Weather
"""


def test_teasers_after_the_article_are_sentences_and_yet_no_paragraphs():
    # What followed an article was taken for a part of it up to the page's last sentence.
    text = f"Owls return to the Marrow forest\n\n{FIRST}\n\n{SECOND}\n\n{THIRD}\n{TEASERS}"
    assert found(text) == [FIRST, SECOND, THIRD]


def test_a_sentence_in_the_menu_before_the_article_is_no_paragraph():
    menu = "This site uses cookies to work.\n\nAccept all\n\nHome\n\nNews\n\nPolitics\n\nWorld\n\nSearch\n\nWeather\n\n"
    document = make_document(f"{menu}Owls return to the Marrow forest\n\n{FIRST}\n\n{SECOND}\n\n{THIRD}", "/a/b.txt")
    assert document.title == "Owls return to the Marrow forest"
    assert found(document.text) == [FIRST, SECOND, THIRD]


def test_readers_comments_are_no_paragraphs():
    article = "\n\n".join([FIRST, SECOND, THIRD] * 3)
    comments = "14 Comments\n\nowl_friend says:\n\nI saw one in my garden last week, it was white.\n\nMe too, twice."
    assert found(f"Owls return to the Marrow forest\n\n{article}\n\n{comments}") == [FIRST, SECOND, THIRD] * 3


def test_a_clean_article_is_never_cut_however_long_its_lists_are():
    names = "\n\n".join(f"Owl number {n}" for n in range(60))
    text = f"Owls return to the Marrow forest\n\n{FIRST}\n\n{SECOND}\n\n{names}\n\n{THIRD}"
    assert found(text) == [FIRST, SECOND, names, THIRD]


def test_the_headline_of_a_page_is_long_near_the_article_or_there_twice():
    menu = "Our readers choose the best cafes\n\n" + "Home\n\nNews\n\n" * 5
    page = f"{menu}Owls return to the Marrow forest\n\nArlen\n\n{FIRST}\n\n{SECOND}"
    assert make_document(page, "/a/b.txt").title == "Owls return to the Marrow forest"
    twice = f"The wood of Marrow in May\n\nHome\n\nThe wood of Marrow in May\n\nA picture of an owl by Ana Lind\n\n{FIRST}"
    assert make_document(twice, "/a/b.txt").title == "The wood of Marrow in May"


@pytest.mark.parametrize("seed_like", ["ไทย", "ລາວ", "日本語"])
def test_scripts_without_spaces_have_paragraphs(seed_like):
    text = f"{seed_like}หัวข้อ\n\n" + "ภาษาไทยไม่มีวรรคตอนและย่อหน้านี้ยาวพอที่จะเป็นย่อหน้าหนึ่งของบทความ\n\n" * 2
    assert len(found(text)) == 2


# --- Markdown ------------------------------------------------------------------------------------------------------

MARKDOWN = """---
title: "Owls return"
date: 2024-05-03
---

# A heading

Forty **snowy** owls were counted
in the [Marrow](https://example.org) forest.

- one owl
- two owls
  with a second line

1. first

> Quoted words.

| owl | count |
|---|---|
| snowy | 40 |

```python
owls = 40
```

    indented code

![only a picture](owl.png)

<div>html</div>

Last words.
"""


def test_markdown_by_its_syntax():
    document = make_document(MARKDOWN, "/a/b.md")
    assert (document.title, document.date) == ("Owls return", "2024-05-03")
    assert found(MARKDOWN, "heading", "/a/b.md") == ["A heading"]
    assert found(MARKDOWN, source="/a/b.md") == [
        "Forty **snowy** owls were counted\nin the [Marrow](https://example.org) forest.",
        "owls = 40",
        "indented code",
        "Last words.",
    ]
    assert found(MARKDOWN, "list", "/a/b.md") == ["one owl", "two owls\n  with a second line", "first"]
    assert found(MARKDOWN, "quotation", "/a/b.md") == ["Quoted words."]
    assert [p.number for p in paragraphs(document)] == list(range(1, 10))


def test_a_row_of_a_markdown_table_carries_its_header():
    table = "| owl | **count** |\n|:---|---:|\n| snowy | 40 |\n| \u200b| |\n| barn \\| church | ``` |\n"
    document = make_document(f"{FIRST}\n{table}\n# After it\n\nLast words.\n\n{table}", "/a/b.md")
    told = [(block.kind, document.text[block.start : block.end]) for block in blocks_of(document)]
    rows = [("row", "owl: snowy; **count**: 40"), ("row", "owl: barn | church; **count**: ```")]
    assert told == [("paragraph", FIRST), *rows, ("title", "After it"), ("paragraph", "Last words."), *rows]
    assert is_layout(document.layout, len(document.text))
    for cell in ("<script>", "```x", "<!--", "~~~", "<pre>"):  # no Markdown for what is behind the table
        behind = make_document(f"| |use|\n|---|---|\n|{cell}|x|\n\nLast words are said here.\n", "/a/b.md")
        assert [behind.text[b.start : b.end] for b in blocks_of(behind)][1:] == ["Last words are said here."]
    in_a_list = make_document("- one\n  | owl | count |\n  |---|---|\n  | snowy | 40 |\n", "/a/b.md")
    assert "| snowy | 40 |" in in_a_list.text  # what is no table of its own stays as it is


@pytest.mark.parametrize(("between", "n"), [(" ", 4), ("\n", 4), ("", 4)])
@pytest.mark.parametrize("name", ["/a/law.txt", "/a/law.md"])
def test_a_text_without_an_end_is_cut_where_a_sentence_or_a_line_ends(between, n, name):
    sentence = "Forty snowy owls were counted in the Marrow forest." if between else "x" * 51
    document = make_document(between.join([sentence] * 560), name)
    cut = [document.text[p.start : p.end] for p in paragraphs(document)]
    assert len(cut) == n
    assert max(map(len, cut)) <= 8000
    assert between.join(cut) == document.text
    assert all(piece.endswith(sentence if between else "x") for piece in cut)


def test_markdown_without_front_matter_takes_its_first_heading():
    document = make_document("# Owls return\n\n3 May 2024\n\n" + FIRST, "/a/b.md")
    assert (document.title, document.date) == ("Owls return", "2024-05-03")
    assert make_document("Owls\n====\n\n" + FIRST, "/a/b.md").title == "Owls"
    assert make_document(FIRST, "/a/owls-of-marrow.md").title == "owls-of-marrow"


# --- long and hostile ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "_" * 100_000 + "-",
        "." + ")" * 100_000 + "x",
        "wrapped words of fifty characters or so, all alike\n" * 20_000,
        "one two, " * 50_000,
        "a_" * 50_000,
        "- item\n" * 8_000,
        "Label\n\n" * 8_000,
        "2024 " * 12 + "\n",
        "é" * 100_000,
        "1.000.000" * 20_000,
        ">" * 20_000 + "\n",
        "[" * 20_000 + "\n",
        "|a" * 20_000 + "\n",
    ],
    ids=lambda unit: unit[:12],
)
@pytest.mark.parametrize("suffix", [".txt", ".md"])
def test_reading_takes_time_in_proportion_to_the_length(unit, suffix):
    started = time.process_time()
    layout(canonical(f"{FIRST}\n\n{unit}\n\n{SECOND}"), f"/a/b{suffix}")
    assert time.process_time() - started < 4
