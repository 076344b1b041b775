"""Loading: each model is waited for where it is asked for, and what fails is told there."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

import pytest

from rag import language
from rag.assistant import Assistant, loading
from rag.assistant.loading import Models
from rag.config import Settings
from rag.errors import ConfigError, ModelMissing
from rag.stopping import Stop, Stopped
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker


@pytest.fixture
def settings(tmp_path):
    return Settings(models=tmp_path / "models", answer_model="none")


def test_models_that_are_there_are_given_at_once():
    embedder, reranker, generator = FakeEmbedder(), FakeReranker(), FakeGenerator()
    models = Models.of(embedder, reranker, generator)
    assert (models.embedder, models.reranker, models.generator(0)) == (embedder, reranker, (generator, ""))
    assert models.waiting() == ""
    models.close()


def test_the_answer_model_can_be_left_out(settings):
    assert loading.load_generator(settings) is None
    assert Models.of(FakeEmbedder(), FakeReranker(), None).generator(0) == (None, "No answer model is set.")


def test_the_answer_model_does_not_wait_for_the_search_models(fake_models, settings, monkeypatch):
    may_go_on = threading.Event()
    monkeypatch.setattr(loading, "load_embedder", lambda _: may_go_on.wait(30) and fake_models["embedder"])
    models = Models.load(settings)
    assert models.generator(30) == (fake_models["generator"], "")
    assert models.waiting() == "Loading the search models"
    may_go_on.set()
    assert models.embedder is fake_models["embedder"]
    assert models.reranker is fake_models["reranker"]
    assert models.waiting() == ""
    models.close()


def test_what_tells_languages_is_read_with_the_models_before_the_first_question(fake_models, settings, monkeypatch):
    was_read = threading.Event()
    monkeypatch.setattr(language, "load", was_read.set)
    models = Models.load(settings)
    assert was_read.wait(30)
    models.close()


def test_a_model_that_is_still_loading_is_told():
    models = Models(_done(FakeEmbedder()), _done(FakeReranker()), Future())
    assert models.generator(0.01) == (None, "The answer model is still loading.")
    assert models.waiting() == "Loading the answer model"


def _done(value):
    future = Future()
    future.set_result(value)
    return future


def test_what_fails_is_raised_where_it_is_asked_for(settings):
    models = Models.load(settings)  # nothing was fetched
    with pytest.raises(ModelMissing, match=r"bge-small-en-v1\.5 .*rag models fetch"):
        _ = models.embedder
    with pytest.raises(ModelMissing, match=r"ms-marco-minilm-l12 .*rag models fetch"):
        _ = models.reranker
    assert models.generator(30) == (None, "No answer model is set.")
    models.close()


def test_a_missing_answer_model_is_a_reason_not_an_error(tmp_path):
    models = Models.load(Settings(models=tmp_path / "models"))
    generator, reason = models.generator(30)
    assert generator is None
    assert "rag models fetch" in reason
    models.close()


def test_closing_never_fails(tmp_path):
    # A name that no model has was raised a second time here, and the library's file stayed open.
    models = Models.load(Settings(models=tmp_path / "models", answer_model="no-such-model"))
    with pytest.raises(ConfigError, match="no-such-model"):
        models.generator(30)
    models.close()


def test_examples_are_written_once_the_search_models_are_there(make_assistant, articles, tmp_path):
    # The threads of a model that writes kept the search models, and so the first question, from the cores.
    make_assistant().add(articles)
    generator, reranker = FakeGenerator(), Future()
    models = Models(_done(FakeEmbedder()), reranker, _done(generator))
    with Assistant(Settings(index=tmp_path / "index"), models) as assistant:
        thread = threading.Thread(target=assistant.prepare)
        thread.start()
        thread.join(0.2)
        assert generator.prompts == []
        reranker.set_result(FakeReranker())
        for _ in range(30_000):
            if generator.prompts:
                break
            time.sleep(0.001)
        assert generator.prompts
    thread.join(5)
    assert not thread.is_alive()


@pytest.mark.parametrize("ask", [lambda m: m.embedder, lambda m: m.reranker, lambda m: m.generator(60)])
def test_a_question_that_is_stopped_waits_for_no_model(ask):
    stop = Stop()
    models = Models(Future(), Future(), Future()).until(stop)
    threading.Timer(0.05, stop.set).start()
    started = time.monotonic()
    with pytest.raises(Stopped):
        ask(models)
    assert time.monotonic() - started < 5


def test_until_it_is_stopped_a_question_has_the_models_and_their_errors():
    failed: Future = Future()
    failed.set_exception(ModelMissing("There is no such model."))
    models = Models(_done(FakeEmbedder("e")), _done(FakeReranker()), failed).until(Stop())
    assert models.embedder.name == "e"
    assert models.generator(5) == (None, "There is no such model.")
    waiting = Models(_done(FakeEmbedder()), _done(FakeReranker()), Future()).until(Stop())
    assert waiting.generator(0.01) == (None, "The answer model is still loading.")
