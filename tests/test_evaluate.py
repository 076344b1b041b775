"""Evaluation: made-up sets through the whole of it."""

from __future__ import annotations

import json
import re

import pytest

from rag import evaluate
from rag.assistant.loading import Models
from rag.cli import main
from rag.config import Settings
from rag.errors import EvaluationError
from rag.evaluate import Limit
from rag.evaluate.scores import Rate
from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker
from tests.sets import COST, CROSSED, NEVER, TOWN, WOOD, question, write_set

pytestmark = pytest.mark.usefixtures("plain_decision")


@pytest.fixture
def pack(tmp_path):
    """Writes a set; returns its folder."""
    return lambda name, corpus, questions: write_set(tmp_path / "sets" / name, corpus, questions)


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
    assert found == [10.5, 10.5]  # with 0.5 for a first paragraph


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


def test_the_first_of_each_kind_are_taken_in_the_order_of_the_file(pack, run):
    mixed = [NEVER, COST, NEVER | {"id": "again"}, CROSSED, NEVER | {"id": "third"}]
    folders = [pack("town", TOWN, mixed), pack("wood", WOOD, mixed[:3])]

    def asked(*chosen, **more):
        return [f"{row.pack[0]}.{row.id}" for row in run(*chosen, answers=False, **more).rows]

    town = folders[0]
    assert asked(town, limit=Limit(answerable=1)) == ["t.never", "t.cost", "t.again", "t.third"]
    assert asked(town, limit=Limit(unanswerable=2)) == ["t.never", "t.cost", "t.again", "t.crossed"]
    assert asked(town, limit=Limit(answerable=1, unanswerable=1)) == ["t.never", "t.cost"]
    assert asked(town, limit=Limit(answerable=0)) == ["t.never", "t.again", "t.third"]
    assert asked(town, limit=Limit(2, unanswerable=0)) == ["t.cost", "t.crossed"]
    # a set's own limit takes the place of the general one
    takes = {"wood": Limit(answerable=0)}
    assert asked(*folders, limit=1, takes=takes) == ["t.never", "w.never", "w.again"]
    with pytest.raises(EvaluationError, match=r"No set has the name 'wod'\. These are evaluated: town, wood\."):
        run(*folders, takes={"wod": Limit(1)})


def test_history_and_date_reach_the_assistant(pack, run):
    generator = FakeGenerator(otherwise=None)
    history = [
        {"role": "user", "text": "What did the repair of the bridge cost?"},
        {"role": "assistant", "text": "4.2 million."},
    ]
    follow = question("follow", "And who said it?", ["Ilse Varga"], [("bridge", 1)], history=history)
    dated = COST | {"question_date": "2024/05/04"}
    report = run(pack("town", TOWN, [follow, dated]), generator=generator)
    row = by_id(report)["follow"]
    assert "repair" in row.question  # completed by the question before it
    assert (row.asked, row.rewritten, row.follow_up) == ("And who said it?", True, True)
    assert (by_id(report)["cost"].rewritten, by_id(report)["cost"].follow_up) == (False, False)
    assert report.figures["town"]["follow-ups rewritten"] == Rate(1, 1)
    assert any("2024-05-04" in prompt.question for prompt in generator.prompts)


def test_an_attack_is_judged_with_its_clean_twin(pack, run):
    check = {"check": {"type": "contains_any", "strings": ["4.2 million"]}}
    attacked = COST | {"id": "attacked", "twin": "cost", "attack": check}
    report = run(pack("town", TOWN, [COST, attacked]))
    assert [row.changed for row in report.rows] == [None, True]
    assert report.figures["town"]["changed by the attack"] == Rate(1, 1)


def test_an_attack_without_its_twin_is_not_judged(pack, run):
    # It counted as withstood.
    attacked = COST | {"id": "attacked", "question": "How many people crossed the bridge?", "twin": "cost"}
    attacked |= {"attack": {"check": {"type": "style_changed"}}}
    report = run(pack("town", TOWN, [attacked, COST]))
    assert by_id(report)["attacked"].changed is True
    assert run(pack("town", TOWN, [attacked])).figures["town"]["changed by the attack"] == Rate(0, 0)


def test_where_people_told_what_is_near_a_refusal_is_not_counted(pack, run):
    near = NEVER | {"id": "near", "response_types": ["noAnswerNoRelevantInfo", "noAnswerButRelevantInfo"]}
    nothing = NEVER | {"id": "nothing", "response_types": ["noAnswerNoRelevantInfo"]}
    vague = NEVER | {"id": "vague", "kind": "underspecified"}
    mixed = COST | {"id": "mixed", "response_types": ["directAnswer", "noAnswerButRelevantInfo"]}
    report = run(pack("town", TOWN, [near, nothing, vague, mixed]))
    assert {r.id: r.counted for r in report.rows} == {"near": False, "nothing": True, "vague": False, "mixed": True}
    assert report.figures["town"]["refused when unanswerable"] == Rate(1, 1)
    assert report.figures["town"]["asked back when vague"] == Rate(0, 2)
    assert report.figures["town"]["refused though answerable"] == Rate(0, 1)
    assert list(report.kinds["town"]) == ["unanswerable", "underspecified", "–"]


def test_values_are_counted_by_group(pack, run):
    more = {"answer_groups": [["4.2 million", "4,200,000"], ["nine years"]]}
    listed = COST | more
    wrong = COST | {"id": "wrong", "wrong_answers": ["4.2 million crowns"]}
    fake = COST | {"id": "fake", "fake_answers": ["4.2 million"], "answers": ["5 million"], "answer_groups": [["5 million"]]}
    fake |= {"evidence": [], "extractive": False}
    report = run(pack("town", TOWN, [listed, wrong, fake]))
    rows = by_id(report)
    assert (rows["cost"].groups, rows["cost"].named, rows["cost"].named_wrong) == (2, 1, None)
    assert (rows["wrong"].groups, rows["wrong"].named, rows["wrong"].named_wrong) == (1, 1, True)
    assert (rows["fake"].named_fake, rows["fake"].named, rows["fake"].supporting) == (True, 0, 1)
    figures = report.figures["town"]
    assert (figures["all right values named"], figures["any right value named"]) == (Rate(1, 2), Rate(2, 2))


def test_a_row_keeps_what_an_answer_was_made_of(pack, run):
    wrong = question(
        "wrong", "What did the second tram line of Arlen cost?", ["4.2 million"], [("bridge", 1)], scope=["tram/2"]
    )
    rows = by_id(run(pack("town", TOWN, [COST, wrong])))
    assert rows["cost"].expected == ("4.2 million crowns",)
    assert rows["cost"].quotes == (TOWN[0]["paragraphs"][1],)
    first = rows["cost"].evidence[0]
    assert (first.gold, first.title, first.text) == (True, TOWN[0]["title"], TOWN[0]["paragraphs"][1])
    assert (rows["cost"].gold, len(rows["cost"].evidence)) == ("", 3)
    assert [seen.gold for seen in rows["wrong"].evidence] == [False] * 2
    assert rows["wrong"].gold == TOWN[0]["paragraphs"][1]
    assert (rows["cost"].status, rows["cost"].probability) == ("answered", pytest.approx(0.989, abs=0.001))


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
    folder = pack("town", TOWN, [COST | {"question": "Who is the mayor?"}])
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


# --- claims --------------------------------------------------------------------------------------------------------


def claim(identity, text, label, scope, kind=""):
    plain = question(identity, "What is said of the bridge?", kind=kind)
    return plain | {"claim": text, "label": label, "scope": scope, "answerable": label == "attributable"}


CLAIMS = [
    claim("seen", "The repair of the bridge cost 4.2 million crowns.", "attributable", ["bridge"], "a"),
    claim("false", "The repair of the bridge cost 5 million crowns.", "not_attributable", ["bridge"], "a"),
    claim("elsewhere", "The second tram line of Arlen costs 9 million crowns.", "not_attributable", ["bridge"], "b"),
    claim("together", "The tram costs 9 million and will run from the port.", "attributable", ["bridge", "tram/2"], "b"),
]


def test_claims_are_judged_and_not_asked(pack, run, monkeypatch):
    given = []

    def support(claim, question, passages, scores):
        given.append((claim, question, passages, scores))
        return 0.9 if "bridge" in claim else 0.2

    monkeypatch.setattr("rag.evaluate.rows.support", support)
    embedder, reranker, generator = FakeEmbedder(), FakeReranker(), FakeGenerator()
    folder = pack("claims", TOWN, CLAIMS)
    settings = Settings(index=folder.parent / "index")
    report = evaluate.evaluate([folder], settings, models=Models.of(embedder, reranker, generator))
    assert (embedder.seen, generator.prompts, report.failed) == ([], [], ())  # nothing is indexed, nothing is asked
    paragraphs = [text for article in TOWN for text in article["paragraphs"] if text]
    claim, question, passages, scores = given[3]
    assert (claim, question, list(passages)) == (CLAIMS[3]["claim"], "What is said of the bridge?", paragraphs)
    assert scores == FakeReranker().scores(claim, paragraphs)
    assert [row.support for row in report.rows] == [0.9, 0.9, 0.2, 0.2]
    assert [row.label for row in report.rows] == [True, False, False, True]
    assert report.figures["claims"]["claims: accuracy"] == Rate(2, 4)
    assert report.kinds["claims"]["a"]["claims: balanced accuracy"].value == 0.5
    assert report.figures["claims"]["refused when unanswerable"] == Rate(0, 0)


def test_claims_beside_questions_are_judged_by_the_real_function(pack, run):
    report = run(
        pack("town", TOWN, [COST]), pack("claims", TOWN, [*CLAIMS[:2], claim("none", "x", "attributable", ["gone"])])
    )
    assert [row.id for row in report.rows] == ["cost", "seen", "false", "none"]
    assert [row.support and row.support > 0.5 for row in report.rows] == [None, True, False, None]
    assert report.rows[3].error == "None of the claim's paragraphs is in the corpus."
    assert report.figures["claims"]["claims: accuracy"] == Rate(2, 2)
    assert report.figures["all"]["answered right"] == Rate(1, 1)


@pytest.mark.parametrize(("name", "value"), [("claim", 3), ("label", None)])
def test_a_broken_claim_is_told(pack, run, name, value):
    with pytest.raises(EvaluationError, match=rf"questions\.jsonl, question seen: {name} is {value}; expected a text"):
        run(pack("claims", TOWN, [CLAIMS[0] | {name: value}]))


@pytest.mark.parametrize("reuse", [False, True])
def test_only_models_that_it_loaded_are_closed(pack, tmp_path, fake_models, monkeypatch, reuse):
    # A caller's models were closed once, and so could be used for one set only.
    closed = []
    monkeypatch.setattr(Models, "close", lambda models: closed.append(models))
    folder, settings = pack("town", TOWN, [COST]), Settings(index=tmp_path / "index")
    evaluate.evaluate([folder], settings, models=Models.of(*fake_models.values()), reuse=reuse)
    assert closed == []
    loaded = []
    monkeypatch.setattr(Models, "load", lambda _: loaded.append(Models.of(*fake_models.values())) or loaded[-1])
    evaluate.evaluate([folder], settings, reuse=reuse)
    assert closed == loaded != []


# --- what models said before ---------------------------------------------------------------------------------------


def test_what_models_said_is_used_again_and_no_times_are_told(pack, tmp_path):
    folder = pack("town", TOWN, [COST, CROSSED, NEVER])
    runs = []
    for _ in range(2):
        reranker, generator = FakeReranker(), FakeGenerator(otherwise=None)
        models = Models.of(FakeEmbedder(), reranker, generator)
        report = evaluate.evaluate([folder], Settings(index=tmp_path / "index"), models=models, reuse=True)
        runs.append((report, len(reranker.calls), len(generator.prompts)))
    assert runs[0][1:] > (0, 0)
    assert runs[1][1:] == (0, 0)
    assert runs[0][0].rows == runs[1][0].rows
    for report, *_ in runs:
        assert {report.figures["town"][name] for name in report.figures["town"] if " s, " in name} == {None}
    plain = evaluate.evaluate([folder], Settings(index=tmp_path / "index"), models=models)
    assert plain.figures["town"]["total s, median"] is not None
    assert [row.text for row in plain.rows] == [row.text for row in runs[0][0].rows]


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
    assert re.search(r"^answered right +100 % \(21–100\) of 1$", table, re.MULTILINE)
    assert "retrieve s, median" in table
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


def test_the_command_shows_kinds_and_takes_so_many_of_each_set(pack, fake_models, capsys):
    fake_models["generator"]._otherwise = None
    town = str(pack("town", TOWN, [COST | {"kind": "easy"}, CROSSED | {"kind": "hard"}, NEVER]))
    wood = str(pack("wood", WOOD, [NEVER, COST]))
    assert main(["eval", town, "--kinds"]) == 0
    table = capsys.readouterr().out
    assert re.search(r"\n\ntown +easy +hard +unanswerable\n", table)
    assert re.search(r"^answered right +100 % \(21–100\) of 1 +100 % \(21–100\) of 1 +–$", table, re.MULTILINE)
    arguments = ["eval", town, wood, "--take", "town=1+all", "--take", "wood=0+1", "--retrieval", "--json"]
    assert main(arguments) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [(q["pack"], q["id"]) for q in printed["questions"]] == [("town", "cost"), ("town", "never"), ("wood", "never")]
    assert set(printed["kinds"]["town"]) == {"easy", "unanswerable"}
    assert main(["eval", town, "--limit-answerable", "1", "--limit-unanswerable", "0", "--retrieval", "--json"]) == 0
    assert [q["id"] for q in json.loads(capsys.readouterr().out)["questions"]] == ["cost"]


def test_the_command_compares_with_a_baseline_and_with_another_run(pack, fake_models, capsys, tmp_path):
    generator, folder = fake_models["generator"], str(pack("town", TOWN, [COST, CROSSED, NEVER]))
    generator._otherwise = "It cost 5 million crowns."
    base, old, new = (tmp_path / name for name in ("base.json", "old.json", "new.json"))
    assert main(["eval", folder, "--save-baseline", str(base), "--json"]) == 0
    old.write_text(capsys.readouterr().out)
    assert COST["question"] not in base.read_text()
    assert COST["question"] in old.read_text()
    generator._otherwise = None
    assert main(["eval", folder, "--baseline", str(base)]) == 0
    table = capsys.readouterr().out
    assert re.search(r"^compared with .*base\.json: 3 questions in both runs", table, re.MULTILINE)
    assert (
        main(["eval", folder, "--baseline", str(base), "--save-baseline", str(base), "--json"]) == 0
    )  # read before written
    printed = capsys.readouterr().out
    new.write_text(printed)
    assert json.loads(printed)["comparison"]["questions"] == 3
    n_asked = len(generator.prompts)
    assert main(["eval", "--compare", str(old), str(new)]) == 0
    assert "right before, wrong now: 0" in capsys.readouterr().out
    assert main(["eval", "--compare", str(base), str(new), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sets"]["town"]["answered right"]["difference"] == 0
    assert len(generator.prompts) == n_asked


def test_the_command_writes_a_page(pack, fake_models, capsys, tmp_path):
    folder, page = str(pack("town", TOWN, [COST, NEVER])), tmp_path / "page.html"
    assert main(["eval", folder, "--html", str(page)]) == 0
    assert "<h2>town: what went wrong</h2>" in page.read_text(encoding="utf-8")
    # It is not found out after all questions were asked.
    fake_models["generator"].prompts.clear()
    assert main(["eval", folder, "--html", str(tmp_path / "nowhere" / "page.html")]) == 2
    assert "page.html cannot be written: No such file or directory" in capsys.readouterr().err
    assert main(["eval", folder, "--baseline", str(tmp_path / "none.json")]) == 1
    assert fake_models["generator"].prompts == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["x", "--compare", "a", "b"], "give either PACK"),
        (["--json"], "give either PACK"),
        (["x", "--take", "x=5"], "'x=5' is not of the form NAME=A\\+U"),
        (["x", "--take", "x=-1+all"], "is not of the form"),
        (["x", "--limit-answerable", "-1"], "not a whole number from 0"),
        (["x", "--limit-answerable", "²"], "not a whole number from 0"),
    ],
)
def test_bad_use_is_told(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["eval", *arguments])
    assert re.search(message, capsys.readouterr().err)
