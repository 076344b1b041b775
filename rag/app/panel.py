"""What the panel shows, as HTML: the evidence, an article, the library, the conversations. Pure.

Everything that comes from an article, a model, a file's name or a reader is escaped here.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence

from rag.app.conversation import Conversation, Turn
from rag.app.reference import Ref, act_ref, encode_ref, hit_ref
from rag.app.render import EMPTY_HTML, mark_spans, share, written_date
from rag.app.shelf import Job, Report
from rag.library.conversations import Listed
from rag.read import file_name
from rag.types import Citation, Document, Hit, Paragraph

_CARDS = 4  # hits shown at once; the others fold
_MAX_CARD = 2000  # characters of a paragraph that a card shows; the article shows all
_MAX_ALSO = 3  # other articles with a card's paragraph
_MAX_LISTED = 200  # articles in the panel's list
_MAX_TOLD = 20  # files that a report names at once; the others fold
_VIEWS = (("evidence", "Evidence"), ("library", "Library"), ("conversations", "Conversations"))


def panel_html(view: str, content: str) -> str:
    """Returns a view under the links to the others."""
    links = "".join(f'<a href="#{name}"{" aria-current=page" if name == view else ""}>{title}</a>' for name, title in _VIEWS)
    return f'<nav class="views" aria-label="Panel">{links}</nav><div class="view" data-view="{view}">{content}</div>'


def _button(title: str, name: str, argument: str = "", *, takes: str = "", label: str = "") -> str:
    """Returns a button; `takes` is the id of the field whose value goes with it, `label` what it is called aloud."""
    value = f' data-takes="{takes}"' if takes else ""
    spoken = f' aria-label="{html.escape(label)}"' if label else ""
    return f'<button type="button" data-do="{act_ref(name, argument)}"{value}{spoken}>{title}</button>'


def notice_html(message: str) -> str:
    """Returns what stands in place of a view that cannot be drawn."""
    return f'<h2 tabindex="-1">Sources</h2><p class="notice">{html.escape(message)}</p>'


def no_evidence_html() -> str:
    """Returns what stands in place of evidence before the first question."""
    return _panel_head("Evidence", "") + '<p class="quiet">The paragraphs that answer a question are shown here.</p>'


def evidence_html(
    turn: Turn,
    documents: Callable[[Hit], Document | None],
    others: Callable[[str], Document | None] = lambda _: None,
    *,
    may_change: bool = False,
) -> str:
    """Returns the hits of a turn as cards: those that are cited in the order of their numbers, then the best first.

    Args:
        turn: of the conversation.
        documents: gives a hit's document, None if it is gone.
        others: gives a document by its id, likewise.
        may_change: True if articles can be added in the page.
    """
    nearest = turn.answer is not None and turn.answer.status != "answered"
    head = _panel_head("Nearest paragraphs" if nearest else "Evidence", turn.searched or turn.question)
    if nearest:
        head += _missing_html(turn, may_change)
    if not turn.hits:
        return head
    kind = "card near" if nearest else "card"
    cards = [
        _card_html(hit, documents(hit), turn, kind, [found for i in hit.also if (found := others(i))])
        for hit in sorted(turn.hits, key=lambda hit: min(_numbers(turn, hit), default=len(turn.hits)))
    ]
    shown, folded = "".join(cards[:_CARDS]), "".join(cards[_CARDS:])
    if turn.claims:
        head += _sides_html(turn, others)
    if folded:
        count = len(cards) - _CARDS
        folded = f"<details><summary>{count} more paragraph{'s' if count > 1 else ''}</summary>{folded}</details>"
    return head + shown + folded


def _missing_html(turn: Turn, may_change: bool) -> str:
    if turn.answer and turn.answer.status == "clarify":
        return ""
    near = "These paragraphs are the nearest." if turn.hits else "No paragraph of the library comes near this question."
    add = ' <a href="#library">Add an article</a> that says it, and ask again.' if may_change else ""
    return f'<p class="quiet">{near}{add}</p>'


def _sides_html(turn: Turn, documents: Callable[[str], Document | None]) -> str:
    """Returns what articles say that the answer cites side by side, if they are several: they may disagree."""
    citations = {claim.citations[0].document: claim.citations[0] for claim in turn.claims}
    if len(citations) < 2:
        return ""
    cards = "".join(_side_html(citation, documents(identity)) for identity, citation in citations.items())
    return f'<section class="sides" aria-label="What the articles say">{cards}</section>'


def _side_html(citation: Citation, document: Document | None) -> str:
    day = html.escape(written_date(document.date if document else ""))
    title, quote = html.escape(citation.title), html.escape(citation.quote)
    return f'<div><h3>{title}</h3><p class="meta">{day}</p><p class="text">{quote}</p></div>'


def _card_html(hit: Hit, document: Document | None, turn: Turn, kind: str, others: Sequence[Document]) -> str:
    shown, offset = _excerpt(hit)
    text = mark_spans(shown, [(offset, offset + len(hit.quote))] if offset >= 0 else [])
    marks = "".join(f'<span class="number">[{int(number)}]</span> ' for number in _numbers(turn, hit))
    day = written_date(document.date) if document and document.date else ""
    place = " · ".join(filter(None, (day, hit.place.capitalize(), file_name(hit.source))))
    return (
        f'<article class="{kind}"><h3>{marks}<a href="{encode_ref(hit_ref(hit))}">{html.escape(hit.title)}</a></h3>'
        f'<p class="meta">{html.escape(place)}</p><p class="text">{text}</p>'
        f"{_also_html(hit, others)}</article>"
    )


def _also_html(hit: Hit, others: Sequence[Document]) -> str:
    """Returns the line that names the other articles with a hit's paragraph, by their files if they have its title."""
    links = []
    for other in others[:_MAX_ALSO]:
        name = other.title if other.title != hit.title else file_name(other.source)
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


def _numbers(turn: Turn, hit: Hit) -> list[int]:
    """Returns the numbers of the citations of a hit's paragraph."""
    return sorted({c.number for claim in turn.claims for c in claim.citations if _cites(c, hit)})


def _cites(citation: Citation, hit: Hit) -> bool:
    return (citation.document, citation.version, citation.paragraph) == (hit.document, hit.version, hit.paragraph)


def article_html(document: Document, paragraphs: Sequence[Paragraph], ref: Ref, *, note: str = "", back: str) -> str:
    """Returns a document with its numbered paragraphs, the span of `ref` marked and its paragraph highlighted."""
    meta = " · ".join(part for part in (written_date(document.date), file_name(document.source)) if part)
    rows = []
    for paragraph in paragraphs:
        text = document.text[paragraph.start : paragraph.end]
        marked = mark_spans(text, [(ref.start - paragraph.start, ref.end - paragraph.start)])
        cited = ' class="cited" id="cited"' if paragraph.number == ref.paragraph else ""
        page = f' title="page {int(paragraph.page)}"' if paragraph.page else ""
        number = f'<span class="number"{page}>{int(paragraph.number)}</span>'
        rows.append(f'<div role="listitem"{cited}>{number}<p class="text {paragraph.kind}">{marked}</p></div>')
    return (
        f'<p class="back"><a href="#back">← {html.escape(back)}</a></p>'
        f'<h2 tabindex="-1">{html.escape(document.title)}</h2><p class="meta">{html.escape(meta)} {_only_html(document)}</p>'
        + (f'<p class="notice">{html.escape(note)}</p>' if note else "")
        + f'<div class="article" role="list">{"".join(rows)}</div>'
    )


def library_html(
    documents: Sequence[Document],
    *,
    waiting: bool,
    of: int | None = None,
    words: str = "",
    may_change: bool = False,
    job: Job | None = None,
    report: Report | None = None,
) -> str:
    """Returns the list of the library's articles, the newest first, with what can be done to it; or what to do without any.

    Args:
        documents: those that the filter selects.
        waiting: True if more may come.
        of: how many there are without the filter.
        words: only articles with all of them in title or path are listed.
        may_change: True if articles can be added and removed here.
        job: what is being done to the library.
        report: what was done last.
    """
    head = _panel_head("Library", "") + _job_html(job) + (_report_html(report) if report else "")
    if of is not None and len(documents) < of:
        head += f'<p class="quiet">{share(len(documents), of)}, by the filter {_button("Ask all articles", "all")}</p>'
        if not documents:
            return head
    if not documents and waiting:
        return head + '<p class="quiet">The articles appear here as soon as they are read.</p>'
    if not documents:
        return head + f'<p class="quiet">{EMPTY_HTML}{" Or drop them below." if may_change else ""}</p>'
    asked = words.casefold().split()
    found = [one for one in reversed(documents) if all(word in f"{one.title} {one.source}".casefold() for word in asked)]
    found.sort(key=lambda one: one.date, reverse=True)  # stable: those of one day, or without one, stay the last added first
    rest = len(found) - _MAX_LISTED
    more = f'<p class="quiet">and {rest} more: search for them, or see "rag list".</p>' if rest > 0 else ""
    none = "" if found else '<p class="quiet" role="status">No article has these words in its title or path.</p>'
    rows = "".join(_document_html(document, may_change and job is None) for document in found[:_MAX_LISTED])
    rebuild = f'<p class="acts">{_button("Rebuild the library", "rebuild")}</p>' if may_change and not job else ""
    return f'{head}{_search_html("Search articles", words)}{none}<ul class="library">{rows}</ul>{more}{rebuild}'


def _document_html(document: Document, may_change: bool) -> str:
    place = " · ".join(part for part in (written_date(document.date), file_name(document.source)) if part)
    keys = _only_html(document)
    keys += _button("Remove", "remove", document.id, label=f"Remove {document.title}") if may_change else ""
    return (
        f'<li><a href="{encode_ref(Ref(document.id, document.version))}">{html.escape(document.title)}</a>'
        f'<p class="meta"><span>{html.escape(place)}</span><span>{keys}</span></p></li>'
    )


def _only_html(document: Document) -> str:
    return _button("Ask only this", "only", document.id, label=f"Ask only {document.title}")


def _search_html(label: str, words: str) -> str:
    return (
        f'<input type="search" id="panel-search" data-do="{act_ref("search")}" aria-label="{label}" placeholder="{label}" '
        f'value="{html.escape(words)}" autocomplete="off">'
    )


def _job_html(job: Job | None) -> str:
    if job is None:
        return ""
    share_done = min(100, 100 * job.done // job.total) if job.total else 0
    name = f" · {html.escape(job.name)}" if job.name else ""
    return (
        f'<div class="job" role="status"><p>{html.escape(job.what)}{name}</p>'
        f'<progress max="100" value="{share_done}" aria-label="{html.escape(job.what)}">{share_done} %</progress></div>'
    )


def _report_html(report: Report) -> str:
    told = [f"<li>{html.escape(line)}</li>" for line in report.lines]
    lines, rest = "".join(told[:_MAX_TOLD]), told[_MAX_TOLD:]
    more = f"<details><summary>and {len(rest)} more</summary><ul>{''.join(rest)}</ul></details>" if rest else ""
    undo = _button("Undo", "undo") if report.can_undo else ""
    listed = f"<ul>{lines}</ul>{more}" if lines else ""
    close = _button("Dismiss", "dismiss")
    return f'<div class="report" role="status"><p>{html.escape(report.told)} {undo} {close}</p>{listed}</div>'


# --- Conversations ----------------------------------------------------------------------------------------------------


def conversations_html(listed: Sequence[Listed], conversation: Conversation, problem: str = "") -> str:
    """Returns the list of a reader's conversations, the one that is open marked.

    Args:
        problem: why there is none, or why this one is not kept.
    """
    head = _panel_head("Conversations", "")
    if problem:
        head += f'<p class="notice">{html.escape(problem)}</p>'
    search = _search_html("Search conversations", conversation.words) if listed or conversation.words else ""
    none = "" if listed else '<p class="quiet" role="status">Nothing is kept yet, or nothing has these words.</p>'
    return f'{head}{search}{none}<ul class="library">{"".join(_listed_html(one, conversation) for one in listed)}</ul>'


def _listed_html(one: Listed, conversation: Conversation) -> str:
    if conversation.chosen == (one.id, "rename"):
        field = f'<input id="new-title" aria-label="New title" value="{html.escape(one.title)}" maxlength="200">'
        keys = _button("Save", "name", one.id, takes="new-title") + _button("Keep", "choose")
        return f'<li class="chosen">{field}<span class="acts">{keys}</span></li>'
    current = ' aria-current="true"' if one.id == conversation.id else ""
    day, number = written_date(one.updated_at[:10]), f"{one.n_turns} question{'' if one.n_turns == 1 else 's'}"
    title = f'<a href="{act_ref("open", one.id)}"{current}>{html.escape(one.title)}</a>'
    if conversation.chosen == (one.id, "discard"):
        keys = f"Delete it for good? {_button('Delete', 'delete', one.id)}{_button('Keep', 'choose')}"
        return f'<li class="chosen">{title}<span class="acts">{keys}</span></li>'
    files = "".join(
        f'<a href="/conversations/{one.id}.{suffix}" download>{name}</a>'
        for suffix, name in (("md", "Markdown"), ("json", "JSON"))
    )
    keys = (
        _button("Rename", "rename", one.id, label=f"Rename {one.title}")
        + files
        + _button("Delete", "discard", one.id, label=f"Delete {one.title}")
    )
    return f'<li>{title}<span class="meta">{day} · {number}</span><span class="acts">{keys}</span></li>'


def comment_html(number: int, turn: Turn) -> str:
    """Returns the form for a comment on the answer of a turn."""
    said = {1: "Good answer", -1: "Bad answer"}.get(turn.rating, "Answer")
    return (
        f"{_panel_head(said, turn.question)}"
        f'<textarea id="comment" aria-label="Comment" rows="5" maxlength="5000" '
        f'placeholder="What is right or wrong about it?">{html.escape(turn.comment)}</textarea>'
        f'<p class="acts">{_button("Save", "comment", str(number), takes="comment")}</p>'
        '<p class="quiet">It is kept with the question, its evidence and the answer, on this machine.</p>'
    )


def problem_html(message: str, *, back: str) -> str:
    """Returns the panel with a line that says what could not be opened."""
    link = f'<p class="back"><a href="#back">← {html.escape(back)}</a></p>'
    return f'{link}<h2 tabindex="-1">Source</h2><p class="notice">{html.escape(message)}</p>'


def _panel_head(title: str, question: str) -> str:
    asked = f'<p class="meta">for “{html.escape(question)}”</p>' if question else ""
    return f'<h2 tabindex="-1">{html.escape(title)}</h2>{asked}'
