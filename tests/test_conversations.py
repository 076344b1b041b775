"""Conversations: each browser has its own, whole after a crash, and what is forgotten is gone."""

from __future__ import annotations

import datetime
import json
import sqlite3
import threading

import pytest

from rag.errors import (
    ConversationChanged,
    ConversationError,
    ConversationMissing,
    LibraryDamaged,
    LibraryError,
    LibraryReadOnly,
)
from rag.library import MIGRATIONS, Library, conversations, saving
from rag.library.conversations import KeptTurn
from rag.library.repair import repair
from tests.conftest import BRIDGES, OWLS
from tests.older import make_old
from tests.test_library import make_read_only, stored  # noqa: F401  make_read_only is a fixture
from tests.test_saving import pages_of, spoil

ME, OTHER = "8f3a-my-token", "5c1d-another-token"


@pytest.fixture
def kept(library):
    return library.conversations


def said(question, **more):
    """Returns the content of a turn, as a page may write it."""
    return json.dumps({"question": question, **more})


def talk(kept, id, *questions, reader=ME):
    """Stores a conversation of these questions, with the first as its title."""
    for number, question in enumerate(questions, 1):
        kept.put(reader, id, number, said(question), questions[0])


def ids(listed):
    return [conversation.id for conversation in listed]


def everything(kept, *readers):
    """Returns all conversations of some readers with all their turns."""
    return {(r, one): kept.turns(r, one.id) for r in readers or (ME, OTHER) for one in kept.listed(r)}


# --- keeping -------------------------------------------------------------------------------------------------------


def test_what_is_put_is_there_in_another_process_and_in_order(library, kept):
    before = datetime.datetime.now(datetime.UTC)
    talk(kept, "c", "Who counted the owls?", "When?")
    other = Library(library.folder)
    assert other.conversations.turns(ME, "c") == (
        KeptTurn(said("Who counted the owls?"), 0, ""),
        KeptTurn(said("When?"), 0, ""),
    )
    (listed,) = other.conversations.listed(ME)
    assert (listed.id, listed.title, listed.n_turns) == ("c", "Who counted the owls?", 2)
    assert before <= datetime.datetime.fromisoformat(listed.updated_at) <= datetime.datetime.now(datetime.UTC)
    assert listed.updated_at.endswith("+00:00")
    other.close()


def test_a_turn_is_put_again_with_its_rating_kept_and_the_title_is_the_first(kept):
    talk(kept, "c", "One?", "Two?")
    kept.rate(ME, "c", 1, 1, "Good.")
    kept.put(ME, "c", 1, "{}", "Another title")
    assert kept.turns(ME, "c") == (KeptTurn("{}", 1, "Good."), KeptTurn(said("Two?"), 0, ""))
    assert kept.listed(ME)[0].title == "One?"


@pytest.mark.parametrize("number", [0, -1, 4])
def test_a_turn_that_would_leave_a_gap_is_an_error_and_changes_nothing(kept, number):
    talk(kept, "c", "One?", "Two?")
    before = everything(kept)
    with pytest.raises(ValueError, match=f"turn {number} cannot be stored: the conversation has 2"):
        kept.put(ME, "c", number, "{}", "x")
    assert everything(kept) == before


def test_a_later_turn_of_a_conversation_that_was_deleted_does_not_begin_it_anew(kept):
    # Two windows may show it: what the other one goes on with is told, and is no error of the program.
    talk(kept, "c", "One?", "Two?")
    kept.delete(ME, "c")
    with pytest.raises(ConversationMissing, match=r"no conversation 'c'\. It was deleted, perhaps in another window"):
        kept.put(ME, "c", 3, "{}", "x")
    assert kept.listed(ME) == ()


def test_a_turn_that_is_put_anew_forgets_its_rating_and_all_after_it(kept):
    talk(kept, "c", "One?", "Two?", "Three?")
    kept.rate(ME, "c", 2, -1, "Wrong.")
    kept.put(ME, "c", 2, said("Two, again?"), "x", anew=True)
    assert kept.turns(ME, "c") == (KeptTurn(said("One?"), 0, ""), KeptTurn(said("Two, again?"), 0, ""))
    kept.put(ME, "c", 1, said("Once more?"), "x", anew=True)
    assert kept.turns(ME, "c") == (KeptTurn(said("Once more?"), 0, ""),)
    assert kept.listed(ME)[0].title == kept.about(ME, "c").title == "x"


def test_a_conversation_that_another_window_changed_is_not_written_over(kept):
    revision = kept.put(ME, "c", 1, said("One?"), "One", revision="")
    assert kept.about(ME, "c").updated_at == revision
    later = kept.put(ME, "c", 2, said("Two?"), "One", revision=revision)
    before = kept.turns(ME, "c")
    for act in (
        lambda: kept.put(ME, "c", 2, said("Another?"), "One", revision=revision),
        lambda: kept.put(ME, "c", 1, said("Another?"), "One", revision=revision, anew=True),
        lambda: kept.put(ME, "c", 1, said("Another?"), "One", revision=""),
        lambda: kept.rate(ME, "c", 1, 1, revision=revision),
    ):
        with pytest.raises(ConversationChanged, match="was changed in another window"):
            act()
    assert kept.turns(ME, "c") == before
    kept.rate(ME, "c", 1, 1, revision=later)
    kept.delete(ME, "c")
    with pytest.raises(ConversationMissing):
        kept.put(ME, "c", 1, said("One?"), "One", revision=later)
    assert kept.listed(ME) == ()


def test_what_is_deleted_takes_its_turns_along_and_no_others(library, kept):
    talk(kept, "a", "One?", "Two?")
    talk(kept, "b", "Three?")
    kept.delete(ME, "a")
    assert ids(kept.listed(ME)) == ["b"]
    assert library._store.rows("SELECT conversation FROM turns") == [("b",)]


def test_a_conversation_changes_nothing_that_is_searched(library, kept):
    stored(library, OWLS, "/a/o.txt")
    generation = library.generation
    talk(kept, "c", "One?", "Two?")
    kept.rate(ME, "c", 1, 1)
    kept.rename(ME, "c", "Owls")
    kept.put(ME, "c", 1, "{}", "x", anew=True)
    kept.delete(ME, "c")
    assert library.generation == generation
    assert library._store.rows("SELECT count(*) FROM journal") == [(1,)]


def test_a_rebuild_leaves_conversations_alone(make_assistant, articles):
    assistant = make_assistant()
    assistant.add(articles)
    kept = assistant.library.conversations
    talk(kept, "c", "One?", "Two?")
    before = everything(kept)
    assistant.rebuild()
    assistant.remove([document.id for document in assistant.documents()])
    assert everything(kept) == before


# --- whose they are ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "act",
    [
        lambda kept, reader: kept.turns(reader, "c"),
        lambda kept, reader: kept.about(reader, "c"),
        lambda kept, reader: kept.put(reader, "c", 2, "{}", "x"),
        lambda kept, reader: kept.put(reader, "c", 3, "{}", "x"),
        lambda kept, reader: kept.put(reader, "c", 2, "{}", "x", anew=True),
        lambda kept, reader: kept.rename(reader, "c", "x"),
        lambda kept, reader: kept.delete(reader, "c"),
        lambda kept, reader: kept.rate(reader, "c", 1, 1),
    ],
)
def test_a_conversation_of_another_reader_is_as_one_that_is_not_there(library, kept, act):
    with pytest.raises(ConversationMissing) as absent:
        act(kept, OTHER)
    talk(kept, "c", "One?", "Two?")
    talk(kept, "d", "Three?", reader=OTHER)
    before = everything(kept)
    with pytest.raises(ConversationMissing, match=r"no (conversation|turn 1 in a conversation) 'c'") as refused:
        act(kept, OTHER)
    assert str(refused.value) == str(absent.value)
    assert everything(kept) == before


def test_an_id_of_another_reader_is_not_taken(kept):
    talk(kept, "c", "One?")
    before = everything(kept)
    with pytest.raises(ConversationMissing, match="no conversation 'c'"):
        kept.put(OTHER, "c", 1, "{}", "Mine now")
    assert everything(kept) == before


def test_each_reader_lists_and_finds_its_own(kept):
    talk(kept, "a", "How many owls?")
    talk(kept, "b", "Which owls?", reader=OTHER)
    assert (ids(kept.listed(ME)), ids(kept.listed(OTHER)), kept.listed("nobody")) == (["a"], ["b"], ())
    assert (ids(kept.listed(ME, "owls")), ids(kept.listed(OTHER, "owls")), kept.listed("nobody", "owls")) == (
        ["a"],
        ["b"],
        (),
    )


def test_the_file_does_not_tell_the_token(library, kept):
    talk(kept, "c", "One?")
    library._store.empty_log()
    content = (library.folder / "library.sqlite").read_bytes()
    assert b"One?" in content
    assert ME.encode() not in content
    ((digest,),) = library._store.rows("SELECT reader FROM conversations")
    assert len(digest) == 64
    assert kept.listed(digest) == ()  # nor does what it tells serve as one


def test_a_reader_without_a_token_is_refused(kept):
    for act in (kept.listed, lambda reader: kept.put(reader, "c", 1, "{}", "x")):
        with pytest.raises(ValueError, match="all browsers without a token would share"):
            act("")


def test_tokens_that_differ_in_half_characters_are_two(kept):
    talk(kept, "c", "One?", reader="\ud800")
    assert kept.listed("\udfff") == kept.listed("?") == ()
    assert ids(kept.listed("\ud800")) == ["c"]


# --- listing -------------------------------------------------------------------------------------------------------


def test_the_newest_change_comes_first(kept, monkeypatch):
    times = iter(f"2026-03-31T12:00:00.{n:06}+00:00" for n in range(100))
    monkeypatch.setattr(conversations, "_now", lambda: next(times))
    for id in "abc":
        talk(kept, id, "One?", "Two?")
    kept.put(ME, "a", 3, "{}", "x")
    assert ids(kept.listed(ME)) == ["a", "c", "b"]
    kept.put(ME, "b", 2, "{}", "x", anew=True)
    assert ids(kept.listed(ME)) == ["b", "a", "c"]
    kept.rename(ME, "c", "Another")  # what was said is as it was
    kept.rate(ME, "c", 1, 1)
    assert ids(kept.listed(ME)) == ["b", "a", "c"]
    monkeypatch.setattr(conversations, "_now", lambda: "2026-04-01T12:00:00.000000+00:00")
    talk(kept, "d", "At once?")
    talk(kept, "e", "And at the same time?")
    assert ids(kept.listed(ME)) == ["e", "d", "b", "a", "c"]


def test_words_are_found_in_titles_and_in_texts_of_turns(kept):
    talk(kept, "a", "Who counted the owls?", "Und die Bären in Łódź?")
    kept.put(ME, "b", 1, said("Prices", answer={"claims": [{"text": 'It rose by 100% in "May_2"', "n": 12345}]}), "Bread")
    talk(kept, "c", "Where are the storks?")
    found = {
        "OWLS": "a",
        "owl count": "a",
        "bären ŁÓDŹ owls": "a",  # in two turns, and no letters of English
        "bread prices": "b",  # one in the title, one in a turn
        "100%": "b",
        "may_2": "b",
        "may%2 1%": "",
        "mayx2": "",
        '"may_2"': "b",  # as it was said, not as JSON writes it
        "question": "",  # a field's name
        "claims": "",
        "12345": "",  # a number is no word
        "owls storks": "",
        "the": "ca",
        "  ": "cba",
        "\\": "",
        "\ud800": "",
    }
    assert {words: "".join(ids(kept.listed(ME, words))) for words in found} == found


def test_content_that_is_no_json_is_searched_as_it_is(kept):
    kept.put(ME, "a", 1, '{"question": "Cut short by an Owl', "x")
    assert ids(kept.listed(ME, "owl")) == ["a"]


def test_no_more_than_500_are_listed(library, kept):
    talk(kept, "c", "One?")
    copied = "INSERT INTO conversations SELECT ?, reader, ?, created_at, updated_at || ? FROM conversations WHERE id = 'c'"
    library._store.write(copied, [(str(n), f"Title {n % 2}", f"{n:04}") for n in range(1100)])
    assert len(kept.listed(ME)) == 500
    assert ids(kept.listed(ME, "title 0"))[:3] == ["1098", "1096", "1094"]
    assert len(kept.listed(ME, "title 0")) == 500
    assert ids(kept.listed(ME, "one?")) == ["c"]  # behind all that are newer


def test_a_hundred_conversations_of_a_hundred_turns_are_listed_by_the_index(library, kept):
    talk(kept, "c0", "One?")
    ((digest,),) = library._store.rows("SELECT reader FROM conversations")
    library._store.write(
        "INSERT INTO conversations VALUES (?, ?, 'Title', '', ?)",
        [(f"c{n}", digest if n < 100 else "another", f"2026-{n:04}") for n in range(1, 1000)],
    )
    turns = [(f"c{n}", number, said("x" * 500)) for n in range(100) for number in range(1 + (n == 0), 101)]
    library._store.write("INSERT INTO turns (conversation, number, content) VALUES (?, ?, ?)", turns)
    asked = []
    library._store.connection().set_trace_callback(asked.append)
    listed = kept.listed(ME)
    assert [one.n_turns for one in listed] == [100] * 100
    kept.turns(ME, "c7")
    library._store.connection().set_trace_callback(None)
    plans = [step[3] for sql in asked if "FROM" in sql for step in library._store.rows(f"EXPLAIN QUERY PLAN {sql}")]
    assert "SEARCH c USING INDEX conversations_of_reader (reader=?)" in plans
    assert not [step for step in plans if step.startswith("SCAN ") or "TEMP B-TREE" in step]


# --- titles, comments, ratings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept_as"),
    [
        ("  Owls \n in\tthe\u2003forest ", "Owls in the forest"),
        ("Łódź 🦉 פרס, 東京", "Łódź 🦉 פרס, 東京"),
        ("half \ud83e of an owl", "half ? of an owl"),
        ("x" * 300, "x" * 200),
        ("x" * 199 + " y", "x" * 199),
        ("null\0 and '; DROP TABLE turns", "null\0 and '; DROP TABLE turns"),
    ],
)
def test_a_title_is_one_line_of_whole_characters(kept, given, kept_as):
    kept.put(ME, "a", 1, "{}", given)
    talk(kept, "b", "One?")
    assert kept.rename(ME, "b", given) == kept.about(ME, "b").title == kept_as
    assert {one.id: one.title for one in kept.listed(ME)} == {"a": kept_as, "b": kept_as}


@pytest.mark.parametrize("title", ["", " \n\t\u2003"])
def test_an_empty_title_is_refused(kept, title):
    talk(kept, "c", "One?")
    for act in (lambda: kept.rename(ME, "c", title), lambda: kept.put(ME, "d", 1, "{}", title)):
        with pytest.raises(ConversationError, match=r"The title is empty\. Give the conversation one"):
            act()
    assert [one.title for one in kept.listed(ME)] == ["One?"]


def test_ids_contents_and_comments_may_have_half_characters(kept):
    kept.put(ME, "c\ud800", 1, '{"question": "\ud83e?"}', "x")
    kept.rate(ME, "c\ud800", 1, 1, "\ud83e!")
    assert kept.turns(ME, "c\ud800") == (KeptTurn('{"question": "??"}', 1, "?!"),)
    with pytest.raises(ConversationMissing, match="no conversation"):
        kept.turns(ME, "d\ud800")


def test_a_rating_is_kept_changed_and_taken_back(kept):
    talk(kept, "c", "One?", "Two?")
    kept.rate(ME, "c", 2, -1, "  It was in May.\n")
    assert kept.turns(ME, "c")[1] == KeptTurn(said("Two?"), -1, "It was in May.")
    kept.rate(ME, "c", 2, 1)
    assert kept.turns(ME, "c")[1] == KeptTurn(said("Two?"), 1, "")
    kept.rate(ME, "c", 2, 0)
    assert kept.turns(ME, "c")[1] == KeptTurn(said("Two?"), 0, "")
    assert kept.turns(ME, "c")[0].rating == 0


def test_a_rating_that_cannot_be_kept_is_told(kept):
    talk(kept, "c", "One?")
    kept.rate(ME, "c", 1, 1, "x" * 10_000)
    before = everything(kept)
    with pytest.raises(ConversationError, match=r"has 10,001 characters; at most 10,000 are kept\. Shorten it"):
        kept.rate(ME, "c", 1, -1, "x" * 10_001)
    with pytest.raises(ValueError, match="rating is 2; expected 1, 0 or -1"):
        kept.rate(ME, "c", 1, 2)
    with pytest.raises(ConversationMissing, match="no turn 2 in a conversation 'c'"):
        kept.rate(ME, "c", 2, 1)
    assert everything(kept) == before


# --- several at once, and crashes ----------------------------------------------------------------------------------


def in_thread(act, seconds=20):
    """Runs something in another thread; fails if it does not end in time."""
    done = []
    thread = threading.Thread(target=lambda: done.append(act()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert done, "it did not end, or failed"
    return done[0]


def test_a_turn_is_stored_at_once_while_another_adds(library, kept):
    # Adding holds the writers' lock for minutes.
    with library.writing():
        in_thread(lambda: talk(kept, "c", "One?", "Two?"))
        in_thread(lambda: kept.rate(ME, "c", 1, 1))
        in_thread(lambda: kept.put(ME, "c", 1, said("Once more?"), "x", anew=True))
    assert len(kept.turns(ME, "c")) == 1


def test_threads_that_store_turns_lose_none(kept):
    questions = [f"Question {n}?" for n in range(40)]
    ready = threading.Barrier(4)

    def write(reader, id):
        ready.wait()
        talk(kept, id, *questions, reader=reader)

    # The last two write the same one.
    threads = [threading.Thread(target=write, args=a) for a in ((ME, "a"), (OTHER, "b"), (ME, "c"), (ME, "c"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for reader, id in ((ME, "a"), (OTHER, "b"), (ME, "c")):
        assert [turn.content for turn in kept.turns(reader, id)] == [said(question) for question in questions]


@pytest.mark.parametrize("table", ["conversations", "turns"])
@pytest.mark.parametrize("act", ["put", "begin", "anew", "delete"])
def test_a_change_that_fails_leaves_nothing_of_it(library, kept, table, act):
    talk(kept, "c", "One?", "Two?")
    before = everything(kept)
    for event in ("INSERT", "UPDATE", "DELETE"):
        library._store.connection().execute(
            f"CREATE TRIGGER fail_{event} AFTER {event} ON {table} BEGIN SELECT raise(ABORT, 'database is locked'); END"
        )
    acts = {
        "put": lambda: kept.put(ME, "c", 3, "{}", "x"),
        "begin": lambda: kept.put(ME, "d", 1, "{}", "x"),
        "anew": lambda: kept.put(ME, "c", 1, "{}", "x", anew=True),
        "delete": lambda: kept.delete(ME, "c"),
    }
    with pytest.raises(LibraryError, match="Another program is writing"):
        acts[act]()
    assert everything(kept) == before
    assert library._store.rows("PRAGMA foreign_key_check") == []
    assert not library._store.connection().in_transaction


def test_where_nothing_can_be_written_conversations_are_read(library, kept, make_read_only):  # noqa: F811
    talk(kept, "c", "One?")
    library.close()
    make_read_only(library.folder)
    read = Library(library.folder)
    assert len(read.conversations.turns(ME, "c")) == 1
    assert ids(read.conversations.listed(ME, "one")) == ["c"]
    for act in (
        lambda: read.conversations.put(ME, "c", 2, "{}", "x"),
        lambda: read.conversations.delete(ME, "c"),
        lambda: read.conversations.rate(ME, "c", 1, 1),
    ):
        with pytest.raises(LibraryReadOnly, match="cannot be written to"):
            act()
    read.close()


# --- gone ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["delete", "anew"])
def test_what_is_forgotten_is_gone_from_the_file_and_its_log(library, kept, how):
    # Long turns lie on pages of their own, which are not wiped by themselves.
    for number in range(1, 6):
        kept.put(ME, "a", number, said("the secret of Arlen " * 10**number), "A secret title")
        kept.put(ME, "b", number, said("what is kept " * 10 ** (number - 1)), "Another")
    kept.rate(ME, "a", 2, -1, "the secret of Arlen")
    if how == "delete":
        kept.delete(ME, "a")
    else:
        kept.rename(ME, "a", "Another")
        kept.put(ME, "a", 1, "{}", "x", anew=True)
    for path in library.folder.glob("library.sqlite*"):
        assert b"secret" not in path.read_bytes(), path
    assert len(kept.turns(ME, "b")) == 5


def test_forgetting_waits_for_no_reader(library, kept):
    talk(kept, "c", "One?")
    other = Library(library.folder)
    with other.reading():
        assert len(other.conversations.turns(ME, "c")) == 1
        in_thread(lambda: kept.delete(ME, "c"))
        assert len(other.conversations.turns(ME, "c")) == 1
    other.close()
    assert kept.listed(ME) == ()


def test_a_log_that_cannot_be_emptied_does_not_undo_a_deletion(kept, monkeypatch):
    def broken(store):
        raise LibraryDamaged("The disk fails.")

    talk(kept, "c", "One?")
    monkeypatch.setattr(conversations.Store, "empty_log", broken)
    kept.delete(ME, "c")
    assert kept.listed(ME) == ()


# --- schema, backup, repair ----------------------------------------------------------------------------------------


def test_a_library_from_before_there_were_conversations_takes_them(tmp_path):
    _, new = make_old(tmp_path / "index", 6)
    library = Library(tmp_path / "index")
    assert library.documents() == (new,)
    assert library.conversations.listed(ME) == ()
    talk(library.conversations, "c", "One?")
    library.close()
    again = Library(tmp_path / "index")
    assert len(again.conversations.turns(ME, "c")) == 1
    again.close()


@pytest.mark.parametrize("version", range(7, len(MIGRATIONS) + 1))
def test_conversations_of_every_schema_version_are_there(tmp_path, version):
    make_old(tmp_path / "index", version)
    library = Library(tmp_path / "index")
    assert library.conversations.turns("a browser", "c") == (KeptTurn("{}", -1, "No."),)
    library.close()


def test_a_backup_has_the_conversations_of_its_time_and_brings_them_back(library, kept, tmp_path):
    stored(library, OWLS, "/a/o.txt")
    talk(kept, "a", "One?", "Two?")
    talk(kept, "b", "Three?", reader=OTHER)
    kept.rate(ME, "a", 2, -1, "Wrong.")
    before = everything(kept)
    library.backup(tmp_path / "backup")
    talk(kept, "c", "Later?")
    kept.delete(ME, "a")
    saving.restore(tmp_path / "backup", library.folder)
    assert everything(kept) == before  # through a connection that was open already
    saving.restore(tmp_path / "backup", tmp_path / "other")
    other = Library(tmp_path / "other")
    assert everything(other.conversations) == before
    other.close()


@pytest.mark.parametrize("version", [1, 6])
def test_a_backup_from_before_there_were_conversations_comes_back(library, kept, tmp_path, version):
    make_old(tmp_path / "old", version)
    talk(kept, "c", "One?")
    assert saving.restore(tmp_path / "old" / "library.sqlite", library.folder) == (1, None)
    assert kept.listed(ME) == ()
    talk(kept, "d", "Two?")
    assert ids(kept.listed(ME)) == ["d"]


def damage(library):
    """Spoils a text, so that a repair finds something to do, and closes the library."""
    stored(library, BRIDGES, "/a/b.txt")
    stored(library, OWLS, "/a/o.txt")
    library.close()
    path = library.folder / "library.sqlite"
    path.write_bytes(path.read_bytes().replace(b"Forty snowy owls", b"Forty snowy cows"))
    return path


def test_a_repair_saves_conversations(library, kept):
    talk(kept, "a", "One?", "Two?")
    talk(kept, "b", "Three?", reader=OTHER)
    kept.rate(ME, "a", 2, -1, "Wrong.")
    before = everything(kept)
    damage(library)
    assert repair(library.folder).saved == (1, 1)
    again = Library(library.folder)
    assert everything(again.conversations) == before
    talk(again.conversations, "c", "Later?")
    again.close()


def test_a_repair_saves_the_turns_around_a_page_that_cannot_be_read(library, kept):
    stored(library, OWLS, "/a/o.txt")
    contents = [said(f"Question {number}? " + "x" * 500) for number in range(100)]
    for number, content in enumerate(contents, 1):
        kept.put(ME, "a", number, content, "Many")
        kept.put(ME, "b", number, content, "Many more")
    library.close()
    spoil(library.folder / "library.sqlite", pages_of(library.folder, "turns")[3:5])
    assert repair(library.folder).saved == (1, 1)
    again = Library(library.folder)
    for id in "ab":
        saved = [turn.content for turn in again.conversations.turns(ME, id)]
        assert 80 < len(saved) < 100
        assert saved == [content for content in contents if content in saved]
        again.conversations.put(ME, id, len(saved) + 1, "{}", "x")  # there is no gap
    again.close()
    assert repair(library.folder).problem == ""


def test_a_repair_keeps_no_turns_of_which_nobody_knows_whose_they_are(library, kept):
    talk(kept, "a", "One?")
    path = damage(library)
    spoil(path, pages_of(library.folder, "conversations"))
    repair(library.folder)
    again = Library(library.folder)
    assert again._store.rows("SELECT 1 FROM turns") == []
    assert again.conversations.listed(ME) == ()
    again.close()


def test_a_library_without_its_first_page_keeps_its_conversations(library, kept):
    stored(library, OWLS, "/a/o.txt")
    talk(kept, "a", "One?", "Two?")
    before = everything(kept)
    library.close()
    path = library.folder / "library.sqlite"
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    assert repair(library.folder).saved == (1, 1)
    again = Library(library.folder)
    assert everything(again.conversations) == before
    again.close()


def test_a_number_below_one_is_refused_by_the_table(library, kept):
    talk(kept, "c", "One?")
    with pytest.raises(sqlite3.IntegrityError, match="CHECK constraint failed"):
        library._store.connection().execute("INSERT INTO turns (conversation, number, content) VALUES ('c', 0, '')")
