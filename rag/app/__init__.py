"""The Gradio page: a chat on the left, the evidence and the cited article on the right.

The only package that imports gradio. Knows how answers and articles look and which control does what; nothing of how an
answer is made.
"""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio and huggingface_hub read these when imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr
from fastapi import FastAPI

from rag import server
from rag.app.acts import Acts
from rag.app.conversation import Conversation
from rag.app.downloads import add_downloads, refuse_uploads
from rag.app.filtering import EXPANDED_SCRIPT, filter_controls
from rag.app.kept import Kept
from rag.app.page import Page
from rag.app.panel import library_html, panel_html
from rag.app.render import status_html, welcome_html
from rag.app.shelf import Shelf
from rag.config import Settings

_STYLE, _SCRIPT = (Path(__file__).with_name(name) for name in ("app.css", "panel.js"))
_MAX_WAITING = 20  # questions that see their place in the line; each holds a thread. Gradio lets the others wait
_POLL_SECONDS = 1.0  # until the page shows what another process added, or what is waited for


_ADDRESS_SCRIPT = """
watch('value', () => {
  const address = new URL(location), found = element.querySelector('[data-conversation]')?.dataset.conversation;
  if (found) address.searchParams.set('c', found); else address.searchParams.delete('c');
  history.replaceState(history.state, '', address);
});
"""
"""Puts the conversation into the address, so that a page that is loaded again goes on with it."""


def theme() -> gr.themes.Base:
    """Returns a quiet theme; its face comes with gradio, as one of the few there whose Latin letters are all in the file."""
    base = gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        font=(gr.themes.LocalFont("Source Sans Pro", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=("ui-monospace", "monospace"),
    )
    return base.set(
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_900",
        body_text_color="*neutral_900",
        body_text_color_dark="*neutral_100",
    )


def build_page(assistant: Any, settings: Settings, kept: Kept) -> gr.Blocks:
    """Builds the page over an assistant, which may still be loading.

    Args:
        assistant: gives stream, document, paragraphs, documents, generation, examples, waiting, notice and conversations,
            and adds, removes, brings back and rebuilds, as `rag.Assistant` does.
        kept: its conversations.
    """
    may_change = settings.page_access == "change"
    page = Page(assistant, kept, Shelf(assistant, settings.index) if may_change else None)
    acts = Acts(assistant, page)
    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        conversation = gr.State(Conversation())
        with gr.Row(elem_id="top"):
            title = '<h1>Footnote</h1><p class="quiet">Answers from your own articles</p>'
            gr.HTML(title, elem_id="title", js_on_load=EXPANDED_SCRIPT)
            status = gr.HTML(status_html((), "Starting"), elem_id="status")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="chat-column", scale=6, min_width=320):
                chat = _chatbot()
                with gr.Row(elem_id="composer"):
                    box = _question_box(settings)
                    ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=84, scale=0)
                    stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=84, scale=0, visible=False)
                with gr.Row(elem_id="controls"):
                    retry = gr.Button("Retry", size="sm", elem_id="retry", min_width=72, scale=0, interactive=False)
                    new = gr.Button("New", size="sm", elem_id="new", min_width=72, scale=0, interactive=False)
                controls = filter_controls()
            with gr.Column(elem_id="panel-column", scale=5, min_width=320):
                first = panel_html("library", library_html((), waiting=True))
                panel = gr.HTML(first, elem_id="panel", label="Sources", js_on_load=_SCRIPT.read_text(encoding="utf-8"))
                drop = "Drop articles here, or choose them"
                upload = gr.File(file_count="multiple", label=drop, elem_id="upload", visible=may_change, height=56)
        place = gr.HTML(elem_id="place", js_on_load=_ADDRESS_SCRIPT)
        timer = gr.Timer(_POLL_SECONDS)
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        known = [status, chat, panel, controls.frame, controls.told, *controls.lists]
        drawn = [chat, ask, stop, retry, new, place]
        loaded = blocks.load(page.load, [conversation], [panel, *drawn], **quiet)
        for event in (timer.tick, loaded.then):
            event(page.refresh, [status, conversation], known, **quiet)
        chosen = [status, conversation, *controls.values]
        gr.on(controls.changes, page.choose, chosen, known, trigger_mode="always_last", **quiet)
        emptied = controls.reset.click(page.choose_all, [conversation], controls.values, **quiet)
        emptied.then(page.refresh, [status, conversation], known, **quiet)
        every = quiet | {"trigger_mode": "multiple"}  # else a click is lost while an earlier one is worked on
        panel.act(acts.act, [conversation], [panel, box, *drawn, *controls.values], **every)
        upload.upload(acts.add, [upload, conversation], [panel, upload], **every)
        blocks.unload(page.leave)
        _connect_answers(page, conversation, box, known, drawn)
    return blocks.queue(default_concurrency_limit=1, api_open=False)


def _connect_answers(
    page: Page, conversation: gr.State, box: gr.Textbox, known: Sequence[Any], drawn: Sequence[Any]
) -> None:
    """Wires what starts an answer, what stops it, and what is drawn after it.

    Stopping is the conversation's: a run that is not its current one writes nothing more and closes its stream. Gradio's
    `cancels` asks for one event after the other, waits for a model that is reading, and then hits the next answer.
    """
    status, chat, panel, *_ = known
    _, ask, stop, retry, new, _ = drawn
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    after = quiet | {"trigger_mode": "multiple"}  # else what follows a new answer is left out while an old one's goes on
    model = {"concurrency_id": "model", "concurrency_limit": _MAX_WAITING}  # of which one is answered: `Line`
    for begun in (
        gr.on([box.submit, ask.click], page.ask, [box, conversation], [box, *drawn], queue=False, **quiet),
        chat.example_select(page.ask_example, [conversation], drawn, queue=False, **quiet),
        chat.option_select(page.ask_suggested, [conversation], drawn, queue=False, **quiet),
        retry.click(page.retry, [conversation], drawn, queue=False, **quiet),
    ):
        answer = begun.then(page.answer, [conversation], [chat, panel], **model, **after)
        ended = answer.then(page.draw, [conversation], drawn, queue=False, **after)
        ended.then(page.refresh, [status, conversation], known, queue=False, **after)  # articles may have come meanwhile
    stop.click(page.stop, [conversation], drawn, queue=False, **quiet)
    new.click(page.begin_anew, [conversation], [panel, *drawn], queue=False, **quiet)


def _chatbot() -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        label="Conversation",
        show_label=False,
        height="100%",
        buttons=[],  # what "copy" takes is the Markdown with its escapes, not the text
        layout="panel",
        latex_delimiters=[],
        allow_tags=False,
        feedback_options=None,
        placeholder=welcome_html((), "Starting"),
        group_consecutive_messages=False,
    )


def _question_box(settings: Settings) -> gr.Textbox:
    return gr.Textbox(
        elem_id="question",
        label="Question",
        show_label=False,
        placeholder="Ask about your articles",
        lines=1,
        max_lines=5,
        max_length=100_000,  # the assistant says what is too long; this only bounds the request
        autofocus=True,
        scale=1,
        container=False,
    )


def mount(application: FastAPI, assistant: Any, settings: Settings) -> FastAPI:
    """Mounts the page at the root of the server's application, and the files that can be saved from it."""
    kept = Kept(assistant.conversations)
    add_downloads(application, kept)
    if settings.page_access == "read":
        refuse_uploads(application)  # hiding what they are dropped on keeps no program from sending files
    return gr.mount_gradio_app(
        application,
        build_page(assistant, settings, kept),
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size=f"{settings.max_file_mb}mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css_paths=[_STYLE],
    )


def serve(assistant: Any, settings: Settings, on_ready: Callable[[str], object] | None, sock: socket.socket) -> None:
    """Serves the page on a socket of `server.bind` until Ctrl-C, and closes it.

    Args:
        on_ready: called with the page's address once it listens.
    """
    with sock, tempfile.TemporaryDirectory(prefix="footnote-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # gradio keeps its own files here; they go when the page closes
        server.run(mount(server.create_app(), assistant, settings), sock, on_ready)
