"""The answer model over a stand-in for llama.cpp: what is read, kept and stopped, and what becomes of errors.

With a model: tests/real.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from rag.errors import GenerationFailed, ModelCorrupt
from rag.generate import LlamaGenerator, turns
from rag.generate.llama import BATCH, MappedFile
from rag.generate.reading import SEQUENCES, Reader
from rag.generate.states import StateStore
from rag.generate.turns import Turns
from rag.stopping import Stop, Stopped
from rag.types import Prompt

PASSAGES = ("The bridge was opened in 1931.", "The old mill was pulled down.", "A ferry ran until then.")
PROMPT = Prompt("Answer.", PASSAGES[:1], "When?", ("d1",), "\nIs it said?")
END = ord("~")


class MemoryLlama:
    """Keeps, as llama.cpp does, which tokens stand at which position of which sequence; writes "1931~"."""

    def __init__(self, unjoinable="", context_tokens=2000):
        self.unjoinable, self.context_tokens, self.identity = unjoinable, context_tokens, "memory"
        self.sequences = {n: [] for n in range(SEQUENCES)}  # of (position, token), as they came
        self.decoded = []  # the numbers of tokens of all batches
        self.error = None
        self.forgets = True
        self.written = "1931~"
        self.gate = None

    def close(self):
        self.closed = True

    def template(self, system, user):
        return f"<{system}>{user}|"

    def tokenize(self, text, *, special=False):
        return [ord(c) for c in text]

    def bytes_of(self, token, *, special):
        return chr(token).encode()

    def is_end(self, token):
        return token == END

    def decode(self, tokens, wanted, stop):
        if self.gate:
            go_on = self.gate
            with stop.calling(go_on.set):
                go_on.wait(5)
        if stop.is_set():
            raise Stopped
        if self.error:
            raise self.error
        assert len(tokens) <= BATCH
        for token, position, sequences in tokens:
            for sequence in sequences:
                held = self.sequences[sequence]
                assert position == max(held, default=(-1, 0))[0] + 1, "positions of a sequence follow one another"
                held.append((position, token))
        self.decoded.append(len(tokens))
        self.places = {n: tokens[n] for n in wanted}

    def logits(self, place):
        _, _, sequences = self.places[place]
        found = np.zeros(256, np.float32)
        text = self.text(sequences[-1])
        n = len(text.rpartition("|")[2]) if 0 in sequences else 0
        found[ord(self.written[min(n, len(self.written) - 1)])] = 5.0
        return found

    def text(self, sequence):
        return "".join(chr(token) for _, token in self.sequences[sequence])

    def forget(self, sequence, start=0, end=-1):
        if not self.forgets and start > 0:
            return False
        held = self.sequences[sequence]
        self.sequences[sequence] = [(p, t) for p, t in held if p < start or (0 <= end <= p)]
        return True

    def clear(self):
        self.sequences = {n: [] for n in range(SEQUENCES)}

    def copy(self, source, target, end=-1):
        end = -1 if self.unjoinable else end  # a recurrent memory knows no positions
        self.sequences[target] += [(p, t) for p, t in self.sequences[source] if end < 0 or p < end]

    def state(self, sequence):
        return memoryview(repr(self.sequences[sequence]).encode())

    def restore(self, state, sequence):
        if not bytes(state).startswith(b"["):
            return False
        self.sequences[sequence] = eval(bytes(state))
        return True


class MemoryGenerator(LlamaGenerator):
    def __init__(self, llama, store=None):
        self.name = "memory"
        self._llama, self._reader = llama, Reader(llama, store)
        self.context_tokens = llama.context_tokens
        self._worker = ThreadPoolExecutor(1)
        self._closed, self._lock = threading.Event(), threading.Lock()
        self._turns = Turns()
        self._jobs, self._idle = set(), set()


@pytest.fixture
def store(tmp_path):
    return StateStore(tmp_path / "states", 1 << 20)


def written(generator, prompt=PROMPT, max_tokens=9, **others):
    return "".join(generator.stream(prompt, max_tokens=max_tokens, **others))


def whole(prompt):
    return "".join([f"<{prompt.system}>", *(f"{p}\n\n" for p in prompt.paragraphs), f"{prompt.question}|"])


def n_read(generator):
    """Returns the tokens read since it was last asked."""
    read = sum(generator._llama.decoded)
    generator._llama.decoded = []
    return read


def until(condition):
    for _ in range(5000):
        if condition():
            return
        time.sleep(0.001)
    raise AssertionError("waited for five seconds")


def test_a_draft_is_written_behind_the_whole_prompt():
    generator = MemoryGenerator(MemoryLlama())
    assert written(generator) == "1931"
    assert generator._llama.text(0) == whole(PROMPT) + "1931"


def test_weighing_leaves_the_prompt_read_and_no_trace_of_the_aside():
    generator = MemoryGenerator(MemoryLlama())
    generator.weigh(PROMPT, ["yes"])
    assert generator._llama.text(0) == whole(PROMPT)
    assert generator._llama.text(1) == ""
    n_read(generator)
    assert written(generator) == "1931"
    assert n_read(generator) == len("1931")


def test_the_aside_is_read_with_the_question_in_one_go():
    generator = MemoryGenerator(MemoryLlama())
    generator.weigh(PROMPT, ["yes"])
    generator.weigh(replace(PROMPT, question="Where?"), ["yes"])
    assert generator._llama.decoded[-1] == len("Where?|") + len("\nIs it said?|")


def test_a_draft_that_was_begun_is_weighed_and_goes_on_with_nothing_read_twice():
    generator = MemoryGenerator(MemoryLlama())
    weights = generator.weigh(PROMPT, ["yes"])
    generator._reader._clear()
    assert generator.begin(PROMPT) == "1"
    assert generator.begin(PROMPT) == "1"
    assert generator._llama.text(0) == whole(PROMPT)
    n_read(generator)
    assert generator.weigh(PROMPT, ["yes"]) == weights
    assert n_read(generator) == len("\nIs it said?|") + len("1")  # the draft goes on by one
    assert generator._llama.text(1) == ""
    assert generator.weigh(PROMPT, ["yes"]) == weights
    assert generator._llama.text(0) == whole(PROMPT) + "1"
    n_read(generator)
    assert written(generator) == "1931"
    assert n_read(generator) == len("931")
    assert generator._llama.text(0) == whole(PROMPT) + "1931"


@pytest.mark.parametrize("draft", ["~", "9~", "\x80~"])
def test_a_draft_that_ends_at_once_can_be_begun(draft):
    generator = MemoryGenerator(MemoryLlama())
    generator._llama.written = draft
    generator._llama.bytes_of = lambda token, *, special: b"" if token == END else bytes([token])
    first = generator.begin(PROMPT)
    assert first == ("9" if draft == "9~" else "")  # half a character is not shown
    generator.weigh(PROMPT, ["yes"])
    assert written(generator) == draft.rstrip("~").replace("\x80", "\ufffd")


def test_a_model_that_cannot_join_weighs_a_begun_draft_by_reading_it_again():
    generator = MemoryGenerator(MemoryLlama(unjoinable="it is a recurrent model"))
    weights = generator.weigh(PROMPT, ["yes"])
    generator._reader._clear()
    assert generator.begin(PROMPT) == "1"
    assert generator.weigh(PROMPT, ["yes"]) == weights
    assert written(generator) == "1931"
    assert generator._llama.text(0) == whole(PROMPT) + "1931"


def test_a_begun_draft_of_another_question_is_forgotten():
    generator = MemoryGenerator(MemoryLlama())
    generator.begin(PROMPT)
    other = replace(PROMPT, question="Where?")
    generator.weigh(other, ["yes"])
    assert generator._llama.text(0) == whole(other)
    assert written(generator, other, max_tokens=2) == "19"
    assert written(generator, max_tokens=1) == "1"


def test_a_draft_of_another_question_is_not_taken_for_this_one():
    generator = MemoryGenerator(MemoryLlama())
    generator.weigh(PROMPT, ["yes"])
    other = replace(PROMPT, question="Where?")
    assert written(generator, other) == "1931"
    assert generator._llama.text(0) == whole(other) + "1931"


def test_a_paragraph_is_read_once_for_all_questions(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    written(generator)
    written(generator, Prompt("Answer.", PASSAGES[1:2], "Who?", ("d1",)))
    n_read(generator)
    written(generator, replace(PROMPT, question="By whom?"))
    assert n_read(generator) == len("By whom?|1931")
    assert generator._llama.text(0) == whole(replace(PROMPT, question="By whom?")) + "1931"


def test_another_process_reads_neither_passage_nor_instructions(store):
    written(MemoryGenerator(MemoryLlama(), store))
    generator = MemoryGenerator(MemoryLlama(), store)
    written(generator)
    assert n_read(generator) == len("When?|1931")


def test_another_model_reads_for_itself(store):
    written(MemoryGenerator(MemoryLlama(), store))
    other = MemoryGenerator(MemoryLlama(), store)
    other._llama.identity = "another"
    written(other)
    assert n_read(other) == len(whole(PROMPT) + "1931")


def test_several_paragraphs_are_joined_and_each_is_read_alone(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    three = Prompt("Answer.", PASSAGES, "When?", ("d1", "d2", "d3"))
    assert written(generator, three) == "1931"
    assert generator._llama.text(0) == whole(three) + "1931"
    n_read(generator)
    turned = Prompt("Answer.", PASSAGES[::-1], "When?", ("d3", "d2", "d1"))
    written(generator, turned)
    assert generator._llama.text(0) == whole(turned) + "1931"
    assert n_read(generator) == len("When?|1931")


def test_paragraphs_stand_side_by_side_and_the_question_behind_the_longest(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    three = Prompt("Answer.", PASSAGES, "When?", ("d1", "d2", "d3"))
    written(generator, three, max_tokens=0)
    n_prefix, lengths = len("<Answer.>"), [len(f"{text}\n\n") for text in PASSAGES]
    places = [*range(n_prefix)]
    for n in lengths:
        places += range(n_prefix, n_prefix + n)
    places += range(n_prefix + max(lengths), n_prefix + max(lengths) + len("When?|"))
    assert [place for place, _ in generator._llama.sequences[0]] == places


def test_further_paragraphs_join_those_that_are_held(store):
    generator = MemoryGenerator(MemoryLlama())
    for n in (1, 2, 3):
        prompt = Prompt("Answer.", PASSAGES[:n], "When?")
        n_read(generator)
        assert written(generator, prompt) == "1931"
        assert generator._llama.text(0) == whole(prompt) + "1931"
        assert n_read(generator) == len(f"{PASSAGES[n - 1]}\n\nWhen?|1931") + (len("<Answer.>") if n == 1 else 0)


@pytest.mark.parametrize("fewer", [PASSAGES[:1], PASSAGES[1:], PASSAGES[:2], ()])
def test_a_paragraph_that_is_not_asked_any_more_is_forgotten(fewer):
    generator = MemoryGenerator(MemoryLlama())
    written(generator, Prompt("Answer.", PASSAGES, "When?"))
    prompt = Prompt("Answer.", fewer, "When?")
    written(generator, prompt)
    assert generator._llama.text(0) == whole(prompt) + "1931"


def test_missing_paragraphs_are_read_in_one_batch_and_stored_each_for_itself(store):
    # One by one, each cost a call of its own.
    five = Prompt("Answer.", tuple(f"Passage {n}." for n in range(5)), "When?", tuple(f"d{n}" for n in range(5)))
    generator = MemoryGenerator(MemoryLlama(), store)
    written(generator, replace(five, paragraphs=five.paragraphs[:1], documents=five.documents[:1]))
    store.forget(["d1", "d3", "d4"])
    generator._llama.decoded = []
    assert written(generator, five, max_tokens=0) == ""
    missing = sum(len(f"{text}\n\n") for text in five.paragraphs[1:])
    assert generator._llama.decoded == [missing, len("When?|")]
    assert generator._llama.text(0) == whole(five)
    store.forget(["d1", "d3"])
    again = MemoryGenerator(MemoryLlama(), store)
    assert written(again, five, max_tokens=0) == ""
    assert again._llama.decoded == [2 * len("Passage 1.\n\n"), len("When?|")]
    assert again._llama.text(0) == whole(five)
    assert store.stored().documents == dict.fromkeys(five.documents, 1)


@pytest.mark.parametrize("n", [7, 8, 9, 20])
def test_any_number_of_paragraphs_is_read_and_restored(store, n):
    many = Prompt("Answer.", tuple(f"Passage {k}." for k in range(n)), "When?", ("d1",) * n)
    for _ in range(2):
        generator = MemoryGenerator(MemoryLlama(), store)
        assert written(generator, many) == "1931"
        assert generator._llama.text(0) == whole(many) + "1931"
        assert not any(generator._llama.text(spare) for spare in range(1, SEQUENCES))
    assert n_read(generator) == len("When?|1931")


def test_missing_paragraphs_of_more_than_a_batch_are_read(store):
    long = Prompt("Answer.", ("a" * 300, "b" * 400, "c" * 200), "When?", ("d1", "d2", "d3"))
    generator = MemoryGenerator(MemoryLlama(), store)
    assert written(generator, long) == "1931"
    assert generator._llama.text(0) == whole(long) + "1931"
    again = MemoryGenerator(MemoryLlama(), store)
    assert written(again, long) == "1931"
    assert n_read(again) == len("When?|1931")


def test_what_was_stopped_amid_several_paragraphs_leaves_nothing_half_read(store):
    three = Prompt("Answer.", PASSAGES, "When?", ("d1", "d2", "d3"))
    generator = MemoryGenerator(MemoryLlama(), store)
    generator._llama.error = Stopped()
    with pytest.raises(Stopped):
        generator.weigh(three, ["yes"])
    assert store.stored().n_states == 0
    generator._llama.error = None
    assert written(generator, three) == "1931"
    assert generator._llama.text(0) == whole(three) + "1931"


def test_a_model_that_cannot_join_reads_one_behind_the_other_and_says_why(store):
    generator = MemoryGenerator(MemoryLlama(unjoinable="it is a recurrent model"), store)
    three = Prompt("Answer.", PASSAGES, "When?", ("d1", "d2", "d3"))
    assert written(generator, three) == "1931"
    assert generator._llama.text(0) == whole(three) + "1931"
    assert generator.notice == "Passages are read anew for each question: it is a recurrent model."
    assert store.stored().n_states == 0


def test_a_memory_that_only_forgets_all_is_read_from_the_start():
    generator = MemoryGenerator(MemoryLlama(unjoinable="it is a recurrent model"))
    generator._llama.forgets = False
    written(generator)
    other = Prompt("Answer.", PASSAGES[1:], "Who?")
    assert written(generator, other) == "1931"
    assert generator._llama.text(0) == whole(other) + "1931"


def test_a_state_that_does_not_fit_is_made_anew(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    written(generator)
    for path in store._folder.glob("d1.*"):
        store.put("d1", path.name.split(".")[1], b"not of this model")
    generator = MemoryGenerator(MemoryLlama(), store)
    assert written(generator) == "1931"
    assert generator._llama.text(0) == whole(PROMPT) + "1931"


def test_a_full_disk_costs_the_states_and_no_answer(store, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    three = Prompt("Answer.", PASSAGES, "When?", ("d1", "d2", "d3"))
    generator = MemoryGenerator(MemoryLlama(), store)
    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", full)
        assert written(generator, three) == "1931"
    assert "No space left on device" in generator.notice
    assert store.stored().n_states == 0
    assert written(MemoryGenerator(MemoryLlama(), store), three) == "1931"
    assert store.stored().n_states == 3
    assert generator.notice == ""


def test_a_draft_that_repeats_itself_ends_there():
    generator = MemoryGenerator(MemoryLlama())
    generator._llama.written = "It is so. " * 20
    assert written(generator, max_tokens=200) == "It is so."
    generator._llama.written = "and so on " * 20
    assert len(written(generator, max_tokens=200)) == 4 * len("and so on ")


@pytest.mark.parametrize("n_paragraphs", [1, 2, 9])
def test_paragraphs_that_do_not_fit_are_refused_and_leave_nothing(store, n_paragraphs):
    generator = MemoryGenerator(MemoryLlama(context_tokens=100), store)
    long = Prompt("Answer.", ("x" * (100 // n_paragraphs),) * n_paragraphs, "When?", ("d1",) * n_paragraphs)
    with pytest.raises(GenerationFailed, match=r"The prompt has \d+ tokens, the model's context 100\. Raise context_tokens"):
        written(generator, long)
    assert generator._llama.decoded == []
    assert store.stored().n_states == 0
    assert written(generator) == "1931"


def test_a_model_file_that_is_overwritten_is_told_before_it_is_used(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    file = MappedFile(path)
    file.check()
    path.write_bytes(b"others!")  # of the same size
    with pytest.raises(ModelCorrupt, match=r"model\.gguf was overwritten .* Run: rag models verify, then restart\."):
        file.check()
    file.close()


def test_a_model_file_that_is_cut_short_is_told_also_under_another_name(tmp_path):
    path = tmp_path / "model.gguf"
    path.write_bytes(b"weights")
    file = MappedFile(path)
    path.rename(tmp_path / "old.gguf")
    file.check()
    os.truncate(tmp_path / "old.gguf", 3)
    with pytest.raises(ModelCorrupt, match="was overwritten"):
        file.check()
    file.close()


@pytest.mark.parametrize("end", [lambda path, other: other.replace(path), lambda path, other: path.unlink()])
def test_a_model_file_that_is_replaced_or_removed_lives_on(tmp_path, end):
    path, other = tmp_path / "model.gguf", tmp_path / "new.gguf"
    path.write_bytes(b"weights")
    other.write_bytes(b"other weights")
    file = MappedFile(path)
    end(path, other)
    file.check()
    file.close()


def test_a_model_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ModelCorrupt, match=r"model\.gguf cannot be read: No such file"):
        MappedFile(tmp_path / "model.gguf")


def test_only_passages_of_documents_are_stored(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    written(generator, replace(PROMPT, documents=()))
    assert store.stored().n_states == 0


def test_the_share_of_questions_without_reading_is_counted(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    for question in ("When?", "Who?", "Where?"):
        generator.weigh(replace(PROMPT, question=question), ["yes"])
        written(generator, replace(PROMPT, question=question))
    assert (store.stored().n_asked, store.stored().n_served) == (3, 2)


def test_a_long_question_is_read_in_several_batches():
    generator = MemoryGenerator(MemoryLlama())
    long = replace(PROMPT, question="When? " * 200)
    generator.weigh(long, ["yes"])
    assert generator._llama.text(0) == whole(long)
    assert written(generator, long) == "1931"


def test_a_prompt_that_does_not_fit_is_refused_with_both_numbers():
    generator = MemoryGenerator(MemoryLlama(context_tokens=40))
    told = r"The prompt has \d+ tokens, the model's context 40\. Raise context_tokens"
    for ask in (lambda: written(generator), lambda: generator.weigh(PROMPT, ["yes"]), lambda: generator.prepare(PROMPT)):
        with pytest.raises(GenerationFailed, match=told):
            ask()


def test_a_draft_ends_where_the_context_does():
    generator = MemoryGenerator(MemoryLlama(context_tokens=len(whole(PROMPT)) + 2))
    generator._llama.written = "1"
    assert written(generator, replace(PROMPT, aside=""), max_tokens=50) == "11"


def test_preparing_reads_the_paragraph_so_that_no_question_need(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    assert generator.prepare(replace(PROMPT, question=""))
    n_read(generator)
    written(generator)
    assert n_read(generator) == len("When?|1931")
    assert generator.prepare(replace(PROMPT, question=""))
    assert n_read(generator) == 0


def test_preparing_gives_way_to_a_question(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    generator._llama.gate = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        prepared = threads.submit(generator.prepare, replace(PROMPT, question=""))
        until(lambda: generator._jobs)
        (idle,) = generator._jobs
        draft = threads.submit(written, generator, Prompt("Answer.", PASSAGES[1:2], "Who?"))
        until(idle.is_set)
        generator._llama.gate.set()
        assert prepared.result(5) is False
        assert draft.result(5) == "1931"
    assert store.stored().n_states == 0


def test_nothing_is_prepared_while_something_is_asked(store):
    generator = MemoryGenerator(MemoryLlama(), store)
    generator._jobs.add(Stop())
    assert generator.prepare(PROMPT) is False


def test_an_abandoned_draft_stops_while_its_prompt_is_read():
    generator = MemoryGenerator(MemoryLlama())
    generator._llama.gate = threading.Event()
    draft = generator.stream(PROMPT, max_tokens=3)
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(list, draft)
        until(lambda: generator._jobs)
        (stop,) = generator._jobs
        stop.set()  # as closing does, which cannot be called while another thread waits for a piece
        generator._llama.gate.set()
        assert waiting.result(5) == []
    assert generator._llama.decoded == []
    assert written(generator) == "1931"


@pytest.mark.parametrize("ask", [lambda g, stop: g.weigh(PROMPT, ["yes"], stop=stop), lambda g, stop: written(g, stop=stop)])
def test_what_is_stopped_while_its_prompt_is_read_frees_the_model_and_says_nothing(ask):
    # Only closing a draft stopped the model once, which nobody can do while it is read.
    generator, stop = MemoryGenerator(MemoryLlama()), Stop()
    generator._llama.gate = threading.Event()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ask, generator, stop)
        until(lambda: generator._jobs)
        stop.set()
        with pytest.raises(Stopped):
            asked.result(1)
    assert generator._llama.decoded == []
    until(lambda: not generator._jobs)
    generator._llama.gate = None
    assert written(generator) == "1931"


@pytest.mark.parametrize("ask", [lambda g, stop: g.weigh(PROMPT, ["yes"], stop=stop), lambda g, stop: written(g, stop=stop)])
def test_what_is_stopped_while_it_waits_for_another_one_waits_no_longer(ask):
    generator, stop = MemoryGenerator(MemoryLlama()), Stop()
    generator._llama.gate = gate = threading.Event()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(written, generator)
        until(lambda: generator._jobs)
        waiting = threads.submit(ask, generator, stop)
        until(lambda: len(generator._jobs) == 2)
        stop.set()
        with pytest.raises(Stopped):
            waiting.result(1)
        assert len(generator._jobs) == 1
        gate.set()
        assert first.result(5) == "1931"


def test_a_draft_that_is_stopped_yields_nothing_more():
    generator, stop = MemoryGenerator(MemoryLlama()), Stop()
    pieces = generator.stream(PROMPT, max_tokens=9, stop=stop)
    assert next(pieces) == "1"
    until(lambda: not generator._jobs)  # all is written
    stop.set()
    with pytest.raises(Stopped):
        next(pieces)


def test_what_was_stopped_before_it_is_asked_is_not_read(store):
    generator, stop = MemoryGenerator(MemoryLlama(), store), Stop()
    stop.set()
    with pytest.raises(Stopped):
        generator.weigh(PROMPT, ["yes"], stop=stop)
    with pytest.raises(Stopped):
        written(generator, stop=stop)
    assert generator.prepare(PROMPT, stop=stop) is False
    assert generator._llama.decoded == []


class Interrupted:
    """A worker for whose jobs nobody waits to the end: Ctrl-C comes first."""

    def submit(self, job, *args):
        self.job = partial(job, *args)
        future = Future()
        future.set_exception(KeyboardInterrupt())
        return future


def test_an_abandoned_weighing_reads_no_further():
    # It read its whole prompt once, while the next question waited.
    generator = MemoryGenerator(MemoryLlama())
    generator._worker = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        generator.weigh(PROMPT, ["yes"])
    with pytest.raises(Stopped):  # which nobody sees
        generator._worker.job()
    assert generator._llama.decoded == []


@pytest.mark.parametrize("error", [ValueError("odd"), RuntimeError("odd"), OSError("odd")])
def test_an_error_while_a_prompt_is_read_is_a_failed_generation(error):
    # A RuntimeError was once told as a model that was closed, and the others as they are.
    generator = MemoryGenerator(MemoryLlama())
    generator._llama.error = error
    with pytest.raises(GenerationFailed, match=r"The answer model stopped: \w+\('odd'\)\. Ask again, or restart\."):
        generator.weigh(PROMPT, ["yes"])
    with pytest.raises(GenerationFailed, match=r"The answer model stopped: \w+\('odd'\)"):
        written(generator)
    generator._llama.error = None
    assert written(generator) == "1931"
    generator.close()


def test_a_closed_model_says_so_whatever_it_is_asked():
    generator = MemoryGenerator(MemoryLlama())
    generator.close()
    for ask in (
        lambda: generator.weigh(PROMPT, ["yes"]),
        lambda: generator.count("text"),
        lambda: generator.prepare(PROMPT),
        lambda: written(generator),
    ):
        with pytest.raises(GenerationFailed, match="was closed"):
            ask()


def test_closing_ends_what_waits_and_what_is_read():
    generator = MemoryGenerator(MemoryLlama())
    generator._llama.gate = threading.Event()
    with ThreadPoolExecutor(3) as threads:
        drafts = [threads.submit(written, generator) for _ in range(2)]
        until(lambda: len(generator._jobs) == 2)
        closing = threads.submit(generator.close)
        until(generator._closed.is_set)
        generator._llama.gate.set()
        closing.result(5)
        for draft in drafts:
            with pytest.raises(GenerationFailed, match="was closed"):
                draft.result(5)


def test_drafts_wait_in_order():
    generator = MemoryGenerator(MemoryLlama())
    order, jobs = [], []
    write = generator._reader.write
    generator._reader.write = lambda prompt, *others: (order.append(prompt.question), write(prompt, *others))[1]
    generator._llama.gate = threading.Event()
    with ThreadPoolExecutor(3) as threads:
        for n in range(3):
            jobs.append(threads.submit(written, generator, replace(PROMPT, question=f"{n}?")))
            until(lambda n=n: len(generator._jobs) > n)
        generator._llama.gate.set()
        assert [job.result(5) for job in jobs] == ["1931"] * 3
    assert order == ["0?", "1?", "2?"]


def test_a_question_that_asks_of_a_second_passage_need_not_wait_for_itself(monkeypatch):
    monkeypatch.setattr(turns, "_KEPT_SECONDS", 60)
    generator, stop = MemoryGenerator(MemoryLlama()), Stop()

    def ask():
        for paragraph in ("The bridge was opened in 1931.", "The tram came in 1911."):
            generator.weigh(replace(PROMPT, paragraphs=(paragraph,)), ["yes"], stop=stop)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(5)
    assert not asking.is_alive()
