"""Copies of articles: how many are found, what else is taken for one, and what it costs. Not a test; needs no model.

    python -m tests.bench.duplicates SET... [--library 70000]

SET is a folder with `corpus.jsonl`. All pairs of its articles are compared; copies with noise are made of each article, and
forms that are filled in anew (weather, markets, matches, earthquakes, meetings) are generated.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from rag.duplicates import COPY, bands, copied, distinct, gist, resemblance, signature
from rag.library import Library
from rag.types import Hit

_FURNITURE = (
    "Read more: our newsletter brings you the day in five minutes, each morning at seven.",
    "This article is published with the kind permission of the agency and may not be copied further.",
)
_TOWNS = "Arlen Marrow Korvath Pellin Ostrava-Sel Dunmere Halvik Torrin Quessel Brandow Ilvany Steig".split()
_TEAMS = "Rovers United Athletic Wanderers City Rangers Albion Harriers".split()
_PEOPLE = "Varga Reyk Lindqvist Moreau Petrov Okafor Tanaka Alvarez Schultz Novak Byrne Costa".split()
_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = "January February March April May June July August September October November December".split()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", metavar="SET", nargs="+", type=Path)
    parser.add_argument("--library", metavar="N", type=int, help="time the look-up among so many articles")
    options = parser.parse_args()
    for folder in options.sets:
        articles = [json.loads(line)["paragraphs"] for line in (folder / "corpus.jsonl").open(encoding="utf-8")]
        print(f"\n{folder.name}: {len(articles)} articles")
        _pairs(["\n\n".join(article) for article in articles])
        _paragraphs(articles)
        _recall(articles, random.Random(1))
    _forms(random.Random(2))
    _times([json.loads(line)["paragraphs"] for line in (options.sets[0] / "corpus.jsonl").open(encoding="utf-8")])
    if options.library:
        _look_up(options.library, random.Random(3))


def _pairs(texts: Sequence[str]) -> None:
    """Prints how many of all pairs share a key, resemble each other, and are told as copies."""
    signed = [set(bands(signature(text))) for text in texts]
    pairs = list(itertools.combinations(range(len(texts)), 2))
    candidates = [(a, b) for a, b in pairs if signed[a] & signed[b]]
    alike = [(a, b) for a, b in candidates if resemblance(texts[a], texts[b]) >= COPY]
    found = [(a, b) for a, b in alike if copied(texts[a], texts[b])]
    print(f"  of {len(pairs)} pairs {len(candidates)} share a key, {len(alike)} resemble, {len(found)} are told")


def _paragraphs(articles: Sequence[Sequence[str]]) -> None:
    """Prints how many paragraphs of different articles say the same, and how many have nearly the same words only."""
    placed = [(n, text, re.findall(r"\w+", text.lower())) for n, article in enumerate(articles) for text in article]
    shared: Counter[tuple[int, int]] = Counter()
    runs: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for n, (_, _, words) in enumerate(placed):
        if len(words) >= 16:
            for run in set(zip(*(words[i:] for i in range(4)), strict=False)):
                runs[run].append(n)
    for several in runs.values():
        shared.update(pair for pair in itertools.combinations(several[:50], 2) if placed[pair[0]][0] != placed[pair[1]][0])
    same = near = 0
    for (a, b), count in shared.items():
        if gist(placed[a][1]) == gist(placed[b][1]):
            same += 1
        elif count > 0.7 * (min(len(placed[a][2]), len(placed[b][2])) - 3):
            near += 1
    print(
        f"  paragraphs of 16 words or more: {same} pairs say the same, {near} have .7 of their runs of words in common only"
    )


Article = Sequence[str]
_ALPHABETS = ("กฮ", "一龥", "بي")
_WORD = re.compile(r"\d+|[\u0e00-\u0e7f]{4}|[\u4e00-\u9fff]{2}|[^\W\d\u0e00-\u0e7f\u4e00-\u9fff]+")
"""A word of Thai has some four characters, one of Chinese some two."""


def _changed(article: Article, chance: random.Random, share: float, fits: Callable[[str], bool]) -> list[str]:
    def change(match: re.Match[str]) -> str:
        word = match[0]
        if not fits(word) or chance.random() >= share:
            return word
        if word.isdigit():
            return str(chance.randrange(10 ** len(word)))
        first, last = next((pair for pair in _ALPHABETS if pair[0] <= word[-1] <= pair[1]), "az")
        other = "".join(chr(chance.randint(ord(first), ord(last))) for _ in word)
        return other.title() if word[0].isupper() else other

    return [_WORD.sub(change, text) for text in article]


def _is_small(word: str) -> bool:
    return not word.isdigit() and word == word.lower()


def _rearranged(article: Article, chance: random.Random) -> list[str]:
    """Another site's version: one paragraph dropped, one of another story and the site's own lines added."""
    kept = list(article)
    if len(kept) > 2:
        del kept[chance.randrange(1, len(kept))]
    kept.insert(chance.randrange(len(kept) + 1), _form("meeting", chance))
    return [f"{_TOWNS[0]}, 3 May (Agency) - {kept[0]}", *kept[1:], *_FURNITURE]


_NOISE: dict[str, Callable[[Article, random.Random], list[str]]] = {
    "a paragraph dropped, one added, furniture": _rearranged,
    "the first half": lambda article, _: list(article[: max(1, len(article) // 2)]),
    "5 % of small words changed": lambda article, chance: _changed(article, chance, 0.05, _is_small),
    "5 % of all words changed": lambda article, chance: _changed(article, chance, 0.05, bool),
    "first and third": lambda article, chance: _rearranged(_changed(article, chance, 0.05, _is_small), chance),
    "all numbers changed": lambda article, chance: _changed(article, chance, 1.0, str.isdigit),
}


def _recall(articles: Sequence[Article], chance: random.Random) -> None:
    """Prints the shares of copies that share a key, that resemble, and that are told, for each kind of noise."""
    for name, made in _NOISE.items():
        keyed, alike, told, n = 0, 0, 0, 0
        for article in articles:
            text, copy = "\n\n".join(article), "\n\n".join(made(article, chance))
            if not len(signature(copy)):
                continue
            n += 1
            has_key = bool(set(bands(signature(text))) & set(bands(signature(copy))))
            keyed += has_key
            alike += resemblance(text, copy) >= COPY
            told += has_key and copied(text, copy) > 0
        print(f"  {name:42}  key {keyed / n:.3f}  resemble {alike / n:.3f}  told {told / n:.3f}")


_FORMS = {
    "weather": """
        The weather in Arlen on {day}, {n29} {month}: the day begins with temperatures of {n15} degrees and they will
        rise to {n30} degrees in the afternoon. The chance of rain is {n99} per cent, and the wind blows from the {side}
        at {n60} kilometres per hour. The sun rises at {n9}:{n59} and sets at {n22}:{n59}. The air pressure is {n999}
        hectopascals and the humidity lies at {n99} per cent. At the weekend the weather service of Arlen expects
        between {n15} and {n30} degrees, and it advises people with allergies to keep their windows closed in the
        morning.""",
    "market": """
        The main index of the Arlen stock exchange closed at {n9},{n999} points on {day}, which is {n3}.{n99} per cent
        {more} than the day before. Turnover came to {n999} million crowns. Among the winners were the shares of
        {person} Steel with {n9}.{n9} per cent, among the losers those of {person} Energy with {n9}.{n9} per cent. The
        crown stood at {n3}.{n999} to the dollar in late trading. A barrel of oil cost {n99}.{n99} dollars, an ounce of
        gold {n9},{n999} dollars. The exchange opens again at nine in the morning of the next working day.""",
    "match": """
        {town} {team} beat {town} {team} {n9}-{n3} at home on {day} evening in front of {n60},{n999} spectators.
        {person} scored the first goal in minute {n30} after a corner, and {person} made sure of the victory in minute
        {n99}. After the break the guests had more of the ball but no luck in front of the goal. The home side now has
        {n60} points and is in place {n15} of the table. Their coach, {person}, said after the match that he was proud
        of the team. The next match is against {town} {team} on {day} at {n22}:30.""",
    "quake": """
        An earthquake of magnitude {n9}.{n9} was recorded {n99} kilometres from {town} at {n22}:{n59} on {day},
        according to the geological survey. The quake began at a depth of {n99} kilometres. In the last ten days there
        have been {n9} quakes of magnitude 3.0 or more nearby. This text was made by a program from the notice of the
        survey and was read by an editor before it was published. Whoever felt the quake is asked to tell the survey
        about it on its page.""",
    "meeting": """
        The council of {town} meets on {day}, {n29} {month}, at {n22}:00 in room {n99} of the town hall. The agenda has
        {n30} items; the mayor, {person}, will first report on the budget of {n99} million crowns. Citizens may ask
        questions in the first half hour and need not announce them before. The session is public and can be followed on
        the page of the town as well, where the minutes appear two weeks later.""",
}
_CHOICES = {
    "town": _TOWNS,
    "team": _TEAMS,
    "person": _PEOPLE,
    "day": _DAYS,
    "month": _MONTHS,
    "side": "north south west east".split(),
    "more": ["more", "less"],
}


def _form(kind: str, chance: random.Random) -> str:
    """Returns a form filled in: {n30} is a number from 1 to 30."""

    def fill(match: re.Match[str]) -> str:
        name = match[1]
        return chance.choice(_CHOICES[name]) if name in _CHOICES else str(chance.randint(1, int(name[1:])))

    return re.sub(r"\{(\w+)\}", fill, " ".join(_FORMS[kind].split()))


def _forms(chance: random.Random) -> None:
    """Prints, for forms that are filled in anew, what of all pairs resembles and is told as copies."""
    print("\nforms, 150 of each, all pairs")
    for kind in _FORMS:
        texts = [_form(kind, chance) for _ in range(150)]
        pairs = list(itertools.combinations(texts, 2))
        shares = [resemblance(a, b) for a, b in pairs]
        n_alike = sum(share >= COPY for share in shares)
        told = sum(copied(a, b) > 0 for (a, b), share in zip(pairs, shares, strict=True) if share >= COPY)
        middle, most = statistics.median(shares), max(shares)
        print(f"  {kind:8} resemblance {middle:.2f}, at most {most:.2f}")
        print(f"           of {len(pairs)} pairs {n_alike} resemble, {told} are told")


def _times(articles: Sequence[Article]) -> None:
    words = [word for article in articles for text in article for word in text.split()]
    texts = [" ".join(words[n : n + 1000]) for n in range(0, min(len(words), 100_000) - 1000, 1000)]
    print("\ntimes for 1,000 words, median and most, ms")
    for name, work in (
        ("signature and bands", lambda text: bands(signature(text))),
        ("resemblance", lambda text: resemblance(text, text)),
        ("copied", lambda text: copied(text, text)),
    ):
        _print_times(name, [_timed(work, text) for text in texts * 3])

    hits = [Hit(str(n), "", "Title", "", 1, 0, 0, " ".join(words[50 * n : 50 * n + 50]), 0.0) for n in range(100)]
    _print_times("distinct, of 100 hits of 50 words", [_timed(lambda _: distinct(hits), "") for _ in range(20)])


def _timed(work: Callable[[str], object], text: str) -> float:
    started = time.perf_counter()
    work(text)
    return 1000 * (time.perf_counter() - started)


def _print_times(name: str, times: Sequence[float]) -> None:
    print(f"  {name:42} {statistics.median(times):.2f}  {max(times):.2f}")


def _look_up(n: int, chance: random.Random) -> None:
    """Prints what the keys of so many articles take, and how long it takes to find the ones alike; a tenth are one form."""
    print(f"\n{n} articles in a library")
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        connection = library._connection()
        connection.execute("BEGIN")
        for i in range(n):
            form = bands(signature(_form("weather", chance))) if i % 10 == 0 else ()
            keys = form or [chance.getrandbits(64) - 2**63 for _ in range(32)]
            connection.execute("INSERT INTO documents (id, version, source) VALUES (?, '', '')", (f"{i:024x}",))
            connection.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", ((f"{i:024x}", key) for key in keys))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        print(f"  library.sqlite {(Path(folder) / 'library.sqlite').stat().st_size / 1e6:.0f} MB")
        last = [f"{i:024x}" for i in range(n - 500, n)]
        _print_times("alike, of an article, ms", [_timed(library.alike, last[i]) for i in range(500) if i % 10 != n % 10])
        _print_times("alike, of a form, ms", [_timed(library.alike, last[i]) for i in range(500) if (n - 500 + i) % 10 == 0])
        library.close()


if __name__ == "__main__":
    main()
