"""The memory of `rag eval --reuse`: a model is asked once, and what it said is replayed as it was said."""

from __future__ import annotations

import pytest

from rag.errors import GenerationFailed
from rag.evaluate.memory import Memory, RememberingGenerator, RememberingReranker
from rag.types import Prompt
from tests.fakes import FakeGenerator, FakeReranker

PROMPT = Prompt("system", ("The bridge cost 4 crowns. It was dear.",), "What did it cost?")


@pytest.fixture
def remember(tmp_path):
    """Opens the same memory again and again, as runs after each other do."""
    opened = []

    def remember():
        opened.append(Memory(tmp_path / "eval" / "memory.sqlite"))
        return opened[-1]

    yield remember
    for memory in opened:
        memory.close()


def test_a_draft_is_written_once_and_replayed_in_its_pieces(remember):
    generator = FakeGenerator(otherwise=None)
    first = list(RememberingGenerator(generator, remember()).stream(PROMPT, max_tokens=9))
    again = list(RememberingGenerator(generator, remember()).stream(PROMPT, max_tokens=9))
    assert first == again == ["The", " bridge", " cost", " 4", " crowns.", " It", " was", " dear."]
    assert len(generator.prompts) == 1


@pytest.mark.parametrize(
    ("prompt", "name", "max_tokens"),
    [
        (Prompt("another", PROMPT.paragraphs, PROMPT.question), "fake-generator", 9),
        (Prompt(PROMPT.system, (*PROMPT.paragraphs, "More."), PROMPT.question), "fake-generator", 9),
        (Prompt(PROMPT.system, PROMPT.paragraphs, "Who paid?"), "fake-generator", 9),
        (PROMPT, "another", 9),
        (PROMPT, "fake-generator", 3),
    ],
)
def test_whatever_differs_is_asked_anew(remember, prompt, name, max_tokens):
    memory, generator = remember(), FakeGenerator(otherwise=None)
    list(RememberingGenerator(generator, memory).stream(PROMPT, max_tokens=9))
    generator.name = name
    list(RememberingGenerator(generator, memory).stream(prompt, max_tokens=max_tokens))
    assert len(generator.prompts) == 2


def test_a_draft_that_broke_off_is_not_kept(remember):
    memory = remember()
    with pytest.raises(GenerationFailed, match="made to fail"):
        list(RememberingGenerator(FakeGenerator(otherwise=None, fails_after=2), memory).stream(PROMPT, max_tokens=9))
    assert len(list(RememberingGenerator(FakeGenerator(otherwise=None), memory).stream(PROMPT, max_tokens=9))) == 8


def test_a_draft_kept_as_one_text_is_still_read(remember):
    memory = remember()
    asked = ("draft", "fake-generator", PROMPT.system, PROMPT.paragraphs, PROMPT.question, 9)
    memory.recall([asked], lambda _: ["4 crowns."])
    assert list(RememberingGenerator(FakeGenerator(), memory).stream(PROMPT, max_tokens=9)) == ["4 crowns."]


def test_weights_are_kept_exactly(remember):
    first = RememberingGenerator(FakeGenerator(weights={"yes": 0.3}), remember()).weigh(PROMPT, ["yes", "no"])
    other = RememberingGenerator(FakeGenerator(weights={"yes": 0.9}), remember())
    assert other.weigh(PROMPT, ["yes", "no"]) == first
    assert other.weigh(PROMPT, ["no", "yes"]) != first  # other words are another thing to ask


def test_only_texts_that_were_not_read_are_scored_and_order_holds(remember):
    reranker = FakeReranker()
    texts = ["a stone bridge", "nothing", "the bridge"]
    kept = RememberingReranker(reranker, "fake", remember())
    assert kept.scores("Which stone bridge?", texts[:2]) == [10, -10]
    assert RememberingReranker(reranker, "fake", remember()).scores("Which stone bridge?", texts[::-1]) == [0, -10, 10]
    assert [call[1] for call in reranker.calls] == [("a stone bridge", "nothing"), ("the bridge",)]
    RememberingReranker(reranker, "another", remember()).scores("Which stone bridge?", texts[:1])
    assert len(reranker.calls) == 3
    assert kept.scores("Which stone bridge?", []) == []
