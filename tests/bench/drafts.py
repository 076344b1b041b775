"""Ways to draft from what was found, beside each other: are they right, what do they read, and do they tell an answer?

    rag eval PACK... --json > FILE
    python -m tests.bench.drafts FILE MODEL.gguf PACK... [--limit 100] [--only NAME...] [--answerable]

Each question of the file is drafted again from its hits in each way. Printed for each set and way: the share of answerable
questions whose draft has the answer, tokens read and written, and as signals of "the documents hold an answer" the AUC of
whether the draft says the same as the usual one (`agrees`). "span" may only go on with tokens that follow one another in the
paragraph, until the likeliest token ends it; of it the AUC of its mean log-probability is told too, and of the share of
probability that the first token gives to the paragraph.
"""

from __future__ import annotations

import argparse
import json
import statistics
import threading
from pathlib import Path
from typing import Any

import numpy as np

from rag.attribute import facts, has
from rag.evaluate.figures import auc
from rag.evaluate.scores import contains
from rag.generate import LlamaGenerator
from rag.prompt import answer_prompt
from rag.types import Prompt
from tests.bench.fit_support import rows as read_rows

_SPAN = "You answer questions with the shortest exact words of the passage."
_QUOTE_FIRST = (
    "You answer questions about news articles. First copy the sentence of the passage that has the answer, then, on a new "
    "line, give a short, direct answer in one sentence. Copy names, numbers and dates exactly."
)
_MOST = 24  # tokens of a span
_ENDS = (".", "\n", ".\n", ",", ";", "!", '."')


class Spans(LlamaGenerator):
    """Writes spans of a paragraph, too."""

    def span(self, prompt: Prompt, passage: str) -> tuple[str, float, float]:
        """Returns the span, the mean log-probability of its tokens, and the share of the first token's in the paragraph."""
        self._read(prompt, threading.Event())
        self._decode(self._tokenize("Answer:"))
        tokens = self._tokenize(f" {passage}")
        ends = {self._tokenize(end)[0] for end in _ENDS} | {self._api.llama_vocab_eot(self._vocabulary)}
        places = [n for n, t in enumerate(tokens) if self._bytes_of(t, special=False).startswith(b" ")]
        written: list[int] = []
        gained: list[float] = []
        share = 0.0
        while places and len(written) < _MOST:
            logits = self._logits().astype(np.float64)
            log = logits - (logits.max() + np.log(np.exp(logits - logits.max()).sum()))
            following = {tokens[n] for n in places}
            best = max(following, key=lambda t: log[t])
            if not written:
                share = float(np.exp(log[list(following)]).sum())
            elif max(log[end] for end in ends) >= log[best]:
                break
            written.append(best)
            gained.append(float(log[best]))
            places = [n + 1 for n in places if tokens[n] == best and n + 1 < len(tokens)]
            self._decode([best])
        self._decoded = []
        text = b"".join(self._bytes_of(t, special=False) for t in written).decode("utf-8", "replace").strip()
        return text, float(np.mean(gained)) if gained else -20.0, share


def ways(row: dict[str, Any], article: dict[str, Any]) -> dict[str, Prompt]:
    """Returns the prompts by the name of the way; the first one is the usual one."""
    hits, question = row["evidence"], row["question"]
    best, title, date = hits[0], hits[0]["title"], article.get("date") or ""
    around = article["paragraphs"]
    n = around.index(best["text"]) if best["text"] in around else -1
    before, after = (around[n - 1] if n > 0 else ""), (around[n + 1] if 0 <= n < len(around) - 1 else "")
    block = f"{title}\n{best['text']}"
    two = [block, *(f"{hit['title']}\n{hit['text']}" for hit in hits[1:2])]
    three = [block, *(f"{hit['title']}\n{hit['text']}" for hit in hits[1:3])]
    usual = answer_prompt(question, [block])
    return {
        "usual": usual,
        "no title": answer_prompt(question, [best["text"]]),
        "title and date": answer_prompt(question, [f"{title}\n{date}\n{best['text']}" if date else block]),
        "paragraph before": answer_prompt(question, ["\n".join(filter(None, (title, before, best["text"])))]),
        "both neighbours": answer_prompt(question, ["\n".join(filter(None, (title, before, best["text"], after)))]),
        "two hits": answer_prompt(question, two),
        "three hits, best last": answer_prompt(question, three[::-1]),
        "quote first": Prompt(_QUOTE_FIRST, usual.paragraphs, usual.question),
        "span": Prompt(_SPAN, usual.paragraphs, f"Question: {question}"),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("packs", nargs="+", type=Path)
    parser.add_argument("--limit", type=int, default=100, help="questions of each set and sort")
    parser.add_argument("--only", nargs="*", help="ways, by name")
    parser.add_argument("--answerable", action="store_true", help="answerable questions only: no AUC, and twice as quick")
    arguments = parser.parse_args()
    asked = [row for row in json.loads(arguments.file.read_text(encoding="utf-8"))["questions"] if row["evidence"]]
    model = Spans(arguments.model, context_tokens=4096, threads=2)
    for pack in arguments.packs:
        articles = {p: row for row in read_rows(pack / "corpus.jsonl") for p in row["paragraphs"]}
        judged: list[dict[str, Any]] = []
        for sort in (True,) if arguments.answerable else (True, False):
            chosen = [r for r in asked if r["pack"] == pack.name and r["answerable"] is sort and r["counted"]]
            for row in [r for r in chosen if r["evidence"][0]["text"] in articles][: arguments.limit]:
                judged.append(_judged(model, row, ways(row, articles[row["evidence"][0]["text"]]), arguments.only))
        _print(pack.name, judged)
    model.close()


def _judged(model: Spans, row: dict[str, Any], prompts: dict[str, Prompt], only: list[str] | None) -> dict[str, Any]:
    found: dict[str, Any] = {"answerable": row["answerable"]}
    usual = ""
    for name, prompt in prompts.items():
        if only and name != "usual" and name not in only:
            continue
        signals = {}
        if name == "span":
            draft, mean, share = model.span(prompt, row["evidence"][0]["text"])
            signals = {"mean": mean, "share": share}
        else:
            draft = "".join(model.stream(prompt, max_tokens=90 if name == "quote first" else 60))
        if name == "quote first":  # the quote is not the answer
            draft = draft.strip().rpartition("\n")[2]
        usual = usual or draft
        read = model.count(f"{prompt.system} {' '.join(prompt.paragraphs)} {prompt.question}")
        signals["agrees"] = float(_agree(draft, usual))
        found[name] = {
            "right": contains(draft, row["expected"]) if row["answerable"] else None,
            "read": read,
            "written": model.count(draft),
            "signals": signals,
        }
    return found


def _agree(one: str, two: str) -> bool:
    """True if all words and numbers of the shorter text are in the other one."""
    short, long = sorted((facts(one), facts(two)), key=lambda said: len(said.words) + len(said.numbers))
    return all(has(long.words, word) for word in short.words) and short.numbers <= long.numbers


def _print(pack: str, judged: list[dict[str, Any]]) -> None:
    labels = np.array([float(row["answerable"]) for row in judged])
    print(f"{pack}: {int(labels.sum())} answerable, {len(labels) - int(labels.sum())} not")
    for name in [key for key in judged[0] if key != "answerable"] if judged else ():
        rows = [row[name] for row in judged]
        right = [row["right"] for row in rows if row["right"] is not None]
        tokens = [f"{statistics.median(row[count] for row in rows):.0f}" for count in ("read", "written")]
        signals = {
            signal: round(float(auc(np.array([row["signals"][signal] for row in rows]), labels)), 3)
            for signal in rows[0]["signals"]
            if len(set(labels)) == 2
        }
        print(
            f"  {name:22} {100 * sum(right) / max(len(right), 1):3.0f} %  read {tokens[0]}, wrote {tokens[1]}  AUC {signals}"
        )


if __name__ == "__main__":
    main()
