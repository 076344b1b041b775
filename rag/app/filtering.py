"""The page's filter: its controls, and what they offer. What is chosen is a `Filter` of the conversation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from rag.app.render import written_date
from rag.types import Document, Filter

# For a component that is always there: Gradio's accordion does not tell a screen reader whether it is open, and an event of
# its own for that (`load`, `expand`) was now and then not run.
EXPANDED_SCRIPT = """
const tell = () => {
  const button = document.querySelector('#filter > button');
  if (button) button.ariaExpanded = button.classList.contains('open');
  document.querySelector('#chat .examples')?.removeAttribute('role');
  for (const said of document.querySelectorAll('#chat [data-testid="bot"], #chat [data-testid="user"]'))
    said.setAttribute('aria-label', said.dataset.testid === 'bot' ? 'Answer' : 'Question');
};
new MutationObserver(tell).observe(document.body, {subtree: true, childList: true, attributeFilter: ['class']});
tell();
"""

_MAX_OFFERED = 1000  # documents and folders; the page carries them all


@dataclass(frozen=True, slots=True)
class Controls:
    """The components of the filter, closed until they are opened; `told` says how much is selected, or what is wrong."""

    frame: gr.Accordion
    documents: gr.Dropdown
    sources: gr.Dropdown
    languages: gr.Dropdown
    since: gr.Textbox
    until: gr.Textbox
    told: gr.HTML
    reset: gr.Button

    @property
    def lists(self) -> list[gr.Dropdown]:
        """Those that offer what the library holds."""
        return [self.documents, self.sources, self.languages]

    @property
    def values(self) -> list[Any]:
        """Those that make up a filter, in the order of its fields."""
        return [*self.lists, self.since, self.until]

    @property
    def changes(self) -> list[Callable[..., Any]]:
        """The events after which the filter is another one; a date is taken when it is written to its end."""
        dates = (self.since, self.until)
        return [
            *(chosen.input for chosen in self.lists),
            *(date.blur for date in dates),
            *(date.submit for date in dates),
        ]


def filter_controls() -> Controls:
    """Builds the controls where they are called for."""
    with gr.Accordion("Filter", open=False, elem_id="filter") as frame:
        documents = _list("Documents")
        with gr.Row():
            sources, languages = _list("Sources"), _list("Languages")
            since, until = _date("Since", "2026-03-31"), _date("Until", "2026-03, or 2026")
        with gr.Row(elem_id="filter-foot"):
            told = gr.HTML(elem_id="filter-told")
            reset = gr.Button("Clear filter", size="sm", elem_id="filter-reset", min_width=96, scale=0)
    return Controls(frame, documents, sources, languages, since, until, told, reset)


def _list(name: str) -> gr.Dropdown:
    return gr.Dropdown([], value=[], multiselect=True, label=name, elem_id=f"filter-{name.lower()}", min_width=120)


def _date(name: str, placeholder: str) -> gr.Textbox:
    return gr.Textbox(
        label=name, placeholder=placeholder, max_lines=1, max_length=40, elem_id=f"filter-{name.lower()}", min_width=120
    )


def chosen_filter(
    documents: Sequence[str] | None,
    sources: Sequence[str] | None,
    languages: Sequence[str] | None,
    since: str | None,
    until: str | None,
) -> Filter:
    """Returns the filter of what stands in the controls, None for an empty one; what is not chosen leaves nothing out."""
    return Filter(
        documents=tuple(documents or ()) or None,
        sources=tuple(sources or ()) or None,
        languages=tuple(languages or ()) or None,
        since=(since or "").strip(),
        until=(until or "").strip(),
    )


def offered(documents: Sequence[Document], filter: Filter) -> list[gr.Dropdown]:
    """Returns updates of documents, sources and languages with what there is to choose, the newest documents first.

    What is chosen and no longer there stays, so that nobody is asked more than was wanted.
    """
    folders = sorted({str(Path(document.source).parent) for document in documents})[:_MAX_OFFERED]
    languages = sorted({document.language for document in documents} - {""})
    return [
        gr.Dropdown(choices=document_choices(documents, filter)),
        gr.Dropdown(choices=_with_gone([(folder, folder) for folder in folders], filter.sources)),
        gr.Dropdown(choices=_with_gone([(language, language) for language in languages], filter.languages)),
    ]


def document_choices(documents: Sequence[Document], filter: Filter) -> list[tuple[str, str]]:
    """Returns labels and ids of the documents that can be chosen: the newest ones, and those that are."""
    chosen = frozenset(filter.documents or ())
    newest = [one for n, one in enumerate(reversed(documents)) if n < _MAX_OFFERED or one.id in chosen]
    return _with_gone([*zip(_labels(newest), (document.id for document in newest), strict=True)], filter.documents)


def _labels(documents: Sequence[Document]) -> list[str]:
    """Returns titles with their dates; where two are the same, with the file too."""
    labels = [" · ".join(filter(None, (document.title, written_date(document.date)))) for document in documents]
    counts = Counter(labels)
    return [
        label if counts[label] == 1 else f"{label} · {document.source}"
        for label, document in zip(labels, documents, strict=True)
    ]


def _with_gone(choices: list[tuple[str, str]], chosen: Iterable[str] | None) -> list[tuple[str, str]]:
    there = {value for _, value in choices}
    return [*choices, *((f"{value} (gone)", value) for value in chosen or () if value not in there)]
