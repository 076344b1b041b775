"""Files that are saved from the page: only the reader's own, as files and never as pages."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from rag import server
from rag.app.conversation import Turn
from rag.app.downloads import add_downloads
from rag.app.keeping import answer_json, as_markdown, to_content
from rag.app.kept import Kept
from rag.cli.asking import _saved_citations
from rag.library import Library
from rag.types import NOT_FOUND, Answer
from tests.test_app_keeping import ANSWER, CLAIMS, FULL, HIT

ME, OTHER = "m" * 43, "o" * 43
TURNS = (
    replace(FULL, awaited="", note=""),
    Turn("What <script>next</script>?", (HIT,), note="Stopped."),
    Turn("Who?", answer=Answer(NOT_FOUND, "not_found", "Who?")),
)
ALL = ["c.md", "c.json", "c/1.json", "c/3.json"]


@pytest.fixture
def kept(tmp_path):
    library = Library(tmp_path / "index")
    for number, turn in enumerate(TURNS, 1):
        library.conversations.put(ME, "c", number, to_content(turn), 'The "bridge"; <b>\r\nX: y')
    library.conversations.rate(ME, "c", 1, FULL.rating, FULL.comment)
    yield Kept(library.conversations)
    library.close()


@pytest.fixture
def client(kept):
    application = server.create_app()
    add_downloads(application, kept)
    return TestClient(application, base_url="http://localhost")


def get(client, path, reader=ME):
    cookies = {"Cookie": f"a=b; {server.COOKIE}={reader}"} if reader else {}
    return client.get(f"/conversations/{path}", headers=cookies)


@pytest.mark.parametrize(
    ("path", "kind", "name"),
    [
        ("c.md", "text/markdown", "conversation.md"),
        ("c.json", "application/json", "conversation.json"),
        ("c/1.json", "application/json", "answer-1.json"),
        ("c/3.json", "application/json", "answer-3.json"),
    ],
)
def test_what_is_sent_is_a_file_that_nothing_keeps_or_shows_as_a_page(client, path, kind, name):
    response = get(client, path)
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{kind}; charset=utf-8"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in response.headers


def test_a_conversation_is_saved_to_be_read(client):
    title = 'The "bridge"; <b> X: y'
    assert get(client, "c.md").text == as_markdown(title, TURNS)


def test_a_conversation_is_saved_with_all_that_is_known(client):
    saved = get(client, "c.json").json()
    assert [turn["question"] for turn in saved["turns"]] == [turn.question for turn in TURNS]
    assert (saved["turns"][0]["rating"], saved["turns"][0]["comment"]) == (-1, "Wrong <b>.")
    assert [turn["found"] for turn in saved["turns"]] == [True, False, False]


def test_an_answer_is_saved_as_rag_verify_takes_it(client, tmp_path):
    response = get(client, "c/1.json")
    assert response.text == answer_json(ANSWER)
    (tmp_path / "saved.json").write_bytes(response.content)
    assert len(_saved_citations(tmp_path / "saved.json")) == 2
    assert json.loads(get(client, "c/3.json").text)["text"] == NOT_FOUND


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("reader", [OTHER, "", "m", "m" * 42, "M" * 43, "m" * 43 + "%"])
def test_another_browser_gets_nothing(client, path, reader):
    response = get(client, path, reader)
    assert response.status_code == 404
    assert response.text == "There is no such conversation in this browser. It may have been deleted."
    assert response.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path", ["nothing.md", "nothing.json", "nothing/1.json", ".md", "%00.md", "%ED%A0%80.json", "c%27--.md"]
)
def test_what_is_not_there_is_not_found(client, path):
    assert get(client, path).status_code == 404


@pytest.mark.parametrize("number", ["2", "4", "99999", "0", "-1", "-3", "-4"])
def test_a_turn_without_an_answer_and_one_that_is_not_there_cannot_be_saved(client, number):
    response = get(client, f"c/{number}.json")
    assert (response.status_code, response.text) == (404, "This question has no answer that could be saved.")


@pytest.mark.parametrize("number", ["x", "1.5", "9" * 5000, "1e3", "%20"])
def test_a_number_that_is_none_is_refused(client, number):
    assert get(client, f"c/{number}.json").status_code in (404, 422)


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_another_site_gets_nothing(client, headers):
    sent = {"Cookie": f"{server.COOKIE}={ME}"} | headers
    response = client.get("/conversations/c.md", headers=sent)
    assert response.status_code == 403
    assert CLAIMS[0].text not in response.text


def test_nothing_is_changed_by_an_address(client, kept):
    for method in ("POST", "DELETE", "PUT", "PATCH"):
        assert (
            client.request(method, "/conversations/c.json", headers={"Cookie": f"{server.COOKIE}={ME}"}).status_code == 405
        )
    assert len(kept.turns(ME, "c")) == 3


def test_a_conversation_that_was_deleted_is_gone(client, kept):
    kept._conversations.delete(ME, "c")
    assert [get(client, path).status_code for path in ALL] == [404] * 4
