"""Turns as JSON and as exports, and when a page's conversation is written into the library."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from dataclasses import replace

import gradio as gr
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from rag.app import kept as kept_module
from rag.app.conversation import Conversation, Turn
from rag.app.keeping import INTERRUPTED, answer_json, as_json, as_markdown, from_content, title_of, to_content
from rag.app.kept import Kept
from rag.app.page import Page
from rag.cli.asking import _saved_citations
from rag.errors import ConversationMissing, LibraryError
from rag.library import Library
from rag.types import NOT_FOUND, Answer, Citation, Claim, Hit
from tests.pages import ME, OTHER, ask, assistant_of_two, patience, visit  # noqa: F401  a fixture
from tests.test_library import make_read_only  # noqa: F401  a fixture

QUESTION = "What did the repair of the bridge cost?"
OWL_QUESTION = "How many owls were counted in the forest?"
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."

FIRST = Citation(1, "d", "v", "Old “bridge”\nof Arlen", "/a/b.txt", 2, 10, 20, "It cost\n4.2 million.")
SECOND = Citation(2, "e", "w", "Owls", "/a/o.txt", 1, 0, 5, "Forty owls 🦉 ภาษาไทย")
HIT = Hit("d", "v", "Old bridge", "/a/b.txt", 2, 10, 20, "It cost 4.2 million.", -1.5, "It cost", True, "window", ("x", "y"))
CLAIMS = (Claim("It cost 4.2 million.", (FIRST, SECOND)), Claim("Forty were counted.", (SECOND,)))
ANSWER = Answer(
    "It cost 4.2 million. [1][2]\nForty were counted. [2]",
    "answered",
    "What did it cost?",
    CLAIMS,
    (FIRST, SECOND),
    (HIT,),
    {"retrieve": 0.25, "first_token": None},
    "Only quotes can be shown.",
    0.75,
    {"score": 3.0, "yes": None},
)
FULL = Turn("And  the\ncost?", (HIT,), CLAIMS, "dr", ANSWER, "What did it cost?", "loading", "Stopped.", -1, "Wrong <b>.")


# --- turns as JSON


def test_a_turn_comes_back_with_everything_in_it():
    assert from_content(to_content(FULL), -1, "Wrong <b>.") == replace(FULL, awaited="")


def test_what_is_a_column_of_its_own_or_holds_for_a_moment_is_not_in_the_json():
    names = set(json.loads(to_content(FULL)))
    assert names == {"question", "hits", "claims", "draft", "answer", "searched", "note"}


@given(st.text(st.characters(exclude_categories=["Cs"])), st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_and_number_comes_back(text, number):
    turn = Turn(text, (replace(HIT, text=text, score=number),), answer=replace(ANSWER, notice=text, probability=number))
    assert from_content(to_content(turn)) == turn


def test_a_turn_without_an_answer_says_that_it_was_interrupted():
    assert from_content(to_content(Turn("q", (HIT,), draft="It co"))) == Turn("q", (HIT,), draft="It co", note=INTERRUPTED)
    assert from_content(to_content(Turn("q", note="Stopped."))).note == "Stopped."
    assert from_content(to_content(Turn("q", answer=ANSWER))).note == ""


@pytest.mark.parametrize(
    "content", ["", "{", "{}", "[]", '{"question": 5}', '{"question": "q", "hits": [{"document": "d"}]}']
)
def test_content_of_another_version_is_said_to_be_so(content):
    turn = from_content(content, 1, "Good.")
    assert "another version of this program" in turn.note
    assert (turn.answer, turn.hits, turn.claims) == (None, (), ())


def test_a_field_that_a_later_version_adds_is_passed_over():
    later = json.loads(to_content(FULL)) | {"colour": "red"}
    assert from_content(json.dumps(later), -1, "Wrong <b>.") == replace(FULL, awaited="")


def test_a_title_is_the_first_question_in_one_line_and_cut():
    assert title_of([Turn(" Who \n was\tit? "), Turn("Why?")]) == "Who was it?"
    assert title_of([Turn("x" * 80)]) == "x" * 80
    assert title_of([Turn("x" * 81)]) == "x" * 79 + "…"
    assert title_of([Turn("x" * 78 + " " + "y" * 20)]) == "x" * 78 + "…"


# --- exports


def test_markdown_has_the_footnotes_of_each_turn_by_themselves():
    other = Turn("Who?", answer=Answer(NOT_FOUND, "not_found", "Who?"))
    again = Turn("Again?", claims=(Claim("Forty were counted.", (replace(SECOND, number=1),)),))
    assert as_markdown("Bridges", [replace(FULL, note=""), other, again]) == (
        "# Bridges\n\n"
        "## And the cost?\n\n"
        "*Asked as: What did it cost?*\n\n"
        "It cost 4.2 million.[^1-1][^1-2] Forty were counted.[^1-2]\n\n"
        "[^1-1]: “It cost 4.2 million.” – Old “bridge” of Arlen, paragraph 2\n\n"
        "[^1-2]: “Forty owls 🦉 ภาษาไทย” – Owls, paragraph 1\n\n"
        "## Who?\n\n"
        f"{NOT_FOUND}\n\n"
        "## Again?\n\n"
        "Forty were counted.[^3-1]\n\n"
        "[^3-1]: “Forty owls 🦉 ภาษาไทย” – Owls, paragraph 1\n"
    )


def test_every_mark_of_the_markdown_has_its_footnote_and_each_one_stands_once():
    text = as_markdown("T", [FULL, replace(FULL, searched="")])
    notes = re.findall(r"^\[\^([\d-]+)\]:", text, re.MULTILINE)
    assert sorted(notes) == sorted(set(notes)) == sorted(set(re.findall(r"\[\^([\d-]+)\](?!:)", text)))


def test_markdown_tells_what_became_of_a_question_without_an_answer():
    assert as_markdown("T", [Turn("q", note=INTERRUPTED)]) == f"# T\n\n## q\n\n{INTERRUPTED}\n"


def test_markdown_tells_that_an_answer_is_no_whole_one():
    # What was confirmed before Stop looked like all that there is to say.
    assert "Stopped." in as_markdown("T", [Turn("q", claims=CLAIMS, note="Stopped.")])


def test_json_has_all_that_is_known_of_a_conversation():
    exported = json.loads(as_json("Bridges 🌉", [FULL, Turn("Who?", answer=Answer(NOT_FOUND, "not_found", "Who?"))]))
    assert exported["title"] == "Bridges 🌉"
    first, second = exported["turns"]
    assert (first["question"], first["note"]) == (FULL.question, "Stopped.")
    assert (first["rating"], first["comment"]) == (-1, "Wrong <b>.")
    assert first["answer"]["citations"][0]["quote"] == FIRST.quote
    assert first["hits"][0]["also"] == ["x", "y"]
    assert (first["found"], second["found"], second["answer"]["text"]) == (True, False, NOT_FOUND)
    assert not {"awaited", "draft"} & first.keys()
    assert "🌉" in as_json("🌉", [])


def test_a_saved_answer_is_one_that_rag_verify_takes(tmp_path):
    path = tmp_path / "answer-1.json"
    path.write_text(answer_json(ANSWER), encoding="utf-8")
    assert [(c[0], c[-1]) for c in _saved_citations(path)] == [(1, FIRST.quote), (2, SECOND.quote)]
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert (saved["found"], saved["status"], saved["question"]) == (True, "answered", "What did it cost?")


# --- what is kept, and when


@pytest.fixture
def assistant():
    return assistant_of_two()


@pytest.fixture
def kept(assistant):
    return Kept(assistant.conversations)


@pytest.fixture
def page(assistant, kept):
    return Page(assistant, kept, None)


def opened(page, identity, reader=ME):
    """Returns another page of the conversation, as one that was loaded again."""
    conversation = visit(reader)
    conversation.begin_anew(*page.kept.read(conversation.reader, identity))
    return conversation


def questions(assistant, identity, reader=ME):
    return [json.loads(turn.content)["question"] for turn in assistant.conversations.turns(reader, identity)]


def listed(assistant, reader=ME):
    return [(one.title, one.n_turns) for one in assistant.conversations.listed(reader)]


def test_a_turn_is_kept_when_it_begins_with_its_evidence_with_each_claim_and_at_its_end(page, assistant, monkeypatch):
    states, put = [], assistant.conversations.put

    def noted(reader, id, number, content, title, **how):
        turn = json.loads(content)
        states.append((number, len(turn["hits"]) > 0, len(turn["claims"]), turn["answer"] is not None))
        return put(reader, id, number, content, title, **how)

    monkeypatch.setattr(assistant.conversations, "put", noted)
    assistant.drafts[QUESTION] = (COST, "It cost 9.9 million.", "The town paid 1.1 million crowns of it.")
    ask(page, visit(), QUESTION)
    assert states == [
        (1, False, 0, False),
        (1, True, 0, False),
        (1, True, 1, False),
        (1, True, 2, False),
        (1, True, 2, True),
    ]


def test_what_was_answered_is_what_a_page_goes_on_with(page, assistant):
    conversation = ask(page, visit(), QUESTION, OWL_QUESTION)
    again = opened(page, conversation.id)
    assert again.turns == conversation.turns
    assert again.view == "evidence"
    ask(page, again, "And the mayor?")
    assert questions(assistant, conversation.id) == [QUESTION, OWL_QUESTION, "And the mayor?"]
    assert assistant.asked[-1][1][0]["content"] == QUESTION
    assert (conversation.problem, again.problem) == ("", "")


def test_what_was_stopped_or_failed_is_kept_with_its_note(page, assistant):
    conversation = visit()
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation)
    next(steps)
    page.stop(conversation)
    list(steps)
    assert page.kept.turns(ME, conversation.id)[0].note == "Stopped."
    assistant.error = LibraryError("The disk fails.")
    ask(page, conversation, OWL_QUESTION)
    assert page.kept.turns(ME, conversation.id)[1].note == "The disk fails."


def test_a_page_that_is_left_keeps_its_draft_and_can_be_gone_on_with(page, assistant):
    conversation, request = visit(), gr.Request(session_hash="page")
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation, request)
    while not conversation.turns[0].draft:
        next(steps)
    draft = conversation.turns[0].draft
    page.leave(request)
    assert list(steps) == []
    again = opened(page, conversation.id)
    assert (again.turns[0].draft, again.turns[0].note, again.running) == (draft, INTERRUPTED, False)
    assert page.draw(again)[3].value == "Continue"
    page.retry(again)
    list(page.answer(again))
    assert page.kept.turns(ME, conversation.id)[0].answer.found
    assert page.draw(again)[3].value == "Retry"


def test_a_thumb_does_not_stay_on_an_answer_that_was_asked_for_again(page, assistant):
    conversation = ask(page, visit(), QUESTION)
    conversation.turns = (replace(conversation.turns[0], rating=1, comment="Good."),)
    page.kept.rate(conversation, 1)
    assert [(turn.rating, turn.comment) for turn in assistant.conversations.turns(ME, conversation.id)] == [(1, "Good.")]
    page.retry(conversation)
    assert [(turn.rating, turn.comment) for turn in assistant.conversations.turns(ME, conversation.id)] == [(0, "")]
    list(page.answer(conversation))
    assert (conversation.turns[0].rating, page.kept.turns(ME, conversation.id)[0].rating) == (0, 0)


def test_a_question_that_is_changed_takes_those_after_it_along(page, assistant):
    conversation = ask(page, visit(), QUESTION, OWL_QUESTION, "And the mayor?")
    conversation.turns = (conversation.turns[0], replace(conversation.turns[1], rating=-1), conversation.turns[2])
    page.kept.rate(conversation, 2)
    conversation.editing = 2
    ask(page, conversation, "How many people crossed the bridge?")
    assert questions(assistant, conversation.id) == [QUESTION, "How many people crossed the bridge?"]
    assert [turn.rating for turn in assistant.conversations.turns(ME, conversation.id)] == [0, 0]
    assert len(assistant.asked[-1][1]) == 2  # the model is told of nothing that was taken back
    assert conversation.editing == 0


def test_a_conversation_of_which_the_first_question_is_asked_again_keeps_the_title_that_it_was_given(page, assistant):
    conversation = ask(page, visit(), QUESTION)
    page.kept.rename(conversation, conversation.id, "The bridge")
    page.retry(conversation)
    assert listed(assistant) == [("The bridge", 1)]


@pytest.mark.parametrize("reopened", [False, True])
def test_a_title_that_nobody_gave_follows_the_first_question(page, assistant, reopened):
    conversation = ask(page, visit(), QUESTION)
    conversation = opened(page, conversation.id) if reopened else conversation
    conversation.editing = 1
    ask(page, conversation, OWL_QUESTION)
    assert listed(assistant) == [(OWL_QUESTION, 1)]


def test_two_pages_of_one_conversation_the_second_that_goes_on_has_one_of_its_own(page, assistant):
    first = ask(page, visit(), QUESTION)
    second = opened(page, first.id)
    ask(page, first, OWL_QUESTION)
    ask(page, second, "And the mayor?")
    assert first.id != second.id
    assert questions(assistant, first.id) == [QUESTION, OWL_QUESTION]
    assert questions(assistant, second.id) == [QUESTION, "And the mayor?"]
    assert page.kept.turns(ME, second.id) == second.turns
    ask(page, second, "And the town?")
    assert len(listed(assistant)) == 2


def test_a_conversation_of_its_own_takes_the_thumbs_along(page, assistant):
    first = ask(page, visit(), QUESTION)
    first.turns = (replace(first.turns[0], rating=-1, comment="Wrong."),)
    page.kept.rate(first, 1)
    second = opened(page, first.id)
    ask(page, first, OWL_QUESTION)
    ask(page, second, "And the mayor?")
    assert [(turn.rating, turn.comment) for turn in page.kept.turns(ME, second.id)] == [(-1, "Wrong."), (0, "")]


def test_a_page_that_asks_again_takes_nothing_from_another_one_that_went_on(page, assistant):
    first = ask(page, visit(), QUESTION, OWL_QUESTION)
    second = opened(page, first.id)
    ask(page, first, "And the mayor?")
    page.retry(second)
    list(page.answer(second))
    assert questions(assistant, first.id) == [QUESTION, OWL_QUESTION, "And the mayor?"]
    assert questions(assistant, second.id) == [QUESTION, OWL_QUESTION]


def test_a_conversation_that_was_deleted_in_another_window_goes_on_as_one_of_its_own(page, assistant):
    conversation = ask(page, visit(), QUESTION)
    gone = conversation.id
    assistant.conversations.delete(ME, gone)
    ask(page, conversation, OWL_QUESTION)
    assert conversation.id != gone
    assert questions(assistant, conversation.id) == [QUESTION, OWL_QUESTION]
    assert conversation.problem == ""


def test_what_another_window_takes_away_while_an_answer_is_written_does_not_end_it(page, assistant):
    conversation = ask(page, visit(), QUESTION, OWL_QUESTION)
    page.ask("What did the repair cost, and who said it?", conversation)
    steps = page.answer(conversation)
    next(steps)
    assistant.conversations.put(ME, conversation.id, 1, "{}", "x", anew=True)
    first = conversation.id
    list(steps)
    assert conversation.turns[-1].answer.found
    assert conversation.problem == ""
    assert conversation.id != first
    assert len(questions(assistant, conversation.id)) == 3  # a conversation of its own
    assert len(assistant.conversations.turns(ME, first)) == 1


def test_nobody_goes_on_with_what_is_anothers_or_not_there(page, assistant):
    conversation = ask(page, visit(), QUESTION)
    stranger = visit(OTHER)
    for identity in (conversation.id, "nothing", "", "x" * 5000, "a\ud800"):
        assert page.kept.read(stranger.reader, identity) is None, identity
    assert (stranger.turns, stranger.id) == ((), "")
    with pytest.raises(ConversationMissing, match="no conversation"):
        page.kept.turns(OTHER, conversation.id)


def test_a_library_that_can_only_be_read_answers_and_says_why_it_keeps_nothing(tmp_path, assistant, make_read_only):  # noqa: F811
    Library(tmp_path / "index").close()
    make_read_only(tmp_path / "index")
    library = Library(tmp_path / "index")
    assistant.conversations = library.conversations
    page = Page(assistant, Kept(library.conversations), None)
    conversation = ask(page, visit(), QUESTION, OWL_QUESTION)
    assert [turn.answer.found for turn in conversation.turns] == [True, True]
    assert conversation.problem.startswith("It is not kept: ")
    assert "cannot be written to" in conversation.problem
    conversation.view = "conversations"
    assert "It is not kept: " in page.panel(conversation)
    library.close()


def test_what_can_be_kept_again_has_no_problem(page, assistant, monkeypatch):
    def full(*_, **__):
        raise LibraryError("The disk is full.", "Make room.")

    conversation = visit()
    with monkeypatch.context() as patched:
        patched.setattr(assistant.conversations, "put", full)
        ask(page, conversation, QUESTION)
    assert conversation.problem == "It is not kept: The disk is full. Make room."
    assert "Save" not in page.draw(conversation)[0][1]["content"]
    ask(page, conversation, OWL_QUESTION)
    assert conversation.problem == ""
    assert questions(assistant, conversation.id) == [QUESTION, OWL_QUESTION]


def test_a_browser_without_a_cookie_is_answered_and_nothing_of_it_is_kept(page, assistant):
    conversation = ask(page, visit(""), QUESTION)
    assert conversation.turns[0].answer.found
    page.kept.rate(conversation, 1)
    page.kept.rename(conversation, conversation.id, "x")
    page.kept.delete(conversation, conversation.id)
    page.retry(conversation)
    (path,) = assistant.conversations._store.folder.glob("library.sqlite")
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT id FROM conversations UNION SELECT content FROM turns").fetchall() == []
    assert page.kept.listed(conversation) == ((), "This browser takes no cookie, so its conversations are not kept.")


def test_a_rating_is_kept_and_taken_back(page, assistant):
    conversation = ask(page, visit(), QUESTION, OWL_QUESTION)
    for rating, comment in ((1, ""), (-1, "Wrong."), (0, "")):
        conversation.turns = (conversation.turns[0], replace(conversation.turns[1], rating=rating, comment=comment))
        page.kept.rate(conversation, 2)
        turns = page.kept.turns(ME, conversation.id)
        assert [(turn.rating, turn.comment) for turn in turns] == [(0, ""), (rating, comment)]
    assert opened(page, conversation.id).turns == conversation.turns


def test_a_library_that_is_taken_for_a_while_holds_no_answer_up_and_gets_all_in_order(page, assistant, monkeypatch):
    free, put, numbers = threading.Event(), assistant.conversations.put, []

    def held(reader, id, number, content, title, **how):
        assert free.wait(30)
        numbers.append((number, json.loads(content)["answer"] is not None))
        return put(reader, id, number, content, title, **how)

    monkeypatch.setattr(kept_module, "_PATIENCE", 0.01)
    monkeypatch.setattr(assistant.conversations, "put", held)
    conversation = ask(page, visit(), QUESTION)
    assert conversation.turns[0].answer.found
    assert numbers == []
    free.set()
    page.kept._writer.submit(lambda: None).result(30)
    assert (numbers[0], numbers[-1]) == ((1, False), (1, True))
    assert page.kept.turns(ME, conversation.id) == conversation.turns


def test_a_page_that_went_on_to_another_conversation_meanwhile_stays_there(page, assistant, monkeypatch):
    other = ask(page, visit(), OWL_QUESTION)
    first = ask(page, visit(), QUESTION)
    second = opened(page, first.id)
    ask(page, first, "And the mayor?")
    free, put = threading.Event(), assistant.conversations.put

    def held(*what, **how):
        assert free.wait(30)
        return put(*what, **how)

    with monkeypatch.context() as patched:
        patched.setattr(kept_module, "_PATIENCE", 0.01)
        patched.setattr(assistant.conversations, "put", held)
        page.ask("And the town?", second)
        page.leave_turn(second)
        second.begin_anew(other.place, other.turns)
        free.set()
        page.kept._writer.submit(lambda: None).result(30)
    assert second.id == other.id
    assert questions(assistant, other.id) == [OWL_QUESTION]
    assert questions(assistant, first.id) == [QUESTION, "And the mayor?"]


# --- a page that is loaded


def request(cookie="", query=""):
    headers = [(b"cookie", f"a=b; footnote_reader={cookie}".encode())] if cookie else []
    scope = {"type": "http", "headers": headers, "query_string": query.encode()}
    return gr.Request(Request(scope), session_hash="page")


def test_a_page_goes_on_with_the_conversation_of_its_address(page, assistant):
    conversation = ask(page, visit(), QUESTION)
    loaded = Conversation()
    panel, chat, *_, place = page.load(loaded, request(ME, f"c={conversation.id}"))
    assert (loaded.reader, loaded.id, loaded.turns) == (ME, conversation.id, conversation.turns)
    assert ">Evidence<" in panel
    assert chat[0]["content"].startswith(QUESTION)
    assert place == f'<i data-conversation="{conversation.id}"></i>'


@pytest.mark.parametrize("cookie", ["", OTHER, "short", "<script>" * 5])
@pytest.mark.parametrize("forged", [False, True])
def test_a_page_of_another_browser_begins_an_empty_one(page, assistant, cookie, forged):
    conversation = ask(page, visit(), QUESTION)
    loaded = Conversation()
    updates = page.load(loaded, request(cookie, "c=%22%3E%3Cb%3E" if forged else f"c={conversation.id}"))
    assert updates == [gr.skip()] * 7
    assert (loaded.turns, loaded.id, loaded.reader) == ((), "", cookie if cookie == OTHER else "")


def test_a_page_that_has_begun_is_not_taken_elsewhere(page, assistant):
    old = ask(page, visit(), QUESTION)
    current = ask(page, visit(), OWL_QUESTION)
    turns = current.turns
    page.load(current, request(ME, f"c={old.id}"))
    assert current.turns == turns
