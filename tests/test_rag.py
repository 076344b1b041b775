"""`rag.answer`: the default index, built from the seeds if it is missing; one assistant for all questions."""

from __future__ import annotations

import threading

import pytest

import rag
from rag.errors import QuestionError
from tests.conftest import BRIDGES, OWLS


@pytest.fixture(autouse=True)
def fresh_default(fake_models, write):
    """No assistant is left open by an earlier test, or for a later one."""
    write("seeds/owls.txt", OWLS)
    rag._close()
    yield
    rag._close()


def test_the_missing_default_index_is_built_from_the_seeds(tmp_path):
    answer = rag.answer("How many snowy owls were counted in the Marrow forest?")
    assert answer.found
    assert answer.citations[0].source == str(tmp_path / "seeds" / "owls.txt")
    assert OWLS[answer.citations[0].start : answer.citations[0].end] == answer.citations[0].quote
    assert (tmp_path / "index" / "library.sqlite").exists()


def test_what_is_not_in_the_documents_is_the_fixed_sentence():
    answer = rag.answer("What does quantum chromodynamics predict?")
    assert (answer.text, answer.status, answer.found, answer.claims) == (rag.NOT_FOUND, "not_found", False, ())


def test_the_models_stay_loaded_and_are_loaded_again_for_other_settings(monkeypatch, tmp_path):
    rag.answer("How many owls?")
    first = rag._assistant
    rag.answer("How many owls?")
    assert rag._assistant is first
    monkeypatch.setenv("RAG_INDEX", str(tmp_path / "other"))
    rag.answer("How many owls?")
    assert rag._assistant is not first
    assert (tmp_path / "other" / "library.sqlite").exists()


def test_questions_from_several_threads_share_one_assistant():
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(rag.answer("How many snowy owls were counted?"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({answer.text for answer in found}) == 1
    assert len(found) == 8


def test_documents_limit_the_search_and_a_bad_question_is_refused(write):
    rag.answer("How many owls?")
    write("bridges.txt", BRIDGES)
    (bridges,) = rag._assistant.add("bridges.txt").added
    assert {hit.document for hit in rag.answer("How many owls?", documents=[bridges]).evidence} == {bridges}
    assert rag.answer("How many owls?", documents=[]).evidence == ()
    with pytest.raises(QuestionError, match=r"The question is empty\."):
        rag.answer(" ")


def test_the_public_names_are_there():
    assert all(hasattr(rag, name) for name in rag.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        rag.nonsense  # noqa: B018
