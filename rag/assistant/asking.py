"""One question, from its words to an answer: search, evidence, drafts, claims.

Whether the documents hold the answer is decided by `rag.decide` before anything is drafted: by what was found, then by what
the model says of it too. A draft is shown as an answer only if a paragraph carries it. If none holds, the best sentence is
the answer where it is near enough; articles that give other values are shown beside it.
"""

from __future__ import annotations

import datetime
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from rag import arithmetic, attribute, decide, followup, prompt
from rag.assistant.disagreeing import asks_for_disagreement, disagreements, rivals, subject, taken_back
from rag.assistant.following import Searched, follow
from rag.assistant.loading import Models
from rag.assistant.reckoning import reckon
from rag.assistant.saying import Said, first_sentence, first_sentence_end, hits_in, in_sentences
from rag.assistant.spelling import respelled
from rag.assistant.summarizing import asks_for_summary, meant, telling, topic
from rag.assistant.weighing import NEAR, Weighing
from rag.config import Settings
from rag.duplicates import distinct
from rag.errors import DocumentMissing
from rag.language import can_judge
from rag.rerank import by_words, recency, rerank, share_of_words
from rag.retrieve import Retriever
from rag.types import NOT_FOUND, Answer, Claim, Delta, Done, Event, Evidence, Filter, Generator, Hit, Prompt, Withdrawn

QUOTABLE = 1.0
"""A sentence from this score on is the answer itself if no draft holds. Source: docs/experiments.md, "Deciding"."""

BY_WORDS = 0.5
"""Share of a question's terms that a paragraph must have to be quoted where no model judges it. Source: docs/experiments.md,
"Languages"."""

_MAX_COMPARED = 2  # other articles that are asked whether they say something else
_MAX_DISAGREEING = 20  # articles that are compared if the question names no subject: the last ones that were added
_ABSENT = ("number ", "rank ", "name ", "date ", "quoted ", "most words", "any word")  # as `attribute.check` begins
_OTHERWISE = ("the word ", "a negation", "hedge ")  # likewise: the paragraph says it, but denies, alleges or hedges it
_MISREAD = ("subject ", "demand ", "asked ", "office ")  # likewise: it is somebody else's, and its sentence no answer
_HOPELESS = 0.04  # below this chance before a draft, none is made
_SURE = 0.16
"""So far above the threshold before the model is asked, a draft is shown from its first word on. Source:
docs/experiments.md, "Passage states"."""
_LOADING_SECONDS = 60  # a question waits so long for an answer model that is still loading
_MAX_QUOTED = 300  # characters of a sentence that stands in a summary for a draft that does not hold


@dataclass
class Asking:
    """The state of one question while it is answered. `stream` may be called once."""

    question: str
    history: Sequence[Mapping[str, str]]
    filter: Filter
    asked_on: str
    said: Said
    retriever: Retriever
    models: Models
    settings: Settings
    used: set[tuple[str, int]] = field(default_factory=set)  # (document, paragraph) of the hits given to the model
    searched: Searched | None = None
    bonus: dict[str, float] = field(default_factory=dict)  # by document id: for being new when the question was asked
    signals: decide.Signals | None = None
    probability: float | None = None
    likeliest: Hit | None = None  # of those that were drafted from in vain
    otherwise: Hit | None = None  # its quote says what a draft said, but denies, alleges or hedges it
    misread: set[Hit] = field(default_factory=set)  # a draft gave what its paragraph has of somebody else
    given: list[Hit] = field(default_factory=list)  # to the model, beside hits of the question: for its parts, or to sum up
    is_judged: bool = True  # False if the question is in a language that the reranker does not read
    is_part: bool = False  # of a question that is answered by reckoning
    notice: str = ""
    timings: dict[str, float | None] = field(
        default_factory=lambda: dict.fromkeys(("retrieve", "rerank", "first_token", "total"))
    )

    def stream(self) -> Iterator[Event]:
        """Yields the events of the answer; the last one is `Done`."""
        started = time.perf_counter()
        typed = self.question
        if reply := followup.reply_to_greeting(typed):
            yield Evidence((), typed)
            self.timings["total"] = time.perf_counter() - started
            yield Done(Answer(reply, "clarify", typed, timings=self.timings))
            return
        self.follow()
        hits = self._find()
        self.notice = "" if hits else self.said.library.missed(self.filter)
        yield Evidence(hits, self.question)
        if titles := self._choices(typed, hits):
            self.timings["total"] = time.perf_counter() - started
            yield Done(self._question_back(titles, hits))
            return
        for event in self._work(hits):
            if isinstance(event, Delta) and self.timings["first_token"] is None:
                self.timings["first_token"] = time.perf_counter() - started
            yield event
        self.timings["total"] = time.perf_counter() - started
        yield Done(self._answer(hits))

    def _work(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Yields what is written and confirmed; the claims are kept."""
        if not hits:
            return
        if not self.is_judged:
            yield from self._answer_by_words(hits[0])
            return
        if asks_for_summary(self.question):
            yield from self._summarize(hits)
            return
        if asks_for_disagreement(self.question):
            yield from self._disagree(hits)
            if self.said.claims:
                return
        if (plan := arithmetic.plan(self.question)) and not self.is_part:
            yield from self._reckon(plan)
        stating = [hit for hit in hits if hit.quote in attribute.without_orders(hit.text)]
        if not self.said.claims and self._is_checkable() and stating:
            yield from self._answer_one(stating)
            yield from self._take_back(hits) if self.said.claims else ()
            yield from self._conclude()

    def _answer_one(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Drafts from the best paragraphs and compares other articles; without a draft that holds, the best sentence."""
        self.signals = self.weighing().signals(hits[0])
        generator = self._generator()
        if generator and self._is_likely(_HOPELESS):
            yield from self._draft_until_confirmed(generator, hits)
            if self.said.claims:
                yield from self._compare(generator, hits)
                yield from self._dispute(hits)
        if not self.said.claims and self._is_likely():
            likeliest = self.likeliest or hits[0]
            if self.otherwise:
                yield self.said.quote(self.otherwise)
            elif not generator or (self._is_quotable(likeliest) and likeliest not in self.misread):
                yield self.said.quote(likeliest)

    def _answer_by_words(self, hit: Hit) -> Iterator[Event]:
        """Quotes the sentence with most words of a question that the models cannot judge, and says so."""
        self.notice = "The search models do not read this language: this was found by its words, and not judged."
        if share_of_words(self.question, hit) >= BY_WORDS:
            yield self.said.quote(hit)

    def _generator(self) -> Generator | None:
        generator, notice = self.models.generator(_LOADING_SECONDS)
        self.notice = notice if generator else f"Only quotes can be shown. {notice}"
        return generator

    def _choices(self, typed: str, hits: Sequence[Hit]) -> tuple[str, ...]:
        """Returns the titles to ask back with, if the question is too vague."""
        if self.is_part:
            return ()
        if asks_for_summary(self.question):
            titles = tuple(dict.fromkeys(hit.title for hit in hits))[: followup.MAX_CHOICES]
            return titles if not topic(self.question) and len(titles) > 1 else ()
        return followup.choices(typed, self.history, hits)

    def _reckon(self, plan: arithmetic.Plan) -> Iterator[Event]:
        """Asks the parts of a question that is answered by reckoning; if one gives no number, there are no claims."""

        def ask(question: str) -> Iterator[Event]:
            part = replace(
                self, question=question, history=(), said=self.said.part(), timings=dict(self.timings), is_part=True
            )
            yield from part.stream()
            self.notice = self.notice or part.notice
            self.probability = min((p for p in (self.probability, part.probability) if p is not None), default=None)

        answers, claims = yield from reckon(plan, ask)
        self.given = [hit for answer in answers for hit in answer.evidence if hit.used]
        self.said.claims = claims
        self.said.renumber()

    def _summarize(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Sums up the article that is meant, a sentence for each of its telling paragraphs, each cited."""
        asked = topic(self.question)
        n = meant(asked, [self.said.context(hit) for hit in hits])
        if n is None:
            return
        generator = self._generator()
        article = sorted(self.said.around(hits[n]), key=lambda hit: hit.paragraph)
        article = [hit for hit in article if first_sentence(hit.text) in attribute.without_orders(hit.text)]
        for hit in telling(article, self.models.embedder):
            self.given.append(replace(hit, quote=first_sentence(hit.text), used=bool(generator)))
            yield from self._sum_up(generator, hit)

    def _sum_up(self, generator: Generator | None, hit: Hit) -> Iterator[Event]:
        """Drafts a sentence on a paragraph; if it does not hold, the paragraph's first one stands for it."""
        draft = ""
        if generator:
            asked = prompt.summary_prompt(self._block(hit, generator))
            for piece in generator.stream(asked, max_tokens=self.settings.answer_tokens):
                draft += piece
                yield Delta(piece)
            sentence = draft.strip()[: first_sentence_end(draft.strip())]
            restored = attribute.restore_hedges(sentence, hit.text)
            context = {hit.document: self.said.context(hit)}
            is_none = prompt.is_refusal(sentence) or prompt.has_markup(sentence)
            spans = () if is_none else attribute.candidates(restored, "", [hit], context)
            if sentence and spans:
                yield self.said.say(restored, spans[0])
                return
        if draft:
            yield Withdrawn(draft)
        first = first_sentence(hit.text)
        if len(first) <= _MAX_QUOTED and attribute.facts(first).words:
            yield self.said.quote(replace(hit, quote=first))

    def follow(self) -> None:
        """Completes the question from the history, and takes note of what else is to be searched."""
        self.searched = follow(
            self.question, followup.without_greetings(self.history), lambda: self.models.generator(_LOADING_SECONDS)[0]
        )
        self.question = self.searched.question

    def _find(self) -> tuple[Hit, ...]:
        """Searches; once more with the words spelt as they are in what was found, if that does not seem to answer."""
        hits = self.search()
        is_final = not hits or self.is_part or not self.is_judged
        if is_final or self.weighing().is_likely(hits[0]):
            return hits
        if fixed := respelled(self.question, [f"{hit.title}\n{hit.text}" for hit in hits]):
            self.question, self.searched = fixed, None
            return self.search()
        return hits

    def search(self) -> tuple[Hit, ...]:
        """Returns the reranked hits, best first."""
        reranker, embedder = self.models.reranker, self.models.embedder
        started = time.perf_counter()
        searched = self.searched or Searched(self.question)
        is_read = can_judge(embedder.languages, self.question)
        vector, *others = [embedder.embed_question(text) if is_read else None for text in (self.question, *searched.others)]
        further = list(zip(searched.others, others, strict=True))
        everything = self.retriever.retrieve(self.question, vector, self.settings.top_k, self.filter, further)
        retrieved = time.perf_counter()
        depth, keep = self.settings.rerank_depth, self.settings.evidence
        # Before they are read, as copies would take the place of others.
        found = (hit for hit in distinct(everything, self._recency) if self._is_held(hit))
        self.is_judged = can_judge(reranker.languages, self.question)
        if not self.is_judged:
            self.timings["retrieve"] = retrieved - started
            return by_words(self.question, list(found), keep=keep)
        read = list(itertools.islice(found, depth))
        self.bonus = {hit.document: self._recency(hit) for hit in read}
        hits = rerank(
            self.question,
            read,
            reranker,
            depth=depth,
            keep=keep,
            bonus=self.bonus,
            context=searched.context,
            typed=searched.typed,
            opening=self.said.opening,
        )
        self.timings["retrieve"] = retrieved - started
        self.timings["rerank"] = time.perf_counter() - retrieved
        return hits

    def _is_held(self, hit: Hit) -> bool:
        """False if its document was removed since it was found; else its text is kept for as long as is answered."""
        try:
            return bool(self.said.document(hit))
        except DocumentMissing:
            return False

    def _recency(self, hit: Hit) -> float:
        """Returns what is added to the scores of a hit's document, all else equal: of copies, the one that gains is kept."""
        on = self.asked_on or datetime.date.today().isoformat()
        return recency(self.said.document(hit).date, on) if self._is_held(hit) else 0.0

    def _is_checkable(self) -> bool:
        asked = attribute.facts(self.question)
        return bool(asked.words or asked.numbers)  # not so "?" and "the"

    def weighing(self) -> Weighing:
        """Returns what weighs the hits for the question as it is searched now."""
        return Weighing(self.question, self.said, self.bonus, decide.threshold(self.settings.caution))

    def _is_quotable(self, hit: Hit) -> bool:
        """True if the best sentence of a hit is near to the question without its title too, although no draft held."""
        return self.models.reranker.scores(self.question, [hit.quote])[0] >= QUOTABLE

    def _is_likely(self, at_least: float = 1.0) -> bool:
        """True if the documents seem to hold the answer, by all that is known by now."""
        if self.signals is None:
            return False
        self.probability = decide.probability(self.signals)
        return self.probability >= min(decide.threshold(self.settings.caution), at_least)

    def _draft_until_confirmed(self, generator: Generator, hits: Sequence[Hit]) -> Iterator[Event]:
        """Drafts from the best paragraphs that seem to answer, one after the other, until a sentence is confirmed."""
        tried: dict[Hit, decide.Signals] = {}
        for hit in self.weighing().chosen(hits):
            block = self._block(hit, generator)
            signals = self.weighing().signals(hit)
            if begun := self._begun(generator, hit, block, signals):
                yield Delta(begun)
            self.signals = tried[hit] = self._weighed(generator, hit, block, signals)
            self.used.add((hit.document, hit.paragraph))
            if not self._is_likely():
                if begun:
                    yield Withdrawn(begun)
                continue
            if prompt.asks_whether(self.question):  # the model says yes to nearly all: the paragraph's words are better
                telling = self.weighing().telling(hit, hits)
                self.used.add((telling.document, telling.paragraph))
                yield self.said.quote(telling)
                return
            yield from self._confirm(self._draft(generator, hit, block), begun, hit, hits)
            if self.said.claims or self.otherwise:
                return
        self.likeliest = max(tried, key=lambda hit: decide.probability(tried[hit]))
        self.signals = tried[self.likeliest]

    def _compare(self, generator: Generator, hits: Sequence[Hit]) -> Iterator[Event]:
        """Asks the best paragraphs of other articles too; where one gives another value, all are shown, newest first."""
        first = self.said.claims[0]
        for hit in self._others(hits, first.citations[0].document):
            context = {hit.document: self.said.context(hit)}
            if attribute.candidates(first.text, self.question, [hit], context):
                continue  # it says the same
            block = self._block(hit, generator)
            self.used.add((hit.document, hit.paragraph))
            signals = self._weighed(generator, hit, block, self.weighing().signals(hit))
            if decide.probability(signals) < decide.threshold(self.settings.caution):
                continue
            draft = "".join(self._draft(generator, hit, block)).strip()
            sentence = attribute.restore_hedges(draft[: first_sentence_end(draft) or len(draft)].strip(), hit.text)
            is_none = prompt.is_refusal(sentence) or prompt.has_markup(sentence)
            spans = () if is_none else attribute.candidates(sentence, self.question, [hit], context)
            if spans and attribute.differs(first.text, sentence, self.question):
                yield self.said.say(sentence, spans[0])

    def _dispute(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Shows both sentences where one speaker of the article counts otherwise than another, or another article does."""
        if len(self.said.claims) > 1:
            return
        first = self.said.claims[0].citations[0]
        near = [hit for hit in hits if hit.document == first.document and hit.score >= hits[0].score - NEAR]
        beside = [replace(hit, quote=text) for hit in near for text in attribute.sentence_texts(hit.text)]
        other = next((hit for hit in beside if attribute.disputes(first.quote, hit.quote, self.question)), None)
        if other is None:
            own, others = self.said.context(first), [hit for hit in hits if hit.document != first.document]
            articles = [(self.said.context(hit), hit) for hit in others]
            found = rivals(self.said.claims[0], self.question, own, articles, self.models.embedder)
            other = next(iter(found), None)
        if other:
            self.said.claims = [replace(self.said.claims[0], text=first.quote)]
            yield self.said.quote(other)

    def _take_back(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Shows what takes a claim back beside it; in its place, if it was drawn from the notice of correction itself."""
        cited = self.said.claims[0].citations[0]
        own = [hit for hit in hits_in(self.said.document(cited)) if hit.paragraph == cited.paragraph]
        others = [hit for hit in hits if hit.document != cited.document]
        if found := taken_back(self.said.claims[0], self.question, own, others):
            if found.document == cited.document:
                del self.said.claims[0]
            self.said.quote(found)
            self.said.renumber()
            yield self.said.claims[-1]

    def _conclude(self) -> Iterator[Event]:
        """Tells articles apart that differ, and what is to be reckoned from numbers that the answer has already."""
        result = "" if self.is_part else arithmetic.between(self.question, [claim.text for claim in self.said.claims])
        self.said.tell_apart()
        if result:
            yield self.said.conclude(result)

    def _others(self, hits: Sequence[Hit], document: str) -> list[Hit]:
        """Returns the best hits of other documents, if they are nearly as good as the best one of this one."""
        best = next(hit.score for hit in hits if hit.document == document)
        others = {hit.document: hit for hit in reversed(hits) if hit.document != document and hit.score >= best - NEAR}
        fitting = [hit for hit in others.values() if not attribute.unknown(self.question, self.said.context(hit))]
        return sorted(fitting, key=lambda hit: -hit.score)[:_MAX_COMPARED]

    def _disagree(self, hits: Sequence[Hit]) -> Iterator[Event]:
        """Tells where articles give different values, in their own words, each pair newest first."""
        wanted = subject(self.question)
        if wanted:
            meant_ones = (self.said.document(hit) for hit in hits if meant(wanted, [self.said.context(hit)]) is not None)
            chosen = list(dict.fromkeys(meant_ones))
        else:
            newest = [*self.said.library.versions(self.filter)][-_MAX_DISAGREEING:]
            chosen = [self.said.library.document(identity) for identity in newest]
        articles = [(f"{one.title}\n{one.text}", tuple(hits_in(one))) for one in chosen]
        for pair in disagreements(articles, self.models.embedder):
            for hit in sorted(pair, key=lambda hit: self.said.document(hit).date, reverse=True):
                self.given.append(hit)
                claim = self.said.named(self.said.quote(hit))
                self.said.claims[-1] = claim
                yield claim

    def _asked(self, hit: Hit, block: str) -> Prompt:
        return prompt.answer_prompt(self.question, [block], self.asked_on, [hit.document])

    def _begun(self, generator: Generator, hit: Hit, block: str, signals: decide.Signals) -> str:
        """Returns the first word of a draft, if it is most probably kept; "" if the model is to be asked first."""
        chance = decide.probability(signals)
        is_sure = chance >= decide.threshold(self.settings.caution) + _SURE and not prompt.asks_whether(self.question)
        return generator.begin(self._asked(hit, block)) if is_sure else ""

    def _draft(self, generator: Generator, hit: Hit, block: str) -> Iterator[str]:
        return generator.stream(self._asked(hit, block), max_tokens=self.settings.answer_tokens)

    def _block(self, hit: Hit, generator: Generator) -> str:
        budget = generator.context_tokens - self.settings.answer_tokens - prompt.BLOCK_OVERHEAD
        return prompt.block(hit, budget - generator.count(self.question), generator.count)

    def _weighed(self, generator: Generator, hit: Hit, block: str, signals: decide.Signals) -> decide.Signals:
        """Returns what speaks for an answer in a hit, by the model too; `signals` has all but that."""
        return signals if self.weighing().is_denied(hit) else replace(signals, yes=self._yes(generator, hit, block))

    def _yes(self, generator: Generator, hit: Hit, block: str) -> float:
        """Returns the log odds that the passage has the answer; a draft begins at once afterwards."""
        yes, capital_yes, no, capital_no = generator.weigh(self._asked(hit, block), ("yes", "Yes", "no", "No"))
        return max(yes, capital_yes) - max(no, capital_no)

    def _is_only_absent(self, claim: str, hit: Hit, context: str) -> bool:
        """True if the paragraph that was drafted from lacks something of a claim, but says nothing else in its place.

        Where it says the same with a denial, an allegation or a hedge, its sentence is kept: that may be the answer.
        """
        lacking = attribute.check(claim, self.question, hit.text, context)
        if all(lack.startswith(_OTHERWISE) for lack in lacking):
            telling = attribute.told_in(claim, self.question, attribute.sentence_texts(hit.text))
            self.otherwise = replace(hit, quote=telling[0])
        if any(lack.startswith(_MISREAD) for lack in lacking):
            self.misread.add(hit)
        return all(lack.startswith(_ABSENT) for lack in lacking)

    def _confirm(self, draft: Iterator[str], begun: str, hit: Hit, hits: Sequence[Hit]) -> Iterator[Event]:
        """Yields the draft's words behind those that were shown, and at each sentence's end what became of it."""
        for one in in_sentences(draft, begun):
            yield self._judge(one, hit, hits) if isinstance(one, str) else one

    def _judge(self, sentence: str, drafted: Hit, hits: Sequence[Hit]) -> Claim | Withdrawn:
        """Confirms a sentence of the draft with its citation, or withdraws it.

        The model reads the title with the paragraph: what it took from the title is cited where the article says it.
        """
        if prompt.is_refusal(sentence) or prompt.has_markup(sentence):
            return Withdrawn(sentence)
        context = {drafted.document: self.said.context(drafted)}
        checked: set[int] = set()
        for hit in itertools.chain((drafted,), hits, self.said.around(drafted)):
            if hit.document != drafted.document or hit.paragraph in checked:
                continue
            checked.add(hit.paragraph)
            restored = attribute.restore_hedges(sentence, hit.text)
            if spans := attribute.candidates(restored, self.question, [hit], context):
                break
            if hit is drafted and not self._is_only_absent(restored, hit, context[hit.document]):
                return Withdrawn(sentence)
        else:
            return Withdrawn(sentence)
        return self.said.say(restored, spans[0])

    def _evidence(self, hits: Sequence[Hit]) -> tuple[Hit, ...]:
        """Returns the hits with those that were given to the model besides, best first; if they are too many, these stay."""
        known = {(hit.document, hit.paragraph): hit for hit in (*self.given, *hits)}
        used = self.used | {(hit.document, hit.paragraph) for hit in self.given if hit.used}
        marked = [replace(hit, used=key in used) for key, hit in known.items()]
        kept = sorted(marked, key=lambda hit: (not hit.used, -hit.score))[: self.settings.evidence]
        return tuple(sorted(kept, key=lambda hit: -hit.score))

    def _question_back(self, titles: Sequence[str], hits: Sequence[Hit]) -> Answer:
        text = followup.question_back(titles)
        return Answer(text, "clarify", self.question, evidence=tuple(hits), timings=self.timings)

    def _answer(self, hits: Sequence[Hit]) -> Answer:
        return Answer(
            text=attribute.marked(self.said.claims) or NOT_FOUND,
            status="answered" if self.said.claims else "not_found",
            question=self.question,
            claims=tuple(self.said.claims),
            citations=tuple(self.said.citations),
            evidence=self._evidence(hits),
            timings=self.timings,
            notice=self.notice,
            probability=self.probability,
            signals=asdict(self.signals) if self.signals else None,
        )
