"""The page without a browser: references, the conversation, what is escaped and drawn. Its events: test_app_page.py."""

from __future__ import annotations

import base64
import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from rag.app.conversation import Conversation, Place, Turn, advance, history
from rag.app.panel import (
    article_html,
    comment_html,
    conversations_html,
    evidence_html,
    library_html,
    panel_html,
    problem_html,
)
from rag.app.reference import Ref, citation_ref, decode_ref, encode_ref, hit_ref
from rag.app.render import (
    answer_markdown,
    chat_messages,
    escape_chat,
    mark_spans,
    status_html,
    welcome_html,
    written_date,
)
from rag.app.shelf import Job, Report
from rag.library.conversations import Listed
from rag.read import make_document
from rag.split import paragraphs
from rag.stopping import Stop
from rag.types import NOT_FOUND, Answer, Citation, Claim, Delta, Document, Done, Evidence, Hit, Withdrawn
from tests.browser.fake import FakeAssistant
from tests.conftest import BRIDGES, OWLS
from tests.hostile import texts

HOSTILE = (
    "<img src=x onerror=alert(1)> ${alert(1)} {{alert(1)}} ![a](//evil.example/a.png) [b](//evil.example) <script>x</script>"
)
QUESTION = "What did the repair of the bridge cost?"
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."


@pytest.fixture
def bridges():
    return make_document(BRIDGES, "/articles/bridges.txt")


@pytest.fixture
def assistant(bridges):
    return FakeAssistant([bridges, make_document(OWLS, "/articles/owls.txt")], ["How many owls were counted?"])


def answered(assistant, question=QUESTION):
    turn = Turn(question)
    for event in assistant.stream(question):
        turn = advance(turn, event)
    return turn


# --- references


@given(texts, texts, st.integers(0, 10**6), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_reference_comes_back_as_it_went(document, version, paragraph, start, end):
    ref = Ref(document[:60], version[:60], paragraph, start, end)
    link = encode_ref(ref)
    assert re.fullmatch(r"#cite-[A-Za-z0-9_-]+", link)
    assert decode_ref(link) in (ref, None)  # None: too long for a link of this page
    assert len(link) > 2000 or decode_ref(link) == ref


def packed(value):
    return "#cite-" + base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "link",
    [
        None,
        7,
        ["#cite-"],
        "",
        "#cite-",
        "#evidence",
        "#cite-%%%",
        "#cite-ä",
        "#cite-" + "A" * 5000,
        "#cite-" + base64.urlsafe_b64encode(b"[" * 1200).decode(),
        packed({"document": "a"}),
        packed(["a", "b", 1, 2]),
        packed(["a", "b", 1, 2, 3, 4]),
        packed(["a", "b", -1, 2, 3]),
        packed(["a", "b", 1.0, 2, 3]),
        packed(["a", "b", True, 2, 3]),
        packed([["a"], "b", 1, 2, 3]),
        packed(["a", None, 1, 2, 3]),
    ],
)
def test_a_link_that_this_page_cannot_have_made_is_no_reference(link):
    assert decode_ref(link) is None


@given(st.text(max_size=80))
def test_no_link_makes_decoding_fail(text):
    ref = decode_ref("#cite-" + text)
    assert ref is None or encode_ref(ref) == "#cite-" + text.rstrip("=")


def test_a_hit_opens_at_its_best_sentence_and_without_one_at_its_paragraph(assistant, bridges):
    hit = answered(assistant).hits[0]
    ref = hit_ref(hit)
    assert bridges.text[ref.start : ref.end] == hit.quote == COST
    assert hit_ref(replace(hit, quote="not in it")) == Ref(hit.document, hit.version, hit.paragraph)
    assert citation_ref(answered(assistant).claims[0].citations[0]) == ref


# --- the conversation


def test_draft_words_last_until_their_sentence_is_confirmed_or_withdrawn():
    turn = Turn("q")
    for word in ("One ", "two."):
        turn = advance(turn, Delta(word))
    assert turn.draft == "One two."
    assert advance(turn, Withdrawn("One two.")).draft == ""
    claim = Claim("One two.", ())
    turn = advance(advance(turn, claim), Delta("Three"))
    assert (turn.claims, turn.draft) == ((claim,), "Three")
    answer = Answer("One two.", "answered", "q", (claim,))
    turn = advance(turn, Done(answer))
    assert (turn.claims, turn.draft, turn.answer) == ((claim,), "", answer)


def test_evidence_stays_if_the_answer_brings_none(assistant):
    hits = answered(assistant).hits
    turn = advance(Turn("q"), Evidence(hits))
    assert advance(turn, Done(Answer(NOT_FOUND, "not_found", "q"))).hits == hits


def test_history_holds_confirmed_text_without_marks_and_leaves_out_what_was_stopped(assistant):
    refused = Turn("Who?", answer=Answer(NOT_FOUND, "not_found", "Who?"))
    stopped = Turn("When?", draft="On Fri", note="Stopped.")
    assert history([answered(assistant), refused, stopped]) == [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": COST},
        {"role": "user", "content": "Who?"},
        {"role": "assistant", "content": NOT_FOUND},
    ]


def test_a_run_that_has_ended_keeps_its_note_when_it_is_ended_again():
    conversation = Conversation()
    conversation.begin("q")
    conversation.end("Stopped.")
    conversation.end("Too late.")
    assert conversation.turns == (Turn("q", note="Stopped."),)


# --- Markdown for the chat

RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def visible(text):
    """Text as a reader sees it: without invisible controls, runs of space as one."""
    return " ".join(re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", re.sub("\r\n?|[\u2028\u2029]", "\n", text)).split())


@given(texts)
@example(HOSTILE)
def test_text_in_the_chat_stays_text(text):
    rendered = RENDERER.render(escape_chat(text))
    assert set(re.findall(r"<[^>]*>", rendered)) <= {"<p>", "</p>", "<br />"}
    assert visible(html.unescape(re.sub(r"<[^>]*>", " ", rendered))) == visible(text)


@pytest.mark.parametrize(
    "address", ["http://evil.example/a", "www.evil.example", "www.1and1.example", "a@evil.example", "x.example"]
)
def test_no_address_can_become_a_link(address):
    """Gradio's renderer makes links of bare addresses; it needs one of these marks for it."""
    assert not re.search(r"[a-z]\.[a-z0-9]|://|@", escape_chat(address))


def test_ordinary_punctuation_is_left_as_it_is():
    text = "Well, cross-border crime: 1.5 million, 27/6; is it (really) so? Yes!"
    assert escape_chat(text) == text


def test_an_answer_carries_its_mark_as_a_link_to_the_cited_span(assistant):
    turn = answered(assistant)
    link = encode_ref(citation_ref(turn.claims[0].citations[0]))
    text = answer_markdown(turn, running=False)
    assert text.startswith(f"{COST}&#160;[&#91;1&#93;]({link} ")
    assert f'“{COST[:-1]}&#46;” – Old bridge of Arlen reopens after nine years, paragraph 2")' in text


def test_a_hostile_title_cannot_leave_the_tooltip_of_a_mark():
    citation = Citation(1, "d", "v", f'" {HOSTILE} "\n\n', "/s", 1, 0, 1, "q")
    rendered = RENDERER.render(answer_markdown(Turn("q", claims=(Claim("Yes.", (citation,)),)), running=False))
    assert re.findall(r"<(\w+)", rendered) == ["p", "a"]
    assert "evil.example" in "".join(re.findall(r'title="([^"]*)"', rendered))


@pytest.mark.parametrize("running", [True, False])  # one that was interrupted shows how far it was
def test_a_draft_is_set_apart(assistant, running):
    turn = replace(answered(assistant), draft="The town <b>paid</b>")
    assert "<em>The town &#60;b&#62;paid&#60;/b&#62;</em>" in answer_markdown(turn, running=running)
    assert "<em>" not in answer_markdown(answered(assistant), running=running)
    assert "<em>" not in answer_markdown(replace(turn, draft=" \n"), running=running)


@pytest.mark.parametrize("keeps_draft", [True, False])
def test_a_draft_stays_only_where_the_answer_can_be_gone_on_with(keeps_draft):
    conversation = Conversation()
    conversation.begin("q")
    conversation.update(conversation.run, Turn("q", draft="The town"))
    conversation.end("Over.", keeps_draft=keeps_draft)
    assert conversation.turns == (Turn("q", draft="The town" if keeps_draft else "", note="Over."),)


def test_what_is_going_on_is_said_before_the_first_word(assistant):
    hits = answered(assistant).hits
    assert answer_markdown(Turn("q"), running=True) == "<em>Looking for paragraphs…</em>"
    assert answer_markdown(Turn("q", hits), running=True) == "<em>Reading the paragraphs…</em>"
    assert answer_markdown(Turn("q", note="Stopped."), running=False) == "<em>Stopped.</em>"


def test_a_refusal_shows_the_fixed_sentence_and_what_the_reader_must_know():
    answer = Answer(NOT_FOUND, "not_found", "q", notice="Only quotes can be shown.")
    assert answer_markdown(Turn("q", answer=answer), running=False) == f"{NOT_FOUND}\n\n<em>Only quotes can be shown.</em>"


def test_a_line_break_between_sentences_of_an_answer_stays():
    citation = Citation(1, "d", "v", "T", "/s", 1, 0, 1, "q")
    claims = tuple(Claim(text, (citation,)) for text in ("One.", "Two.", "Three."))
    answer = Answer("One. [1] Two. [1]\nThree. [1]", "answered", "q", claims, (citation,))
    one, two, three = (answer_markdown(Turn("q", claims=(claim,)), running=False) for claim in claims)
    assert answer_markdown(Turn("q", claims=claims, answer=answer), running=False) == f"{one} {two}\n\n{three}"


def talk(*turns, running=False):
    """Returns a conversation with these turns; the last one is being written, or all are done."""
    conversation = Conversation()
    conversation.begin_anew(Place("c"), turns)
    conversation.reader = "r" * 43
    conversation.run = Stop() if running else None
    return conversation


def said(conversation, suggestions=()):
    """Returns the texts of the chat, without the links of what can be done with them."""
    contents = [message["content"] for message in chat_messages(conversation, suggestions)]
    return [re.sub(r"(&#160;|\s)*\[[^\]]*\]\((#do-|/conv)[^)]*\)", "", content) for content in contents]


def links(content):
    """Returns title and address of the links of a message that are no citations."""
    return [link for link in re.findall(r'\[([^\]]*)\]\((\S+) "', content) if not link[1].startswith("#cite-")]


def test_only_the_last_turn_is_running():
    turns = (Turn("a"), Turn("b"), Turn("c"))
    looking = "<em>Looking for paragraphs…</em>"
    assert said(talk(*turns, running=True)) == ["a", "<em>No answer.</em>", "b", "<em>No answer.</em>", "c", looking]
    assert said(talk(*turns)) == ["a", "<em>No answer.</em>", "b", "<em>No answer.</em>", "c", "<em>No answer.</em>"]


def test_what_can_be_done_with_an_answer_is_below_it(assistant):
    turn, conversation = answered(assistant), talk(answered(assistant), Turn("Why?", note="Stopped."))
    question, answer, other, stopped = (message["content"] for message in chat_messages(conversation))
    assert links(question) == [("Edit", "#do-edit-1")]
    assert links(answer) == [
        ("Copy", "#do-copy-1"),
        ("Save", "/conversations/c/1.json"),
        ("Good", "#do-good-1"),
        ("Bad", "#do-bad-1"),
    ]
    assert answer.startswith(answer_markdown(turn, running=False) + "\n\n[")
    assert links(other) == [("Edit", "#do-edit-2")]
    assert [title for title, _ in links(stopped)] == ["Copy", "Good", "Bad"]  # there is nothing to be saved
    conversation.problem = "The disk is full."
    assert [title for title, _ in links(chat_messages(conversation)[1]["content"])] == ["Copy", "Good", "Bad"]


def test_no_answer_is_offered_to_be_saved_that_is_not_kept(assistant):
    # Without a cookie nothing is kept: the link led to "There is no such conversation".
    conversation = talk(answered(assistant))
    conversation.reader = ""
    assert "Save" not in [title for title, _ in links(chat_messages(conversation)[1]["content"])]


@pytest.mark.parametrize(("rating", "shown"), [(1, ["✓ Good", "Bad"]), (-1, ["Good", "✓ Bad"])])
def test_a_rating_is_shown_and_can_be_commented(rating, shown):
    _, answer = chat_messages(talk(Turn("q", rating=rating)))
    assert [title for title, _ in links(answer["content"])] == ["Copy", *shown, "Comment"]
    assert links(answer["content"])[-1] == ("Comment", "#do-remark-1")


def test_while_an_answer_is_written_nothing_is_edited_and_only_earlier_ones_are_rated():
    first, answer, second, current = (m["content"] for m in chat_messages(talk(Turn("a"), Turn("b"), running=True)))
    assert (links(first), links(second), links(current)) == ([], [], [])
    assert [title for title, _ in links(answer)] == ["Copy", "Good", "Bad"]


def test_a_question_that_is_being_changed_can_be_left_as_it_is():
    conversation = talk(Turn("a"), Turn("b"))
    conversation.editing = 1
    first, _, second, _ = (message["content"] for message in chat_messages(conversation))
    assert (links(first), links(second)) == ([("Keep", "#do-keep")], [("Edit", "#do-edit-2")])


def test_a_question_as_it_was_searched_can_be_changed_once_its_answer_is_there():
    turn = Turn("And the mayor?", searched="Who was the mayor?")
    assert ("Edit", "#do-reword-1") in links(chat_messages(talk(turn))[1]["content"])
    assert "Asked as: Who was the mayor?" in said(talk(turn))[1]
    assert "reword" not in chat_messages(talk(turn, running=True))[1]["content"]
    assert "reword" not in chat_messages(talk(Turn("Who  was the mayor?", searched="Who was the mayor?")))[1]["content"]


def test_suggestions_stand_below_the_last_answer_and_only_when_it_is_done():
    offered = [{"label": "How many owls?", "value": "How many owls?"}]
    first, last = chat_messages(talk(Turn("a"), Turn("b")), ["How many owls?"])[1::2]
    assert ("options" in first, last["options"]) == (False, offered)
    assert all("options" not in message for message in chat_messages(talk(Turn("a"), running=True), ["How many owls?"]))
    assert all("options" not in message for message in chat_messages(talk(Turn("a"))))
    assert chat_messages(talk(), ["How many owls?"]) == []


@given(texts)
@example(HOSTILE)
def test_nothing_that_is_asked_becomes_markup_beside_its_links(text):
    turn = Turn(text, note=text, searched=f"{text}?")
    question, answer = chat_messages(talk(turn))
    for message in (question, answer):
        rendered = RENDERER.render(message["content"])
        assert set(re.findall(r"<(/?\w+)", rendered)) <= {"p", "/p", "br", "a", "/a", "em", "/em"}
        assert set(re.findall(r'href="([^"]*)"', rendered)) <= {
            "#do-edit-1",
            "#do-reword-1",
            "#do-copy-1",
            "#do-good-1",
            "#do-bad-1",
        }


# --- HTML for the panel


@given(texts, st.lists(st.tuples(st.integers(-5, 80), st.integers(-5, 80)), max_size=6))
def test_marking_changes_no_character_and_marks_just_the_spans(text, spans):
    marked = mark_spans(text, spans)
    escaped = re.sub(r"</?mark>", "", marked)
    assert html.unescape(escaped) == text
    assert html.escape(html.unescape(escaped)) == escaped
    covered, inside = [], False
    for piece in re.split(r"(</?mark>)", marked):
        if piece in ("<mark>", "</mark>"):
            inside = piece == "<mark>"
        else:
            covered += [inside] * len(html.unescape(piece))
    assert covered == [any(max(start, 0) <= at < end for start, end in spans) for at in range(len(text))]


class Tags(HTMLParser):
    """What of a text is markup to a browser: names of tags and of their attributes, and where links lead."""

    def __init__(self, text):
        super().__init__()
        self.names, self.attributes, self.addresses = set(), set(), []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value for name, value in attrs if name == "href"]


@given(texts)
@example(HOSTILE)
@example('" onfocus="alert(1)" x="')
@example("</textarea><script>alert(1)</script>")
def test_nothing_of_an_article_becomes_markup_in_the_panel(text):
    document = replace(make_document(BRIDGES, "/a.txt"), title=text, date=text, source=f"/x/{text}", text=f"{text}{BRIDGES}")
    spans = paragraphs(make_document(BRIDGES, "/a.txt"))
    hit = Hit("d", "v", text, text, 1, 0, len(text), text, 1.0, quote=text[: len(text) // 2], also=("e",))
    rated = Turn(text, (hit,), rating=-1, comment=text)
    told = Report(text, (text,) * 30, can_undo=True)
    listed = [Listed("a", text, "2026-03-31T00:00", 1), Listed("b", text, "", 2)]
    chosen = talk(rated)
    chosen.words, chosen.chosen = text, ("b", "rename")
    panels = [
        article_html(document, spans, Ref("d", "v", 1, 0, 10), note=text, back=text),
        library_html([document], waiting=False, words=text, may_change=True, report=told),
        library_html([document], waiting=False, words=document.title, may_change=True, job=Job(text, 1, 2, text)),
        conversations_html(listed, chosen, text),
        conversations_html(listed, talk(), text),
        comment_html(1, rated),
        panel_html("library", problem_html(text, back=text)),
        problem_html(text, back=text),
        status_html([], text),
        evidence_html(Turn(text, (hit,)), lambda _: document, lambda _: replace(document, title=f"{text}.")),
    ]
    for panel in panels:
        parsed = Tags(panel)
        assert parsed.names <= set(
            "p a h2 h3 article div span mark ul li nav input button textarea progress details summary section".split()
        )
        assert parsed.attributes <= set(
            "class role id href type value label tabindex placeholder autocomplete rows max maxlength download data-made-of "
            "data-view data-do data-takes aria-label aria-current".split()
        )
        assert all(re.match(r"#|/conversations/[ab]\.(md|json)$", address) for address in parsed.addresses)


def test_the_cited_paragraph_is_highlighted_and_its_sentence_marked(bridges):
    start = bridges.text.index(COST)
    ref = Ref(bridges.id, bridges.version, 2, start, start + len(COST))
    shown = article_html(bridges, paragraphs(bridges), ref, back="Back to the evidence")
    (cited,) = re.findall(r'<div role="listitem" class="cited" id="cited">(.*?)</div>', shown)
    assert f"<mark>{COST}</mark> The town paid" in cited
    assert shown.count("<mark>") == shown.count('id="cited"') == 1
    assert "3 May 2024 · bridges.txt" in shown


def test_cards_tell_which_of_them_are_cited(assistant, bridges):
    turn = answered(assistant)
    before, after = replace(turn, claims=(), answer=None), turn
    assert "[1]" not in evidence_html(before, lambda hit: bridges)
    first, *others = evidence_html(after, lambda hit: bridges).split("</article>")
    assert '<span class="number">[1]</span>' in first
    assert f"<mark>{html.escape(COST)}</mark>" in first
    assert "3 May 2024 · Paragraph 2" in first
    assert "[1]" not in "".join(others)


def test_hits_beyond_the_first_four_are_folded(assistant):
    hit = answered(assistant).hits[0]
    shown, folded = evidence_html(Turn("q", (hit,) * 6), lambda hit: None).split("<details>")
    assert (shown.count("<article"), folded.count("<article")) == (4, 2)
    assert "2 more paragraphs" in folded
    assert "<details>" not in evidence_html(Turn("q", (hit,) * 4), lambda hit: None)


def test_a_card_names_other_articles_with_its_paragraph():
    hit = Hit("d", "v", "Bridge", "/d.txt", 1, 0, 5, "Text.", 0.0, also=("a", "b", "c", "e", "gone"))
    others = {name: Document(name, "v", f"<{name}>", f"/site/{name}.txt", "", "") for name in "abe"}
    others["c"] = Document("c", "v", "Bridge", "/site/<c>.txt", "", "")
    shown = evidence_html(Turn("q", (hit,)), lambda hit: None, others.get)
    line = re.search(r'<p class="meta">(Also in .*?)</p>', shown)[1]
    assert re.sub(r"<[^>]+>", "", line) == "Also in &lt;a&gt;, &lt;b&gt;, &lt;c&gt;.txt and 1 more"
    assert line.count("<a href=") == 3
    assert "Also in" not in evidence_html(Turn("q", (replace(hit, also=("gone",)),)), lambda hit: None, others.get)


def test_after_a_refusal_the_hits_are_called_nearest(assistant):
    turn = replace(answered(assistant), claims=(), answer=Answer(NOT_FOUND, "not_found", "q"))
    assert '<h2 tabindex="-1">Nearest paragraphs</h2>' in evidence_html(turn, lambda hit: None)
    asked_back = replace(turn, answer=Answer("Which one do you mean: “A” or “B”?", "clarify", "q"))
    assert '<h2 tabindex="-1">Nearest paragraphs</h2>' in evidence_html(asked_back, lambda hit: None)
    refused = Answer(NOT_FOUND, "not_found", "q")
    nothing = evidence_html(Turn("q", answer=refused), lambda hit: None)
    assert "No paragraph of the library comes near this question." in nothing
    assert "These paragraphs are the nearest." in evidence_html(turn, lambda hit: None)
    assert '<a href="#library">Add an article</a>' in evidence_html(turn, lambda hit: None, may_change=True)
    assert "Add an article" not in evidence_html(turn, lambda hit: None)
    assert "Add an article" not in evidence_html(asked_back, lambda hit: None, may_change=True)
    assert "No paragraph" not in evidence_html(Turn("q"), lambda hit: None)  # the search has not ended


def test_a_question_back_is_shown_as_text_and_kept_in_the_history():
    turn = Turn("Who won?", answer=Answer("Which one do you mean: “A” or “*B*”?", "clarify", "Who won?"))
    assert answer_markdown(turn, running=False) == "Which one do you mean: “A” or “&#42;B&#42;”?"
    assert history([turn])[1] == {"role": "assistant", "content": "Which one do you mean: “A” or “*B*”?"}


def test_the_library_names_its_articles_or_says_how_to_add_some(bridges):
    assert "Old bridge of Arlen" in library_html([bridges], waiting=False)
    assert "rag add PATH" in library_html([], waiting=False)
    assert "rag add PATH" not in library_html([], waiting=True)
    assert "and 1 more" in library_html([bridges] * 201, waiting=False)


def test_the_newest_articles_are_listed_first_and_those_without_a_day_last():
    days = {"a": "2026-05-02", "b": "", "c": "2026-05", "d": "", "e": "2026-11-01"}
    added = [make_document(f"Title of {name}\n\n{name} says this.\n", f"/{name}.txt") for name in days]
    dated = [replace(document, title=name, date=days[name]) for document, name in zip(added, days, strict=True)]
    shown = library_html(dated, waiting=False)
    assert sorted(days, key=lambda name: shown.index(f">{name}</a>")) == ["e", "a", "c", "d", "b"]


def test_the_status_says_what_is_waited_for():
    assert ">Loading the search models…<" in status_html([], "Loading the search models")
    assert "1 article<" in status_html([make_document(BRIDGES, "/a.txt")], "")
    assert "rag add" in welcome_html([], "")
    assert "rag add" not in welcome_html([], "Loading")


@pytest.mark.parametrize(("iso", "written"), [("2024-05-03", "3 May 2024"), ("", ""), ("May 2024", "May 2024")])
def test_dates_are_written_out(iso, written):
    assert written_date(iso) == written


def test_the_evidence_of_a_follow_up_names_the_question_that_was_searched():
    turn = Turn("And the mayor?", searched="Who was the mayor of <Arlen>?")
    assert "for “Who was the mayor of &lt;Arlen&gt;?”" in evidence_html(turn, lambda hit: None)


@pytest.mark.parametrize("before", [0, 5000])
def test_a_card_shows_an_excerpt_of_a_paragraph_without_end(before):
    quote = "The repair cost 44 crowns."
    text = f"{'x' * before}{quote}{'y' * 9000}"
    hit = Hit("id", "v", "Title", "/a/b.txt", 1, 0, len(text), text, 0.0, quote)
    shown = evidence_html(Turn("q", (hit,)), lambda hit: None)
    assert f"<mark>{quote}</mark>" in shown
    assert ("… x" in shown) is bool(before)
    assert "y …" in shown
    assert len(shown) < 3000
