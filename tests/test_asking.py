"""Asking one question, over the fakes: events in their order, drafts judged by the sentence, and when nothing is said."""

from __future__ import annotations

import datetime
import math
import re

import pytest

from rag.assistant import asking, weighing
from rag.assistant.saying import in_sentences
from rag.errors import DocumentMissing, GenerationFailed, QuestionError, RagError
from rag.stopping import Stop
from rag.types import NOT_FOUND, Claim, Delta, Done, Evidence, Withdrawn
from tests.fakes import FakeGenerator, FakeReranker

# FakeReranker's words of it are repair and cost: 10 for the second paragraph of BRIDGES, -10 for all others.
COST = "What did the repair cost?"
COST_SENTENCE = "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga."
COST_PARAGRAPH = f"{COST_SENTENCE} The town paid 1.1 million crowns of it."
BRIDGES_TITLE = "Old bridge of Arlen reopens after nine years"
RIGHT = "The repair cost 4.2 million crowns."
WRONG = "The repair cost 9 million crowns."


pytestmark = pytest.mark.usefixtures("plain_decision")


class Drafts(FakeGenerator):
    """Writes one draft after the other, whatever is asked; then nothing."""

    def __init__(self, *drafts: str) -> None:
        super().__init__()
        self._drafts = list(drafts)

    def stream(self, prompt, *, max_tokens, stop=None):
        self._otherwise = self._drafts.pop(0) if self._drafts else ""
        return super().stream(prompt, max_tokens=max_tokens, stop=stop)

    def begin(self, prompt, *, stop=None):
        self._otherwise = self._drafts[0] if self._drafts else ""
        return super().begin(prompt, stop=stop)


class Scored(FakeReranker):
    """Gives the score of the first key that a text has, else -10."""

    def __init__(self, table: dict[str, float]) -> None:
        super().__init__()
        self._table = table

    def scores(self, question, texts):
        self.calls.append((question, tuple(texts)))
        return [next((score for key, score in self._table.items() if key in text), -10.0) for text in texts]


@pytest.fixture
def opened(make_assistant, articles):
    """Opens an assistant with both articles in its library."""

    def open_(*, generator=None, **others):
        assistant = make_assistant(generator=generator, **others)
        assert len(assistant.add(articles).added) == 2
        return assistant

    return open_


def identity(assistant, name):
    return next(d.id for d in assistant.documents() if d.source.endswith(name))


def used(answer):
    return [(hit.source.rpartition("/")[2], hit.paragraph) for hit in answer.evidence if hit.used]


def streamed(assistant, question=COST, *args, **others):
    """Returns the events between Evidence and Done, and the answer, after checking what holds for every stream."""
    first, *between, last = assistant.stream(question, *args, **others)
    assert isinstance(first, Evidence)
    assert isinstance(last, Done)
    assert all(isinstance(event, Delta | Claim | Withdrawn) for event in between)
    answer = last.answer
    assert answer.claims == tuple(event for event in between if isinstance(event, Claim))
    assert answer.question == first.question
    assert [hit.text for hit in answer.evidence] == [hit.text for hit in first.hits]
    assert not any(hit.used for hit in first.hits)
    assert [c.number for c in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert {c for claim in answer.claims for c in claim.citations} == set(answer.citations)
    for c in answer.citations:
        document = assistant.document(c.document, c.version)
        assert document.text[c.start : c.end] == c.quote != ""
        assert (c.title, c.source) == (document.title, document.source)
    assert answer.found == bool(answer.claims) == (answer.text != NOT_FOUND)
    assert set(answer.timings) == {"retrieve", "rerank", "first_token", "total"}
    return between, answer


def judged(events):
    """Returns the events without the words of the drafts."""
    return [event for event in events if not isinstance(event, Delta)]


# --- a draft that holds --------------------------------------------------------------------------------------------


def test_a_draft_that_holds_is_the_answer_with_its_sentence_cited(opened):
    generator = Drafts(RIGHT)
    assistant = opened(generator=generator)
    events, answer = streamed(assistant)
    assert events[:-1] == [Delta(word) for word in ("The", " repair", " cost", " 4.2", " million", " crowns.")]
    assert isinstance(events[-1], Claim)
    assert answer.text == "The repair cost 4.2 million crowns. [1]"
    assert (answer.status, answer.notice, answer.question) == ("answered", "", COST)
    (citation,) = answer.citations
    assert citation.quote == COST_SENTENCE
    assert (citation.document, citation.paragraph) == (identity(assistant, "bridges.txt"), 2)
    assert [p.paragraphs for p in generator.prompts] == [(f"{BRIDGES_TITLE}\n{COST_PARAGRAPH}",)]
    assert generator.prompts[0].question == f"Question: {COST}"
    assert used(answer) == [("bridges.txt", 2)]
    assert all(seconds is not None and seconds >= 0 for seconds in answer.timings.values())
    assert answer.timings["first_token"] <= answer.timings["total"]


class Noting(Drafts):
    """Notes in which order it is asked what."""

    def __init__(self, *drafts):
        super().__init__(*drafts)
        self.order = []

    def begin(self, prompt, *, stop=None):
        self.order.append("begin")
        return super().begin(prompt, stop=stop)

    def weigh(self, prompt, words, *, stop=None):
        self.order.append("weigh")
        return super().weigh(prompt, words, stop=stop)

    def stream(self, prompt, *, max_tokens, stop=None):
        self.order.append("stream")
        return super().stream(prompt, max_tokens=max_tokens, stop=stop)


@pytest.mark.parametrize(("score", "order"), [(9.0, ["begin", "weigh", "stream"]), (0.3, ["weigh", "stream"])])
def test_the_first_word_comes_before_the_model_is_asked_where_that_hardly_matters(opened, score, order):
    generator = Noting(RIGHT)
    events, answer = streamed(opened(generator=generator, reranker=Scored({COST_SENTENCE: score})))
    assert generator.order == order
    assert "".join(event.text for event in events if isinstance(event, Delta)) == RIGHT
    assert answer.found


def test_a_word_that_came_too_early_is_withdrawn(opened):
    generator = Noting(RIGHT)
    generator._weights = dict.fromkeys(("yes", "Yes"), 0.0001)
    events, answer = streamed(opened(generator=generator, reranker=Scored({COST_SENTENCE: 3.0})))
    assert generator.order[:2] == ["begin", "weigh"]
    assert events[:2] == [Delta("The"), Withdrawn("The")]
    assert "stream" not in generator.order
    assert not answer.found


@pytest.mark.parametrize(
    ("begun", "draft", "events"),
    [
        ("The", ["The", " end."], [Delta(" end."), "The end."]),
        ("The", ["T", "he end."], [Delta(" end."), "The end."]),
        ("The", ["A", " mill."], [Withdrawn("The"), Delta("A"), Delta(" mill."), "A mill."]),  # the model read anew
        ("The", ["Th", "ose."], [Withdrawn("The"), Delta("Those."), "Those."]),
        ("The", [], [Withdrawn("The")]),
        ("", ["One. ", "Two."], [Delta("One. "), "One.", Delta("Two."), "Two."]),
    ],
)
def test_a_draft_goes_on_behind_the_word_that_was_shown(begun, draft, events):
    assert [e for e in in_sentences(iter(draft), begun) if e != Delta("")] == events


def test_a_yes_or_no_is_never_begun_by_the_model(opened):
    generator = Noting(RIGHT)
    streamed(opened(generator=generator), "Did the repair cost 4.2 million crowns?")
    assert "begin" not in generator.order


def test_asking_without_a_stream_gives_the_same_answer(opened):
    assistant = opened(generator=Drafts(RIGHT, RIGHT))
    _, answer = streamed(assistant)
    asked = assistant.ask(COST)
    assert (asked.text, asked.claims, asked.evidence) == (answer.text, answer.claims, answer.evidence)


def test_each_sentence_is_judged_when_the_next_one_begins(opened):
    events, answer = streamed(opened(generator=Drafts(f"{RIGHT} The mayor is Ilse Varga. The town paid crowns of it.")))
    kinds = "".join(type(event).__name__[0] for event in events)
    # 6 words, judged as soon as the next word is there, and before it is shown: what is taken back ends with its sentence
    assert kinds == "D" * 6 + "C" + "D" * 5 + "C" + "D" * 6 + "C"
    assert "".join(e.text for e in events if isinstance(e, Delta)).split() == " ".join(c.text for c in answer.claims).split()


def test_two_sentences_from_the_same_one_have_the_same_number(opened):
    _, answer = streamed(opened(generator=Drafts(f"{RIGHT} The mayor is Ilse Varga. The town paid crowns of it.")))
    assert answer.text == f"{RIGHT} [1] The mayor is Ilse Varga. [1] The town paid crowns of it. [2]"
    assert [c.quote for c in answer.citations] == [COST_SENTENCE, "The town paid 1.1 million crowns of it."]


def test_what_does_not_hold_is_withdrawn_and_the_rest_stays(opened):
    generator = Drafts(f"{WRONG} {RIGHT} The passage does not say more.")
    events, answer = streamed(opened(generator=generator))
    wrong, right, refusal = judged(events)
    assert (wrong, refusal) == (Withdrawn(WRONG), Withdrawn("The passage does not say more."))
    assert right.text == RIGHT
    assert answer.text == f"{RIGHT} [1]"
    assert len(generator.prompts) == 1


def test_the_day_of_asking_reaches_the_model(opened):
    generator = Drafts(RIGHT, RIGHT)
    assistant = opened(generator=generator)
    assistant.ask(COST, asked_on=datetime.date(2024, 5, 3))
    assistant.ask(COST, asked_on="2024-05-04")
    assert [p.question.partition(" Q")[0] for p in generator.prompts] == ["(Today is 2024-05-03.)", "(Today is 2024-05-04.)"]


def test_quotes_are_exact_behind_marks_of_more_than_one_character(make_assistant, write):
    text = "ราคา 🦉 👩🏽\u200d🚀 שלום: nothing yet. The owl e\u0301cole cost 44 crowns 🦉. مرحبا."
    path = write("odd.txt", f"🦉 Owls in the news today\n\nภาษาไทย 🇱🇦 is a line that comes before.\n\n{text}\n")
    assistant = make_assistant(generator=Drafts("It cost 44 crowns."))
    assistant.add(path)
    _, answer = streamed(assistant, "What did the école cost in crowns?")  # école, cost, crowns: 10
    assert answer.citations[0].quote == "The owl école cost 44 crowns 🦉."


def test_a_long_paragraph_is_cut_around_its_best_sentence(make_assistant, write):
    filler = [f"Here is sentence number {n} about the weather of the valley." for n in range(60)]
    filler[40] = "The repair cost 4.2 million crowns."
    generator = Drafts(RIGHT)
    generator.context_tokens = 512  # the model's own, which may be less than the setting
    assistant = make_assistant(generator=generator, answer_tokens=120)
    assistant.add(write("long.txt", "News of the valley\n\n" + " ".join(filler) + "\n"))
    _, answer = streamed(assistant)
    (block,) = generator.prompts[0].paragraphs
    title, _, cut = block.partition("\n")
    assert title == "News of the valley"
    assert cut in " ".join(filler)
    assert filler[40] in cut
    # a FakeGenerator's tokens are words; 11 is more than the longest sentence has
    assert 512 - 120 - 200 - 5 - 11 < len(block.split()) <= 512 - 120 - 200 - 5
    assert answer.citations[0].quote == filler[40]


# --- drafts that do not hold ---------------------------------------------------------------------------------------


def test_if_no_draft_holds_the_best_sentence_itself_is_the_answer(opened):
    generator = Drafts(WRONG)
    events, answer = streamed(opened(generator=generator))
    assert judged(events)[:1] == [Withdrawn(WRONG)]
    assert answer.text == f"{COST_SENTENCE} [1]"
    assert answer.citations[0].quote == COST_SENTENCE
    assert len(generator.prompts) == 2  # the other paragraph of the document that seems to answer was drafted from too
    assert used(answer) == [("bridges.txt", 2), ("bridges.txt", 3)]


@pytest.mark.parametrize(("score", "found"), [(asking.QUOTABLE, True), (asking.QUOTABLE - 0.1, False)])
def test_a_sentence_that_is_near_with_its_title_only_is_no_answer(opened, score, found):
    reranker = Scored({BRIDGES_TITLE: 9.0, "4.2 million": score})
    answer = opened(generator=Drafts(WRONG), reranker=reranker).ask(COST)
    assert answer.text == (f"{COST_SENTENCE} [1]" if found else NOT_FOUND)


def test_what_the_model_took_from_the_title_is_cited_where_the_article_says_it(make_assistant, write):
    text = "The repair was paid by the town alone.\n\nIn the town of Arlen it cost 4 million.\n\nOwls live in Marrow."
    assistant = make_assistant(generator=Drafts("The town of Arlen paid the repair."), reranker=Scored({"alone": 9.0}))
    assistant.add(write("town.txt", f"A bridge in Arlen\n\n{text}\n"))
    _, answer = streamed(assistant, "Which town paid the repair?")
    assert answer.citations[0].quote == "In the town of Arlen it cost 4 million."


def test_a_refusal_is_withdrawn_even_if_the_paragraph_has_its_words(make_assistant, write):
    assistant = make_assistant(generator=Drafts("There is no information about the repair."))
    text = "There is no information about the repair and its cost, said the mayor. She asked for help."
    assistant.add(write("news.txt", f"News of the valley\n\n{text}\n"))
    events, _ = streamed(assistant)
    assert judged(events)[0] == Withdrawn("There is no information about the repair.")


def test_a_draft_without_a_word_is_no_answer(opened):
    events, answer = streamed(opened(generator=Drafts("", "")))
    assert [type(event) for event in events] == [Claim]
    assert answer.text == f"{COST_SENTENCE} [1]"
    assert answer.timings["first_token"] is None


def test_after_the_best_hit_the_second_one_is_drafted_from_but_no_third(make_assistant, write):
    for n, name in enumerate(("one", "two", "three"), 1):
        write(f"news/{name}.txt", f"News of town {name}\n\nThe repair in town {name} cost {n}5 crowns in all.\n")
    table = {"town one": 9.0, "town two": 8.5, "town three": 6.2}
    generator = Drafts(WRONG, "The repair cost 25 crowns.")
    assistant = make_assistant(generator=generator, reranker=Scored(table))
    assistant.add(write("news/three.txt", "News of town three\n\nThe repair in town three cost 35 crowns in all.\n").parent)
    _, answer = streamed(assistant)
    assert answer.citations[0].quote == "The repair in town two cost 25 crowns in all."
    assert used(answer) == [("one.txt", 1), ("two.txt", 1)]

    del generator.prompts[:]
    _, answer = streamed(assistant)  # drafts are used up: nothing holds
    assert [p.paragraphs[0].partition("\n")[0] for p in generator.prompts] == ["News of town one", "News of town two"]
    assert answer.text == "The repair in town one cost 15 crowns in all. [1]"


def test_a_hit_that_is_much_less_sure_is_not_drafted_from(make_assistant, write):
    # The sure hit's own sentence was passed over for a draft from an older article: "20 scam compounds".
    write("news/one.txt", "News of town one\n\nThe repair cost 15 crowns in all.\n")
    path = write("news/two.txt", "News of town two\n\nIn 2019 the repair had cost 25 crowns in all.\n")
    generator = Drafts("Nothing is said of it.", "The repair cost 25 crowns.")
    assistant = make_assistant(generator=generator, reranker=Scored({"15 crowns": 9.0, "25 crowns": 3.6}))
    assistant.add(path.parent)
    _, answer = streamed(assistant)
    assert answer.text == "The repair cost 15 crowns in all. [1]"
    assert used(answer) == [("one.txt", 1)]


@pytest.mark.parametrize(("score", "paragraph"), [(weighing.CERTAIN - 0.01, 2), (weighing.CERTAIN, 1)])
def test_a_paragraph_that_names_what_is_asked_comes_before_one_of_its_article_that_does_not(
    make_assistant, write, score, paragraph
):
    text = "Some 1,362 people were counted in the raid.\n\nAmong them were 347 Vietnamese, and a few other people."
    other = "The Vietnamese were 12 in number, it is said of another year."
    assistant = make_assistant(
        generator=FakeGenerator(otherwise="347 Vietnamese were counted."),
        reranker=Scored({"1,362": score, "347": 5.0, "another year": 3.0}),
    )
    write("news/raid.txt", f"News of the raid\n\n{text}\n")
    assistant.add(write("news/other.txt", f"News of another year\n\n{other}\n").parent)
    _, answer = streamed(assistant, "How many Vietnamese people were counted in it?")
    assert used(answer)[0] == ("raid.txt", paragraph)
    if paragraph == 2:
        assert answer.text == "347 Vietnamese were counted. [1]"


def test_a_sure_hit_is_quoted_if_nothing_of_the_paragraph_with_the_names_holds(make_assistant, write):
    text = "Some 1,362 people were counted in the raid.\n\nA few of them were Vietnamese who had lived in the town."
    generator = FakeGenerator(otherwise="There were 99 of them.")
    assistant = make_assistant(generator=generator, reranker=Scored({"1,362": 6.5, "Vietnamese": 3.6}))
    assistant.add(write("raid.txt", f"News of the raid\n\n{text}\n"))
    _, answer = streamed(assistant, "How many Vietnamese people were counted in it?")
    assert answer.text == "Some 1,362 people were counted in the raid. [1]"


# --- articles that differ --------------------------------------------------------------------------------------------

OLDER = "Bridge of Arlen repaired\n\nPublished: 3 May 2023\n\nThe repair of the bridge cost 4 million crowns in all.\n"
NEWER = "Court on the bridge of Arlen\n\nPublished: 9 June 2024\n\nThe repair of the bridge cost 5 million, a court says.\n"


def differing(make_assistant, write, newer, drafts, table):
    write("news/older.txt", OLDER)
    assistant = make_assistant(generator=Drafts(*drafts), reranker=Scored(table))
    assistant.add(write("news/newer.txt", newer).parent)
    return assistant.ask("What did the repair of the bridge cost?")


def test_articles_that_give_different_values_are_both_shown_the_newest_first(make_assistant, write):
    drafts = ("The repair cost 4 million crowns.", "The repair cost 5 million crowns.")
    answer = differing(make_assistant, write, NEWER, drafts, {"4 million": 9.0, "5 million": 8.0})
    assert answer.text == (
        "“Court on the bridge of Arlen” (2024-06-09): The repair cost 5 million crowns. [1] "
        "“Bridge of Arlen repaired” (2023-05-03): The repair cost 4 million crowns. [2]"
    )
    assert [c.quote for c in answer.citations] == [
        "The repair of the bridge cost 5 million, a court says.",
        "The repair of the bridge cost 4 million crowns in all.",
    ]
    assert used(answer) == [("older.txt", 1), ("newer.txt", 1)]


@pytest.mark.parametrize(
    ("newer", "drafts", "table"),
    [
        # it says the same, so it is not even asked
        (NEWER.replace("5", "4"), ("The repair cost 4 million crowns.", "Not asked: 7."), {"in all": 9.0, "court": 8.0}),
        # what is drafted from it does not hold
        (NEWER, ("The repair cost 4 million crowns.", "The repair cost 6 million."), {"4 million": 9.0, "5 million": 8.0}),
        # it is much less about the question
        (NEWER, ("The repair cost 4 million crowns.", "The repair cost 5 million."), {"4 million": 9.0, "5 million": 6.9}),
    ],
)
def test_articles_that_do_not_differ_are_not_told_apart(make_assistant, write, newer, drafts, table):
    answer = differing(make_assistant, write, newer, drafts, table)
    assert answer.text == "The repair cost 4 million crowns. [1]"
    assert len(answer.citations) == 1


def test_a_history_that_is_none_is_refused(opened):
    assistant = opened()
    for message in ({"role": "system", "content": "x"}, {"content": "x"}, {"role": "user", "content": None}, "x"):
        with pytest.raises(QuestionError, match="The history has the message"):
            assistant.ask("And then?", [message])


# --- how sure a hit must be ----------------------------------------------------------------------------------------


def test_without_hope_the_model_is_not_asked(opened):
    generator = FakeGenerator(otherwise=RIGHT)
    events, answer = streamed(opened(generator=generator, reranker=Scored({"repair": -3.3})))  # 1 / (1 + e^3.3) = 0.036
    assert events == []
    assert (answer.text, answer.status, answer.claims, answer.notice) == (NOT_FOUND, "not_found", (), "")
    assert answer.probability == pytest.approx(0.0356, abs=0.0001)
    assert (generator.prompts, used(answer)) == ([], [])


def test_nothing_is_drafted_if_the_documents_do_not_seem_to_answer(opened):
    generator = FakeGenerator(otherwise=RIGHT)
    events, answer = streamed(opened(generator=generator, reranker=Scored({"repair": -1.0})))
    assert events == []
    assert answer.text == NOT_FOUND
    assert answer.probability == pytest.approx(0.2689, abs=0.0001)
    assert answer.signals["yes"] == 0.0  # it was asked whether the passage says it
    assert generator.prompts == []
    assert used(answer) == [("bridges.txt", 2)]


@pytest.mark.parametrize(
    ("caution", "score", "found"),
    [
        ("careful", 2.1, False),
        ("careful", 2.3, True),
        ("balanced", -0.1, False),
        ("balanced", 0.1, True),
        ("talkative", -2.3, False),
        ("talkative", -2.1, True),
        ("always", -9.0, True),
    ],
)
def test_the_setting_moves_how_sure_an_answer_must_be(opened, caution, score, found):
    generator = FakeGenerator(otherwise=RIGHT)
    answer = opened(generator=generator, reranker=Scored({"repair": score}), caution=caution).ask(COST)
    assert answer.found == found


def test_what_the_model_says_of_the_passage_counts(opened):
    generator = FakeGenerator(otherwise=RIGHT, weights={"Yes": 0.9, "no": 0.1, "yes": 0.05, "No": 0.01})
    assistant = opened(generator=generator, caution="careful")
    answer = assistant.ask(COST)
    assert answer.signals["yes"] == pytest.approx(math.log(0.9 / 0.1))
    generator._weights |= {"Yes": 1e-9, "yes": 1e-9}
    assert assistant.ask(COST).text == NOT_FOUND  # 4.5 for the paragraph, -4 for the model, as both are cut


class Doubtful(FakeGenerator):
    """Says no to a passage with the words "nine years after", which the first paragraph has, and yes to others."""

    def weigh(self, prompt, words, *, stop=None):
        is_first = "nine years after" in prompt.paragraphs[0]
        return tuple(0.0 if word.lower() == ("no" if is_first else "yes") else -9.0 for word in words)


def test_where_the_model_says_no_to_the_best_paragraph_another_one_of_the_document_may_answer(opened):
    generator = Doubtful(otherwise=RIGHT)
    reranker = Scored({"nine years after": 3.0, "4.2 million": 1.0})
    _, answer = streamed(opened(generator=generator, reranker=reranker))
    assert answer.text == f"{RIGHT} [1]"
    assert [prompt.paragraphs[0].count("4.2 million") for prompt in generator.prompts] == [1]


def test_a_question_about_something_else_is_not_found(opened):
    generator = FakeGenerator(otherwise=RIGHT)
    _, answer = streamed(opened(generator=generator), "Who is the president of France?")
    assert answer.text == NOT_FOUND
    assert generator.prompts == []
    assert len(answer.evidence) == 5  # all paragraphs there are: a reader sees what was searched
    assert answer.timings["first_token"] is None
    assert answer.timings["total"] >= answer.timings["retrieve"] + answer.timings["rerank"]


def test_an_empty_library_answers_that_it_does_not_say(make_assistant):
    events, answer = streamed(make_assistant(generator=FakeGenerator()))
    assert (events, answer.evidence, answer.text) == ([], (), NOT_FOUND)


# --- what a question takes for granted ------------------------------------------------------------------------------

OWLS = "Forty snowy owls were counted in the Marrow forest."


@pytest.mark.parametrize(
    ("question", "found"),
    [
        # of snowy, owls, were, counted, marrow and one more, the first paragraph has five: 20 * 5/6 - 10 = 6.7
        ("How many snowy owls were counted in Marrow by Reyk?", True),  # the second paragraph names him
        ("How many snowy owls were counted in Marrow by Martin?", False),
        ("How many snowy owls were counted in Marrow in 1986?", False),
        ("How many snowy owls were counted in Marrow in 1987?", True),
        # of number, owls, counted, marrow, forest and one more, five
        ("What was the smallest number of owls counted in the Marrow forest?", False),
        ("What was the largest number of owls counted in the Marrow forest?", True),
    ],
)
def test_what_the_document_does_not_say_may_not_be_taken_for_granted(opened, question, found):
    generator = FakeGenerator(otherwise=OWLS)
    answer = opened(generator=generator).ask(question)
    assert answer.text == (f"{OWLS} [1]" if found else NOT_FOUND)
    assert len(generator.prompts) == found


def test_a_name_that_is_lacking_is_a_misspelling_for_a_certain_hit(opened):
    reranker = Scored({"repair": weighing.CERTAIN})
    assistant = opened(generator=FakeGenerator(otherwise=RIGHT), reranker=reranker)
    question = "What did the repair cost, Ilse Warga said?"
    assert assistant.ask(question).text == f"{RIGHT} [1]"
    reranker._table["repair"] = weighing.CERTAIN - 0.01
    assert assistant.ask(question).text == NOT_FOUND


def test_an_opposite_is_not_found_however_certain_the_hit(opened):
    reranker = Scored({"Forty": weighing.CERTAIN + 3})
    generator = FakeGenerator(otherwise=OWLS)
    assert opened(generator=generator, reranker=reranker).ask("Which was the smallest number of owls?").text == NOT_FOUND
    assert generator.prompts == []


# --- evidence and scope ----------------------------------------------------------------------------------------------


def test_at_most_ten_hits_are_shown_the_best_first(make_assistant, write):
    body = "\n\n".join(f"On day {n} the keeper of the tower counted some owls and wrote it down." for n in range(14))
    assistant = make_assistant()
    assistant.add(write("tower.txt", f"The keeper of the tower\n\n{body}\n\nThe repair cost 12 crowns.\n"))
    first = next(assistant.stream("What did the repair cost the keeper?"))
    assert len(first.hits) == 10
    assert first.hits[0].text == "The repair cost 12 crowns."
    scores = [hit.score for hit in first.hits]
    assert scores == sorted(scores, reverse=True)
    assert all(hit.quote in hit.text for hit in first.hits)


def test_only_the_given_documents_are_asked(opened):
    assistant = opened(generator=FakeGenerator(otherwise=RIGHT))
    bridges, owls = identity(assistant, "bridges.txt"), identity(assistant, "owls.txt")
    _, answer = streamed(assistant, documents=[owls])
    assert answer.text == NOT_FOUND
    assert {hit.document for hit in answer.evidence} == {owls}
    _, answer = streamed(assistant, documents=(bridges,))
    assert answer.text == f"{RIGHT} [1]"
    assert {hit.document for hit in answer.evidence} == {bridges}
    assert streamed(assistant, documents=[])[1].evidence == ()
    assert {hit.document for hit in streamed(assistant)[1].evidence} == {bridges, owls}


def test_a_document_that_is_not_there_cannot_be_asked(opened):
    with pytest.raises(DocumentMissing, match="no-such-id"):
        opened().ask(COST, documents=["no-such-id"])


@pytest.mark.parametrize("question", ["?", "the", "🦉 !!!"])
def test_a_question_without_a_word_to_look_for_is_not_found_however_sure_the_hit(question, opened):
    generator = FakeGenerator(otherwise=RIGHT)
    assistant = opened(generator=generator, reranker=Scored({"repair": weighing.CERTAIN}))
    assert assistant.ask(question).text == NOT_FOUND
    assert generator.prompts == []


def test_arguments_of_another_kind_are_refused(opened):
    assistant = opened()
    with pytest.raises(QuestionError, match="The question is None; expected a text"):
        assistant.ask(None)
    with pytest.raises(QuestionError, match="asked_on is 'yesterday'; expected a date such as 2025-07-19"):
        assistant.ask(COST, asked_on="yesterday")
    bridges = identity(assistant, "bridges.txt")
    assert {hit.document for hit in assistant.ask(COST, documents=bridges).evidence} == {bridges}


def test_a_question_without_a_character_and_one_too_long_are_refused(opened):
    assistant = opened(max_question_chars=20)
    with pytest.raises(QuestionError, match="The question is empty"):
        assistant.ask(" \n ")
    with pytest.raises(QuestionError, match="has 25 characters; at most 20 are read"):
        assistant.ask(COST)


# --- without an answer model -----------------------------------------------------------------------------------------


def test_without_an_answer_model_a_sure_hit_is_quoted_and_that_is_said(opened):
    events, answer = streamed(opened())
    assert [type(event) for event in events] == [Claim]
    assert answer.text == f"{COST_SENTENCE} [1]"
    assert answer.notice == "Only quotes can be shown. No answer model is set."
    assert used(answer) == []
    assert answer.timings["first_token"] is None


@pytest.mark.parametrize(("score", "text"), [(0.1, f"{COST_SENTENCE} [1]"), (-0.1, NOT_FOUND)])
def test_without_an_answer_model_a_likely_hit_is_quoted_and_an_unlikely_one_is_not(score, text, opened):
    _, answer = streamed(opened(reranker=Scored({"repair": score})))
    assert answer.text == text
    assert answer.notice == "Only quotes can be shown. No answer model is set."


# --- follow-ups ------------------------------------------------------------------------------------------------------

HISTORY = ({"role": "user", "content": "What did the bridge repair cost?"}, {"role": "assistant", "content": f"{RIGHT} [1]"})
FOLLOW_UP = "And who was the mayor?"
FULL = "Who was the mayor of the bridge repair?"  # mayor, bridge, repair: 10


def test_a_follow_up_is_asked_as_a_full_question_and_that_is_shown(opened):
    generator = FakeGenerator({f"Last question: {FOLLOW_UP}": FULL, f"Question: {FULL}": "The mayor was Ilse Varga."})
    reranker = FakeReranker()
    _, answer = streamed(opened(generator=generator, reranker=reranker), FOLLOW_UP, HISTORY)
    assert answer.question == FULL
    assert answer.text == "The mayor was Ilse Varga. [1]"
    # 10 is sure: the conversation is not read with the paragraphs
    assert {question for question, _ in reranker.calls} == {FULL}
    assert len(generator.prompts) == 2


@pytest.mark.parametrize("rewrite", ["Who was the mayor of Rome?", ""])
def test_a_rewrite_that_cannot_be_trusted_is_not_asked(opened, rewrite):
    generator = FakeGenerator({"Last question": rewrite}, otherwise="The mayor was Ilse Varga.")
    _, answer = streamed(opened(generator=generator), FOLLOW_UP, HISTORY)
    assert answer.question == f"{FOLLOW_UP} What did the bridge repair cost?"
    assert answer.text == "The mayor was Ilse Varga. [1]"


def test_a_follow_up_without_an_answer_model_keeps_the_question_before(opened):
    _, answer = streamed(opened(), FOLLOW_UP, HISTORY)
    assert answer.question == f"{FOLLOW_UP} What did the bridge repair cost?"
    assert answer.text == f"{COST_SENTENCE} [1]"


def test_a_follow_up_after_a_refusal_is_completed_from_the_questions(opened):
    history = ({"role": "user", "content": "What did the bridge repair cost?"}, {"role": "assistant", "content": NOT_FOUND})
    _, answer = streamed(opened(), "And who paid it?", history)
    assert answer.question == "And who paid it? What did the bridge repair cost?"
    assert answer.text == f"{COST_SENTENCE} [1]"


def test_another_topic_is_searched_as_it_is_asked(opened):
    reranker = FakeReranker()
    question = "How many snowy owls were counted in the Marrow forest?"
    generator = FakeGenerator(otherwise="Forty snowy owls were counted.")
    _, answer = streamed(opened(generator=generator, reranker=reranker), question, HISTORY)
    assert answer.question == question
    assert {document.title for document in answer.citations} == {"Owls return to the Marrow forest"}
    assert not any("bridge" in asked for asked, _ in reranker.calls)
    assert len(generator.prompts) == 1


def test_what_only_seems_complete_is_found_by_the_words_of_the_conversation(make_assistant, write):
    for n in range(12):
        write(f"news/{n}.txt", f"News number {n}\n\nThe mayor of town {n} has cake for a guest.\n")
    folder = write("news/x.txt", "Repair of the Arlen bridge\n\nThe keeper said that it took nine years.\n").parent
    assistant = make_assistant(generator=FakeGenerator(), top_k=3)
    assistant.add(folder)
    question = "What did the mayor say?"
    asked = ({"role": "user", "content": "Who repaired the Arlen bridge?"},)
    assert not any("keeper" in hit.text for hit in assistant.find(question).hits)
    found = assistant.find(question, asked)
    assert found.question == question
    assert any("keeper" in hit.text for hit in found.hits)


# --- asking back -----------------------------------------------------------------------------------------------------

BRIDGE_TITLE, OWLS_TITLE = "Old bridge of Arlen reopens after nine years", "Owls return to the Marrow forest"


def test_a_vague_question_is_asked_back_with_the_articles_that_compete(opened):
    generator = FakeGenerator()
    assistant = opened(generator=generator)
    evidence, done = assistant.stream("How many?")
    answer = done.answer
    assert answer.evidence == evidence.hits
    assert (answer.status, answer.found, answer.claims, answer.citations) == ("clarify", False, (), ())
    assert set(re.findall("“(.+?)”", answer.text)) == {BRIDGE_TITLE, OWLS_TITLE}
    assert answer.text.startswith("Which one do you mean: “")
    assert answer.question == "How many?"
    assert answer.evidence
    assert answer.timings["total"] > 0
    assert generator.prompts == []


def test_the_reply_to_a_question_back_completes_the_question(opened):
    assistant = opened()
    asked = assistant.ask("How many?")
    history = ({"role": "user", "content": "How many?"}, {"role": "assistant", "content": asked.text})
    found = assistant.find("the owls", history)
    assert found.question == f"How many (“{OWLS_TITLE}”)?"
    assert {hit.title for hit in found.hits[:2]} == {OWLS_TITLE}


def test_it_is_not_asked_back_where_one_article_is_left(opened):
    assistant = opened()
    assert assistant.ask("How many?", documents=[identity(assistant, "owls.txt")]).status == "not_found"


def test_a_full_question_is_not_rewritten(opened):
    generator = Drafts(RIGHT)
    _, answer = streamed(opened(generator=generator), COST, HISTORY)
    assert answer.question == COST
    assert len(generator.prompts) == 1


# --- stopping --------------------------------------------------------------------------------------------------------


def test_a_model_that_stops_amid_a_draft_is_an_error_and_the_next_question_is_answered(opened):
    generator = FakeGenerator(otherwise=RIGHT, fails_after=2)
    assistant = opened(generator=generator)
    seen = []
    with pytest.raises(GenerationFailed, match="made to fail") as raised:
        seen.extend(assistant.stream(COST))
    assert isinstance(raised.value, RagError)
    assert [type(event) for event in seen] == [Evidence, Delta, Delta]

    generator._fails_after = None
    assert assistant.ask(COST).text == f"{RIGHT} [1]"


def test_a_model_that_stops_while_it_completes_a_follow_up_is_an_error(opened):
    assistant = opened(generator=FakeGenerator(otherwise=FULL, fails_after=1))
    with pytest.raises(GenerationFailed, match="made to fail"):
        next(assistant.stream(FOLLOW_UP, HISTORY))


def test_closing_a_stream_stops_the_model(opened):
    generator = FakeGenerator(otherwise=RIGHT)
    assistant = opened(generator=generator)
    stream = assistant.stream(COST)
    assert isinstance(next(stream), Evidence)
    assert generator.prompts == []  # the evidence is there before the model is asked
    assert [next(stream), next(stream)] == [Delta("The"), Delta(" repair")]  # the first is shown before it is weighed
    stream.close()
    assert generator.closed == 1
    assert assistant.ask(COST).text == f"{RIGHT} [1]"
    assert generator.closed == 1


def test_a_question_that_is_stopped_while_the_model_reads_yields_nothing_more(opened):
    generator, stop = FakeGenerator(otherwise=RIGHT), Stop()
    assistant = opened(generator=generator)
    given = []
    generator.reading = lambda one: (given.append(one), stop.set())  # as another thread does
    assert [type(event) for event in assistant.stream(COST, stop=stop)] == [Evidence]
    assert given == [stop]
    assert generator.prompts == []
    generator.reading = lambda one: None
    assert assistant.ask(COST).text == f"{RIGHT} [1]"


def test_a_question_that_is_stopped_amid_a_draft_confirms_nothing_of_it(opened):
    stop = Stop()
    seen = []
    for event in opened(generator=FakeGenerator(otherwise=RIGHT)).stream(COST, stop=stop):
        seen.append(event)
        if len(seen) == 3:
            stop.set()
    assert [type(event) for event in seen] == [Evidence, Delta, Delta]


def test_a_question_that_was_stopped_before_it_is_asked_is_not_even_searched(opened):
    reranker, stop = FakeReranker(), Stop()
    stop.set()
    assert list(opened(reranker=reranker).stream(COST, stop=stop)) == []
    assert reranker.calls == []


def test_a_follow_up_is_stopped_while_it_is_completed(opened):
    generator, stop = FakeGenerator(otherwise=FULL), Stop()
    generator.reading = lambda one: stop.set()
    assert list(opened(generator=generator).stream(FOLLOW_UP, HISTORY, stop=stop)) == []
    assert len(generator.prompts) == 1


def test_nothing_that_was_withdrawn_is_in_the_answer(opened):
    draft = f"{WRONG} Ilse Reyk is the mayor. It was not repaired. It was closed in 1899. {RIGHT}"
    events, answer = streamed(opened(generator=Drafts(draft)))
    withdrawn = [event.text for event in events if isinstance(event, Withdrawn)]
    assert withdrawn == [WRONG, "Ilse Reyk is the mayor.", "It was not repaired.", "It was closed in 1899."]
    assert not any(text in answer.text for text in withdrawn)
    assert re.sub(r" \[\d\]", "", answer.text) == RIGHT


def test_a_draft_that_goes_round_and_round_is_withdrawn(opened):
    events, answer = streamed(opened(generator=Drafts("The repair cost " + "4.2 million crowns " * 5)))
    assert [event.text[:28] for event in events if isinstance(event, Withdrawn)] == ["The repair cost 4.2 million "]
    assert answer.text == f"{COST_SENTENCE} [1]"


# --- yes or no -------------------------------------------------------------------------------------------------------


def test_a_question_for_yes_or_no_is_answered_by_the_best_sentence_and_nothing_is_drafted(opened):
    generator = Drafts("Yes, it did.")
    events, answer = streamed(opened(generator=generator), "Did the repair cost much?")
    assert answer.text == f"{COST_SENTENCE} [1]"
    assert events == [answer.claims[0]]
    assert generator.prompts == []
    assert used(answer) == [("bridges.txt", 2)]


def test_a_question_for_yes_or_no_is_refused_like_any_other(opened):
    generator = FakeGenerator(weights={"yes": 1e-9, "Yes": 1e-9, "no": 0.9, "No": 0.9})
    _, answer = streamed(opened(generator=generator), "Did the repair cost much?")
    assert answer.status == "not_found"


# --- said otherwise ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("draft", "sentence"),
    [
        ("Two boats had been left unmoored.", "Police suspect that two boats had been left unmoored."),
        ("The embassy replied.", "The embassy has not replied."),
    ],
)
def test_what_a_draft_states_and_its_paragraph_only_alleges_or_denies_is_answered_by_its_own_words(
    make_assistant, write, draft, sentence
):
    assistant = make_assistant(generator=Drafts(draft), reranker=Scored({sentence: 5.0}))
    assistant.add(write("storm.txt", f"After the storm\n\n{sentence} It rained for two days.\n\nThe fair was held.\n"))
    events, answer = streamed(assistant, "What about the boats, the harbour and the embassy?")
    assert Withdrawn(draft) in events
    assert answer.text == f"{sentence} [1]"
    assert answer.citations[0].quote == sentence


# --- greetings, and slips of the finger ------------------------------------------------------------------------------


def test_a_greeting_is_answered_without_a_search_and_changes_nothing_that_follows(opened):
    reranker = FakeReranker()
    generator = FakeGenerator({COST: RIGHT})
    assistant = opened(generator=generator, reranker=reranker)
    for text in ("Hello!", "hi there", "Thanks!", "ok, thank you very much"):
        answer = assistant.ask(text)
        assert (answer.status, answer.question, answer.evidence) == ("clarify", text, ())
        assert answer.text.endswith("?")
    assert (reranker.calls, generator.prompts) == ([], [])
    history = [{"role": "user", "content": "Hello!"}, {"role": "assistant", "content": "What would you like to know?"}]
    assert assistant.ask(COST, history).text == f"{RIGHT} [1]"
    assert reranker.calls[0][0] == COST


@pytest.mark.parametrize(
    "text", ["Thank you for what?", "Who said hello?", "Hi, what did the repair cost?", "Good repair?", "So?", "Good."]
)
def test_a_question_is_no_greeting(opened, text):
    assert opened().ask(text).status != "clarify"


class Pedant(FakeReranker):
    """Likes nothing as an answer to a misspelt question."""

    def scores(self, question, texts):
        return [-10.0] * len(texts) if "repiar" in question else super().scores(question, texts)


def test_a_misspelt_question_is_asked_as_the_articles_spell_it_and_that_is_shown(opened):
    assistant = opened(generator=FakeGenerator({COST: RIGHT}), reranker=Pedant())
    answer = assistant.ask("What did the repiar cost?")
    assert answer.question == COST
    assert answer.text == f"{RIGHT} [1]"


def test_what_is_answered_as_it_is_spelt_is_left_alone(opened):
    assistant = opened(generator=FakeGenerator({"repiar": RIGHT}), reranker=Scored({"repair": 9.0}))
    assert assistant.ask("What did the repiar cost?").question == "What did the repiar cost?"
