"""Reading: one canonical text, and the article told apart from what surrounds it."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.config import ROOT
from rag.errors import ReadError
from rag.read import canonical, decode, layout, read
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
    document = read(SEED, max_bytes=MAX)
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
        (b"caf\xe9 au lait", r"not UTF-8 text: byte 0xe9 at offset 3\. Save it as UTF-8\."),
        (b"PK\x03\x04\x00\x00binary", r"null bytes.*Save it as one of"),
        (b"\xff\xfea\x00b", r"not UTF-16 text: byte 0x62 at offset 4"),
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
def test_blocks_are_trimmed_in_order_and_do_not_overlap(raw, source):
    text = canonical(raw)
    end = 0
    for block in layout(text, source):
        assert end <= block.start < block.end <= len(text)
        assert text[block.start : block.end].strip() == text[block.start : block.end]
        end = block.end


@given(texts)
def test_every_visible_character_of_a_plain_text_is_in_a_block(raw):
    text = canonical(raw)
    outside, at = "", 0
    for block in layout(text, "/a/b.txt"):
        outside += text[at : block.start]
        at = block.end
    outside += text[at:]
    assert not [c for c in outside if not c.isspace() and unicodedata.category(c) != "Cf"]
