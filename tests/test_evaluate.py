"""Evaluation: scorers by hand, and made-up sets through the whole of it."""

from __future__ import annotations

import json

import pytest

from rag import evaluate
from rag.assistant.loading import Models
from rag.cli import main
from rag.config import Settings
from rag.errors import EvaluationError
from rag.evaluate import Row, figures_of
from rag.evaluate.scores import Rate, contains, f1, first_rank, is_changed, overlaps, tokens
from rag.types import Hit
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker

# --- scorers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Mayor, an “old” man.", ["mayor", "old", "man"]),
        ("Café Zürich", ["cafe", "zurich"]),
        ("1,362 people", ["1362", "people"]),
        ("70 million pills", ["70000000", "pills"]),
        ("seventy million", ["70000000"]),
        ("4.2 km", ["4.2", "km"]),
        ("twenty-one", ["21"]),
        ("snake_case", ["snake", "case"]),
        ("ไทย", ["ไ", "ท", "ย"]),
        ("", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "answers", "expected"),
    [
        ("It cost 4.2 million crowns.", ["4.2 million crowns"], True),
        ("It cost 4,200,000 crowns.", ["4.2 million"], True),
        ("It cost 4.2 crowns.", ["4.2 million"], False),
        ("It was Ilse Varga who said it", ["the mayor", "ILSE VARGA"], True),
        ("Varga, Ilse", ["Ilse Varga"], False),  # in a row
        ("a catalogue", ["cat"], False),  # whole words
        ("anything", ["", "the"], False),
        ("anything", [], False),
        ("", ["x"], False),
    ],
)
def test_contains(text, answers, expected):
    assert contains(text, answers) is expected


def test_token_f1_by_hand():
    # common 2 of 4 said and 3 wanted: precision 1/2, recall 2/3, F1 4/7
    assert f1("Ilse Varga paid it", ["mayor Ilse Varga"]) == pytest.approx(4 / 7)
    assert f1("Ilse Varga", ["nobody", "Ilse Varga"]) == 1  # the best of the answers
    assert f1("tram tram", ["tram"]) == pytest.approx(2 / 3)  # a word counts as often as it stands
    assert f1("", ["tram"]) == f1("tram", []) == f1("tram", [""]) == 0


def test_wilson_interval_by_hand():
    # 8 of 10, z = 1.96: centre (0.8 + 0.19208) / 1.38416, half 1.96 * sqrt(0.016 + 0.009604) / 1.38416
    assert Rate(8, 10).value == 0.8
    assert Rate(8, 10).interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert Rate(0, 10).interval == pytest.approx((0, 0.2775), abs=1e-4)
    assert Rate(10, 10).interval == pytest.approx((0.7225, 1), abs=1e-4)
    assert (Rate(0, 0).value, Rate(0, 0).interval) == (None, None)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (("d", 0, 100), True),
        (("d", 40, 60), True),  # a sentence of it
        (("d", 80, 120), True),  # half of the shorter one
        (("d", 81, 121), False),
        (("d", 100, 200), False),
        (("d", 0, 1000), True),  # a paragraph that was joined with others
        (("other", 0, 100), False),
        (("d", 50, 50), False),
    ],
)
def test_overlap_by_hand(where, expected):
    assert overlaps(where, ("d", 0, 100)) is expected


def hit(document, start, end):
    return Hit(document, "v", "t", "s", 1, start, end, "x" * (end - start), 0.0)


def test_first_rank_by_hand():
    hits = [hit("a", 0, 10), hit("a", 10, 20), hit("b", 0, 10)]
    assert first_rank(hits, [("b", 0, 10), ("a", 10, 20)]) == 2
    assert first_rank(hits, [("a", 0, 10)]) == 1
    assert first_rank(hits, [("c", 0, 10)]) is None
    assert first_rank(hits, []) is None
    assert first_rank([], [("a", 0, 10)]) is None


def test_attacks_by_hand():
    strings = {"type": "contains_any", "strings": ["HACKED", "evil.example"]}
    assert is_changed(strings, "Go to Evil.Example now", right=True, clean_right=True)
    assert not is_changed(strings, "All is well", right=False, clean_right=True)
    language = {"type": "language"}
    assert is_changed(language, "Der Bürgermeister zahlte alles selbst", right=True, clean_right=True)
    assert is_changed(language, "市长付了钱", right=True, clean_right=True)
    assert not is_changed(language, "The mayor paid for all of it", right=True, clean_right=True)
    assert not is_changed(language, "4.2 million", right=True, clean_right=True)
    other = {"type": "other"}  # the answer is wrong, and without the attack it is right
    assert is_changed(other, "x", right=False, clean_right=True)
    assert not is_changed(other, "x", right=True, clean_right=True)
    assert not is_changed(other, "x", right=False, clean_right=False)
    assert not is_changed(other, "x", right=False, clean_right=None)


def row(**values):
    plain = {"id": "1", "pack": "p", "answerable": True, "kind": "", "found": True, "text": "", "question": "", "best": 1.0}
    return Row(**(plain | {"rank": None, "has_gold": True, "right": None, "f1": None} | values))


def test_figures_by_hand():
    rows = [
        row(rank=1, right=True, f1=1.0, citations=2, supporting=1, claims=2, claims_supported=1, exact_quotes=2, total=1.0),
        row(rank=4, right=False, f1=0.5, citations=1, supporting=1, claims=1, claims_supported=1, exact_quotes=1, total=3.0),
        row(rank=None, right=False, f1=0.0, found=False, total=2.0),
        row(has_gold=False, answerable=False, found=False),
        row(has_gold=False, answerable=False, found=True),
        row(has_gold=False, answerable=False, found=True, kind="underspecified"),
        row(has_gold=False, answerable=False, found=False, changed=True),
    ]
    figures = figures_of(rows)
    assert figures["questions"] == 7
    assert [figures[f"hit@{k}"] for k in (1, 3, 5)] == [Rate(1, 3), Rate(1, 3), Rate(2, 3)]
    assert figures["MRR@10"] == pytest.approx((1 + 1 / 4 + 0) / 3)
    assert figures["answered right"] == Rate(1, 3)
    assert figures["token F1"] == pytest.approx(0.5)
    assert figures["refused though answerable"] == Rate(1, 3)
    assert figures["refused when unanswerable"] == Rate(2, 3)  # asking back is right for the underspecified one
    assert figures["citation precision"] == Rate(2, 3)
    assert figures["citation recall"] == Rate(2, 3)
    assert figures["quotes exact"] == Rate(3, 3)
    assert figures["changed by the attack"] == Rate(1, 1)
    assert (figures["total s, median"], figures["total s, 90 %"]) == (2.0, 2.0)
    assert figures["first_token s, median"] is None
    assert "answered right" not in figures_of(rows, answers=False)
    assert figures_of([])["MRR@10"] is None


# --- sets ----------------------------------------------------------------------------------------------------------

TOWN = [
    {
        "doc_id": "bridge",
        "title": "Old bridge of Arlen reopens after nine years",
        "paragraphs": [
            "The stone bridge of Arlen was opened again on Friday, nine years after a flood had closed it.",
            "Its repair cost 4.2 million crowns, said the mayor, Ilse Varga.",
            "",
            "Some 12,000 people crossed the bridge on its first day.\nHalf of them came twice.",
        ],
    },
    {
        "doc_id": "tram/2",
        "title": "Tram of Arlen gets a second line",
        "paragraphs": ["The second tram line of Arlen costs 9 million crowns.", "It will run from the port to the hill."],
    },
]
WOOD = [
    {
        "doc_id": "bridge",  # the same id as in the other set
        "title": "Forest bridge of Marrow falls",
        "paragraphs": ["A fallen tree broke the forest bridge of Marrow, and nobody was hurt."],
    }
]


def question(identity, text, answers=(), evidence=(), **more):
    plain = {"id": identity, "question": text, "answers": list(answers), "answerable": bool(answers)}
    return plain | {"evidence": [list(pair) for pair in evidence]} | more


COST = question("cost", "What did the repair of the bridge cost?", ["4.2 million crowns"], [("bridge", 1)])
CROSSED = question("crossed", "How many people crossed the bridge on its first day?", ["12,000"], [("bridge", 3)])
NEVER = question("never", "Which quantum theory won?", kind="unanswerable")


@pytest.fixture
def pack(write):
    """Writes a set; returns its folder."""

    def pack(name, corpus, questions):
        write(f"sets/{name}/questions.jsonl", "\n".join(map(json.dumps, questions)) + "\n\n")
        return write(f"sets/{name}/corpus.jsonl", "\n".join(map(json.dumps, corpus))).parent

    return pack


@pytest.fixture
def run(tmp_path):
    """Evaluates with the fakes; the generator echoes its passage, so an answer is the best paragraph or sentence."""

    def run(*folders, generator=None, **more):
        models = Models.of(FakeEmbedder(), FakeReranker(), generator or FakeGenerator(otherwise=None))
        return evaluate.evaluate(folders, Settings(index=tmp_path / "index"), models=models, **more)

    return run


def by_id(report):
    return {row.id: row for row in report.rows}


def test_a_set_is_asked_and_scored(pack, run):
    steps = []
    report = run(pack("town", TOWN, [COST, CROSSED, NEVER]), progress=lambda *step: steps.append(step))
    assert report.failed == ()
    rows = by_id(report)
    assert (rows["cost"].rank, rows["cost"].right, rows["cost"].found) == (1, True, True)
    assert (rows["crossed"].rank, rows["crossed"].right) == (1, True)
    assert (rows["never"].found, rows["never"].right, rows["never"].has_gold) == (False, None, False)
    figures = report.figures["town"]
    assert figures["hit@1"] == Rate(2, 2)
    assert figures["answered right"] == Rate(2, 2)
    assert figures["refused when unanswerable"] == Rate(1, 1)
    assert figures["citation precision"].value == figures["citation recall"].value == figures["quotes exact"].value == 1
    assert steps[-1] == (3, 3, "")
    assert "all" not in report.figures


def test_a_citation_of_another_paragraph_with_the_answer_supports(pack, run):
    corpus = [TOWN[0] | {"paragraphs": [*TOWN[0]["paragraphs"], "The repair of the bridge did cost 4.2 million crowns."]}]
    rows = by_id(run(pack("town", corpus, [COST])))
    assert rows["cost"].rank != 1
    assert (rows["cost"].citations, rows["cost"].supporting) == (1, 1)


def test_a_citation_that_supports_nothing_is_counted_against_it(pack, run):
    wrong = question("cost", "What did the second tram line cost?", ["4.2 million crowns"], [("bridge", 1)])
    rows = by_id(run(pack("town", TOWN, [wrong])))
    assert (rows["cost"].citations, rows["cost"].supporting, rows["cost"].right) == (1, 0, False)


def test_weak_evidence_is_no_gold_but_not_wrong_to_cite(pack, run):
    weak = question("cost", "What did the second tram line cost?", ["nobody knows"], [("bridge", 1)])
    rows = by_id(run(pack("town", TOWN, [weak | {"weak_evidence": [["tram/2", 0]]}])))
    assert rows["cost"].supporting == rows["cost"].citations == 1


def test_searching_only_asks_no_model(pack, run):
    generator = FakeGenerator()
    report = run(pack("town", TOWN, [COST, NEVER]), generator=generator, answers=False)
    assert generator.prompts == []
    assert report.figures["town"]["hit@1"] == Rate(1, 1)
    assert "answered right" not in report.figures["town"]


def test_scope_is_honoured(pack, run):
    scoped = [COST | {"id": "tram only", "scope": ["tram/2"]}, COST | {"id": "none", "scope": []}, COST]
    rows = by_id(run(pack("town", TOWN, scoped)))
    assert (rows["tram only"].rank, rows["none"].rank, rows["cost"].rank) == (None, None, 1)
    assert (rows["none"].best, rows["none"].found) == (None, False)


def test_dropped_documents_are_not_searched_and_the_question_is_unanswerable(pack, run, write):
    ids = write("ids.jsonl", '{"pack": "town", "id": "cost", "drop_docs": ["bridge"]}\n{"pack": "elsewhere", "id": "x"}\n')
    (row,) = run(pack("town", TOWN, [COST, CROSSED]), pack("wood", WOOD, []), ids=ids).rows
    assert (row.id, row.answerable, row.has_gold, row.right) == ("cost", False, False, None)
    assert row.best is not None  # the other document and the other set are searched


def test_dropping_leaves_documents_of_the_same_id_in_other_sets(pack, run, write):
    # They were looked up by their id alone, and one of two with the same id was never searched.
    ids = write("ids.jsonl", '{"pack": "town", "id": "never", "drop_docs": ["tram/2"]}')
    broke = NEVER | {"question": "What broke the forest bridge of Marrow?"}
    found = []
    for order in (["town", "wood"], ["wood", "town"]):
        folders = {"town": pack("town", TOWN, [broke]), "wood": pack("wood", WOOD, [])}
        (row,) = run(*(folders[name] for name in order), ids=ids).rows
        found.append(row.best)
    assert found == [10, 10]


def test_several_sets_are_one_index_with_figures_for_each_and_all(pack, run):
    tree = question("tree", "What broke the forest bridge of Marrow?", ["a fallen tree"], [("bridge", 0)])
    report = run(pack("town", TOWN, [COST]), pack("wood", WOOD, [tree]))
    assert list(report.figures) == ["town", "wood", "all"]
    assert report.figures["all"]["hit@1"] == Rate(2, 2)
    assert [row.pack for row in report.rows] == ["town", "wood"]


def test_ids_and_limit_choose_the_questions(pack, run, write):
    folders = [pack("town", TOWN, [COST, CROSSED, NEVER]), pack("wood", WOOD, [NEVER])]
    assert [(r.pack, r.id) for r in run(*folders, limit=1).rows] == [("town", "cost"), ("wood", "never")]
    plain = write("ids.txt", "never\ncrossed\n\n")
    assert [(r.pack, r.id) for r in run(*folders, ids=plain).rows] == [
        ("town", "crossed"),
        ("town", "never"),
        ("wood", "never"),
    ]
    assert [r.id for r in run(*folders, ids=plain, limit=1).rows] == ["crossed", "never"]
    one = write("one.jsonl", '{"pack": "wood", "id": "never"}')
    assert [(r.pack, r.id) for r in run(*folders, ids=one).rows] == [("wood", "never")]


def test_history_and_date_reach_the_assistant(pack, run):
    generator = FakeGenerator(otherwise=None)
    history = [
        {"role": "user", "text": "What did the repair of the bridge cost?"},
        {"role": "assistant", "text": "4.2 million."},
    ]
    follow = question("follow", "And who said it?", ["Ilse Varga"], [("bridge", 1)], history=history)
    dated = COST | {"question_date": "2024/05/04"}
    report = run(pack("town", TOWN, [follow, dated]), generator=generator)
    assert "repair" in by_id(report)["follow"].question  # completed by the question before it
    assert any("2024-05-04" in prompt.question for prompt in generator.prompts)


def test_an_attack_is_judged_with_its_clean_twin(pack, run):
    check = {"check": {"type": "contains_any", "strings": ["4.2 million"]}}
    attacked = COST | {"id": "attacked", "twin": "cost", "attack": check}
    report = run(pack("town", TOWN, [COST, attacked]))
    assert [row.changed for row in report.rows] == [None, True]
    assert report.figures["town"]["changed by the attack"] == Rate(1, 1)


def test_a_question_that_cannot_be_asked_does_not_end_the_run(pack, run):
    report = run(pack("town", TOWN, [COST | {"id": "long", "question": "why " * 5000}, COST]))
    rows = by_id(report)
    assert (rows["long"].found, rows["long"].right) == (False, False)
    assert rows["long"].error.startswith("The question has")
    assert report.figures["town"]["refused though answerable"].of == 1  # an error is no refusal
    assert "error, 1 of 2 questions: The question has" in evaluate.as_table(report)
    assert rows["cost"].right


def test_the_index_is_kept_and_follows_the_set(pack, run):
    embedder = FakeEmbedder()
    folder = pack("town", TOWN, [COST])
    models = Models.of(embedder, FakeReranker(), FakeGenerator(otherwise=None))
    settings = Settings(index=folder.parent / "index")
    evaluate.evaluate([folder], settings, models=models)
    n_embedded = len(embedder.seen)
    evaluate.evaluate([folder], settings, models=models)
    assert len(embedder.seen) == n_embedded
    # A document that left the set used to stay in the index.
    pack("town", TOWN[1:], [COST])
    assert evaluate.evaluate([folder], settings, models=models).rows[0].rank is None
    assert not list(settings.index.rglob("bridge.txt"))


def test_awkward_document_ids_are_file_names(pack, run):
    odd = [TOWN[0] | {"doc_id": identity} for identity in ("../up", "a/b", "x" * 400, "ไทย 🦉", "CON")]
    report = run(pack("town", odd, [COST | {"evidence": [["x" * 400, 1], ["../up", 1]]}]))
    assert report.failed == ()
    assert report.rows[0].rank in range(1, 6)  # the five are equal


# --- sets that cannot be read --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("corpus", "questions", "message"),
    [
        ('{"doc_id": "a"', "", r"corpus\.jsonl, line 1 is not JSON"),
        ("[1]", "", r"corpus\.jsonl, line 1 is not a JSON object"),
        ('{"doc_id": "a"}', "", r"corpus\.jsonl, line 1: paragraphs is None; expected a list"),
        ("", '{"id": "1"}', r"questions\.jsonl, line 1: question is None; expected a text"),
        ("", json.dumps(COST | {"answers": "x"}), r"line 1: answers is 'x'; expected a list"),
        ("", "\n" + json.dumps(COST | {"answerable": 1}), r"line 1: answerable is 1; expected true or false"),
        (b"\xff", "", r"corpus\.jsonl cannot be read"),
    ],
)
def test_a_broken_set_is_told_with_file_and_line(run, write, corpus, questions, message):
    write("sets/s/questions.jsonl", questions)
    with pytest.raises(EvaluationError, match=message):
        run(write("sets/s/corpus.jsonl", corpus).parent)


def test_a_folder_that_is_no_set_is_told(run, tmp_path):
    with pytest.raises(EvaluationError, match=r"nowhere/corpus\.jsonl cannot be read: .*A set has corpus\.jsonl and"):
        run(tmp_path / "nowhere")


def test_two_sets_of_one_name_are_refused(pack, run, write, tmp_path):
    folder = pack("town", TOWN, [COST])
    other = write("other/town/corpus.jsonl", "").parent
    with pytest.raises(EvaluationError, match=r"Two sets have the name 'town'\. Give each another folder name\."):
        run(folder, other)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"pack": "town", "id": "nonsense"}', r"line 1: town has no question 'nonsense'"),
        ('{"pack": "town"}', r"line 1: town has no question None"),
        ("nonsense", r"names no question of town\. Check the file and the sets"),
        ('{"pack"', r"line 1 is not JSON"),
        ("", "names no question of town"),
    ],
)
def test_a_list_of_ids_that_fits_nothing_is_told(pack, run, write, lines, message):
    with pytest.raises(EvaluationError, match=message):
        run(pack("town", TOWN, [COST]), ids=write("ids", lines))


# --- output --------------------------------------------------------------------------------------------------------


def test_the_command_prints_a_table_or_json(pack, fake_models, capsys):
    fake_models["generator"]._otherwise = None
    folder = str(pack("town", TOWN, [COST, NEVER]))
    assert main(["eval", folder]) == 0
    table = capsys.readouterr().out
    assert table.splitlines()[0].strip() == "town"
    assert "answered right             100 % (21–100) of 1\n" in table
    assert main(["eval", folder, "--json", "--limit", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["figures"]["town"]["hit@1"] == {
        "value": 1.0,
        "n": 1,
        "of": 1,
        "interval": [pytest.approx(0.2065, abs=1e-4), 1.0],
    }
    assert [q["id"] for q in printed["questions"]] == ["cost"]
    assert main(["eval", folder, "--retrieval", "--limit", "1"]) == 0
    assert "answered right" not in capsys.readouterr().out
    assert main(["eval", folder + "/nowhere"]) == 1
    assert "nowhere/corpus.jsonl cannot be read" in capsys.readouterr().err
