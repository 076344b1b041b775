"""Turns as Markdown for the chat, and the small pieces of HTML around it. Pure.

Everything that comes from an article, a model or a reader is escaped here: `escape_chat` for Markdown, `html.escape`
for HTML.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from rag.app.conversation import Conversation, Turn
from rag.app.reference import act_ref, citation_ref, encode_ref
from rag.types import Citation, Document

EMPTY_HTML = "The library is empty. Add articles with <code>rag add PATH</code>, a file or a folder."
_MAX_QUOTE = 600  # characters of a quote that a mark shows before its article is opened
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


def chat_messages(conversation: Conversation, suggestions: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns the messages of the Chatbot; the last turn's draft is shown while it is written.

    Args:
        suggestions: questions that may follow the last answer.
    """
    turns, messages = conversation.turns, list[dict[str, Any]]()
    for number, turn in enumerate(turns, start=1):
        current = conversation.running and number == len(turns)
        edit = "" if conversation.running else f'&#160;[Edit]({act_ref("edit", str(number))} "Change this question")'
        if conversation.editing == number:
            edit = f'&#160;[Keep]({act_ref("keep")} "Leave this question as it is")'
        messages.append({"role": "user", "content": escape_chat(turn.question) + edit})
        told = answer_markdown(turn, running=current, number=number)
        if not current:
            told += f"\n\n{_acts_markdown(turn, number, conversation)}"
        messages.append({"role": "assistant", "content": told})
    if turns and suggestions and not conversation.running:
        messages[-1]["options"] = [{"label": text, "value": text} for text in suggestions]
    return messages


def _acts_markdown(turn: Turn, number: int, conversation: Conversation) -> str:
    """Returns the links below an answer; the style sheet sets them small."""
    acts = [("Copy", act_ref("copy", str(number)), "Copy the answer with its sources")]
    if turn.answer and conversation.reader and not conversation.problem:
        saved = f"/conversations/{conversation.id}/{number}.json"
        acts.append(("Save", saved, "Save the answer with its quotes; rag verify checks them again"))
    good, bad = (("✓ " if turn.rating == value else "") for value in (1, -1))
    acts.append((f"{good}Good", act_ref("good", str(number)), "A good answer"))
    acts.append((f"{bad}Bad", act_ref("bad", str(number)), "A bad answer"))
    if turn.rating:
        acts.append(("Comment", act_ref("remark", str(number)), "Say what is right or wrong about it"))
    return " ".join(f'[{title}]({link} "{told}")' for title, link, told in acts)


def answer_markdown(turn: Turn, *, running: bool, number: int = 0) -> str:
    """Returns what is said to a question: confirmed sentences with their marks, the draft, and our own notes.

    Args:
        number: of the turn, from 1; 0 for one that cannot be asked in other words.
    """
    text = _claims_markdown(turn)
    if turn.answer and not turn.claims:
        text = escape_chat(turn.answer.text)
    if turn.draft.strip():  # of an answer that was interrupted too
        text = f"{text} {_aside(turn.draft)}".strip()
    elif running and not text:
        stage = "Reading the paragraphs" if turn.hits else "Looking for paragraphs"
        text = _aside(f"{turn.awaited or stage}…")
    notice = turn.answer.notice if turn.answer else ""
    parts = [
        _searched_markdown(turn, 0 if running else number),
        text,
        *(_aside(line) for line in (notice, turn.note) if line),
    ]
    return "\n\n".join(part for part in parts if part) or _aside("No answer.")


def _searched_markdown(turn: Turn, number: int) -> str:
    """Returns the question as it was searched, if it is another one, so that a wrong completion is seen and mended."""
    if not turn.searched or turn.searched == " ".join(turn.question.split()):
        return ""
    mend = f'&#160;[Edit]({act_ref("reword", str(number))} "Change the question as it was searched")' if number else ""
    return f"{_aside(f'Asked as: {turn.searched}')}{mend}"


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
    quote = " ".join(citation.quote.split())
    quote = quote if len(quote) <= _MAX_QUOTE else f"{quote[:_MAX_QUOTE]} …"
    title = escape_chat(" ".join(f"“{quote}” – {citation.title}, {citation.place}".split()))
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


def filter_label(n_selected: int, n_documents: int, problem: str) -> str:
    """Returns what the closed filter says."""
    if problem:
        return "Filter: cannot be used"
    return "Filter" if n_selected == n_documents else f"Filter: {share(n_selected, n_documents)}"


def filter_html(n_selected: int, n_documents: int, problem: str) -> str:
    """Returns the line of the open filter: how many articles are asked, or what is wrong."""
    if problem:
        return f'<p role="status" class="problem">{html.escape(problem)}</p>'
    said = "All articles are asked" if n_selected == n_documents else f"{share(n_selected, n_documents)} are asked"
    return f'<p role="status">{said}</p>'


def share(n: int, of: int) -> str:
    """Returns "2 of 14 articles"."""
    return f"{n} of {of} article{'' if of == 1 else 's'}"


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
        return f"<p>{EMPTY_HTML}</p>"
    return "<p>Ask a question. Every sentence of the answer shows the paragraph that says it.</p>"
