"""The fakes do what can be computed by hand, in every process alike."""

import subprocess
import sys

import numpy as np
import pytest

from rag.config import ROOT
from rag.errors import GenerationFailed
from rag.types import Prompt
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker

PROMPT = Prompt("system", ("First passage here.",), "Question: Who paid?")


def test_embedding_is_the_count_of_words_scaled_to_unit_length():
    # crc32("owl") = 2561709901 = 77 mod 256, crc32("vole") = 3624607037 = 61 mod 256
    (vector,) = FakeEmbedder().embed_paragraphs(["Owl owl, VOLE!"])
    assert vector.dtype == np.float32
    assert np.flatnonzero(vector).tolist() == [61, 77]
    assert vector[[61, 77]] == pytest.approx([1 / 5**0.5, 2 / 5**0.5])


def test_embedding_is_the_same_in_another_process():
    code = (
        "from tests.fakes import FakeEmbedder; print(FakeEmbedder(dimension=8).embed_question('the owl, the vole').tolist())"
    )
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert other.stdout.strip() == str(FakeEmbedder(dimension=8).embed_question("the owl, the vole").tolist())


def test_reranker_scores_the_share_of_the_longer_words():
    # wanted: opened, bridge (who and the are short)
    scores = FakeReranker().scores("Who opened the bridge?", ["the bridge opened", "a bridge", "nothing of who"])
    assert scores == [10, 0, -10]


def test_generator_answers_from_its_table_and_keeps_prompts():
    generator = FakeGenerator({"Who paid": "The town paid."})
    assert "".join(generator.stream(PROMPT, max_tokens=50)) == "The town paid."
    assert "".join(generator.stream(PROMPT, max_tokens=2)) == "The town"
    assert generator.prompts == [PROMPT, PROMPT]


def test_generator_echoes_refuses_fails_and_notes_that_it_was_closed():
    assert "".join(FakeGenerator(otherwise=None).stream(PROMPT, max_tokens=50)) == "First passage here."
    assert "".join(FakeGenerator().stream(PROMPT, max_tokens=50)) == "The passage does not say."
    failing = FakeGenerator(fails_after=1).stream(PROMPT, max_tokens=50)
    assert next(failing) == "The"
    with pytest.raises(GenerationFailed, match="made to fail"):
        next(failing)
    generator = FakeGenerator()
    stream = generator.stream(PROMPT, max_tokens=50)
    next(stream)
    stream.close()
    assert generator.closed == 1
