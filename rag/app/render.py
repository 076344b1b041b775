"""Turns, hits and articles as Markdown for the chat and HTML for the panel. Pure.

Everything that comes from an article, a model or a reader is escaped here: `escape_chat` for Markdown, `html.escape`
for HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from pathlib import Path

from rag.app.conversation import Turn
from rag.app.reference import Ref, citation_ref, encode_ref, hit_ref
from rag.types import Citation, Document, Hit, Paragraph

_CARDS = 4  # hits shown at once; the others fold
_MAX_CARD = 2000  # characters of a paragraph that a card shows; the article shows all
_MAX_ALSO = 3  # other articles with a card's paragraph
_MAX_LISTED = 200  # articles in the panel's list
_EMPTY_HTML = "The library is empty. Add articles with <code>rag add PATH</code>, a file or a folder."
_BREAKS = re.compile("\r\n?|\u2028|\u2029")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)
# Characters that mean something to Markdown or HTML, by themselves or where they stand; the last one of a match is
# escaped. Commas, question marks and hyphens within words stay, as screen readers are told the Markdown itself.
_ACTIVE = re.compile(
    r"""^[ \t]*\d+[.)]"""  # a numbered list
    r"""|["#$&*+<=>@\[\\\]^_`{|}~]"""
    r"""|(?<!\w)-|-(?!\w)"""  # lists, rules, tables
    r"""|(?<!\d)\.(?=\S)|\.(?=[^\s\d])|:(?=\S)""",  # addresses, which would become links
    re.MULTILINE,
)


# --- Markdown for the chat --------------------------------------------------------------------------------------------


def escape_chat(text: str) -> str:
    """Returns Markdown that shows a text literally: no markup, link, image, formula or template can come of it."""
    text = _CONTROLS.sub("", _BREAKS.sub("\n", text))
    text = _ACTIVE.sub(lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", text)
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
    text = _claims_markdown(turn)
    if turn.answer and not turn.claims:
        text = escape_chat(turn.answer.text)
    if running and turn.draft.strip():
        text = f"{text} {_aside(turn.draft)}".strip()
    elif running and not text:
        stage = "Reading the paragraphs" if turn.hits else "Looking for paragraphs"
        text = _aside(f"{turn.awaited or stage}…")
    notice = turn.answer.notice if turn.answer else ""
    parts = [text, *(_aside(line) for line in (notice, turn.note) if line)]
    return "\n\n".join(part for part in parts if part) or _aside("No answer.")


def _aside(text: str) -> str:
    """What is not a confirmed statement is set as emphasis, which the style sheet mutes."""
    return f"<em>{escape_chat(' '.join(text.split()))}</em>"


def _claims_markdown(turn: Turn) -> str:
    """Sentences in a row; a line break between two in the answer's text stays one."""
    text, at = turn.answer.text if turn.answer else "", 0
    parts: list[str] = []
    for claim in turn.claims:
        found = text.find(claim.text, at)
        if parts:
            parts.append("\n\n" if found >= 0 and "\n" in text[at:found] else " ")
        at = found + len(claim.text) if found >= 0 else at
        marks = "".join(_mark_markdown(citation) for citation in claim.citations)
        parts.append(f"{escape_chat(claim.text.strip())}&#160;{marks}")  # a mark alone on a line looks lost
    return "".join(parts)


def _mark_markdown(citation: Citation) -> str:
    title = escape_chat(" ".join(f"Paragraph {citation.paragraph} of “{citation.title}”".split()))
    return f'[&#91;{int(citation.number)}&#93;]({encode_ref(citation_ref(citation))} "{title}")'


# --- HTML for the panel -----------------------------------------------------------------------------------------------


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


def evidence_html(
    turn: Turn,
    documents: Callable[[Hit], Document | None],
    others: Callable[[str], Document | None] = lambda _: None,
) -> str:
    """Returns the hits of a turn as cards, best first.

    Args:
        turn: of the conversation.
        documents: gives a hit's document, None if it is gone.
        others: gives a document by its id, likewise.
    """
    nearest = turn.answer is not None and turn.answer.status != "answered"
    head = _panel_head("Nearest paragraphs" if nearest else "Evidence", turn.searched or turn.question)
    if not turn.hits:
        return head + '<p class="quiet">No paragraph of the library comes near this question.</p>'
    kind = "card near" if nearest else "card"
    cards = [
        _card_html(hit, documents(hit), turn, kind, [found for i in hit.also if (found := others(i))]) for hit in turn.hits
    ]
    shown, folded = "".join(cards[:_CARDS]), "".join(cards[_CARDS:])
    if folded:
        count = len(cards) - _CARDS
        folded = f"<details><summary>{count} more paragraph{'s' if count > 1 else ''}</summary>{folded}</details>"
    return head + shown + folded


def _card_html(hit: Hit, document: Document | None, turn: Turn, kind: str, others: Sequence[Document]) -> str:
    shown, offset = _excerpt(hit)
    text = mark_spans(shown, [(offset, offset + len(hit.quote))] if offset >= 0 else [])
    numbers = sorted({c.number for claim in turn.claims for c in claim.citations if _cites(c, hit)})
    marks = "".join(f'<span class="number">[{int(number)}]</span> ' for number in numbers)
    day = f"{html.escape(written_date(document.date))} · " if document and document.date else ""
    return (
        f'<article class="{kind}"><h3>{marks}<a href="{encode_ref(hit_ref(hit))}">{html.escape(hit.title)}</a></h3>'
        f'<p class="meta">{day}Paragraph {int(hit.paragraph)}</p><p class="text">{text}</p>'
        f"{_also_html(hit, others)}</article>"
    )


def _also_html(hit: Hit, others: Sequence[Document]) -> str:
    """Returns the line that names the other articles with a hit's paragraph, by their files if they have its title."""
    links = []
    for other in others[:_MAX_ALSO]:
        name = other.title if other.title != hit.title else Path(other.source).name
        links.append(f'<a href="{encode_ref(Ref(other.id, other.version))}">{html.escape(name)}</a>')
    rest = len(others) - len(links)
    more = f" and {rest} more" if rest else ""
    return f'<p class="meta">Also in {", ".join(links)}{more}</p>' if links else ""


def _excerpt(hit: Hit) -> tuple[str, int]:
    """Returns what a card shows of a paragraph, and where its best sentence is there (-1: nowhere)."""
    offset = hit.text.find(hit.quote) if hit.quote else -1
    if len(hit.text) <= _MAX_CARD:
        return hit.text, offset
    first = max(0, offset - _MAX_CARD // 2)
    last = max(first + _MAX_CARD, offset + len(hit.quote))
    before, after = "… " if first else "", " …" if last < len(hit.text) else ""
    return f"{before}{hit.text[first:last]}{after}", offset - first + len(before) if offset >= 0 else -1


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


def library_html(documents: Sequence[Document], *, waiting: bool, of: int | None = None) -> str:
    """Returns the list of the library's articles, or what to do if there are none.

    Args:
        documents: those that the filter selects.
        waiting: True if more may come.
        of: how many there are without the filter.
    """
    head = _panel_head("Library", "")
    if of is not None and len(documents) < of:
        head += f'<p class="quiet">{_share(len(documents), of)}, by the filter</p>'
        if not documents:
            return head
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


def filter_label(n_selected: int, n_documents: int, problem: str) -> str:
    """Returns what the closed filter says."""
    if problem:
        return "Filter: cannot be used"
    return "Filter" if n_selected == n_documents else f"Filter: {_share(n_selected, n_documents)}"


def filter_html(n_selected: int, n_documents: int, problem: str) -> str:
    """Returns the line of the open filter: how many articles are asked, or what is wrong."""
    if problem:
        return f'<p role="status" class="problem">{html.escape(problem)}</p>'
    said = "All articles are asked" if n_selected == n_documents else f"{_share(n_selected, n_documents)} are asked"
    return f'<p role="status">{said}</p>'


def _share(n: int, of: int) -> str:
    return f"{n} of {of} article{'' if of == 1 else 's'}"


def problem_html(message: str, *, back: str) -> str:
    """Returns the panel with a line that says what could not be opened."""
    link = f'<p class="back"><a href="#evidence">← {html.escape(back)}</a></p>'
    return f'{link}<h2 tabindex="-1">Source</h2><p class="notice">{html.escape(message)}</p>'


def _panel_head(title: str, question: str) -> str:
    asked = f'<p class="meta">for “{html.escape(question)}”</p>' if question else ""
    return f'<h2 tabindex="-1">{html.escape(title)}</h2>{asked}'


def status_html(documents: Sequence[Document], waiting: str, made_of: str = "") -> str:
    """Returns the line that says what is waited for, or how many articles there are; `made_of` tells one from the other."""
    mark = f'role="status" data-made-of="{html.escape(made_of)}"'
    if waiting:
        return f'<p {mark} class="waiting">{html.escape(waiting.rstrip(".…"))}…</p>'
    count = f"{len(documents)} article{'' if len(documents) == 1 else 's'}"
    return f'<p {mark}>{count}<span class="more"> · nothing leaves this machine</span></p>'


def welcome_html(documents: Sequence[Document], waiting: str, notice: str = "") -> str:
    """Returns what an empty chat says; `notice`: why nothing or only quotes can be given."""
    if notice:
        return f'<p class="notice">{html.escape(notice)}</p>'
    if not documents and not waiting:
        return f"<p>{_EMPTY_HTML}</p>"
    return "<p>Ask a question. Every sentence of the answer shows the paragraph that says it.</p>"
