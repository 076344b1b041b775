"""Files that a reader can save from the page: an answer with its quotes, a conversation; and files that nobody may send."""

from __future__ import annotations

from fastapi import FastAPI, Request
from gradio.route_utils import API_PREFIX
from starlette.responses import PlainTextResponse, Response

from rag.app.keeping import answer_json, as_json, as_markdown, title_of
from rag.app.kept import Kept
from rag.server import COOKIE, reader

_GONE = "There is no such conversation in this browser. It may have been deleted."


def add_downloads(application: FastAPI, kept: Kept) -> None:
    """Adds the addresses of the files, each for the reader whose conversation it is."""

    @application.get("/conversations/{identity}.md", include_in_schema=False)
    def markdown(identity: str, request: Request) -> Response:
        return _file(kept, request, identity, "md")

    @application.get("/conversations/{identity}.json", include_in_schema=False)
    def everything(identity: str, request: Request) -> Response:
        return _file(kept, request, identity, "json")

    @application.get("/conversations/{identity}/{number}.json", include_in_schema=False)
    def answer(identity: str, number: int, request: Request) -> Response:
        return _file(kept, request, identity, "json", number)


def refuse_uploads(application: FastAPI) -> None:
    """Refuses every file that is sent, in place of the page's own address for them."""

    @application.post(f"{API_PREFIX}/upload", include_in_schema=False)
    def upload() -> Response:
        return PlainTextResponse("This page may only read the library.", status_code=403)


def _file(kept: Kept, request: Request, identity: str, suffix: str, number: int | None = None) -> Response:
    """Returns a conversation, or the answer of one turn of it, as a file to be saved."""
    token = reader(request.cookies.get(COOKIE, ""))
    if (found := kept.read(token, identity)) is None:
        return PlainTextResponse(_GONE, status_code=404)
    _, turns, title = found
    if number is not None:
        turn = turns[number - 1] if 0 < number <= len(turns) else None
        if turn is None or turn.answer is None:
            return PlainTextResponse("This question has no answer that could be saved.", status_code=404)
        text, name = answer_json(turn.answer), f"answer-{number}"
    else:
        text, name = (as_markdown if suffix == "md" else as_json)(title or title_of(turns), turns), "conversation"
    kind = "text/markdown" if suffix == "md" else "application/json"
    headers = {"Content-Disposition": f'attachment; filename="{name}.{suffix}"', "Cache-Control": "no-store"}
    return Response(text, media_type=f"{kind}; charset=utf-8", headers=headers)
