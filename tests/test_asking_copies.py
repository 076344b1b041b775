"""Evidence without copies, over the fakes: which version is kept, what it names, and what may not be left out."""

from __future__ import annotations

import pytest

from tests.fakes import FakeGenerator, FakeReranker

pytestmark = pytest.mark.usefixtures("plain_decision")

COST = "What did the repair of the stone bridge cost?"
SENTENCE = (
    "The repair of the stone bridge of Arlen cost 4.2 million crowns, said the mayor of the town, Ilse Varga, on Friday."
)
OTHER = SENTENCE.replace("4.2", "9")
DRAFT = "The repair of the stone bridge cost {} million crowns."


class Echo(FakeGenerator):
    """Drafts the number of the paragraph that it was given."""

    def stream(self, prompt, *, max_tokens, stop=None):
        self._otherwise = DRAFT.format("9" if " 9 million" in prompt.paragraphs[0] else "4.2")
        return super().stream(prompt, max_tokens=max_tokens, stop=stop)


def article(title, text, date="2025-05-02"):
    return f"---\ntitle: {title}\ndate: {date}\n---\n\n{text}\n"


@pytest.fixture
def asked(make_assistant, write):
    """Adds articles by name and asks what the repair cost; returns the answer and the names of documents by their ids."""

    def ask(articles, **others):
        for name, content in articles.items():
            folder = write(f"news/{name}.md", content).parent
        assistant = make_assistant(generator=Echo(), **others)
        assistant.add(folder)
        names = {d.id: d.source.rpartition("/")[2].removesuffix(".md") for d in assistant.documents()}
        return assistant.ask(COST, asked_on="2025-05-03"), names

    return ask


def test_copies_leave_their_places_to_other_paragraphs_and_are_named(asked):
    copies = {f"copy{n}": article(f"Bridge {n}", SENTENCE) for n in range(9)}
    rest = {f"other{n}": article(f"Repair {n}", f"The repair of house {n} goes on.") for n in range(4)}
    reranker = FakeReranker()
    answer, names = asked(copies | rest, evidence=5, rerank_depth=5, reranker=reranker)
    first, *others = answer.evidence
    assert first.text == SENTENCE
    assert {names[first.document], *(names[i] for i in first.also)} == set(copies)
    assert {names[hit.document] for hit in others} == set(rest)
    assert all(hit.also == () for hit in others)
    assert sum(SENTENCE in text for text in reranker.calls[0][1]) == 1
    assert answer.text == f"{DRAFT.format(4.2)} [1]"


def test_the_copy_from_the_days_before_the_question_is_kept(asked):
    articles = {"a": article("Stone bridge repair cost", SENTENCE, "2020-01-01"), "b": article("News", SENTENCE)}
    answer, names = asked(articles)
    assert [(names[hit.document], [names[i] for i in hit.also]) for hit in answer.evidence] == [("b", ["a"])]
    assert [names[c.document] for c in answer.citations] == ["b"]


def test_the_copy_whose_title_fits_the_question_is_kept_where_none_is_newer(asked):
    articles = {"a": article("News", SENTENCE), "b": article("Stone bridge repair cost", SENTENCE)}
    answer, names = asked(articles)
    assert [names[hit.document] for hit in answer.evidence] == ["b"]


def test_articles_that_differ_in_a_figure_are_both_shown_and_each_copy_is_named(asked):
    articles = {"a": article("One", SENTENCE), "b": article("Two", SENTENCE), "c": article("Three", OTHER)}
    answer, names = asked(articles)
    assert {hit.text for hit in answer.evidence} == {SENTENCE, OTHER}
    assert sorted(len(hit.also) for hit in answer.evidence) == [0, 1]
    assert {names[c.document] for c in answer.citations} > {"c"}
    assert len(answer.claims) == 2


def test_paragraphs_of_a_summary_name_no_copy_of_another_paragraph(make_assistant, write):
    text = f"{SENTENCE}\n\nThe owls of Marrow were counted by Tomas Reyk in the winter."
    folder = write("news/a.md", article("Bridge", text)).parent
    write("news/b.md", article("Bridges", SENTENCE))
    assistant = make_assistant()
    assistant.add(folder)
    answer = assistant.ask("Summarize the article about the bridge")
    assert answer.claims
    assert all(hit.also == () for hit in answer.evidence if "owls" in hit.text)
