"""What is done while nobody asks: the newest and the last cited articles are read, and every question comes first."""

from __future__ import annotations

import threading
import time

import pytest

from rag.assistant.preparing import N_NEWEST, Preparing
from rag.cli import main
from rag.errors import LibraryError
from rag.generate.states import stored_states
from tests.fakes import FakeGenerator

pytestmark = pytest.mark.usefixtures("plain_decision")


class Generator(FakeGenerator):
    """Gives way as often as it is told to."""

    def __init__(self, gives_way=0):
        super().__init__()
        self.gives_way = gives_way

    def prepare(self, prompt, *, stop=None):
        if self.gives_way:
            self.gives_way -= 1
            return False
        return super().prepare(prompt, stop=stop)


COST = "What did the repair cost?"


@pytest.fixture
def assistant(make_assistant, articles):
    assistant = make_assistant(generator=Generator())
    assistant.add(articles)
    return assistant


def ran(assistant, n_prompts):
    """Lets the preparing run until so many passages were read; returns them."""
    generator = assistant._models.generator(0)[0]
    thread = threading.Thread(target=assistant._preparing.run)
    thread.start()
    for _ in range(3000):
        if len(generator.prepared) >= n_prompts:
            break
        time.sleep(0.001)
    assistant._preparing.close()
    thread.join(5)
    assert not thread.is_alive()
    return generator.prepared


def test_the_passages_of_the_newest_articles_are_read_as_a_question_would_have_them(assistant):
    prompts = ran(assistant, 5)
    bridges, owls = assistant.documents()
    assert [prompt.documents for prompt in prompts] == [(owls.id,)] * 2 + [(bridges.id,)] * 3
    list(assistant.stream(COST))
    asked = assistant._models.generator(0)[0].prompts[-1]
    assert asked.paragraphs in {prompt.paragraphs for prompt in prompts}
    assert asked.system == prompts[0].system


def test_the_article_that_was_cited_last_comes_first(assistant):
    bridges, _ = assistant.documents()
    assistant._models.generator(0)[0]._otherwise = "The repair cost 4.2 million crowns."
    answer = assistant.ask(COST)
    assert [citation.document for citation in answer.citations] == [bridges.id]
    assert ran(assistant, 5)[0].documents == (bridges.id,)


def test_nothing_is_read_while_a_question_is_answered(assistant):
    generator = assistant._models.generator(0)[0]
    with assistant._preparing.asking():
        thread = threading.Thread(target=assistant._preparing.run)
        thread.start()
        time.sleep(0.1)
        assert generator.prepared == []
        assistant._preparing.close()
        thread.join(5)


@pytest.mark.parametrize("has_examples", [True, False])
def test_what_the_model_does_stops_as_soon_as_a_question_is_asked(assistant, has_examples):
    # It went on while the question was searched, until the model was asked.
    generator = assistant._models.generator(0)[0]
    if has_examples:
        for document in assistant.documents():
            assistant.library.set_examples(document.id, ["How many?"])
    reading, stopped = threading.Event(), threading.Event()

    def read(stop):
        with stop.calling(stopped.set):
            reading.set()
            stopped.wait(5)

    generator.reading = read
    thread = threading.Thread(target=assistant._preparing.run)
    thread.start()
    assert reading.wait(5)
    assert len(generator.prepared) == has_examples
    with assistant._preparing.asking():
        assert stopped.is_set()
    generator.reading = lambda stop: None
    assistant._preparing.close()
    thread.join(5)
    assert not thread.is_alive()


def test_closing_stops_what_the_model_reads(assistant):
    stop = assistant._preparing._stop
    assistant._preparing.close()
    assert stop.is_set()
    with assistant._preparing.asking():
        pass
    assert assistant._preparing._stop.is_set()  # for good


def test_what_gave_way_is_read_later(make_assistant, articles, monkeypatch):
    monkeypatch.setattr("rag.assistant.preparing._WAIT_SECONDS", 0.01)
    assistant = make_assistant(generator=Generator(gives_way=4))
    assistant.add(articles)
    assert len(ran(assistant, 5)) == 5


def test_old_articles_are_left_alone(make_assistant, write):
    for n in range(N_NEWEST + 5):
        write(f"towns/{n}.txt", f"A town of number {n}\n\nThe town has {n} bridges over its river.\n")
    assistant = make_assistant(generator=Generator())
    assistant.add("towns")
    chosen = []
    assistant._preparing._look()
    while found := assistant._preparing._next():
        chosen.append(found)
        assistant._preparing._done.add(found)
    assert len(chosen) == N_NEWEST


def test_without_an_answer_model_there_is_nothing_to_do_but_to_say_so(make_assistant):
    said = []
    assistant = make_assistant()
    assistant.prepare(lambda: said.append(assistant.notice()))
    assert said == ["No answer model is set."]


def test_a_removed_article_is_passed_over(assistant):
    preparing = Preparing(assistant.library, assistant._models, assistant.settings, assistant.search)
    assert preparing._read(Generator(), ("gone", "version"))


def test_what_the_model_keeps_of_a_removed_article_goes_with_it(assistant, tmp_path):
    bridges, owls = assistant.documents()
    states = stored_states(tmp_path / "index", 10)
    for document in (bridges, owls):
        states.put(document.id, "a" * 64, b"state")
    assistant.remove([bridges.id])
    assert dict(states.stored().documents) == {owls.id: 1}


def test_the_command_that_removes_an_article_removes_what_the_model_keeps_of_it(assistant, tmp_path, capsys):
    bridges, owls = assistant.documents()
    states = stored_states(tmp_path / "index", 10)
    for document in (bridges, owls):
        states.put(document.id, "a" * 64, b"state")
    assert main(["remove", bridges.id]) == 0
    assert dict(states.stored().documents) == {owls.id: 1}


def test_the_status_tells_what_the_model_keeps(assistant, tmp_path, capsys):
    bridges, _ = assistant.documents()
    states = stored_states(tmp_path / "index", 2048)
    states.put(bridges.id, "a" * 64, b"x" * 3_000_000)
    for served in (True, True, False):
        states.count(served)
    assert main(["status"]) == 0
    told = capsys.readouterr().out
    assert "states     1 passage, 2 MB of 2048 MB" in told
    assert "of 1 of the 2 newest documents" in told
    assert "67% of the last 3 looks at a passage needed no reading" in told


@pytest.mark.parametrize("command", ["restore", "repair"])
def test_what_comes_in_place_of_a_library_leaves_nothing_of_other_articles(make_assistant, articles, tmp_path, command):
    assistant = make_assistant()
    assistant.add(articles)
    assert main(["backup", str(tmp_path / "backup")]) == 0
    stored_states(tmp_path / "index", 10).put("gone", "a" * 64, b"state")
    if command == "repair":
        assistant.close()
        library = tmp_path / "index" / "library.sqlite"
        library.write_bytes(b"x" * 100 + library.read_bytes()[100:])
    main(["repair"] if command == "repair" else ["restore", str(tmp_path / "backup"), "--yes"])
    assert dict(stored_states(tmp_path / "index", 10).stored().documents) == {}


def test_an_error_does_not_end_what_is_done_behind_a_page(assistant, monkeypatch):
    monkeypatch.setattr("rag.assistant.preparing._WAIT_SECONDS", 0.01)
    real, failed = assistant.library.versions, []

    def versions(*filter):
        if len(failed) < 3:
            failed.append(1)
            raise LibraryError("The library is locked.")
        return real(*filter)

    monkeypatch.setattr(assistant.library, "versions", versions)
    assert len(ran(assistant, 5)) == 5


def test_an_article_that_is_removed_while_it_is_read_leaves_nothing(assistant, tmp_path):
    bridges, owls = assistant.documents()
    states = stored_states(tmp_path / "index", 10)
    preparing = assistant._preparing
    preparing._look()
    assistant.remove([bridges.id])
    for document in (bridges, owls):
        states.put(document.id, "a" * 64, b"state")  # as a reader does that had begun before
    preparing._look()
    assert dict(states.stored().documents) == {owls.id: 1}


def test_of_a_long_article_only_the_first_passages_are_read(make_assistant, write):
    text = "\n\n".join(f"The town of number {n} has {n} bridges over its river." for n in range(60))
    write("towns/long.txt", f"Towns and bridges\n\n{text}\n")
    assistant = make_assistant(generator=Generator())
    assistant.add("towns")
    assistant._preparing._look()
    assistant._preparing._read(assistant._models.generator(0)[0], assistant._preparing._next())
    assert len(assistant._models.generator(0)[0].prepared) == 25
