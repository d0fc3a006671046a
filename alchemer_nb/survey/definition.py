"""The definition of a survey: its pages, questions and options; parsed leniently, immutable.

Sources of the shapes: https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5 and
survey-object-v5. Ids come as numbers or as text, so here they are always text; ``[]`` means an
empty map; sub-questions come as a list or as a map by alias, and again in the flat list.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.wire.ids import has_digits_alone, id_text, is_option_id
from alchemer_nb.wire.text import (
    ENGLISH,
    alias_to_name,
    by_language,
    pick_language,
    read_flag,
    strip_html,
)

# Labels of options that do not answer the question, for surveys that do not set the `na` property.
_NOT_APPLICABLE = {
    "n/a", "na", "not applicable", "does not apply", "don't know", "don’t know", "do not know",
    "dont know", "not sure", "unsure", "no opinion", "prefer not to say", "prefer not to answer",
    "don't know / prefer not to say",
}  # fmt: skip
_LOGIC_PROPERTIES = ("show_rules", "show_rules_ids", "show_rules_logic_map", "hidden", "piped_from")
_FORMAT = "alchemer_nb survey 1"
_DEEPEST = 5  # a definition that nests deeper refers to itself


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen.

    Attributes:
        id: Option id (SKU) as text, from ``"10001"``.
        titles: Labels by language, with HTML.
        value: Reporting value.
        properties: As received.
    """

    id: str
    titles: Mapping[str, str]
    value: str
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def label(self, *languages: str | None) -> str:
        """Return the label without HTML; the reporting value where there is none."""
        return strip_html(pick_language(self.titles, *languages)) or self.value

    @property
    def is_other(self) -> bool:
        """True if the respondent may write something in."""
        return read_flag(self.properties.get("other"))

    @property
    def is_not_applicable(self) -> bool:
        """True if it means that there is no answer, by its ``na`` property or its label."""
        if read_flag(self.properties.get("na")):
            return True
        return any(strip_html(text).casefold() in _NOT_APPLICABLE for text in self.titles.values())


@dataclass(frozen=True, slots=True)
class Question:
    """A question, or a row of a grid, which has a question id of its own.

    Attributes:
        id: Question id as text.
        type: Type in upper case, such as ``"RADIO"`` or ``"TABLE"``.
        key: The more exact type of ``properties.map_key``, such as ``"radio-nps"``.
        titles: Texts by language, with HTML.
        alias: ``shortname`` as received, ``""`` where unset.
        options: Its options, or the columns of a grid.
        rows: Rows of a grid, parts of a group.
        page: Id of its page, ``""`` where unknown.
        parent: Id of the question that it is a row or part of, ``""`` for none.
        varname: As received, in any of its five forms.
    """

    id: str
    type: str
    key: str
    titles: Mapping[str, str]
    alias: str = ""
    options: tuple[Option, ...] = ()
    rows: tuple[Question, ...] = ()
    page: str = ""
    parent: str = ""
    base_type: str = "Question"
    has_comment: bool = False
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)
    varname: Any = field(default=None, repr=False)

    def text(self, *languages: str | None) -> str:
        """Return the text of the question, without HTML."""
        return strip_html(pick_language(self.titles, *languages))

    @property
    def required(self) -> bool:
        """True if the survey asked for an answer until there was one."""
        return read_flag(self.properties.get("required"))

    @property
    def subtype(self) -> str:
        """``"EMAIL"``, ``"NUMBER"`` … of a text box, in upper case."""
        return str(self.properties.get("subtype") or "").upper()

    def walk(self) -> Iterator[Question]:
        """Yield the question and everything below it."""
        yield self
        for row in self.rows:
            yield from row.walk()


@dataclass(frozen=True, slots=True)
class SurveyPage:
    """A page of a survey, with its questions in order."""

    id: str
    titles: Mapping[str, str]
    questions: tuple[Question, ...] = ()

    def title(self, *languages: str | None) -> str:
        """Return the page's title, without HTML."""
        return strip_html(pick_language(self.titles, *languages))


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a survey.

    Attributes:
        id: Survey id as text.
        title: Title without HTML.
        status: ``"Launched"``, ``"Closed"``, ``"In Design"`` …
        languages: Languages of its texts, the survey's own first.
        pages: Pages in order, with their questions.
    """

    id: str
    title: str
    status: str = ""
    type: str = ""
    languages: tuple[str, ...] = (ENGLISH,)
    pages: tuple[SurveyPage, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order in which they are asked; rows stay inside their grid."""
        return tuple(question for page in self.pages for question in page.questions)

    @property
    def options(self) -> tuple[Option, ...]:
        """All options of all questions, in order."""
        return tuple(option for question in self.walk() for option in question.options)

    def walk(self) -> Iterator[Question]:
        """Yield all questions, each before its rows and parts."""
        for question in self.questions:
            yield from question.walk()

    @property
    def language(self) -> str:
        """The survey's own language."""
        return self.languages[0] if self.languages else ENGLISH

    def question(self, which: int | str) -> Question:
        """Find a question or grid row by id, ``"q12"`` or alias.

        Raises:
            KeyError: There is none, or several have the alias.
        """
        text = str(which)
        everything = list(self.walk())
        for question in everything:
            if text in (question.id, f"q{question.id}"):
                return question
        named = [q for q in everything if text in (q.alias, alias_to_name(q.alias)) and text]
        if len(named) == 1:
            return named[0]
        raise KeyError(text)


def read_definition(survey: Mapping[str, Any], questions: Iterable[Any] = ()) -> Definition:
    """Build a definition from the two replies that describe a survey.

    Args:
        survey: The object of ``GET survey/{id}``; its nested pages have the order and page of
            each question, but lack ``varname``.
        questions: The rows of ``GET survey/{id}/surveyquestion``; they are complete, but flat,
            and list the rows of a grid a second time.
    """
    flat = {q.id: q for q in (parse_question(raw) for raw in _items(questions)) if q is not None}
    languages = tuple(str(x) for x in _items(survey.get("languages"))) or (ENGLISH,)
    titles = by_language(survey.get("title")) or by_language(survey.get("title_ml"))
    pages: list[SurveyPage] = []
    seen: set[str] = set()
    for raw in (page for page in _items(survey.get("pages")) if isinstance(page, Mapping)):
        page_id = str(raw.get("id", ""))
        on_page: list[Question] = []
        for nested in _items(raw.get("questions")):
            question = parse_question(nested)
            if question is None or question.id in seen:
                continue
            merged = _merge(flat, question)
            on_page.append(_with_page(merged, page_id))
            seen.update(each.id for each in merged.walk())
        pages.append(
            SurveyPage(page_id, by_language(raw.get("title"), languages[0]), tuple(on_page))
        )
    below = {row.id for q in flat.values() for row in q.walk() if row is not q}
    rest = [_merge(flat, q) for q in flat.values() if q.id not in seen and q.id not in below]
    seen.update(each.id for question in rest for each in question.walk())
    # The only ones left are below one another in a circle.
    rest += [replace(q, rows=()) for q in flat.values() if q.id not in seen]
    if rest:
        pages.append(SurveyPage("", {}, tuple(rest)))
    return Definition(
        id=str(survey.get("id", "")),
        title=strip_html(pick_language(titles, *languages)),
        status=str(survey.get("status") or ""),
        type=str(survey.get("type") or ""),
        languages=languages,
        pages=tuple(pages),
    )


def parse_question(raw: Any, parent: str = "", depth: int = 0) -> Question | None:
    """Parse a question object; None for anything else."""
    if not isinstance(raw, Mapping) or raw.get("id") in (None, "") or depth > _DEEPEST:
        return None
    question_id = id_text(raw["id"])
    properties = _mapping(raw.get("properties"))
    if raw.get("show_rules_ids"):  # newer replies have the rules outside of the properties
        properties = {**properties, "show_rules_ids": raw["show_rules_ids"]}
    below = _with_aliases(raw.get("sub_questions"))
    rows = (parse_question(sub, question_id, depth + 1) for sub in below)
    options = (read_option(option) for option in _items(raw.get("options")))
    return Question(
        id=question_id,
        type=str(raw.get("type") or "").upper(),
        key=str(properties.get("map_key") or "").lower(),
        titles=by_language(raw.get("title")),
        alias=str(raw.get("shortname") or "").strip(),
        options=_unique_by_id(o for o in options if o is not None),
        rows=_unique_by_id(row for row in rows if row is not None and row.id != question_id),
        parent=parent,
        base_type=str(raw.get("base_type") or "Question"),
        has_comment=read_flag(raw.get("comment")),
        properties=properties,
        varname=raw.get("varname"),
    )


def read_option(raw: Any) -> Option | None:
    """Parse an option object, whose id is ``id`` or ``sku``; None for anything else."""
    if not isinstance(raw, Mapping):
        return None
    option_id = raw.get("id", raw.get("sku"))
    if option_id in (None, ""):
        return None
    titles = by_language(raw.get("title"))
    value = raw.get("value")
    text = str(value) if value not in (None, [], {}) else pick_language(titles)
    return Option(id_text(option_id), titles, text, _mapping(raw.get("properties")))


def conditional_ids(survey: Definition) -> frozenset[str]:
    """Return the ids of the questions that logic may hide.

    An option names the question that depends on it (``dependent``); newer replies name the rules
    on the question itself (``show_rules_ids``); a hidden page hides its questions.
    """
    found: set[str] = set()
    for option in survey.options:
        depends = option.properties.get("dependent")
        if depends not in (None, "", []):
            found.update(str(d).strip() for d in str(depends).split(","))
    for question in survey.walk():
        if any(
            question.properties.get(name) not in (None, "", [], False, {})
            for name in _LOGIC_PROPERTIES
        ):
            found.update(part.id for part in question.walk())
    return frozenset(found)


def _items(value: Any) -> list[Any]:
    """Return the items of a list, or of a map by id or alias; none for anything else."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else []


def _with_aliases(rows: Any) -> list[Any]:
    """Return the rows of a list or map; in a map by alias, the keys are the missing aliases."""
    if not isinstance(rows, Mapping):
        return _items(rows)
    return [
        {**row, "shortname": key}
        if isinstance(row, Mapping) and "shortname" not in row and not has_digits_alone(str(key))
        else row
        for key, row in rows.items()
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


_Part = TypeVar("_Part", Option, Question)


def _unique_by_id(items: Iterable[_Part]) -> tuple[_Part, ...]:
    return tuple({item.id: item for item in items}.values())


def _merge(
    flat: Mapping[str, Question], nested: Question, above: frozenset[str] = frozenset()
) -> Question:
    """Merge the flat, more complete form of a question with its nested form.

    Args:
        flat: All questions of the flat list by id.
        nested: The question in the tree of pages.
        above: Ids above it; a definition may contain a question below itself, which is left out.
    """
    # Column ids of custom tables are unique within their table only, so the list cannot be used.
    known = nested if is_option_id(nested.id) else flat.get(nested.id, nested)
    above = above | {nested.id}
    rows = [row for row in known.rows or nested.rows if row.id not in above]
    return replace(
        known,
        options=known.options or nested.options,
        rows=tuple(replace(_merge(flat, row, above), parent=nested.id) for row in rows),
        titles=known.titles or nested.titles,
        alias=known.alias or nested.alias,
        properties=known.properties or nested.properties,
    )


def _with_page(question: Question, page: str) -> Question:
    return replace(question, page=page, rows=tuple(_with_page(row, page) for row in question.rows))


def save_definition(survey: Definition, path: str | Path) -> None:
    """Write a definition to a JSON file."""
    text = json.dumps({"format": _FORMAT, "survey": asdict(survey)}, indent=1)
    Path(path).write_text(text, encoding="utf-8")


def convert_definition(value: Any) -> Definition:
    """Convert the JSON of a definition that was written.

    Raises:
        ValueError: It is none, or two options of a question have one id.
    """
    survey = msgspec.convert(value, Definition)
    for question in survey.walk():
        check_options(question.options)
    return survey


def check_options(options: Sequence[Option]) -> None:
    """Raise ValueError if two options have one id: they could not be distinguished."""
    if len({option.id for option in options}) < len(options):
        raise ValueError("two options have one id")


def load_definition(path: str | Path) -> Definition:
    """Read a file of ``save_definition``.

    Raises:
        InvalidArgument: The file holds something else.
    """
    try:
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        if saved["format"] != _FORMAT:
            raise ValueError(saved["format"])
        survey = convert_definition(saved["survey"])
        if json.loads(msgspec.json.encode(survey)) != saved["survey"]:
            raise ValueError("a field is missing, or one too many")
    except (
        *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
        msgspec.ValidationError,  # a ValueError only in later versions
    ):
        raise InvalidArgument(f"{path} does not hold a definition that Survey.save wrote") from None
    return survey
