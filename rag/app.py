"""The Gradio page: a chat on the left, the evidence and the cited article on the right. The only file that imports gradio.

Knows how answers and articles look and which control does what; nothing of how an answer is made. Everything that comes
from an article, a model or a reader is escaped here: `escape_chat` for the chat (Markdown), `html.escape` for the panel.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import logging
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # gradio and huggingface_hub read these when imported
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")

import gradio as gr  # noqa: E402
from fastapi import FastAPI  # noqa: E402

from rag import server  # noqa: E402
from rag.config import Settings  # noqa: E402
from rag.errors import DocumentMissing, RagError  # noqa: E402
from rag.types import Answer, Citation, Claim, Delta, Document, Done, Event, Evidence, Hit, Paragraph, Withdrawn  # noqa: E402

logger = logging.getLogger(__name__)

_STYLE = Path(__file__).with_name("app.css")
_REDRAW_SECONDS = 0.05  # draft words are drawn at most this often
_POLL_SECONDS = 1.0  # while something is waited for
_CARDS = 4  # hits shown at once; the others fold
_MAX_EXAMPLES = 4
_MAX_LISTED = 200  # articles in the panel's list
_MAX_REF_CHARS = 2000

# ---------------------------------------------------------------- references


@dataclass(frozen=True, slots=True)
class Ref:
    """What a link of this page opens: a version of a document, a paragraph (0: the top), and the span to mark.

    It travels through the browser, so what comes back is checked like any other input.
    """

    document: str
    version: str
    paragraph: int = 0
    start: int = 0
    end: int = 0


def encode_ref(ref: Ref) -> str:
    """Returns the hash link of a reference, "#cite-...": letters, digits, "-" and "_" only."""
    fields = [ref.document, ref.version, ref.paragraph, ref.start, ref.end]
    packed = json.dumps(fields, separators=(",", ":")).encode()
    return "#cite-" + base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode_ref(link: object) -> Ref | None:
    """Returns the reference of a hash link, None for anything that `encode_ref` cannot have made."""
    if not isinstance(link, str) or len(link) > _MAX_REF_CHARS or not link.startswith("#cite-"):
        return None
    packed = link.removeprefix("#cite-")
    try:
        fields = json.loads(base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    if not isinstance(fields, list) or [type(field) for field in fields] != [str, str, int, int, int]:
        return None
    if min(fields[2:]) < 0:
        return None
    return Ref(*fields)


def citation_ref(citation: Citation) -> Ref:
    """Returns the reference that opens a citation."""
    return Ref(citation.document, citation.version, citation.paragraph, citation.start, citation.end)


def hit_ref(hit: Hit) -> Ref:
    """Returns the reference that opens a hit's paragraph with its best sentence marked."""
    offset = hit.text.find(hit.quote) if hit.quote else -1
    if offset < 0:
        return Ref(hit.document, hit.version, hit.paragraph)
    return Ref(hit.document, hit.version, hit.paragraph, hit.start + offset, hit.start + offset + len(hit.quote))


# ---------------------------------------------------------------- one turn of the conversation


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and what is known of its answer so far. `note` is a line of ours: stopped, or what went wrong."""

    question: str
    hits: tuple[Hit, ...] = ()
    claims: tuple[Claim, ...] = ()
    draft: str = ""
    answer: Answer | None = None
    note: str = ""


def advance(turn: Turn, event: Event) -> Turn:
    """Returns the turn after an event of the assistant's stream."""
    match event:
        case Evidence(hits=hits):
            return replace(turn, hits=hits)
        case Delta(text=text):
            return replace(turn, draft=turn.draft + text)
        case Claim():
            return replace(turn, claims=(*turn.claims, event), draft="")
        case Withdrawn():
            return replace(turn, draft="")
        case Done(answer=answer):
            return replace(turn, answer=answer, claims=answer.claims, hits=answer.evidence or turn.hits, draft="")
    return turn


def history(turns: Iterable[Turn]) -> list[dict[str, str]]:
    """Returns the turns that were answered as plain messages, oldest first: confirmed text without marks."""
    messages = []
    for turn in turns:
        text = " ".join(claim.text for claim in turn.claims) or (turn.answer.text if turn.answer else "")
        if text:
            messages.append({"role": "user", "content": turn.question})
            messages.append({"role": "assistant", "content": text})
    return messages


class Conversation:
    """What one open page remembers. The events of a page run in threads; only the run that is current may write."""

    def __init__(self) -> None:
        self.turns: tuple[Turn, ...] = ()
        self.run: object | None = None  # of the answer that is being written
        self.view = "library"  # what the panel shows: "library", "evidence" or "article"
        self.seen: object = None  # what the status line and the examples were last made of

    @property
    def running(self) -> bool:
        """True while an answer is being written."""
        return self.run is not None

    def begin(self, question: str) -> None:
        """Starts a turn."""
        self.turns = (*self.turns, Turn(question))
        self.run = object()

    def end(self, note: str = "") -> None:
        """Ends the run, if there is one; its draft goes, what was confirmed stays."""
        if self.running:
            self.run = None
            self.turns = (*self.turns[:-1], replace(self.turns[-1], draft="", note=note))


# ---------------------------------------------------------------- text for the chat (Markdown)

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


def escape_chat(text: str) -> str:
    """Returns Markdown that shows a text literally: no markup, link, image, formula or template can come of it."""
    text = _CONTROLS.sub("", text.replace("\r\n", "\n"))
    text = _PUNCTUATION.sub(lambda match: f"&#{ord(match[0])};", text)
    return _INDENT.sub(lambda match: "&#160;" * len(match[0].expandtabs(4)), text)


def chat_messages(turns: Sequence[Turn], *, running: bool) -> list[dict[str, str]]:
    """Returns the messages of the Chatbot; the last turn's draft is shown while it is `running`."""
    messages = []
    for number, turn in enumerate(turns, start=1):
        current = running and number == len(turns)
        messages.append({"role": "user", "content": escape_chat(turn.question)})
        messages.append({"role": "assistant", "content": answer_markdown(turn, running=current)})
    return messages


def answer_markdown(turn: Turn, *, running: bool) -> str:
    """Returns what is said to a question: confirmed sentences with their marks, the draft, and our own notes."""
    parts = []
    text = _claims_markdown(turn)
    if turn.answer and not turn.claims:
        text = escape_chat(turn.answer.text)
    if running and turn.draft.strip():
        text = f"{text} {_aside(turn.draft)}".strip()
    elif running and not text:
        text = _aside("Reading the paragraphs…" if turn.hits else "Looking for paragraphs…")
    notice = turn.answer.notice if turn.answer else ""
    parts = [text, *(_aside(line) for line in (notice, turn.note) if line)]
    return "\n\n".join(part for part in parts if part) or _aside("No answer.")


def _aside(text: str) -> str:
    """What is not a confirmed statement is set as emphasis, which the style sheet mutes."""
    return f"<em>{escape_chat(' '.join(text.split()))}</em>"


def _claims_markdown(turn: Turn) -> str:
    """Sentences in a row; a line break between two in the answer's text stays one."""
    text, at, parts = turn.answer.text if turn.answer else "", 0, []
    for claim in turn.claims:
        found = text.find(claim.text, at)
        if parts:
            parts.append("\n\n" if found >= 0 and "\n" in text[at:found] else " ")
        at = found + len(claim.text) if found >= 0 else at
        marks = "".join(_mark_markdown(citation) for citation in claim.citations)
        parts.append(f"{escape_chat(claim.text.strip())} {marks}".strip())
    return "".join(parts)


def _mark_markdown(citation: Citation) -> str:
    title = escape_chat(" ".join(f"Paragraph {citation.paragraph} of “{citation.title}”".split()))
    return f'[&#91;{int(citation.number)}&#93;]({encode_ref(citation_ref(citation))} "{title}")'


# ---------------------------------------------------------------- HTML for the panel


def mark_spans(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Returns a text escaped, with the spans (offsets into it, clipped to it) in <mark>."""
    parts, at = [], 0
    for start, end in sorted(spans):
        start, end = max(start, at), min(end, len(text))
        if start < end:
            parts += [html.escape(text[at:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
            at = end
    return "".join(parts) + html.escape(text[at:])


def written_date(iso: str) -> str:
    """Returns "19 July 2025" for "2025-07-19", and anything else as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B %Y}"


def evidence_html(turn: Turn, documents: Callable[[Hit], Document | None]) -> str:
    """Returns the hits of a turn as cards, best first. `documents` gives a hit's document, None if it is gone."""
    nearest = turn.answer is not None and turn.answer.status == "not_found"
    head = _panel_head("Nearest paragraphs" if nearest else "Evidence", turn.question)
    if not turn.hits:
        return head + '<p class="quiet">No paragraph of the library comes near this question.</p>'
    cards = [_card_html(hit, documents(hit), turn) for hit in turn.hits]
    shown, folded = "".join(cards[:_CARDS]), "".join(cards[_CARDS:])
    if folded:
        count = len(cards) - _CARDS
        folded = f"<details><summary>{count} more paragraph{'s' if count > 1 else ''}</summary>{folded}</details>"
    return head + shown + folded


def _card_html(hit: Hit, document: Document | None, turn: Turn) -> str:
    offset = hit.text.find(hit.quote) if hit.quote else -1
    text = mark_spans(hit.text, [(offset, offset + len(hit.quote))] if offset >= 0 else [])
    numbers = sorted({c.number for claim in turn.claims for c in claim.citations if _cites(c, hit)})
    marks = "".join(f'<span class="number">[{int(number)}]</span> ' for number in numbers)
    day = f"{html.escape(written_date(document.date))} · " if document and document.date else ""
    return (
        f'<article class="card"><h3>{marks}<a href="{encode_ref(hit_ref(hit))}">{html.escape(hit.title)}</a></h3>'
        f'<p class="meta">{day}Paragraph {int(hit.paragraph)}</p><p class="text">{text}</p></article>'
    )


def _cites(citation: Citation, hit: Hit) -> bool:
    return (citation.document, citation.version, citation.paragraph) == (hit.document, hit.version, hit.paragraph)


def article_html(document: Document, paragraphs: Sequence[Paragraph], ref: Ref, *, note: str = "", back: str) -> str:
    """Returns a document with its numbered paragraphs, the span of `ref` marked and its paragraph highlighted."""
    meta = " · ".join(part for part in (written_date(document.date), Path(document.source).name) if part)
    rows = []
    for paragraph in paragraphs:
        text = document.text[paragraph.start : paragraph.end]
        marked = mark_spans(text, [(ref.start - paragraph.start, ref.end - paragraph.start)])
        cited = ' class="cited" id="cited"' if paragraph.number == ref.paragraph else ""
        number = f'<span class="number">{int(paragraph.number)}</span>'
        rows.append(f'<div role="listitem"{cited}>{number}<p class="text">{marked}</p></div>')
    return (
        f'<p class="back"><a href="#evidence">← {html.escape(back)}</a></p>'
        f'<h2 tabindex="-1">{html.escape(document.title)}</h2><p class="meta">{html.escape(meta)}</p>'
        + (f'<p class="notice">{html.escape(note)}</p>' if note else "")
        + f'<div class="article" role="list">{"".join(rows)}</div>'
    )


def library_html(documents: Sequence[Document], *, waiting: bool) -> str:
    """Returns the list of the library's articles, or what to do if there are none."""
    head = _panel_head("Library", "")
    if not documents and waiting:
        return head + '<p class="quiet">The articles appear here as soon as they are read.</p>'
    if not documents:
        return head + f'<p class="quiet">{_EMPTY_HTML}</p>'
    rows = "".join(
        f'<li><a href="{encode_ref(Ref(document.id, document.version))}">{html.escape(document.title)}</a>'
        f'<span class="meta">{html.escape(written_date(document.date))}</span></li>'
        for document in documents[:_MAX_LISTED]
    )
    rest = len(documents) - _MAX_LISTED
    more = f'<p class="quiet">and {rest} more; "rag list" shows all.</p>' if rest > 0 else ""
    return f'{head}<ul class="library">{rows}</ul>{more}'


def problem_html(message: str, *, back: str) -> str:
    """Returns the panel with a line that says what could not be opened."""
    link = f'<p class="back"><a href="#evidence">← {html.escape(back)}</a></p>'
    return f'{link}<h2 tabindex="-1">Source</h2><p class="notice">{html.escape(message)}</p>'


def _panel_head(title: str, question: str) -> str:
    asked = f'<p class="meta">for “{html.escape(question)}”</p>' if question else ""
    return f'<h2 tabindex="-1">{html.escape(title)}</h2>{asked}'


_EMPTY_HTML = "The library is empty. Add articles with <code>rag add PATH</code>, a file or a folder."


# ---------------------------------------------------------------- what the events of the page do


class Page:
    """The handlers of one page's events over an assistant. Each returns updates in the order that `build_page` names."""

    def __init__(self, assistant: Any) -> None:
        self._assistant = assistant

    def ask(self, question: str, conversation: Conversation) -> Sequence[Any]:
        """Takes a typed question; nothing happens for an empty one or while an answer is being written."""
        if not question.strip() or conversation.running:
            return [gr.skip()] * 6
        conversation.begin(question.strip())
        return ["", *self.draw(conversation)]

    def ask_example(self, event: gr.SelectData, conversation: Conversation) -> Sequence[Any]:
        """Takes an example question."""
        return self.ask(str(event.value["text"]), conversation)[1:]

    def retry(self, conversation: Conversation) -> Sequence[Any]:
        """Asks the last question again, in place of its answer."""
        if conversation.turns and not conversation.running:
            *earlier, last = conversation.turns
            conversation.turns = tuple(earlier)
            conversation.begin(last.question)
        return self.draw(conversation)

    def answer(self, conversation: Conversation) -> Iterator[tuple[Any, Any]]:
        """Streams the answer of the last turn into the chat, and its evidence into the panel."""
        run, drawn = conversation.run, 0.0
        if run is None:
            return
        *earlier, turn = conversation.turns
        try:
            with closing(_closable(self._assistant.stream(turn.question, history=history(earlier)))) as events:
                for event in events:
                    if conversation.run is not run:
                        return
                    turn = advance(turn, event)
                    conversation.turns = (*earlier, turn)
                    if isinstance(event, Delta) and time.monotonic() - drawn < _REDRAW_SECONDS:
                        continue
                    drawn = time.monotonic()
                    yield self._chat(conversation), self._panel_after(event, conversation)
            note = ""
        except RagError as exc:
            note = f"{exc.message} {exc.hint}".strip()
        except Exception as exc:
            logger.exception("a question could not be answered: %s", type(exc).__name__)
            note = "Something went wrong, and this question was not answered. Retry asks it again."
        if conversation.run is run:
            conversation.end(note)
            yield self._chat(conversation), gr.skip()

    def stop(self, conversation: Conversation) -> Sequence[Any]:
        """Ends the answer; what was confirmed stays."""
        conversation.end("Stopped.")
        return self.draw(conversation)

    def fail(self, conversation: Conversation) -> Sequence[Any]:
        """Ends an answer that the queue refused."""
        conversation.end("Too many questions are waiting. Retry asks it again.")
        return self.draw(conversation)

    def clear(self, conversation: Conversation) -> Sequence[Any]:
        """Forgets the conversation."""
        conversation.end()
        conversation.turns, conversation.view = (), "library"
        return [self._panel(conversation), *self.draw(conversation)]

    def open(self, event: gr.EventData, conversation: Conversation) -> str:
        """Opens what a link of the page refers to in the panel. The link comes from the browser and is checked."""
        link = event._data.get("ref") if isinstance(event._data, dict) else None
        home = "evidence" if any(turn.hits for turn in conversation.turns) else "library"
        if link == "#evidence":
            conversation.view = home
            return self._panel(conversation)
        conversation.view, back = "article", f"Back to the {home}"
        ref = decode_ref(link)
        if ref is None:
            return problem_html("This reference cannot be read.", back=back)
        try:
            document = self._assistant.document(ref.document, ref.version)
            paragraphs = self._assistant.paragraphs(ref.document, ref.version)
            current = self._assistant.document(ref.document).version
        except DocumentMissing:
            return problem_html("This article is no longer in the library.", back=back)
        except RagError as exc:
            return problem_html(f"{exc.message} {exc.hint}", back=back)
        note = "" if current == ref.version else "The article has changed since; this is the version that was cited."
        return article_html(document, paragraphs, ref, note=note, back=back)

    def refresh(self, conversation: Conversation) -> Sequence[Any]:
        """Returns status line, chat (its welcome and examples), panel and timer; the timer rests once all is ready."""
        try:
            waiting, documents = self._assistant.waiting(), self._assistant.documents()
            examples = tuple(self._assistant.examples()[:_MAX_EXAMPLES])
        except RagError as exc:
            waiting, documents, examples = f"{exc.message} {exc.hint}".strip(), (), ()
        seen = (waiting, examples, tuple((document.id, document.version) for document in documents))
        if conversation.seen == seen:
            return [gr.skip()] * 4
        conversation.seen = seen
        chat = gr.Chatbot(placeholder=_welcome(documents, waiting), examples=[{"text": text} for text in examples])
        panel = library_html(documents, waiting=bool(waiting)) if conversation.view == "library" else gr.skip()
        return [_status_html(documents, waiting), chat, panel, gr.Timer(active=bool(waiting or not documents))]

    def draw(self, conversation: Conversation) -> Sequence[Any]:
        """Returns chat, ask, stop, retry and clear as they are now."""
        running, begun = conversation.running, bool(conversation.turns)
        return [
            self._chat(conversation),
            gr.Button(visible=not running),
            gr.Button(visible=running),
            gr.Button(interactive=begun and not running),
            gr.Button(interactive=begun),
        ]

    def _chat(self, conversation: Conversation) -> list[dict[str, str]]:
        return chat_messages(conversation.turns, running=conversation.running)

    def _panel_after(self, event: Event, conversation: Conversation) -> Any:
        if isinstance(event, Evidence):
            conversation.view = "evidence"
        elif not isinstance(event, Done) or conversation.view != "evidence":
            return gr.skip()
        return self._panel(conversation)

    def _panel(self, conversation: Conversation) -> str:
        if conversation.view == "evidence":
            turn = next((turn for turn in reversed(conversation.turns) if turn.hits), conversation.turns[-1])
            return evidence_html(turn, self._document)
        return library_html(self._assistant.documents(), waiting=bool(self._assistant.waiting()))

    def _document(self, hit: Hit) -> Document | None:
        try:
            return self._assistant.document(hit.document, hit.version)
        except RagError:
            return None


def _closable(events: Iterator[Event]) -> Any:
    """An iterator that can be closed, also if the assistant's is not a generator."""
    return events if hasattr(events, "close") else (event for event in events)


def _status_html(documents: Sequence[Document], waiting: str) -> str:
    count = f"{len(documents)} article{'' if len(documents) == 1 else 's'}"
    text = f"{waiting.rstrip('.…')}…" if waiting else f"{count} · nothing leaves this machine"
    return f'<p role="status" class="{"waiting" if waiting else "ready"}">{html.escape(text)}</p>'


def _welcome(documents: Sequence[Document], waiting: str) -> str:
    if not documents and not waiting:
        return f"<p>{_EMPTY_HTML}</p>"
    return "<p>Ask a question. Every sentence of the answer shows the paragraph that says it.</p>"


# ---------------------------------------------------------------- the page

_PANEL_SCRIPT = """
const page = (window.footnote ??= {});
const show = () => {
  const calm = matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth';
  const heading = element.querySelector('h2');
  const cited = element.querySelector('#cited mark') ?? element.querySelector('#cited');
  const from = page.asked === '#evidence' && page.from && document.querySelector(`a[href="${page.from}"]`);
  (from || heading)?.focus({preventScroll: true});
  (from || cited || heading)?.scrollIntoView({block: cited && !from ? 'center' : 'nearest', behavior: calm});
};
document.removeEventListener('click', page.listener, true);
page.listener = (event) => {
  const link = event.target.closest?.('a[href^="#cite-"], a[href="#evidence"]');
  if (!link) return;
  event.preventDefault();
  event.stopPropagation();
  const href = link.getAttribute('href');
  if (href !== '#evidence') page.from = href;
  if (page.asked === href) show();
  page.asked = href;
  page.asking = true;
  trigger('cite', {ref: href});
};
document.addEventListener('click', page.listener, true);
watch('value', () => {
  element.closest('#panel')?.scrollTo({top: 0});
  if (page.asking) show(); else page.asked = null;
  page.asking = false;
});
"""


def theme() -> gr.themes.Base:
    """Returns a quiet theme of fonts that every machine has; nothing is fetched."""
    sans = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Liberation Sans", "sans-serif")
    mono = ("ui-monospace", "Menlo", "Consolas", "Liberation Mono", "monospace")
    return gr.themes.Base(
        primary_hue=gr.themes.colors.teal,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=sans,
        font_mono=mono,
    )


def build_page(assistant: Any, settings: Settings) -> gr.Blocks:
    """Builds the page over an assistant, which may still be loading.

    Args:
        assistant: gives stream, document, paragraphs, documents, examples and waiting, as `rag.Assistant` does.
    """
    page = Page(assistant)
    with gr.Blocks(title="Footnote", analytics_enabled=False, fill_width=True) as blocks:
        conversation = gr.State(Conversation())
        with gr.Row(elem_id="top"):
            gr.HTML('<h1>Footnote</h1><p class="quiet">Answers from your own articles</p>', elem_id="title")
            status = gr.HTML(_status_html((), "Starting"), elem_id="status")
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="chat-column", scale=6, min_width=320):
                chat = _chatbot()
                with gr.Row(elem_id="composer"):
                    box = _question_box(settings)
                    ask = gr.Button("Ask", variant="primary", elem_id="ask", min_width=84, scale=0)
                    stop = gr.Button("Stop", variant="stop", elem_id="stop", min_width=84, scale=0, visible=False)
                with gr.Row(elem_id="controls"):
                    retry = gr.Button("Retry", size="sm", elem_id="retry", min_width=72, scale=0, interactive=False)
                    clear = gr.Button("Clear", size="sm", elem_id="clear", min_width=72, scale=0, interactive=False)
            with gr.Column(elem_id="panel-column", scale=5, min_width=320):
                panel = gr.HTML(library_html((), waiting=True), elem_id="panel", label="Sources", js_on_load=_PANEL_SCRIPT)
        timer = gr.Timer(_POLL_SECONDS)
        quiet: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
        for event in (timer.tick, blocks.load):
            event(page.refresh, [conversation], [status, chat, panel, timer], **quiet)
        panel.cite(page.open, [conversation], [panel], **quiet)
        _connect_answers(page, conversation, box, chat, panel, (ask, stop, retry, clear))
    return blocks.queue(max_size=32, default_concurrency_limit=1, api_open=False)


def _connect_answers(
    page: Page, conversation: gr.State, box: gr.Textbox, chat: gr.Chatbot, panel: gr.HTML, buttons: Sequence[gr.Button]
) -> None:
    """Wires what starts an answer, what stops it, and what is drawn after it."""
    ask, stop, retry, clear = buttons
    drawn = [chat, *buttons]
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    answers = []
    for begun in (
        gr.on([box.submit, ask.click], page.ask, [box, conversation], [box, *drawn], queue=False, **quiet),
        chat.example_select(page.ask_example, [conversation], drawn, queue=False, **quiet),
        retry.click(page.retry, [conversation], drawn, queue=False, **quiet),
    ):
        limits = {"concurrency_id": "model", "concurrency_limit": 1}
        answer = begun.then(page.answer, [conversation], [chat, panel], **limits, **quiet)
        answer.failure(page.fail, [conversation], drawn, queue=False, **quiet)
        answer.then(page.draw, [conversation], drawn, queue=False, **quiet)
        answers.append(answer)
    stopped = stop.click(page.stop, [conversation], drawn, cancels=answers, queue=False, **quiet)
    stopped.then(page.draw, [conversation], drawn, queue=False, **quiet)
    clear.click(page.clear, [conversation], [panel, *drawn], cancels=answers, queue=False, **quiet)


def _chatbot() -> gr.Chatbot:
    return gr.Chatbot(
        elem_id="chat",
        label="Conversation",
        show_label=False,
        height="100%",
        buttons=["copy"],
        layout="panel",
        latex_delimiters=[],
        allow_tags=False,
        feedback_options=None,
        placeholder=_welcome((), "Starting"),
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
        max_length=4 * settings.max_question_chars,  # the assistant says what is too long; this only bounds the request
        autofocus=True,
        scale=1,
        container=False,
    )


def mount(application: FastAPI, assistant: Any, settings: Settings) -> FastAPI:
    """Mounts the page at the root of the server's application."""
    return gr.mount_gradio_app(
        application,
        build_page(assistant, settings),
        path="/",
        footer_links=[],
        run_history=False,
        allowed_paths=[],
        show_error=False,
        max_file_size="1mb",
        ssr_mode=False,
        enable_monitoring=False,
        pwa=False,
        mcp_server=False,
        theme=theme(),
        css_paths=[_STYLE],
    )


def serve(assistant: Any, settings: Settings, on_ready: Callable[[str], object] | None = None) -> None:
    """Serves the page until Ctrl-C; `on_ready` is called with its address once it listens.

    Raises:
        ServerError: the address is not of this machine only, or the port cannot be opened.
    """
    with closing(server.bind(settings)) as sock, tempfile.TemporaryDirectory(prefix="footnote-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder  # gradio keeps its own files here; they go when the page closes
        server.run(mount(server.create_app(), assistant, settings), sock, on_ready)
