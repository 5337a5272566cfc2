"""The words of both languages: plurals, holes, and what becomes of a catalogue that is wrong."""

from importlib import resources

import pytest

from services.notification.domain.texts import GRAMMARS, Form, Phrase
from services.notification.texts import BadCatalogue, catalogues, read


@pytest.mark.parametrize(
    ("count", "english", "russian"),
    [
        (0, "0 items", "0 товаров"),
        (1, "1 item", "1 товар"),
        (2, "2 items", "2 товара"),
        (4, "4 items", "4 товара"),
        (5, "5 items", "5 товаров"),
        (11, "11 items", "11 товаров"),
        (12, "12 items", "12 товаров"),
        (14, "14 items", "14 товаров"),
        (19, "19 items", "19 товаров"),
        (21, "21 items", "21 товар"),
        (22, "22 items", "22 товара"),
        (25, "25 items", "25 товаров"),
        (101, "101 items", "101 товар"),
        (111, "111 items", "111 товаров"),
        (112, "112 items", "112 товаров"),
        (1_001, "1,001 items", "1\N{NO-BREAK SPACE}001 товар"),
        (1_000_000, "1,000,000 items", "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000 товаров"),
    ],
)
def test_things_are_counted_as_people_count_them(count: int, english: str, russian: str) -> None:
    assert catalogues().of("en").count(Phrase.ITEMS, count) == english
    assert catalogues().of("ru").count(Phrase.ITEMS, count) == russian


@pytest.mark.parametrize(
    ("asked", "spoken"), [("ru", "ru"), ("ru-RU", "ru"), ("RU", "ru"), ("en-GB", "en"), ("tlh", "en"), ("", "en")]
)
def test_a_phone_is_answered_in_its_language_or_in_english(asked: str, spoken: str) -> None:
    assert catalogues().of(asked).language == spoken


@pytest.mark.parametrize("language", list(GRAMMARS))
def test_every_phrase_of_a_language_has_words_in_every_form_it_needs(language: str) -> None:
    words = catalogues().of(language)

    for phrase in Phrase:
        assert set(words.phrases[phrase]) in ({Form.OTHER}, set(words.grammar.forms))
        assert all(form.strip() for form in words.phrases[phrase].values())


@pytest.mark.parametrize(
    ("wrong", "right", "problem"),
    [
        ('placed = "Оформлен"', "", "missing or unknown: placed"),
        ('placed = "Оформлен"', 'placed = "Оформлен"\nplcaed = "Оформлен"', "missing or unknown: plcaed"),
        ('placed = "Оформлен"', 'placed = " "', "placed has a form without words"),
        ('order = "Заказ {order}"', 'order = "Заказ"', "order has other holes elsewhere"),
        ('few = "{count} товара"', "", "items has the forms one, many"),
        ('few = "{count} товара"', 'two = "{count} товара"', "items has the forms one, two, many"),
    ],
)
def test_a_catalogue_that_would_fail_somebody_later_is_refused_at_once(wrong: str, right: str, problem: str) -> None:
    text = resources.files("services.notification.texts").joinpath("ru.toml").read_text(encoding="utf-8")
    assert wrong in text

    with pytest.raises(BadCatalogue, match=problem):
        read("ru", text.replace(wrong, right), like=catalogues().of("en"))
