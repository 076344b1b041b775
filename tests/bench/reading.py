"""How well, and how fast, are files read? Not a test: run it by hand.

    python -m tests.bench.reading MESSY [--labels FILE] [--worst N]

MESSY is the folder `eval/messy`. Prints a table: the article text of saved pages against its truth (token F1) beside
trafilatura alone, their titles and dates against --labels (JSON: {page: {"title", "date"}}, written by somebody who read the
pages), crashes and hangs over all odd files, the encodings of texts, and the time that a thousand small files take in two
processes beside the libraries called bare in one. --worst lists the pages that are read worst, with what is too much in them
and what is missing.
"""

from __future__ import annotations

import argparse
import contextlib
import email
import email.policy
import gzip
import io
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from rag.config import Settings
from rag.read import SUFFIXES, Unread, blocks_of, shown
from rag.read.encoding import decode
from rag.read.formats import documents
from rag.read.parts import COUNTED
from rag.read.workers import Workers
from rag.types import Document

N_SMALL, SMALL = 1000, 60_000  # files, bytes
HANG_SECONDS = 60
ROUNDS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messy", metavar="MESSY", type=Path)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--labels", type=Path)
    parser.add_argument("--worst", type=int, default=0)
    options = parser.parse_args()
    if options.bare:
        all_bare(options.messy)
        return
    pages(options.messy / "news_html", options.labels, options.worst)
    odd_files(options.messy / "files")
    encodings(options.messy / "files" / "chardet")
    speed(options.messy / "files")


def tokens(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


def f1(said: str, truth: str) -> float:
    mine, theirs = tokens(said), tokens(truth)
    return 2 * (mine & theirs).total() / max(1, mine.total() + theirs.total())


def pages(folder: Path, labels: Path | None, n_worst: int) -> None:
    """Prints how much of the articles is found, by us and by trafilatura."""
    from trafilatura import extract

    truth = json.loads((folder / "ground-truth.json").read_text(encoding="utf-8"))
    told = json.loads(labels.read_text(encoding="utf-8")) if labels else {}
    rows, alone, without, right = [], [], [], Counter[str]()
    for name in sorted(truth):
        data = gzip.decompress((folder / f"{name}.html.gz").read_bytes())
        (document,) = documents(data, f"/{name}.html", 10**8)
        assert isinstance(document, Document)
        body = truth[name]["articleBody"]
        text = "\n".join(document.text[b.start : b.end] for b in blocks_of(document) if b.kind in (*COUNTED, "heading"))
        rows.append((f1(text, body), name, text, body))
        alone.append(f1(extract(data) or "", body))
        without.append(f1(extract(data, include_comments=False) or "", body))
        for what in ("title", "date"):
            stated = told.get(name, {}).get(what)
            right[f"{what}s"] += bool(stated)
            right[what] += bool(stated) and tokens(getattr(document, what)) == tokens(stated)
    mean = statistics.mean(row[0] for row in rows)
    print(f"{len(rows)} saved pages, token F1: ours {mean:.3f}, trafilatura {statistics.mean(alone):.3f}", end=", ")
    print(f"without comments {statistics.mean(without):.3f}")
    for what in ("title", "date"):
        if right[f"{what}s"]:
            print(f"  {what} right: {right[what]} of {right[f'{what}s']}, {right[what] / right[f'{what}s']:.1%}")
    for score, name, text, body in sorted(rows)[:n_worst]:
        print(f"  {score:.2f} {name[:12]} {truth[name]['url']}")
        for what, lines, other in (("too much", text, body), ("missing", body, text)):
            there = " ".join(other.split())
            odd = [" ".join(line.split()) for line in lines.split("\n") if " ".join(line.split())[:40] not in there]
            print(f"       {what}: {' | '.join(line[:60] for line in odd[:4])}")


def odd_files(folder: Path) -> None:
    """Prints how many files break the program, or take too long."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    counts = Counter[str]()
    begun = time.monotonic()
    with Workers(2, seconds=Settings().read_seconds) as workers:
        for file, found in workers.read(files, 10**8):
            started = time.monotonic()
            told = list(found)
            counts["slow"] += time.monotonic() - started > HANG_SECONDS
            counts["read"] += any(isinstance(one, Document) for one in told)
            counts["broken"] += any(isinstance(one, Unread) and "cannot be read:" in one.reason for one in told)
            counts["other"] += file.suffix.lower() not in SUFFIXES
    took = time.monotonic() - begun
    print(
        f"{len(files)} odd files in {took:.0f} s: {counts['read']} read, {counts['other']} of formats that are not read,",
        end=" ",
    )
    print(f"{counts['broken']} at which a library broke, {counts['slow']} that took over {HANG_SECONDS} s, 0 crashes")


def encodings(folder: Path) -> None:
    """Prints how many texts are decoded as the encoding in their name does."""
    wrong, n = [], 0
    for file in sorted(folder.iterdir()):
        data, n = file.read_bytes(), n + 1
        try:
            if decode(data, is_markup=file.suffix != ".txt") != data.decode(file.name.split("__")[1], "replace"):
                wrong.append(file.name)
        except ValueError as exc:
            wrong.append(f"{file.name}: {exc}")
    print(
        f"{n} texts in odd encodings: {n - len(wrong)} right, {1 - len(wrong) / n:.1%}; wrong: {', '.join(wrong) or 'none'}"
    )


def bare(path: Path) -> object:
    """Reads a file as the libraries' own first example does."""
    data = path.read_bytes()
    match path.suffix.lower():
        case ".html" | ".htm":
            from trafilatura import extract

            return extract(data)
        case ".pdf":
            from pdfminer.high_level import extract_text

            return extract_text(io.BytesIO(data))
        case ".docx":
            from docx import Document as Docx

            return "\n".join(paragraph.text for paragraph in Docx(io.BytesIO(data)).paragraphs)
        case ".eml":
            body = email.message_from_bytes(data, policy=email.policy.default)
            return [part.get_payload(decode=True) for part in body.walk()]
    return data.decode("utf-8", "replace")


def speed(folder: Path) -> None:
    """Prints the time of a thousand small files, in processes of ours and by bare libraries, by turns."""
    chosen = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and 0 < p.stat().st_size < SMALL)
    os.environ["PATH"] = ""  # so that neither asks tesseract
    with tempfile.TemporaryDirectory() as place:
        files = []
        for n in range(N_SMALL):
            file = chosen[n % len(chosen)]
            files.append(Path(place, f"{n:04}{file.suffix}"))
            shutil.copyfile(file, files[-1])
        kinds = ", ".join(f"{n} {suffix}" for suffix, n in Counter(shown(file.suffix) for file in files).most_common())
        times = [(_seconds(lambda: _ours(files)), _seconds(lambda: _theirs(place))) for _ in range(ROUNDS)]
    mine, bare_ones = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"{N_SMALL} small files ({kinds}): {mine:.1f} s in two processes, {bare_ones:.1f} s bare in one:", end=" ")
    print(f"{bare_ones / mine:.2f} times as fast")


def _ours(files: list[Path]) -> None:
    with Workers(2, seconds=Settings().read_seconds) as workers:
        for _, found in workers.read(files, 10**8):
            for _ in found:
                pass


def _theirs(folder: str) -> None:
    """Reads all files of a folder bare, in a process of its own, so that their imports count as ours do."""
    subprocess.run([sys.executable, "-m", "tests.bench.reading", "--bare", folder], check=True)


def all_bare(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        with contextlib.suppress(Exception):  # bare libraries raise at files that are damaged, or empty
            bare(path)


def _seconds(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


if __name__ == "__main__":
    main()
