"""The default encoders: what they say of a text does not depend on its neighbours."""

from __future__ import annotations

import numpy as np
import pytest

from rag import config
from rag.assistant.loading import load_embedder, load_reranker

pytestmark = pytest.mark.real

QUESTION = "Who opened the bridge?"
PASSAGE = "The bridge was opened by the mayor in 1931."
OTHERS = ["Short.", "The old mill was pulled down in 1950. " * 20, "Owls hunt voles at night."]


@pytest.fixture(scope="module")
def settings(models_folder):
    return config.load({"models": models_folder})


def test_a_score_is_the_same_alone_and_among_others(settings):
    # An int8 model that ran them as one batch gave 0.3 to 1.2 for one and the same pair.
    reranker = load_reranker(settings)
    (alone,) = reranker.scores(QUESTION, [PASSAGE])
    first, *_ = reranker.scores(QUESTION, [PASSAGE, *OTHERS])
    *_, last = reranker.scores(QUESTION, [*OTHERS, PASSAGE])
    assert first == pytest.approx(alone, abs=1e-5)
    assert last == pytest.approx(alone, abs=1e-5)
    assert alone > 5 > 0 > max(reranker.scores(QUESTION, OTHERS))


def test_a_question_of_more_tokens_than_the_model_reads_is_scored(settings):
    # It was refused by the tokenizer with an error of its own: nothing of the passage had room.
    reranker = load_reranker(settings)
    for question in ("a " * 600, "桥" * 520, "12.5, " * 150):
        assert len(reranker.scores(question, [PASSAGE, *OTHERS])) == 4


def test_a_vector_is_the_same_alone_and_among_others(settings):
    embedder = load_embedder(settings)
    together = embedder.embed_paragraphs([*OTHERS, PASSAGE])
    np.testing.assert_allclose(together[-1], embedder.embed_paragraphs([PASSAGE])[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
