"""What each link and button inside the panel and the answers does, and that forged ones do nothing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest

from rag.app.acts import Acts
from rag.app.conversation import Conversation, Turn
from rag.app.keeping import INTERRUPTED
from rag.app.kept import Kept
from rag.app.page import Page
from rag.app.reference import Ref, act_ref, citation_ref, decode_act, encode_ref
from rag.app.shelf import Shelf
from rag.types import EVERYTHING, Filter
from tests.browser.fake import FakeAssistant
from tests.conftest import OWLS
from tests.pages import ME, OTHER, ask, assistant_of_two, patience, visit  # noqa: F401  a fixture

QUESTION = "What did the repair of the bridge cost?"
OWL_QUESTION = "How many owls were counted in the forest?"
COST = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."
NAMES = (
    "edit reword keep good bad remark comment open delete name rename discard choose only all remove undo rebuild dismiss "
    "search copy"
).split()
NO_NUMBERS = ["", "0", "-1", "3", "99999", "9" * 200, "1x", "x", "1-2", "_"]


@pytest.fixture
def assistant():
    return assistant_of_two()


@pytest.fixture
def shelf(assistant, tmp_path):
    return Shelf(assistant, tmp_path / "index")


@pytest.fixture
def page(assistant, shelf):
    return Page(assistant, Kept(assistant.conversations), shelf)


@pytest.fixture
def acts(assistant, page):
    return Acts(assistant, page)


@pytest.fixture
def conversation(page):
    """A conversation of two turns."""
    return begun(page, QUESTION, OWL_QUESTION)


def begun(page, *questions, reader=ME):
    return ask(page, visit(reader), *questions)


def do(acts, conversation, link, value=None):
    """Clicks; returns what is then drawn, by its name: nothing for what stays as it is."""
    names = ("panel", "box", "chat", "ask", "stop", "retry", "new", "place")
    names += ("documents", "sources", "languages", "since", "until")
    updates = acts.act(gr.EventData(None, {"ref": link, "value": value}), conversation)
    is_skip = [
        isinstance(update, dict) and update.get("__type__") == "update" and "value" not in update for update in updates
    ]
    return {name: update for name, update, skip in zip(names, updates, is_skip, strict=True) if not skip}


def state(page, conversation):
    """Returns all that an act could change."""
    listed = page.kept.listed(conversation)
    job = (page.shelf.job, page.shelf.report) if page.shelf else None
    documents = page._assistant.documents()
    return {**vars(conversation)}, listed, job, documents, page.kept.turns(ME, conversation.id)


# --- names


@pytest.mark.parametrize("argument", ["", "7", "8f3a-bc_D"])
def test_an_act_comes_back_as_it_went(argument):
    for name in NAMES:
        assert decode_act(act_ref(name, argument)) == (name, argument)


NO_ACTS = [
    *(None, 7, True, ["#do-edit-1"], {"#do-edit": 1}),
    *("", "#do-", "#do", "do-edit", "#do-edit-", "#do-Edit-1", "#do-edit-1\n", "#do-é", "#do-edit-1 2", "#do-edit-%31"),
    *("#do-edit-" + "9" * 201, "#do-" + "a" * 21, "#do-open-\ud800", "x#do-edit-1", "#do-open-٣"),
]


@pytest.mark.parametrize("link", NO_ACTS)
def test_what_this_page_cannot_have_made_is_no_act_and_does_nothing(acts, page, conversation, link):
    assert decode_act(link) == ("", "")
    before = state(page, conversation)
    assert do(acts, conversation, link) == {}
    assert state(page, conversation) == before


@pytest.mark.parametrize("name", ["x", "act", "add", "article", "copy", "init", "stop", "clear"])
@pytest.mark.parametrize("argument", ["", "1"])
def test_a_name_that_means_nothing_does_nothing(acts, page, conversation, name, argument):
    before = state(page, conversation)
    assert do(acts, conversation, act_ref(name, argument)) == {}
    assert state(page, conversation) == before


@pytest.mark.parametrize("data", [None, "text", [], 7, {}, {"value": "x"}, {"ref": []}, {"ref": {}}, {"ref": [["#back"]]}])
def test_data_of_another_kind_does_nothing(acts, page, conversation, data):
    before = state(page, conversation)
    updates = acts.act(gr.EventData(None, data), conversation)
    assert len(updates) == 13
    assert all(isinstance(update, dict) and "value" not in update for update in updates)
    assert state(page, conversation) == before


@pytest.mark.parametrize("number", NO_NUMBERS)
@pytest.mark.parametrize("name", ["edit", "reword", "good", "bad", "remark", "comment"])
def test_a_turn_that_is_not_there_is_not_touched(acts, page, conversation, name, number):
    before = state(page, conversation)
    assert do(acts, conversation, act_ref(name, number), "x") == {}
    assert state(page, conversation) == before


@pytest.mark.parametrize("name", ["edit", "reword", "good", "bad", "remark", "comment"])
def test_no_turn_is_touched_while_an_answer_is_written(acts, page, conversation, name):
    page.ask("And the mayor?", conversation)
    before = state(page, conversation)
    for number in (1, 2, 3):
        assert do(acts, conversation, act_ref(name, str(number)), "x") == {}
    assert state(page, conversation) == before


@pytest.mark.parametrize("value", [None, 7, ["x"], {"x": 1}, True])
def test_a_value_of_another_type_is_an_empty_one(acts, conversation, value):
    do(acts, conversation, "#do-comment-1", value)
    do(acts, conversation, "#do-search", value)
    assert (conversation.turns[0].comment, conversation.words) == ("", "")


def test_a_value_without_end_is_cut_and_half_a_pair_is_a_question_mark(acts, page, conversation):
    do(acts, conversation, "#do-comment-1", "x" * 10**6)
    assert page.kept.turns(ME, conversation.id)[0].comment == "x" * 10_000
    do(acts, conversation, "#do-comment-1", "\ud800" * 20_000)
    assert page.kept.turns(ME, conversation.id)[0].comment == "?" * 10_000
    do(acts, conversation, "#do-search", "x" * 10**6)
    assert len(conversation.words) == 10_000
    assert conversation.problem == ""


# --- answers


def test_a_question_is_changed_in_the_box_and_asked_in_place_of_what_follows(acts, page, conversation):
    drawn = do(acts, conversation, "#do-edit-1")
    assert (drawn["box"], conversation.editing) == (QUESTION, 1)
    assert drawn["ask"].value == "Ask again"
    assert "#do-keep" in drawn["chat"][0]["content"]
    page.ask("How many people crossed the bridge?", conversation)
    list(page.answer(conversation))
    assert [turn.question for turn in conversation.turns] == ["How many people crossed the bridge?"]
    assert conversation.editing == 0


def test_the_question_as_it_was_searched_is_changed_in_the_box(acts, conversation):
    conversation.turns = (conversation.turns[0], replace(conversation.turns[1], searched="How many owls in Marrow?"))
    assert do(acts, conversation, "#do-reword-2")["box"] == "How many owls in Marrow?"
    assert conversation.editing == 2


def test_a_question_can_be_left_as_it_is(acts, page, conversation):
    do(acts, conversation, "#do-edit-2")
    drawn = do(acts, conversation, "#do-keep")
    assert (drawn["box"], conversation.editing, drawn["ask"].value) == ("", 0, "Ask")
    page.ask("And the mayor?", conversation)
    assert len(conversation.turns) == 3


def test_a_thumb_is_given_changed_and_taken_back(acts, page, conversation):
    for link, rating, shown in (("good", 1, "✓ Good"), ("bad", -1, "✓ Bad"), ("bad", 0, ""), ("good", 1, "✓ Good")):
        drawn = do(acts, conversation, act_ref(link, "1"))
        assert (conversation.turns[0].rating, conversation.turns[1].rating) == (rating, 0)
        assert page.kept.turns(ME, conversation.id)[0].rating == rating
        content = drawn["chat"][1]["content"]
        assert (shown in content) if shown else ("✓" not in content)
        assert "✓" not in drawn["chat"][3]["content"]


def test_a_comment_is_written_kept_and_shown_again(acts, page, conversation):
    do(acts, conversation, "#do-bad-2")
    drawn = do(acts, conversation, "#do-remark-2")
    assert list(drawn) == ["panel"]
    assert '<h2 tabindex="-1">Bad answer</h2>' in drawn["panel"]
    assert 'data-do="#do-comment-2" data-takes="comment"' in drawn["panel"]
    assert conversation.view == "comment"
    assert isinstance(page.refresh("", conversation)[2], dict)  # what is being typed stays
    drawn = do(acts, conversation, "#do-comment-2", "  Forty-one, <b>really</b>.\n")
    assert conversation.turns[1].comment == "Forty-one, <b>really</b>."
    kept = page.kept.turns(ME, conversation.id)[1]
    assert (kept.rating, kept.comment) == (-1, "Forty-one, <b>really</b>.")
    assert '<h2 tabindex="-1">Evidence</h2>' in drawn["panel"]
    assert "Forty-one, &lt;b&gt;really&lt;/b&gt;.</textarea>" in do(acts, conversation, "#do-remark-2")["panel"]


# --- views


@pytest.mark.parametrize(
    ("link", "heading"), [("#evidence", "Evidence"), ("#library", "Library"), ("#conversations", "Conversations")]
)
def test_a_view_is_opened_without_what_was_searched_for_in_another(acts, conversation, link, heading):
    conversation.words, conversation.chosen = "x", (conversation.id, "discard")
    drawn = do(acts, conversation, link)
    assert list(drawn) == ["panel"]
    assert f'<h2 tabindex="-1">{heading}</h2>' in drawn["panel"]
    assert f'<a href="{link}" aria-current=page>' in drawn["panel"]
    assert drawn["panel"].count("aria-current=page") == 1
    assert (conversation.view, conversation.words, conversation.chosen) == (link[1:], "", ("", ""))


@pytest.mark.parametrize("link", ["#article", "#comment", "#Library", "#library ", "#", "library", "#back\n"])
def test_a_view_that_is_no_link_of_ours_is_not_opened(acts, page, conversation, link):
    before = state(page, conversation)
    assert do(acts, conversation, link) == {}
    assert state(page, conversation) == before


@pytest.mark.parametrize(
    "ref",
    [
        Ref("\ud800", "v"),
        Ref("d", "\ud800"),
        Ref("d", "v", 10**300, 10**300, 10**300),
        Ref("d" * 900, "v"),
        Ref("\x00", "'"),
    ],
)
def test_a_citation_of_nothing_opens_no_article(make_assistant, articles, ref):
    assistant = make_assistant()
    assistant.add(articles)
    acts = Acts(assistant, Page(assistant, Kept(assistant.conversations), None))
    link = encode_ref(ref)
    assert "no longer in the library" in do(acts, Conversation(), link)["panel"]


def test_a_citation_with_offsets_beyond_its_text_opens_its_article(acts, assistant):
    document = assistant.documents()[0]
    for ref in (Ref(document.id, document.version, 10**9, 10**9, 10**12), Ref(document.id, document.version, 2, 10**12, 0)):
        shown = do(acts, Conversation(), encode_ref(ref))["panel"]
        assert "Old bridge of Arlen" in shown
        assert "<mark>" not in shown


def test_an_article_leads_back_to_where_it_was_opened(acts, conversation):
    link = encode_ref(citation_ref(conversation.turns[0].claims[0].citations[0]))
    shown = do(acts, conversation, link)
    assert list(shown) == ["panel"]
    assert f"<mark>{COST}</mark>" in shown["panel"]
    assert "Back to the evidence" in shown["panel"]
    assert '<h2 tabindex="-1">Evidence</h2>' in do(acts, conversation, "#back")["panel"]


# --- conversations


def test_a_conversation_is_gone_on_with_from_the_list(acts, page, assistant, conversation):
    other = begun(page, "What is the bridge of Arlen?")
    listed = do(acts, other, "#conversations")["panel"]
    assert f'<a href="#do-open-{conversation.id}">{QUESTION}</a>' in listed
    assert f'<a href="#do-open-{other.id}" aria-current="true">' in listed
    drawn = do(acts, other, act_ref("open", conversation.id))
    assert (other.id, other.turns, other.view) == (conversation.id, conversation.turns, "evidence")
    assert len(drawn["chat"]) == 4
    assert conversation.id in drawn["place"]
    assert len(page.kept.listed(other)[0]) == 2  # what was left is there


def test_a_conversation_that_is_opened_while_an_answer_is_written_interrupts_it(acts, page, conversation):
    other = begun(page)
    page.ask(QUESTION, other)
    steps = page.answer(other)
    next(steps)
    left = other.id
    do(acts, other, act_ref("open", conversation.id))
    assert list(steps) == []
    assert (other.turns, other.running) == (conversation.turns, False)
    assert page.kept.turns(ME, left)[0].note == INTERRUPTED
    assert page.kept.turns(ME, conversation.id) == conversation.turns


@pytest.mark.parametrize("identity", ["", "nothing", "a" * 200, "1"])
def test_what_is_not_there_cannot_be_opened(acts, page, conversation, identity):
    turns = conversation.turns
    do(acts, conversation, act_ref("open", identity))
    assert conversation.turns == turns


def test_what_is_not_there_interrupts_no_answer(acts, page, conversation):
    page.ask("And the mayor?", conversation)
    do(acts, conversation, act_ref("open", "nothing"))
    assert conversation.running


def test_opening_the_conversation_that_is_open_interrupts_no_answer(acts, page, conversation):
    page.ask("And the mayor?", conversation)
    do(acts, conversation, act_ref("open", conversation.id))
    assert conversation.running


@pytest.mark.parametrize(
    ("name", "value"), [("open", ""), ("name", "Mine"), ("delete", ""), ("rename", ""), ("discard", "")]
)
def test_another_readers_conversation_is_not_there(acts, page, assistant, conversation, name, value):
    stranger = begun(page, QUESTION, reader=OTHER)
    own, turns = stranger.id, stranger.turns
    shown = do(acts, stranger, act_ref(name, conversation.id), value)
    assert act_ref("open", conversation.id) not in shown["panel"]
    assert (stranger.id, stranger.turns) == (own, turns)
    assert page.kept.turns(ME, conversation.id) == conversation.turns
    assert page._assistant.conversations.about(ME, conversation.id).title == QUESTION


def test_a_browser_without_a_cookie_opens_nothing(acts, page, conversation):
    nobody = begun(page, OWL_QUESTION, reader="")
    for name in ("open", "name", "delete", "rename", "discard", "choose"):
        do(acts, nobody, act_ref(name, conversation.id), "x")
    assert [turn.question for turn in nobody.turns] == [OWL_QUESTION]
    assert "takes no cookie" in do(acts, nobody, "#conversations")["panel"]
    assert page._assistant.conversations.about(ME, conversation.id).title == QUESTION


def test_a_conversation_is_renamed_in_the_list(acts, page, conversation):
    do(acts, conversation, "#conversations")
    field = do(acts, conversation, act_ref("rename", conversation.id))["panel"]
    assert f'<input id="new-title" aria-label="New title" value="{QUESTION}"' in field
    assert f'data-do="#do-name-{conversation.id}" data-takes="new-title"' in field
    shown = do(acts, conversation, act_ref("name", conversation.id), " The <b>bridge</b> \n ")["panel"]
    assert "The &lt;b&gt;bridge&lt;/b&gt;</a>" in shown
    assert "new-title" not in shown
    assert page._assistant.conversations.about(ME, conversation.id).title == "The <b>bridge</b>"
    page.retry(conversation)
    assert page._assistant.conversations.about(ME, conversation.id).title == "The <b>bridge</b>"


def test_an_empty_title_is_refused_and_the_conversation_is_still_kept(acts, page, conversation):
    # The reader was told that the open conversation is not kept, and could save none of its answers.
    do(acts, conversation, "#conversations")
    shown = do(acts, conversation, act_ref("name", conversation.id), "  ")["panel"]
    assert page._assistant.conversations.about(ME, conversation.id).title == QUESTION
    assert "not kept" not in shown
    assert "/1.json" in page.draw(conversation)[0][1]["content"]


@pytest.mark.parametrize("name", ["rename", "discard"])
def test_what_was_chosen_can_be_kept(acts, page, conversation, name):
    do(acts, conversation, "#conversations")
    assert 'class="chosen"' in do(acts, conversation, act_ref(name, conversation.id))["panel"]
    assert 'class="chosen"' not in do(acts, conversation, "#do-choose")["panel"]
    assert page._assistant.conversations.about(ME, conversation.id).title == QUESTION


def test_the_open_conversation_is_deleted_after_it_is_asked_for_and_an_empty_one_begins(acts, page, conversation):
    do(acts, conversation, "#conversations")
    shown = do(acts, conversation, act_ref("discard", conversation.id))["panel"]
    assert "Delete it for good?" in shown
    gone = conversation.id
    drawn = do(acts, conversation, act_ref("delete", gone))
    assert (drawn["chat"], conversation.turns, conversation.view) == ([], (), "conversations")
    assert drawn["place"] == '<i data-conversation=""></i>'
    assert "Nothing is kept yet" in drawn["panel"]
    assert page.kept.listed(conversation) == ((), "")


def test_another_conversation_is_deleted_and_the_open_one_stays(acts, page, conversation):
    other = begun(page, "What is the bridge of Arlen?")
    turns = other.turns
    do(acts, other, act_ref("delete", conversation.id))
    assert other.turns == turns
    assert [one.id for one in page.kept.listed(other)[0]] == [other.id]


def test_a_conversation_that_is_deleted_while_its_first_answer_is_written_stays_away(acts, page):
    conversation = begun(page)
    page.ask(QUESTION, conversation)
    steps = page.answer(conversation)
    next(steps)
    do(acts, conversation, act_ref("delete", conversation.id))
    assert list(steps) == []
    assert (conversation.turns, conversation.running, conversation.problem) == ((), False, "")
    assert page.kept.listed(conversation) == ((), "")


def test_what_another_window_has_deleted_already_is_no_problem_of_the_open_one(acts, page, conversation):
    other = begun(page, "What is the bridge of Arlen?")
    page.kept.delete(conversation, conversation.id)
    do(acts, other, "#conversations")
    shown = do(acts, other, act_ref("delete", conversation.id))["panel"]
    assert "not kept" not in shown
    assert other.problem == ""


def test_conversations_are_searched_by_their_words(acts, page, conversation):
    begun(page, "What is the bridge of Arlen?")
    do(acts, conversation, "#conversations")
    shown = do(acts, conversation, "#do-search", "OWLS counted")["panel"]
    assert "What is the bridge" not in shown
    assert QUESTION in shown
    assert 'value="OWLS counted"' in shown
    assert "nothing has these words" in do(acts, conversation, "#do-search", "<zebra>")["panel"]
    assert 'value="&lt;zebra&gt;"' in do(acts, conversation, "#do-search", "<zebra>")["panel"]
    assert "What is the bridge" in do(acts, conversation, "#do-search", "")["panel"]


def test_articles_are_searched_by_title_and_path(acts, conversation):
    do(acts, conversation, "#library")
    shown = do(acts, conversation, "#do-search", "owls MARROW")["panel"]
    assert "Owls return" in shown
    assert "Old bridge" not in shown
    assert "Old bridge" in do(acts, conversation, "#do-search", "bridges.txt")["panel"]
    assert "No article has these words" in do(acts, conversation, "#do-search", "zebra")["panel"]


# --- the library


def test_an_article_is_removed_and_brought_back(acts, assistant, conversation):
    do(acts, conversation, "#library")
    owls = assistant.documents()[1]
    shown = do(acts, conversation, act_ref("remove", owls.id))["panel"]
    assert "“Owls return to the Marrow forest” was removed." in shown
    assert "#do-undo" in shown
    assert len(assistant.documents()) == 1
    shown = do(acts, conversation, "#do-undo")["panel"]
    assert "is back." in shown
    assert set(assistant.documents()) == {owls, assistant.documents()[0]}
    assert "is back." not in do(acts, conversation, "#do-dismiss")["panel"]


def test_the_library_is_rebuilt_and_a_long_job_is_shown_as_it_goes_on(acts, shelf, assistant, conversation, monkeypatch):
    do(acts, conversation, "#library")
    assert "Rebuilt: 2 there already." in do(acts, conversation, "#do-rebuild")["panel"]
    monkeypatch.setattr("rag.app.acts._SHORTLY", 0.01)
    assistant.hold("rebuild")
    assert "Rebuilding the library" in do(acts, conversation, "#do-rebuild")["panel"]
    assistant.release("rebuild")
    shelf._worker.submit(lambda: None).result(30)
    assert shelf.job is None


@pytest.mark.parametrize("identity", ["", "nothing", "9" * 200])
def test_an_article_that_is_not_there_is_not_removed(acts, shelf, assistant, conversation, identity):
    do(acts, conversation, act_ref("remove", identity))
    assert len(assistant.documents()) == 2
    assert shelf.report.told.startswith("There is no document")


def test_files_that_are_dropped_are_added_and_the_field_is_emptied(acts, assistant, conversation, tmp_path):
    file = tmp_path / "storks.txt"
    file.write_text("Storks arrive\n\nTwo storks came to the town this spring.\n")
    panel, field = acts.add([str(file)], conversation)
    assert field is None
    assert "1 added." in panel
    assert "Storks arrive" in panel
    assert conversation.view == "library"
    assert Path(assistant.documents()[-1].source) == tmp_path / "index" / "articles" / "storks.txt"


@pytest.mark.parametrize("files", [None, []])
def test_no_files_are_no_job(acts, shelf, conversation, files):
    assert acts.add(files, conversation)[1] is None
    assert (shelf.job, shelf.report) == (None, None)


def test_a_page_that_may_only_read_changes_nothing(assistant, conversation, tmp_path):
    page = Page(assistant, Kept(assistant.conversations), None)
    acts, documents = Acts(assistant, page), assistant.documents()
    shown = do(acts, conversation, "#library")["panel"]
    assert not re.search("#do-(remove|undo|rebuild|dismiss)", shown)
    for name in ("remove", "undo", "rebuild", "dismiss"):
        assert do(acts, conversation, act_ref(name, documents[0].id if name == "remove" else "")) == {}
    file = tmp_path / "owls.txt"
    file.write_text(OWLS)
    _, field = acts.add([str(file)], conversation)
    assert (assistant.documents(), field) == (documents, None)
    assert not (tmp_path / "index").exists()
    do(acts, conversation, "#do-good-1")  # what is the reader's own goes on
    assert page.kept.turns(ME, conversation.id)[0].rating == 1


def test_a_page_that_may_only_read_does_not_ask_to_add(assistant):
    page = Page(assistant, Kept(assistant.conversations), None)
    conversation = begun(page, "Zebra?")
    assert conversation.turns == (replace(Turn("Zebra?"), answer=conversation.turns[0].answer, searched="Zebra?"),)
    assert "Add an article" not in page.panel(conversation)
    empty = FakeAssistant([])
    page = Page(empty, Kept(empty.conversations), None)
    conversation.view = "library"
    assert "Drop articles here" not in page.panel(conversation)


# --- the filter


def test_one_article_only_is_asked_and_then_all_again(acts, page, conversation):
    owls, bridge = page._assistant.documents()
    drawn = do(acts, conversation, act_ref("only", bridge.id))
    assert conversation.filter == Filter(documents=(bridge.id,))
    assert drawn.keys() == {"panel", "documents", "sources", "languages", "since", "until"}
    assert drawn["documents"].value == [bridge.id]
    assert "1 of 2 articles, by the filter" in drawn["panel"]
    assert owls.title not in drawn["panel"]
    drawn = do(acts, conversation, act_ref("all"))
    assert conversation.filter == EVERYTHING
    assert drawn["documents"] == []
    assert owls.title in drawn["panel"]


def test_an_article_that_is_gone_is_not_asked_alone(acts, page, conversation):
    assert do(acts, conversation, act_ref("only", "nothing")).keys() == {"panel"}
    assert conversation.filter == EVERYTHING
