"""What a survey asks: pages, questions, options. Read once, tolerantly, never changed.

Sources of the shapes: https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5 and
survey-object-v5. Ids come as numbers or as text, so here they are always text; ``[]`` stands for
any empty map; sub-questions come as a list or as a map by alias, and once more in the flat list.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from alchemer_nb.wire.ids import has_digits_alone, id_text, is_option_id
from alchemer_nb.wire.json import truth
from alchemer_nb.wire.text import ENGLISH, by_language, name_of, pick, plain

# Words of options that say "no answer of substance", where the `na` property does not say it.
_NOT_APPLICABLE = frozenset(
    {
        "n/a",
        "na",
        "not applicable",
        "does not apply",
        "don't know",
        "don’t know",
        "do not know",
        "dont know",
        "not sure",
        "unsure",
        "no opinion",
        "prefer not to say",
        "prefer not to answer",
        "don't know / prefer not to say",
    }
)
_DEEPEST = 5  # a definition that nests deeper refers to itself


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be chosen.

    Attributes:
        id: Its id (SKU) as text, from ``"10001"``.
        titles: Label by language, HTML kept.
        value: Reporting value.
        properties: As received.
    """

    id: str
    titles: Mapping[str, str]
    value: str
    properties: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def label(self, *languages: str | None) -> str:
        """The words people see, without HTML; the reporting value where there are none."""
        return plain(pick(self.titles, *languages)) or self.value

    @property
    def is_other(self) -> bool:
        """Whether the respondent may write something in."""
        return truth(self.properties.get("other"))

    @property
    def is_not_applicable(self) -> bool:
        """Whether choosing it says that there is no answer: the ``na`` property, or plain words."""
        if truth(self.properties.get("na")):
            return True
        return any(plain(text).casefold() in _NOT_APPLICABLE for text in self.titles.values())


@dataclass(frozen=True, slots=True)
class Question:
    """One question, or one row of a grid, which has a question id of its own.

    Attributes:
        id: Question id as text.
        type: Type word in upper case, such as ``"RADIO"`` or ``"TABLE"``.
        key: The finer word of ``properties.map_key``, such as ``"radio-nps"``.
        titles: Words by language, HTML kept.
        alias: ``shortname`` as received, ``""`` where unset.
        options: What can be chosen; the columns of a grid.
        rows: Rows of a grid, parts of a group.
        page: Id of its page, ``""`` where unknown.
        parent: Id of the question it is a row or part of, ``""`` for none.
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

    def words(self, *languages: str | None) -> str:
        """The question as asked, without HTML."""
        return plain(pick(self.titles, *languages))

    @property
    def required(self) -> bool:
        """Whether an answer had to be given."""
        return truth(self.properties.get("required"))

    @property
    def subtype(self) -> str:
        """``"EMAIL"``, ``"NUMBER"`` … of a text box, in upper case."""
        return str(self.properties.get("subtype") or "").upper()

    def walk(self) -> Iterator[Question]:
        """Itself and everything below it."""
        yield self
        for row in self.rows:
            yield from row.walk()


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a survey, with its questions in order."""

    id: str
    titles: Mapping[str, str]
    questions: tuple[Question, ...] = ()

    def title(self, *languages: str | None) -> str:
        """The page's title, without HTML."""
        return plain(pick(self.titles, *languages))


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a survey.

    Attributes:
        id: Survey id as text.
        title: Title without HTML.
        status: ``"Launched"``, ``"Closed"``, ``"In Design"`` …
        languages: Languages it is asked in, its own first.
        pages: Pages in order, with their questions.
    """

    id: str
    title: str
    status: str = ""
    type: str = ""
    languages: tuple[str, ...] = (ENGLISH,)
    pages: tuple[Page, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """All questions in the order in which they are asked; rows stay inside their grid."""
        return tuple(question for page in self.pages for question in page.questions)

    @property
    def options(self) -> tuple[Option, ...]:
        """All options of all questions, in order."""
        return tuple(o for q in self.questions for each in q.walk() for o in each.options)

    @property
    def language(self) -> str:
        """The survey's own language."""
        return self.languages[0] if self.languages else ENGLISH

    def question(self, which: int | str) -> Question:
        """Finds a question or grid row by id, ``"q12"`` or alias.

        Raises:
            KeyError: There is none.
        """
        text = str(which)
        everything = [each for q in self.questions for each in q.walk()]
        for question in everything:
            if text in (question.id, f"q{question.id}"):
                return question
        named = [q for q in everything if text in (q.alias, name_of(q.alias)) and text]
        if len(named) == 1:
            return named[0]
        raise KeyError(text)


def read_definition(survey: Mapping[str, Any], questions: Iterable[Any] = ()) -> Definition:
    """Puts a survey together from its two halves.

    Args:
        survey: The object of ``GET survey/{id}``; its nested pages give order and page of each
            question, but lack ``varname``.
        questions: The rows of ``GET survey/{id}/surveyquestion``; they are complete, but flat,
            and list the rows of a grid a second time.
    """
    flat = {q.id: q for q in (read_question(raw) for raw in _items(questions)) if q is not None}
    languages = tuple(str(x) for x in _items(survey.get("languages"))) or (ENGLISH,)
    titles = by_language(survey.get("title")) or by_language(survey.get("title_ml"))
    pages: list[Page] = []
    placed: set[str] = set()
    for raw in (page for page in _items(survey.get("pages")) if isinstance(page, Mapping)):
        page_id = str(raw.get("id", ""))
        kept: list[Question] = []
        for nested in _items(raw.get("questions")):
            question = read_question(nested)
            if question is None or question.id in placed:
                continue
            whole = _merge(flat, question)
            kept.append(_on_page(whole, page_id))
            placed.update(each.id for each in whole.walk())
        pages.append(Page(page_id, by_language(raw.get("title"), languages[0]), tuple(kept)))
    below = {row.id for q in flat.values() for row in q.walk() if row is not q}
    rest = [_merge(flat, q) for q in flat.values() if q.id not in placed and q.id not in below]
    placed.update(each.id for question in rest for each in question.walk())
    # Only those are left that lie below one another in a circle.
    rest += [replace(q, rows=()) for q in flat.values() if q.id not in placed]
    if rest:
        pages.append(Page("", {}, tuple(rest)))
    return Definition(
        id=str(survey.get("id", "")),
        title=plain(pick(titles, *languages)),
        status=str(survey.get("status") or ""),
        type=str(survey.get("type") or ""),
        languages=languages,
        pages=tuple(pages),
    )


def read_question(raw: Any, parent: str = "", depth: int = 0) -> Question | None:
    """Reads one question object; None for what is none."""
    if not isinstance(raw, Mapping) or raw.get("id") in (None, "") or depth > _DEEPEST:
        return None
    own = id_text(raw["id"])
    properties = _mapping(raw.get("properties"))
    if raw.get("show_rules_ids"):  # newer answers have the rules beside the properties
        properties = {**properties, "show_rules_ids": raw["show_rules_ids"]}
    below = _with_aliases(raw.get("sub_questions"))
    rows = (read_question(sub, own, depth + 1) for sub in below)
    options = (read_option(option) for option in _items(raw.get("options")))
    return Question(
        id=own,
        type=str(raw.get("type") or "").upper(),
        key=str(properties.get("map_key") or "").lower(),
        titles=by_language(raw.get("title")),
        alias=str(raw.get("shortname") or "").strip(),
        options=_unique(o for o in options if o is not None),
        rows=_unique(row for row in rows if row is not None and row.id != own),
        parent=parent,
        base_type=str(raw.get("base_type") or "Question"),
        has_comment=truth(raw.get("comment")),
        properties=properties,
        varname=raw.get("varname"),
    )


def read_option(raw: Any) -> Option | None:
    """Reads one option object, whose id is ``id`` or ``sku``; None for what is none."""
    if not isinstance(raw, Mapping):
        return None
    own = raw.get("id", raw.get("sku"))
    if own in (None, ""):
        return None
    titles = by_language(raw.get("title"))
    value = raw.get("value")
    text = str(value) if value not in (None, [], {}) else pick(titles)
    return Option(id_text(own), titles, text, _mapping(raw.get("properties")))


def conditional_ids(survey: Definition) -> frozenset[str]:
    """Ids of the questions that logic may hide.

    An option names the question that depends on it (``dependent``); newer answers name the rules
    on the question itself (``show_rules_ids``); a hidden page hides its questions.
    """
    found: set[str] = set()
    for option in survey.options:
        depends = option.properties.get("dependent")
        if depends not in (None, "", []):
            found.update(str(d).strip() for d in str(depends).split(","))
    for question in survey.questions:
        for each in question.walk():
            if has_logic(each):
                found.update(part.id for part in each.walk())
    return frozenset(found)


def has_logic(question: Question) -> bool:
    """Whether the question itself carries rules for showing it."""
    names = ("show_rules", "show_rules_ids", "show_rules_logic_map", "hidden", "piped_from")
    return any(question.properties.get(name) not in (None, "", [], False, {}) for name in names)


def _items(value: Any) -> list[Any]:
    """The items of a list, or of a map by id or alias; nothing for anything else."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else []


def _with_aliases(rows: Any) -> list[Any]:
    """The rows of a list or map; keyed by alias, a row may leave its own out."""
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


def _unique(items: Iterable[_Part]) -> tuple[_Part, ...]:
    return tuple({item.id: item for item in items}.values())


def _merge(
    flat: Mapping[str, Question], nested: Question, above: frozenset[str] = frozenset()
) -> Question:
    """The flat row is the more complete one; what it lacks comes from the nested tree.

    What lies below itself, in a definition that goes in a circle, is left out there.
    """
    # Columns of custom tables count anew in each table: an id alone does not tell which.
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


def _on_page(question: Question, page: str) -> Question:
    return replace(question, page=page, rows=tuple(_on_page(row, page) for row in question.rows))
