"""How soon the first word comes, and the whole answer, beside one plain prompt and beside what llama.cpp can do. One run.

    python -m tests.bench.answering MODEL.gguf PACK [--questions 50] [--tokens 300 800] [--index FOLDER...] [--html FILE]

For each question of the pack, with the paragraphs of its own article, as many as make up so many tokens:
  plain   the same paragraphs in one prompt through llama_cpp.Llama, as most programs do it
  cold    as Footnote asks: no paragraph was read before; the question, whether it is said, and the draft
  half    half of the paragraphs were
  warm    all of them were
  unsure  the same for a question of which the first word is shown only when the model was asked whether it is said
  limit   the question's own tokens through llama_decode, with all paragraphs in the memory
Written tokens a second are compared with a bare loop of llama_decode and the sampler of llama.cpp. Ratios are medians of the
ratios of each question. Growth is told of the first ten questions, from 1 to 10 paragraphs.

Footnote itself asks one paragraph at a time. So that is told apart: unread, stored, and asked by two users at once, two
questions beside the same two one after the other. With --index it is told how long the evidence takes with these libraries
(`tests.bench.depth` makes some of any size).
"""

from __future__ import annotations

import argparse
import html
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rag.assistant import Assistant
from rag.assistant.loading import NO_MODEL
from rag.generate import LlamaGenerator
from rag.generate.reading import Reader
from rag.generate.states import StateStore
from rag.prompt import answer_prompt
from rag.stopping import Stop
from rag.types import Evidence, Prompt
from tests.bench.endurance import resident
from tests.bench.fit_support import rows

MAX_TOKENS = 40
RAW_TOKENS = 24
GROWTH = (1, 2, 4, 8, 10)
N_GROWTH = 10
WORDS = ("yes", "Yes", "no", "No")
Times = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--tokens", type=int, nargs="+", default=[300, 800])
    parser.add_argument("--index", type=Path, nargs="+", default=[])
    parser.add_argument("--html", type=Path)
    options = parser.parse_args()
    n_threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        store = StateStore(Path(folder), 4 << 30)
        ours = LlamaGenerator(options.model, context_tokens=4096, threads=n_threads, states=store)
        memory = resident(os.getpid())
        asked = list(questions(options.pack, ours))[: options.questions]
        growth = grow(ours, asked[:N_GROWTH])
        alone = product(ours, store, asked)
        plain = plain_model(options.model, n_threads)
        measured = {n: measure(ours, plain, store, asked, n) for n in options.tokens}
        ours.close()
    tables = [(f"{n} tokens of paragraphs", compared(found)) for n, found in measured.items()]
    tables += [("As Footnote asks: one paragraph", alone), ("Growth, warm", growth)]
    first = next(iter(measured.values()))["plain"]
    tables += [(f"Evidence from {folder}", evidence(folder, asked, first)) for folder in options.index]
    for title, lines in tables:
        print(f"\n{title}, {len(asked)} questions")
        for line in lines:
            print(f"  {line}")
    print(f"\nmemory with the answer model alone: {memory:.0f} MB resident")
    if options.html:
        options.html.write_text(page(tables), encoding="utf-8")


def questions(pack: Path, model: LlamaGenerator) -> Any:
    """Yields the answerable questions with the paragraphs of their article, that with the answer first."""
    articles = {row["doc_id"]: row for row in rows(pack / "corpus.jsonl")}
    for row in rows(pack / "questions.jsonl"):
        if row["answerable"] and row.get("evidence"):
            document, n = row["evidence"][0]
            texts = articles[document]["paragraphs"]
            ordered = [texts[n], *texts[:n], *texts[n + 1 :]]
            yield row["question"], [f"{articles[document]['title']}\n{text}" for text in ordered]


def chosen(model: LlamaGenerator, blocks: Sequence[str], n_tokens: int) -> list[str]:
    """Returns the first blocks that make up so many tokens; they are used again if an article is too short."""
    found: list[str] = []
    left = n_tokens
    for n in range(64):
        block = f"{blocks[n % len(blocks)]}{' ' * (n // len(blocks))}"
        words = block.split(" ")
        while words and model.count(" ".join(words)) > left:
            words = words[:-5]
        if not words:
            break
        found.append(" ".join(words))
        left -= model.count(found[-1])
    return found


def prompt_of(question: str, blocks: Sequence[str]) -> Prompt:
    return answer_prompt(question, blocks, documents=[f"d{n}" for n in range(len(blocks))])


def ask(model: LlamaGenerator, prompt: Prompt, *, is_sure: bool = True) -> Times:
    """Asks as Footnote does, with nothing of the prompt in the memory."""
    model._reader._clear()
    return answer(model, prompt, is_sure=is_sure)


def answer(model: LlamaGenerator, prompt: Prompt, *, is_sure: bool = True) -> Times:
    started = time.perf_counter()
    begun = bool(is_sure and model.begin(prompt))
    shown = time.perf_counter() - started
    model.weigh(prompt, WORDS)
    times = written(started, model.stream(prompt, max_tokens=MAX_TOKENS), n_begun=2 if begun else 1)
    return times | {"first": shown} if begun else times


def written(started: float, pieces: Any, n_begun: int = 1) -> Times:
    """Times a draft of which the first pieces are there at once."""
    times = [time.perf_counter() - started for _ in pieces]
    total = time.perf_counter() - started
    rate = (len(times) - n_begun) / (times[-1] - times[n_begun - 1]) if len(times) > n_begun else 0.0
    return {"first": times[0] if times else total, "total": total, "rate": rate}


def plain_model(path: Path, n_threads: int) -> Callable[[Prompt], Times]:
    from llama_cpp import Llama

    model = Llama(str(path), n_ctx=4096, n_threads=n_threads, n_threads_batch=n_threads, verbose=False)

    def ask(prompt: Prompt) -> Times:
        messages: Any = [
            {"role": "system", "content": prompt.system},
            {"role": "user", "content": "\n\n".join((*prompt.paragraphs, prompt.question))},
        ]
        started = time.perf_counter()
        chunks = model.create_chat_completion(messages, max_tokens=MAX_TOKENS, temperature=0.0, stream=True)
        return written(started, (chunk for chunk in chunks if chunk["choices"][0]["delta"].get("content")))

    return ask


def limit(reader: Reader, prompt: Prompt) -> Times:
    """Decodes the question alone behind the paragraphs, then writes with the sampler of llama.cpp."""
    llama, stop = reader._llama, Stop()
    api, context, segments = llama.api, llama._context, reader.segments(prompt)
    reader._hold(segments, prompt.documents, stop)
    at = reader._end()
    llama.decode([(segments.question[0], at, (0,))], [], stop)  # else llama.cpp asks the `Stop` of an earlier job
    llama.forget(0, at)
    tokens = (api.llama_token * len(segments.question))(*segments.question)
    sampler = api.llama_sampler_init_greedy()
    started = time.perf_counter()
    api.llama_decode(context, api.llama_batch_get_one(tokens, len(tokens)))
    token = api.llama_sampler_sample(sampler, context, -1)
    first = time.perf_counter() - started
    for _ in range(RAW_TOKENS):
        api.llama_decode(context, api.llama_batch_get_one((api.llama_token * 1)(token), 1))
        token = api.llama_sampler_sample(sampler, context, -1)
    rate = RAW_TOKENS / (time.perf_counter() - started - first)
    api.llama_sampler_free(sampler)
    reader._clear()
    return {"first": first, "total": 0.0, "rate": rate}


def measure(
    ours: LlamaGenerator, plain: Callable[[Prompt], Times], store: StateStore, asked: Sequence[Any], n_tokens: int
) -> dict[str, list[Times]]:
    """Returns the times of all questions by the way in which they were asked."""
    names = ("plain", "cold", "half", "warm", "unsure", "limit", "restored")
    found: dict[str, list[Times]] = {name: [] for name in names}
    for question, blocks in asked:
        prompt = prompt_of(question, chosen(ours, blocks, n_tokens))
        store.forget(prompt.documents)
        found["plain"].append(plain(prompt))
        found["cold"].append(ask(ours, prompt))
        store.forget(prompt.documents[1::2] or prompt.documents)
        found["half"].append(ask(ours, prompt))
        found["warm"].append(ask(ours, prompt))
        found["unsure"].append(ask(ours, prompt, is_sure=False))
        ours._reader._clear()
        started = time.perf_counter()
        ours._reader._hold(ours._reader.segments(prompt), prompt.documents, Stop())
        found["restored"].append({"first": time.perf_counter() - started})
        found["limit"].append(limit(ours._reader, prompt))
    return found


def compared(found: dict[str, list[Times]]) -> list[str]:
    """Returns the lines of one table."""
    ways = [name for name in found if name != "restored"]
    lines = [told(f"first word, {name}", [one["first"] for one in found[name]]) for name in ways]
    lines += [told(f"whole answer, {name}", [one["total"] for one in found[name]]) for name in ("plain", "cold", "warm")]
    lines.append(told("states restored", [one["first"] for one in found["restored"]]))
    pairs = (
        ("warm", "plain"),
        ("half", "plain"),
        ("cold", "plain"),
        ("warm", "limit"),
        ("unsure", "plain"),
        ("unsure", "limit"),
    )
    lines += [f"first word, {a} / {b}: {ratio(found[a], found[b], 'first'):.2f}" for a, b in pairs]
    lines.append(f"whole answer, warm / plain: {ratio(found['warm'], found['plain'], 'total'):.2f}")
    lines.append(f"written tokens a second, ours / llama.cpp: {ratio(found['warm'], found['limit'], 'rate'):.2f}")
    return lines


def grow(model: LlamaGenerator, asked: Sequence[Any]) -> list[str]:
    """Returns how the first word comes later with more paragraphs."""
    firsts: dict[int, list[float]] = {n: [] for n in GROWTH}
    for question, blocks in asked:
        for n in GROWTH:
            prompt = prompt_of(question, [blocks[k % len(blocks)] for k in range(n)])
            ask(model, prompt)
            firsts[n].append(ask(model, prompt)["first"])
    one = statistics.median(firsts[1])
    return [f"{told(f'{n} paragraphs', times)}, {statistics.median(times) / one:.2f} of one" for n, times in firsts.items()]


def product(model: LlamaGenerator, store: StateStore, asked: Sequence[Any]) -> list[str]:
    """Returns the lines of one paragraph, as Footnote asks, and of two users at once."""
    unread: list[Times] = []
    stored: list[Times] = []
    unsure: list[Times] = []
    prompts: list[Prompt] = []
    for question, blocks in asked:
        prompts.append(prompt_of(question, blocks[:1]))
        store.forget(prompts[-1].documents)
        unread.append(ask(model, prompts[-1]))
        stored.append(ask(model, prompts[-1]))
        unsure.append(ask(model, prompts[-1], is_sure=False))
    lines = [
        told(f"{name}, one {kind} paragraph", [one[what] for one in times])
        for kind, times in (("stored", stored), ("unread", unread), ("stored, unsure", unsure))
        for name, what in (("first word", "first"), ("whole answer", "total"))
    ]
    both, share = [], []
    with ThreadPoolExecutor(2) as users:
        for n in range(0, len(prompts) - 1, 2):
            model._reader._clear()
            started = time.perf_counter()
            list(users.map(lambda prompt: answer(model, prompt), prompts[n : n + 2]))
            both.append(time.perf_counter() - started)
            share.append(both[-1] / (stored[n]["total"] + stored[n + 1]["total"]))
    if both:
        lines.append(told("both answers, two users at once", both))
        lines.append(f"both answers, at once / one after the other: {statistics.median(share):.2f}")
    return lines


def evidence(folder: Path, asked: Sequence[Any], plain: Sequence[Times]) -> list[str]:
    """Returns how long it takes until the evidence shows, with a library, beside the first word of the plain prompt."""
    times = []
    with Assistant.open(folder, answer_model=NO_MODEL) as assistant:
        for question, _ in [asked[0], *asked]:  # the first one warms up
            started = time.perf_counter()
            stream = assistant.stream(question)
            assert isinstance(next(stream), Evidence)
            times.append(time.perf_counter() - started)
            for _ in stream:
                pass
        n_paragraphs = assistant.library.count()[1]
    share = statistics.median(times[1:]) / statistics.median(one["first"] for one in plain)
    return [told(f"{n_paragraphs} paragraphs", times[1:]), f"of the first word of a plain prompt: {share:.2f}"]


def ratio(ours: Sequence[Times], others: Sequence[Times], what: str) -> float:
    return statistics.median(a[what] / b[what] for a, b in zip(ours, others, strict=True) if a[what] and b[what])


def told(name: str, seconds: Sequence[float]) -> str:
    ordered = sorted(seconds)
    late = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
    return f"{name}: p50 {statistics.median(ordered):.3f} s, p95 {late:.3f} s"


def page(tables: Sequence[tuple[str, list[str]]]) -> str:
    """Returns the tables as HTML, the times with bars."""
    body = []
    for title, lines in tables:
        body.append(f"<h2>{html.escape(title)}</h2><table>")
        for line in lines:
            name, _, values = line.partition(": ")
            width = 100 * float(values.split()[1]) if values.startswith("p50") else 0
            bar = f'<div style="background:teal;height:.8em;width:{min(width, 800):.0f}px"></div>'
            body.append(f"<tr><td>{html.escape(name)}<td>{html.escape(values)}<td>{bar}")
        body.append("</table>")
    return f"<!doctype html><meta charset=utf-8><title>Answering</title>{''.join(body)}"


if __name__ == "__main__":
    main()
