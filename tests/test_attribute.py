"""Attribution: what can be checked in a sentence, what of it a passage lacks, and citations by exact offsets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.attribute import (
    Span,
    candidates,
    cite,
    facts,
    fold,
    has,
    is_bound,
    is_same,
    marked,
    missing,
    n_checkable,
    numbers,
    opposed,
    unknown,
)
from rag.errors import ReadError
from rag.read import make_document
from rag.split import paragraphs, sentences
from rag.types import Claim, Hit
from tests.conftest import BRIDGES
from tests.hostile import texts

ARRESTS = (
    "Authorities arrested suspects of various nationalities, including 347 Vietnamese, 271 Indonesians, 226 Chinese, "
    "and dozens from South Korea."
)
BRIDGE = "The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it."
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga. The town paid 1.1 million crowns of it."


def hit(text, number=1, start=0, document="id"):
    return Hit(document, "version", "Title", "/a/b.txt", number, start, start + len(text), text, 0.0)


# --- numbers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,362 people", [1362]),
        ("1362 people", [1362]),
        ("1\u00a0362 people", [1362]),  # a space that does not break
        ("70,000,000 pills", [70_000_000]),
        ("70 million pills", [70_000_000]),
        ("USD 40 billion", [40_000_000_000]),
        ("$1.5bn and €3m", [1_500_000_000, 3_000_000]),
        ("4.2 million crowns", [4_200_000]),
        ("two hundred thousand", [200_000]),
        ("two hundred and fifty", [250]),
        ("two hundred and fifty thousand", [250_000]),
        ("one thousand three hundred", [1300]),
        ("one thousand and two thousand", [1000, 2000]),
        ("two and three", [2, 3]),
        ("-5 degrees, and 5 to 7", [-5, 5, 7]),
        ("5m wide, 5m people", [5, 5_000_000]),
        ("1,00,000 rupees", [100_000]),
        ("twenty-five owls", [25]),
        ("Twenty owls, NINE bridges", [20, 9]),
        ("a 20-day crackdown", [20]),
        ("the 25th, the 1st and the 3rd", [25, 1, 3]),
        ("10-12", [10, 12]),
        ("10–12", [10, 12]),
        ("0.5 of it", [0.5]),
        ("It cost 3.5.", [3.5]),
        ("in 2025.", [2025]),
        ("27 June to 16 July", [27, 16]),
        ("1, 2, 3", [1, 2, 3]),
        ("one of them", [1]),
        ("no number, hundreds, someone, often, the first, tonnes", []),
        ("A380, U2", []),  # names
        ("100kg", [100]),
        ("the 1980s", [1980]),
        ("1.5x", [1.5]),
        ("5km, 5k", [5, 5000]),
        ("123,4567", [123, 4567]),
        ("", []),
    ],
)
def test_numbers_by_hand(text, expected):
    assert [value for value, _, _ in numbers(text)] == expected


@given(texts)
def test_numbers_lie_where_they_are_said_to(text):
    end = 0
    for _, first, last in numbers(text):
        assert end <= first < last <= len(text)
        end = last


@given(st.integers(0, 10**12))
def test_a_number_is_the_same_with_and_without_its_commas(n):
    assert [v for v, _, _ in numbers(f"about {n:,} crowns")] == [n]
    assert [v for v, _, _ in numbers(f"about {n} crowns")] == [n]


# --- words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("Manet’s", "manet"),
        ("boss'", "boss"),
        ("Señor", "senor"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
    ],
)
def test_folding_by_hand(word, expected):
    assert fold(word) == expected


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("indonesian", "indonesians", True),
        ("cambodian", "cambodia", True),
        ("city", "cities", True),
        ("police", "policing", True),
        ("arrest", "arrested", True),
        ("owl", "owl", True),
        ("day", "days", True),
        ("lao", "laos", True),
        ("man", "manly", False),  # too short to tell
        ("mary", "martin", False),  # "mar" again
        ("china", "chinese", False),
        ("iran", "iraq", False),
        ("austria", "australia", False),
        ("port", "portugal", False),
        ("mary", "mark", False),  # both were "mar" with an ending
        ("jane", "jans", False),
    ],
)
def test_words_that_differ_in_an_ending_are_the_same(a, b, same):
    assert is_same(a, b) is same
    assert is_same(b, a) is same
    assert has(["other", a], b) is same
    assert not has([], a)


# --- facts ---------------------------------------------------------------------------------------------------------


def test_facts_by_hand():
    found = facts("“We will never give up”, said Mayor Ilse Varga on one of the 14 days.")
    assert found.numbers == {14}  # "one" is often no number
    assert found.names == {"mayor", "ilse", "varga"}
    assert found.quoted == ("We will never give up",)
    assert found.words == {"never", "give", "said", "mayor", "ilse", "varga", "days"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Bridges are often old.", set()),  # a capital that every sentence has
        ("Bridges.", {"bridges"}),  # in so short an answer it may be a name
        ("Bangkok.", {"bangkok"}),
        ("It was Bangkok.", {"bangkok"}),
        ("Hun Manet ordered it all.", {"hun", "manet"}),
        ("The Phnom Penh-based group left.", {"phnom", "penh", "based"}),
        ("It was on 16 July.", {"july"}),
    ],
)
def test_names_by_hand(text, names):
    assert facts(text).names == names


def test_digits_count_as_numbers_even_if_they_are_one():
    assert facts("1 owl, one vole").numbers == {1}
    assert facts("one vole").numbers == set()


def test_short_quoted_words_are_not_held_against_the_passage():
    assert facts('He called it "odd" and „eine gute Sache”.').quoted == ("eine gute Sache",)


def test_what_can_be_checked_in_a_question_is_counted():
    assert n_checkable("How many snowy owls were counted in 1987?") == 4  # snowy, owls, counted, 1987
    assert n_checkable("Who said that?") == 0
    assert n_checkable("Who paid, and who paid more?") == 1


# --- missing -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("271 Indonesians were arrested.", "How many Indonesians were arrested?", ARRESTS),
        ("271.", "How many Indonesians were arrested?", ARRESTS),
        ("The repair cost 4,200,000 crowns.", "What did the repair cost?", COST),
        ("Ilse Varga.", "Who is the mayor?", COST),
        ("The mayor is Ilse Varga.", "Who is the mayor?", COST),
        ("It was closed by a flood.", "Why was the bridge closed?", BRIDGE),
        ("It was closed for 9 years.", "How long was the bridge closed?", BRIDGE),
        ("No owls came.", "What came?", "It is said that no owls came."),
        ("It opened on Friday.", "When did it open?", "It did not open until Friday."),
        ("Twelve people were injured.", "Who was injured?", "No one was killed and twelve people were injured."),
        ("The law was passed in May.", "When was it passed?", "The law was passed without debate in May."),
        ("The court rejected it.", "What did the court do?", "The court rejected it and did not fine the company."),
        ("It had never been seen before.", "Was it seen?", "It had never been seen in Laos before."),
        ("The town paid 9 crowns.", "Who paid?", "Not only the town paid 9 crowns, the mayor did."),
        ("The town paid 9 crowns.", "Who paid?", "The mayor did not pay, but the town paid 9 crowns."),
        ("She said “we will not give up”.", "What did she say?", "“We will not give up”, she said."),
    ],
)
def test_what_a_passage_says_is_carried(claim, question, passage):
    assert missing(claim, question, passage, "") == ()


@pytest.mark.parametrize(
    ("claim", "question", "passage", "lacking"),
    [
        ("The repair cost 4.3 million crowns.", "What did the repair cost?", COST, ["number 4.3e+06"]),
        ("The repair cost 4.2 crowns.", "What did the repair cost?", COST, ["number 4.2"]),
        ("The mayor is Ilse Reyk.", "Who is the mayor?", COST, ["name reyk"]),
        ("It was built in the 1980s.", "When was it built?", "It was built in the 1970s.", ["number 1980"]),
        ("It weighs 100kg.", "What does it weigh?", "It weighs 200kg.", ["number 100"]),
        ("She said “we will not give up now”.", "What did she say?", "“We will not give up”, she said now.", ["quoted"]),
        ("The bridge collapsed under heavy snow.", "What about the bridge?", BRIDGE, ["most words of"]),
        ("It did not cost 4.2 million crowns.", "What did it cost?", COST, ["a negation"]),
        ("It wasn’t opened on Friday.", "When was it opened?", BRIDGE, ["a negation"]),
        ("The embassy replied.", "What did it say?", "The embassy has not immediately replied.", ["the word not"]),
        ("The mayor did not resign before the vote.", "Why?", "The mayor resigned before the vote.", ["a negation"]),
        ("It was told before the raid.", "What?", "It was not told before the raid.", ["the word not"]),
        ("The minister replied.", "What did he do?", "The minister did not, however, reply.", ["the word not"]),
        ("Police found more bodies.", "What was found?", "Police found no more bodies.", ["the word not"]),
        ("It was -7 degrees.", "How cold was it?", "It was -5 degrees.", ["number -7"]),
        ("All hubs were raided.", "Which hubs?", "While many left, not all hubs were raided.", ["the word not"]),
        ("347 Indonesians were arrested.", "How many Indonesians were arrested?", ARRESTS, ["the value for what was asked"]),
        ("It is.", "Is it?", BRIDGE, ["anything to check"]),
        ("🦉", "Is it?", BRIDGE, ["anything to check"]),
    ],
)
def test_what_a_passage_does_not_say_is_named(claim, question, passage, lacking):
    found = missing(claim, question, passage, "")
    assert len(found) == len(lacking)
    assert all(got.startswith(expected) for got, expected in zip(found, lacking, strict=True))


def test_what_the_question_names_may_be_elsewhere_in_the_document_but_must_be_there():
    claim, question = (
        "In 2024 the repair of the Arlen bridge cost 4.2 million crowns.",
        "What did Arlen's repair cost in 2024?",
    )
    assert missing(claim, question, COST, "Arlen reopens\n2024-05-03") == ()
    assert missing(claim, question, COST, "") == ("number 2024", "name arlen")
    assert missing(claim, "What did the repair cost?", COST, "Arlen reopens\n2024-05-03") == ("number 2024", "name arlen")


def test_half_of_a_claim_s_own_words_must_be_there():
    # Own words, besides the question's: closed, flood are there; terrible, sudden are not; with "huge" most are lacking.
    question = "What happened to the bridge?"
    assert missing("The bridge was closed by a terrible sudden flood.", question, BRIDGE, "") == ()
    assert missing("The bridge was closed by a huge terrible sudden flood.", question, BRIDGE, "") == (
        "most words of 'The bridge was closed by a huge terrible sudden flood.'",
    )


# --- is_bound ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claim", "question", "bound"),
    [
        ("271 Indonesians were arrested.", "How many Indonesians were arrested?", True),
        ("347 Indonesians were arrested.", "How many Indonesians were arrested?", False),
        ("226 Indonesians were arrested.", "How many Indonesians were arrested?", False),
        ("347 were arrested.", "How many Indonesians were arrested?", False),
        ("347.", "What was the number of Indonesians?", False),
        ("271.", "What was the number of Indonesians?", True),
        ("347 Indonesians were arrested.", "Who was arrested?", False),  # the claim itself says what it counts
        ("347 Vietnamese were arrested.", "Who was arrested?", True),
        ("347 suspects were arrested.", "How many suspects were arrested?", True),  # no other number counts suspects
        ("9 Indonesians were arrested.", "How many Indonesians were arrested?", True),  # lacks, but that is `missing`'s
    ],
)
def test_a_number_counts_what_was_asked_for(claim, question, bound):
    assert is_bound(claim, question, ARRESTS) is bound


@pytest.mark.parametrize(
    ("claim", "question", "passage", "bound"),
    [
        ("16,000.", "How many species of trees grow there?", "Some 390 billion trees of 16,000 species grow there.", True),
        ("390 billion.", "How many species of trees grow there?", "Some 390 billion trees of 16,000 species grow.", False),
        ("16,000 trees.", "How many species are there?", "Some 390 billion trees of 16,000 species grow there.", False),
        # the same length in another unit
        ("1,600 miles (2,600 km).", "How many miles is it?", "It has 1,600 miles (2,600 km), 12 miles of them dry.", True),
        # nothing stands after 15, so nothing can be told
        ("15 owls.", "How many owls were there?", "The count was 15. Later 20 owls came.", True),
        # one of two equal numbers counts owls
        ("15 owls.", "How many owls?", "It saw 15 voles, 15 owls and 3 owls more.", True),
        ("No number here.", "How many owls?", "It saw 15 voles.", True),
    ],
)
def test_numbers_are_bound_by_the_words_after_them(claim, question, passage, bound):
    assert is_bound(claim, question, passage) is bound


# --- what a question takes for granted -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("What did Ilse Varga say?", ()),
        ("What did Varga’s mayor say?", ()),
        ("What did Ilse Reyk say?", ("name reyk",)),
        ("What did the Reyk-Varga office say?", ("name reyk",)),
        ("Reyk said what?", ()),  # the first word has a capital anyway
        ("WHO PAID FOR IT, OLGA?", ()),  # no sign of a name
        ("Who Paid For The Repair?", ()),
        ("What did the US and the EU pay on Monday in March?", ()),  # short names, and dates
        ("What was paid in 2019?", ("number 2019",)),
        ("What cost 4.2 million crowns?", ()),
        ("Which three things were paid?", ()),  # counts what is asked for
        ("Which four things were paid?", ("number 4",)),
        ("What did Reyk pay in 2019?", ("number 2019", "name reyk")),
    ],
)
def test_names_and_numbers_that_a_document_lacks_are_unknown(question, lacking):
    assert unknown(question, COST) == lacking


@pytest.mark.parametrize(
    ("question", "sentence", "words"),
    [
        ("Which is the smallest bridge?", "It is the largest bridge of the town.", ("smallest",)),
        ("Which is the largest bridge?", "It is the smallest bridge of the town.", ("largest",)),
        ("Which is the largest bridge?", "It is the largest bridge, not the smallest.", ()),
        ("Which is the largest, which the smallest bridge?", "It is the largest bridge.", ("smallest",)),
        ("What is visible?", "The owls are invisible.", ("visible",)),
        ("What is invisible?", "The owls are visible.", ("invisible",)),
        ("Who was unarmed?", "The guards were armed.", ("unarmed",)),
        ("Who was armed?", "The guards were unarmed.", ("armed",)),
        ("Who was armed?", "The armed guards were not the unarmed ones.", ()),
        ("How many Lao nationals were caught?", "A few Lao nationals were caught.", ()),
        ("Who paid?", "The town paid.", ()),
        ("Is it in?", "It is unin.", ()),  # short words have no opposite
    ],
)
def test_an_opposite_in_the_sentence_is_told(question, sentence, words):
    assert opposed(question, sentence) == words


# --- candidates and citations --------------------------------------------------------------------------------------


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


# --- what passed once though the passage does not say it ---------------------------------------------------------------

PAID = "The town paid 1.1 million crowns, said the mayor, Ilse Varga. The deficit rose in the north."


@pytest.mark.parametrize(
    ("claim", "question", "passage", "lacking"),
    [
        ("The council closed it.", "Who closed the bridge?", "The council promised a fund.", "any word of the question"),
        ("Reyk paid 9 crowns for it.", "Who paid 9 crowns?", "The town paid 9 crowns.", "most words"),
        ("Varga paid 1.1 million crowns.", "Who paid?", "The town paid 1.1 million crowns.", "name varga"),
        ("The deficit fell in the north.", "What fell?", "The deficit rose in the north.", "opposite of fell"),
        ("It rose in the south.", "Where?", "The deficit rose in the north.", "opposite of south"),
    ],
)
def test_invented_names_and_turned_facts_are_not_carried(claim, question, passage, lacking):
    assert any(lacking in reason for reason in missing(claim, question, passage, PAID))


def test_a_number_counts_what_stands_behind_its_of():
    passage = "347 of the Vietnamese, 271 of the Indonesians"
    assert not is_bound("347 Indonesians", "How many Indonesians?", passage)
    assert is_bound("271 Indonesians", "How many Indonesians?", passage)


def test_a_prefix_makes_an_opposite_only_of_a_word_of_some_length():
    assert opposed("Which impact was seen?", "The pact was seen.") == ()
    assert opposed("Which signal was insignificant?", "The signal was significant.") == ("insignificant",)
