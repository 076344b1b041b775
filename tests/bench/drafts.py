"""Ways to draft from what was found, beside each other: are they right, what do they read, and do they tell an answer?

    rag eval PACK... --json > FILE
    python -m tests.bench.drafts FILE MODEL.gguf PACK... [--limit 100] [--only NAME...] [--answerable]

Each question of the file is drafted again from its hits in each way. Printed for each set and way: the share of answerable
questions whose draft has the answer, tokens read and written, and as signals of "the documents hold an answer" the AUC of
whether the draft says the same as the usual one (`agrees`).
"""

from __future__ import annotations

import argparse
import json
import statistics
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

_QUOTE_FIRST = (
    "You answer questions about news articles. First copy the sentence of the passage that has the answer, then, on a new "
    "line, give a short, direct answer in one sentence. Copy names, numbers and dates exactly."
)


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
    model = LlamaGenerator(arguments.model, context_tokens=4096, threads=2)
    for pack in arguments.packs:
        articles = {p: row for row in read_rows(pack / "corpus.jsonl") for p in row["paragraphs"]}
        judged: list[dict[str, Any]] = []
        for sort in (True,) if arguments.answerable else (True, False):
            chosen = [r for r in asked if r["pack"] == pack.name and r["answerable"] is sort and r["counted"]]
            for row in [r for r in chosen if r["evidence"][0]["text"] in articles][: arguments.limit]:
                judged.append(_judged(model, row, ways(row, articles[row["evidence"][0]["text"]]), arguments.only))
        _print(pack.name, judged)
    model.close()


def _judged(
    model: LlamaGenerator, row: dict[str, Any], prompts: dict[str, Prompt], only: list[str] | None
) -> dict[str, Any]:
    found: dict[str, Any] = {"answerable": row["answerable"]}
    usual = ""
    for name, prompt in prompts.items():
        if only and name != "usual" and name not in only:
            continue
        draft = "".join(model.stream(prompt, max_tokens=90 if name == "quote first" else 60))
        if name == "quote first":  # the quote is not the answer
            draft = draft.strip().rpartition("\n")[2]
        usual = usual or draft
        read = model.count(f"{prompt.system} {' '.join(prompt.paragraphs)} {prompt.question}")
        found[name] = {
            "right": contains(draft, row["expected"]) if row["answerable"] else None,
            "read": read,
            "written": model.count(draft),
            "signals": {"agrees": float(_agree(draft, usual))},
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
