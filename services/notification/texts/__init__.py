"""The words people read, one TOML file a language, in the shape of go-i18n: a phrase, or a table of its plural forms.

A catalogue with a phrase too few, too many, or with the wrong forms or holes is refused when it is loaded.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any

from services.notification.domain.texts import (
    COUNTED,
    ENGLISH,
    GRAMMARS,
    Catalogue,
    Catalogues,
    Form,
    Grammar,
    Phrase,
)


class BadCatalogue(Exception):
    """A file of words cannot be used; the text says which phrase of which language is wrong."""

    def __init__(self, language: str, problem: str) -> None:
        super().__init__(f"texts/{language}.toml: {problem}")
        self.language = language


@cache
def catalogues() -> Catalogues:
    """Read the words of every language we speak. Raises BadCatalogue."""
    english = read(ENGLISH, _file(ENGLISH))
    return Catalogues({language: read(language, _file(language), like=english) for language in GRAMMARS})


def read(language: str, text: str, *, like: Catalogue | None = None) -> Catalogue:
    """Read one language's words; each phrase has the holes it has in `like`. Raises BadCatalogue."""
    words = tomllib.loads(text)
    if wrong := words.keys() ^ set(Phrase):
        raise BadCatalogue(language, f"phrases missing or unknown: {', '.join(sorted(wrong))}")
    grammar = GRAMMARS[language]
    phrases = {phrase: _forms(language, grammar, phrase, words[phrase]) for phrase in Phrase}
    catalogue = Catalogue(language=language, grammar=grammar, phrases=phrases)
    _check_holes(catalogue, like or catalogue)
    return catalogue


def _forms(language: str, grammar: Grammar, phrase: Phrase, said: Any) -> Mapping[Form, str]:
    forms = said if isinstance(said, dict) else {Form.OTHER: said}
    if forms.keys() != (grammar.forms if phrase in COUNTED else {Form.OTHER}):
        raise BadCatalogue(language, f"{phrase} has the forms {', '.join(forms)}")
    if not all(isinstance(form, str) and form.strip() for form in forms.values()):
        raise BadCatalogue(language, f"{phrase} has a form without words")
    return {Form(form): template for form, template in forms.items()}


def _check_holes(catalogue: Catalogue, like: Catalogue) -> None:
    for phrase in Phrase:
        holes = {_holes(template) for each in (catalogue, like) for template in each.phrases[phrase].values()}
        if len(holes) > 1:
            raise BadCatalogue(catalogue.language, f"{phrase} has other holes elsewhere: {sorted(map(sorted, holes))}")


def _holes(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def _file(language: str) -> str:
    return resources.files("services.notification.texts").joinpath(f"{language}.toml").read_text(encoding="utf-8")
