"""What the links and buttons inside the panel and the answers do. They come from the browser, so each is checked."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, wait
from dataclasses import replace
from typing import Any

import gradio as gr

from rag.app.conversation import Conversation, View
from rag.app.page import Page
from rag.app.panel import article_html, comment_html, panel_html, problem_html
from rag.app.reference import decode_act, decode_ref
from rag.errors import DocumentMissing, RagError

_SHORTLY = 1.5  # seconds; what the shelf has done by then is seen at once, and else at the next look
_MAX_VALUE = 10_000  # characters of what is typed into a field of the panel
_VIEWS: dict[object, View] = {f"#{name}": name for name in ("evidence", "library", "conversations")}
_NOTHING: list[Any] = [gr.skip()] * 13

Updates = Sequence[Any]
"""Of panel, question box, what `Page.draw` returns, and the controls of the filter."""


class Acts:
    """The handlers of `act`, the event of the panel and the answers."""

    def __init__(self, assistant: Any, page: Page) -> None:
        self._assistant, self._page, self._kept = assistant, page, page.kept

    def act(self, event: gr.EventData, conversation: Conversation) -> Updates:
        """Does what a link or button says; nothing for one that this page cannot have made."""
        data = event._data if isinstance(event._data, dict) else {}
        link, value = data.get("ref"), data.get("value")
        value = value[:_MAX_VALUE].encode("utf-8", "replace").decode() if isinstance(value, str) else ""
        name, argument = decode_act(link)
        match name:
            case "edit" | "reword" | "keep" | "good" | "bad" | "remark" | "comment":
                return self._on_turn(name, _number(argument), value, conversation)
            case "open" | "delete" | "name" | "rename" | "discard" | "choose":
                return self._on_conversation(name, argument, value, conversation)
            case "only" | "all":
                return self._on_filter(name, argument, conversation)
            case "remove" | "undo" | "rebuild" | "dismiss":
                return self._on_library(name, argument, conversation)
            case "search":
                conversation.words = value
                return self._panel(conversation)
            case "":
                return self._show(link, conversation)
        return _NOTHING

    def _show(self, link: object, conversation: Conversation) -> Updates:
        """Opens a view, or the article that a citation or a title refers to."""
        if isinstance(link, str) and link.startswith("#cite-"):
            return [self.article(link, conversation), *_NOTHING[1:]]
        if not isinstance(link, str) or (link != "#back" and link not in _VIEWS):
            return _NOTHING
        conversation.view = _VIEWS.get(link) or _home(conversation)
        conversation.words, conversation.chosen = "", ("", "")
        return self._panel(conversation)

    def _panel(self, conversation: Conversation) -> Updates:
        return [self._page.panel(conversation), *_NOTHING[1:]]

    def _chat(self, conversation: Conversation, box: Any = _NOTHING[0]) -> Updates:
        return [_NOTHING[0], box, *self._page.draw(conversation), *_NOTHING[8:]]

    def _all(self, conversation: Conversation) -> Updates:
        return [self._page.panel(conversation), _NOTHING[0], *self._page.draw(conversation), *_NOTHING[8:]]

    # --- answers ------------------------------------------------------------------------------------------------------

    def _on_turn(self, name: str, number: int, value: str, conversation: Conversation) -> Updates:
        if name == "keep":
            conversation.editing = 0
            return self._chat(conversation, "")
        if not 0 < number <= len(conversation.turns) or conversation.running:
            return _NOTHING
        turn = conversation.turns[number - 1]
        match name:
            case "edit" | "reword":
                conversation.editing = number
                return self._chat(conversation, turn.question if name == "edit" else turn.searched)
            case "good" | "bad":
                rating = 1 if name == "good" else -1
                self._rate(conversation, number, rating=0 if turn.rating == rating else rating)
                return self._chat(conversation)
            case "comment":
                self._rate(conversation, number, comment=value.strip())
                conversation.view = "evidence"
                return self._all(conversation)
        conversation.view = "comment"
        return [panel_html("comment", comment_html(number, turn)), *_NOTHING[1:]]

    def _rate(self, conversation: Conversation, number: int, **what: Any) -> None:
        turns = list(conversation.turns)
        turns[number - 1] = replace(turns[number - 1], **what)
        conversation.turns = tuple(turns)
        self._kept.rate(conversation, number)

    # --- conversations ------------------------------------------------------------------------------------------------

    def _on_conversation(self, name: str, identity: str, value: str, conversation: Conversation) -> Updates:
        conversation.chosen = (identity, name) if name in ("rename", "discard") else ("", "")
        match name:
            case "name":
                self._kept.rename(conversation, identity, value)
            case "open":
                if identity != conversation.id and (found := self._kept.read(conversation.reader, identity)):
                    self._page.leave_turn(conversation)
                    conversation.begin_anew(*found)
                elif identity == conversation.id:
                    conversation.view = "evidence"
                return self._all(conversation)
            case "delete":
                if identity == conversation.id:
                    self._page.leave_turn(conversation)
                    conversation.begin_anew()
                self._kept.delete(conversation, identity)
                conversation.view = "conversations"
                return self._all(conversation)
        return self._panel(conversation)

    # --- the filter ---------------------------------------------------------------------------------------------------

    def _on_filter(self, name: str, identity: str, conversation: Conversation) -> Updates:
        """Asks one document only from now on, or all of them."""
        try:
            if name == "only":
                self._assistant.document(identity)
                values = self._page.choose_only(identity, conversation)
            else:
                values = self._page.choose_all(conversation)
        except RagError:  # it is gone
            return self._panel(conversation)
        conversation.view, conversation.words = "library", ""
        return [*self._panel(conversation)[:8], *values]

    # --- the library --------------------------------------------------------------------------------------------------

    def add(self, files: Sequence[str] | None, conversation: Conversation) -> Sequence[Any]:
        """Adds files that were dropped; returns panel and the emptied field for them."""
        if self._page.shelf and files:
            conversation.view = "library"
            _soon(self._page.shelf.add(files))
        return [self._page.panel(conversation), None]

    def _on_library(self, name: str, identity: str, conversation: Conversation) -> Updates:
        if (shelf := self._page.shelf) is None:
            return _NOTHING
        match name:
            case "remove":
                _soon(shelf.remove(identity))
            case "undo":
                _soon(shelf.undo())
            case "rebuild":
                _soon(shelf.rebuild())
            case "dismiss":
                shelf.dismiss()
        return self._panel(conversation)

    def article(self, link: str, conversation: Conversation) -> str:
        """Returns the panel with the article that a link refers to, the cited sentence marked."""
        back = f"Back to the {_home(conversation)}"
        conversation.view = "article"
        return panel_html("article", self._article(link, back))

    def _article(self, link: str, back: str) -> str:
        ref = decode_ref(link)
        if ref is None:
            return problem_html("This reference cannot be read.", back=back)
        try:
            document = self._assistant.document(ref.document, ref.version)
            paragraphs = self._assistant.paragraphs(ref.document, ref.version)
            current = self._assistant.document(ref.document).version
        except (DocumentMissing, UnicodeEncodeError):  # the latter for half characters of a forged link
            return problem_html("This article is no longer in the library.", back=back)
        except RagError as exc:
            return problem_html(f"{exc.message} {exc.hint}", back=back)
        note = "" if current == ref.version else "The article has changed since; this is the version that was cited."
        return article_html(document, paragraphs, ref, note=note, back=back)


def _home(conversation: Conversation) -> View:
    return "evidence" if any(turn.hits for turn in conversation.turns) else "library"


def _number(argument: str) -> int:
    return int(argument) if argument.isascii() and argument.isdigit() and len(argument) < 6 else 0


def _soon(done: Future[None]) -> None:
    wait([done], timeout=_SHORTLY)
