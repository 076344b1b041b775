"""Questions in a language that the search models do not read: found by their words, quoted, and that is said."""

from __future__ import annotations

import pytest

from tests.fakes import FakeEmbedder, FakeGenerator, FakeReranker

pytestmark = pytest.mark.usefixtures("plain_decision")

THAI = """ห้องสมุดของเมืองเปิดอีกครั้งในวันศุกร์

ห้องสมุดของเมืองเปิดอีกครั้งในวันศุกร์หลังจากปิดไปเก้าปี นายกเทศมนตรีกล่าว

เมืองจ่ายเงินสี่ล้านบาทสำหรับการซ่อมแซมห้องสมุด
"""
OWLS = "นกฮูกในป่า\n\nมีการนับนกฮูกสี่สิบตัวในป่าเมื่อฤดูหนาวนี้ ซึ่งมากกว่าปีที่แล้ว\n"
ASKED = "มีการนับนกฮูกกี่ตัวในป่า"


class Blind(FakeEmbedder):
    """Reads English, and fails on any other question."""

    def __init__(self):
        super().__init__()
        self.languages = frozenset({"en"})

    def embed_question(self, text):
        assert text.isascii()
        return super().embed_question(text)


class Deaf(FakeReranker):
    def __init__(self):
        super().__init__()
        self.languages = frozenset({"en"})

    def scores(self, question, texts):
        assert question.isascii()
        return super().scores(question, texts)


@pytest.fixture
def thai(make_assistant, write):
    def open_(**others):
        assistant = make_assistant(**others)
        write("thai/library.txt", THAI)
        assistant.add(write("thai/owls.txt", OWLS).parent)
        return assistant

    return open_


def test_it_is_found_by_its_words_and_quoted(thai):
    generator = FakeGenerator()
    assistant = thai(embedder=Blind(), reranker=Deaf(), generator=generator)
    answer = assistant.ask(ASKED)
    assert answer.found
    assert "นกฮูกสี่สิบตัว" in answer.citations[0].quote
    assert answer.evidence[0].title == "นกฮูกในป่า"
    assert "do not read this language" in answer.notice
    assert generator.prompts == []


def test_what_has_too_few_of_its_words_is_no_answer(thai):
    answer = thai(embedder=Blind(), reranker=Deaf()).ask("ใครชนะการแข่งขันฟุตบอลโลกที่ประเทศบราซิล")
    assert not answer.found
    assert "do not read this language" in answer.notice


def test_models_that_read_any_language_judge_it(thai):
    reranker = FakeReranker()
    answer = thai(reranker=reranker).ask(ASKED)
    assert reranker.calls
    assert "do not read" not in answer.notice


def test_an_article_knows_its_language(thai):
    assistant = thai()
    assert {document.language for document in assistant.documents()} == {"th"}
