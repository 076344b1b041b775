"""Text to the terms of the word index."""

import pytest
from hypothesis import given

from rag.language import can_judge, language
from rag.terms import question_terms, terms
from tests.hostile import texts


def shared(question, text):
    """Returns the share of a question's terms that a text has."""
    wanted = set(question_terms(question))
    return len(wanted & set(terms(text))) / len(wanted)


def test_english_words_are_stems_without_stop_words():
    assert terms("The owls were counted in the forest.") == ["owl", "were", "count", "forest"]
    assert terms("") == terms("?!") == []


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("นกฮูก", "มีการนับนกฮูกสี่สิบตัวในป่าเมื่อฤดูหนาวนี้"),  # Thai
        ("猫头鹰", "今年冬天在森林里数到了四十只猫头鹰。"),  # Chinese
        ("図書館", "町の図書館は金曜日に再び開きました。"),  # Japanese
        ("ຫໍສະໝຸດ", "ຫໍສະໝຸດຂອງເມືອງເປີດອີກໃນວັນສຸກ"),  # Lao
        ("បណ្ណាល័យ", "បណ្ណាល័យនៃទីក្រុងបានបើកម្តងទៀត"),  # Khmer
        ("도서관", "마을 도서관은 금요일에 다시 문을 열었다."),  # Korean
    ],
)
def test_words_are_found_where_nothing_stands_between_them(word, text):
    assert shared(word, text) > 0.5
    assert shared(word, "The owls were counted in the forest.") == 0


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Brucken", "Die alten Brücken der Stadt wurden gezählt."),  # accents left out
        ("Wurden die Brücken gezählt?", "Die alte Brücke der Stadt wurde gestern gezählt."),  # German stems
        ("¿Cuántos búhos contaron?", "En el bosque se contaron cuarenta búhos este invierno."),
        ("thu vien", "Thư viện của thị trấn mở cửa trở lại vào thứ sáu."),  # typed without accents
        ("المكتبات", "أعيد افتتاح مكتبة المدينة يوم الجمعة بعد تسع سنوات."),
        ("ＯＷＬＳ", "Forty owls were counted."),  # full width
    ],
)
def test_words_are_found_in_another_form(question, text):
    assert shared(question, text) > 0


def test_an_emoji_moves_no_word():
    assert set(terms("🦉🦉 มีการนับนกฮูก")) >= set(terms("นกฮูก"))


@given(texts)
def test_no_term_has_a_space_and_each_text_finds_itself(text):
    found = terms(text)
    assert all(term and not any(char.isspace() for char in term) for term in found)
    assert isinstance(question_terms(text), list)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("How many owls were counted in the forest this winter?", "en"),
        ("Wie viele Eulen wurden in diesem Winter im Wald gezählt?", "de"),
        ("มีการนับนกฮูกกี่ตัวในป่า", "th"),
        ("今年冬天在森林里数到了多少只猫头鹰？", "zh"),
        ("", ""),
        ("1, 2, 3!", ""),
    ],
)
def test_a_language_is_told_or_it_is_said_that_it_is_not(text, code):
    assert language(text) == code


def test_a_model_judges_what_it_reads_and_what_nobody_can_tell():
    assert can_judge({"en"}, "How many owls were counted in the forest?")
    assert not can_judge({"en"}, "มีการนับนกฮูกกี่ตัวในป่า")
    assert can_judge({"en"}, "2024?")
    assert can_judge(frozenset(), "มีการนับนกฮูกกี่ตัวในป่า")
