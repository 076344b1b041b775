"""What of a sentence a passage lacks."""

from __future__ import annotations

import time

import pytest

from rag.attribute import check

ARRESTS = (
    "Authorities arrested suspects of various nationalities, including 347 Vietnamese, 271 Indonesians, 226 Chinese, "
    "and dozens from South Korea."
)
BRIDGE = "The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it."
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga. The town paid 1.1 million crowns of it."


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
    assert check(claim, question, passage, "") == ()


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
    found = check(claim, question, passage, "")
    assert len(found) == len(lacking)
    assert all(got.startswith(expected) for got, expected in zip(found, lacking, strict=True))


def test_what_the_question_names_may_be_elsewhere_in_the_document_but_must_be_there():
    claim, question = (
        "In 2024 the repair of the Arlen bridge cost 4.2 million crowns.",
        "What did Arlen's repair cost in 2024?",
    )
    assert check(claim, question, COST, "Arlen reopens\n2024-05-03") == ()
    assert check(claim, question, COST, "") == ("number 2024", "name arlen")
    assert check(claim, "What did the repair cost?", COST, "Arlen reopens\n2024-05-03") == ("number 2024", "name arlen")


def test_half_of_a_claim_s_own_words_must_be_there():
    # Own words, besides the question's: closed, flood are there; terrible, sudden are not; with "huge" most are lacking.
    question = "What happened to the bridge?"
    assert check("The bridge was closed by a terrible sudden flood.", question, BRIDGE, "") == ()
    assert check("The bridge was closed by a huge terrible sudden flood.", question, BRIDGE, "") == (
        "most words of 'The bridge was closed by a huge terrible sudden flood.'",
    )


# --- what passed once though the passage does not say it ---

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
    assert any(lacking in reason for reason in check(claim, question, passage, PAID))


# --- all checks together ---------------------------------------------------------------------------------------------

ARTICLE = (
    "Arlen reopens its bridge\n2025-07-18\nMayor Ilse Varga spoke. The World Health Organization (WHO) came. Governor Jon "
    "Reyk left."
)


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("It opened on 15 July.", "When did it open?", "The bridge was opened again on July 15."),
        ("It opened on July 15, 2025.", "When did it open?", "The bridge was opened again on 15 July."),
        ("It opened on 15/07/2025.", "When did it open?", "The bridge was opened on the 15th of July."),
        ("It opened on 15 July.", "When did it open?", "The bridge was opened on Tuesday."),
        ("It opened in July.", "When?", "It opened on 16 July."),
        ("He came third.", "Where did he come?", "He came 3rd in the race."),
        ("He came 3rd.", "Where did he come?", "He came third in the race."),
        ("Police seized $70 million.", "What was seized?", "Police seized 70 million dollars."),
        ("The path is 3 miles long.", "How long is the path?", "The path is 5 km (3 miles) long."),
        ("Some forty percent of the owls left.", "How many left?", "Some 40 % of the owls left."),
        ("Ilse Varga opened it.", "Who opened the bridge?", "Varga opened the bridge on Friday."),
        ("The WHO praised it.", "Who praised the bridge?", "The World Health Organization praised the bridge."),
        ("The World Health Organization praised it.", "Who praised the bridge?", "The WHO praised the bridge."),
        ("The embassy did not reply.", "Did it reply?", "The embassy refused to reply."),
        ("Critics say the law will harm farmers.", "What will the law do?", "Critics say the law will harm farmers."),
        ("The law will harm farmers.", "What do critics say?", "Critics say the law will harm farmers."),
        ("Reyk was accused of stealing owls.", "What did Reyk do?", "Police accused Reyk of stealing owls."),
        ("Reyk resigned on Friday.", "When did Reyk resign?", "Reyk, accused of fraud, resigned on Friday."),
        ("The flood claimed 12 lives.", "How many?", "The flood claimed 12 lives."),
        (
            "The count was finished on Friday.",
            "When was it finished?",
            "The opposition claimed the vote was rigged, but the count was finished on Friday.",
        ),
        (
            "Reyk said the repair cost 4 crowns.",
            "What did it cost?",
            "The repair cost 4 crowns, said Governor Reyk. Varga agreed.",
        ),
        ("Varga said it cost 4 crowns.", "What did it cost?", "“It cost 4 crowns,” she said. Varga opened it."),
        ("There are at least 53 owls.", "How many owls?", "There are no fewer than 53 owls."),
        ("53 suspected thieves were caught.", "How many?", "53 suspected thieves were caught."),
        ("The bridge may open in May.", "When will it open?", "The bridge may open in May."),
        ("It will open in May.", "When is the bridge expected to open?", "The bridge is expected to open in May."),
        ("Bo won silver.", "Who won silver?", "Ada won gold, Bo silver."),
        ("Ilse Varga is the mayor of Arlen.", "Who?", "Ilse Varga, the mayor of Arlen, met Jon Reyk, the governor."),
        ("A man was bitten.", "Who was bitten?", "Men were bitten by the owl."),
        ("The museum opened in 1990.", "When did the museum open?", "The museum opened in 1990, the library in 2001."),
        ("2001.", "When did the library open?", "The museum opened in 1990, the library in 2001."),
    ],
)
def test_what_is_said_in_other_words_is_carried(claim, question, passage):
    assert check(claim, question, passage, f"{ARTICLE}\n{passage}") == ()


@pytest.mark.parametrize(
    ("claim", "question", "passage"),
    [
        ("It opened on July 15, 2024.", "When did it open?", "The bridge was opened again on 15 July."),
        ("It opened on Monday, 15 July.", "When did it open?", "The bridge was opened again on 15 July."),
        ("It opened on 14 July.", "When did it open?", "The bridge was opened on Tuesday."),
        ("It opened on 27 July.", "When?", "It opened from 27 June to 16 July."),
        ("He came second.", "Where did he come?", "He came third in the race."),
        ("Police seized 70 million dollars.", "What was seized?", "Police seized 70 million pills."),
        ("Police seized 70 million pills.", "What was seized?", "Police seized pills worth $70 million."),
        ("The path is 5 miles long.", "How long is the path?", "The path is 5 km long."),
        ("Forty percent of the owls left.", "How many left?", "Some 40 per cent of the owls left."),
        ("Lan Varga opened it.", "Who opened the bridge?", "Varga opened the bridge on Friday."),
        ("The US praised it.", "Who praised the bridge?", "They told us that the UN praised the bridge."),
        ("Reyk was arrested.", "Who was arrested?", "Reyk was not arrested."),
        ("Reyk was not arrested.", "Who was arrested?", "Reyk was arrested."),
        ("Reyk was not arrested.", "Who was arrested?", "Reyk was arrested. The bridge did not open."),
        ("The embassy replied.", "Did it reply?", "The embassy refused to reply."),
        ("The law will harm farmers.", "What will the law do?", "Critics say the law will harm farmers."),
        ("Reyk stole owls.", "What did Reyk steal?", "Police accused Reyk of stealing owls."),
        ("The mayor took bribes.", "What did the mayor take?", "The mayor denied that she took bribes."),
        (
            "The vote was rigged.",
            "Was it rigged?",
            "The opposition claimed the vote was rigged, but the count was finished on Friday.",
        ),
        (
            "Varga said the repair cost 4 crowns.",
            "What did it cost?",
            "The repair cost 4 crowns, said Governor Reyk. Varga agreed.",
        ),
        ("The repair cost 4 crowns, according to Varga.", "What did it cost?", "The repair cost 4 crowns. Varga agreed."),
        ("There are 53 owls.", "How many owls?", "There are at least 53 owls."),
        ("There are at least 53 owls.", "How many owls?", "There are 53 owls."),
        ("There are more than 53 owls.", "How many owls?", "There are at least 53 owls."),
        ("53 thieves were caught.", "How many?", "53 suspected thieves were caught."),
        ("The bridge will open in May.", "When will it open?", "The bridge may open in May."),
        ("The bridge opened in May.", "When did it open?", "The bridge was expected to open in May."),
        ("Bo won gold.", "Who won gold?", "Ada won gold, Bo silver."),
        ("20 people died in Arlen.", "How many?", "30 people died in Arlen, 20 in Belmar."),
        ("Jon Reyk is the mayor of Arlen.", "Who?", "Ilse Varga, the mayor of Arlen, met Jon Reyk, the governor."),
        ("Ilse Reyk won.", "Who won?", "Ilse Varga and Jon Reyk won."),
        ("The library opened in 1990.", "When did the library open?", "The museum opened in 1990, the library in 2001."),
        ("1990.", "When did the library open?", "The museum opened in 1990, the library in 2001."),
        ("347 Indonesians.", "How many Indonesians?", "including 347 Vietnamese, 271 Indonesians"),
    ],
)
def test_what_is_turned_or_taken_from_a_neighbour_is_not(claim, question, passage):
    assert check(claim, question, passage, f"{ARTICLE}\n{passage}") != ()


@pytest.mark.parametrize(
    "passage",
    [
        "Ilse, the " + "a" * 400 + "!",  # one long word could be cut in any number of places
        "Ilse, the " + "中" * 200 + "。",
        " ".join(f"It cost {n} crowns in the year {1500 + n}." for n in range(400)),
    ],
)
def test_long_words_and_long_paragraphs_are_checked_in_time(passage):
    started = time.monotonic()
    check("Ilse is the mayor of 12 towns.", "Who is the mayor?", passage, f"T\n\n{passage}")
    assert time.monotonic() - started < 20  # it took minutes
