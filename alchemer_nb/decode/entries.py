"""Read the entry of one question: which answers it holds, and at which paths.

Shapes: facts from https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and real
payloads.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from alchemer_nb.decode.entry_types import (
    DOCUMENTED_MEMBERS,
    Entry,
    ListedOption,
    UntypedOption,
    is_bare_option,
    is_empty,
    is_entry,
    is_listed_option,
    items_by_id,
    needs_untyped_reading,
    read_untyped_entry,
    read_untyped_option,
    to_scalar,
)
from alchemer_nb.decode.leaves import NO_ID, WRITE_IN_SUFFIX, OptionFinder, RawAnswer
from alchemer_nb.survey.columns import (
    COMMENT,
    MEMBER,
    ORIGINAL,
    SECOND_ANSWER,
    AnswerPath,
    plan_columns,
    plan_piped_row,
)
from alchemer_nb.survey.piped_rows import find_parent, piped_row, piped_row_id
from alchemer_nb.survey.question_types import GRID_SINGLE, is_grid, is_known, question_key
from alchemer_nb.wire.ids import id_number, id_text, is_option_id
from alchemer_nb.wire.json import decode_json
from alchemer_nb.wire.text import is_flag, read_flag

if TYPE_CHECKING:
    from alchemer_nb.decode.entry_types import Scalar
    from alchemer_nb.survey.columns import AnswerColumn
    from alchemer_nb.survey.definition import Definition, Option, Question

_DEEPEST = 6  # levels of parts in parts


@dataclass(slots=True)
class EntryContent:
    """The content of one entry.

    Attributes:
        answers: The answer at each path.
        shown: Question id -> whether the entry says that it was shown; the first mention counts.
        unknown_questions: Question id -> (text, type), where the definition does not know it.
        piped_rows: Id of a piped row (see ``survey.piped_rows``) -> its text as received.
        misfits: Number of values whose JSON type was not the documented one.
        unchosen: Number of options listed without a value, which means not chosen.
    """

    answers: dict[AnswerPath, RawAnswer] = field(default_factory=dict)
    shown: dict[str, bool] = field(default_factory=dict)
    unknown_questions: dict[str, tuple[str, str]] = field(default_factory=dict)
    piped_rows: dict[str, str] = field(default_factory=dict)
    misfits: int = 0
    unchosen: int = 0

    def add_answer(self, path: AnswerPath, raw_answer: RawAnswer) -> AnswerPath:
        """Add an answer; a second, different one gets the path below ``SECOND_ANSWER``.

        Returns:
            Its path, or that of the earlier answer that it repeats.
        """
        while path in self.answers:
            if raw_answer.repeats(self.answers[path]):
                return path
            path = (*path, SECOND_ANSWER)
        self.answers[path] = raw_answer
        return path

    def add_members(self, path: AnswerPath, members: Mapping[str, Any]) -> None:
        """Add each member that is not empty as a separate answer."""
        for name in sorted(members):
            if not is_empty(members[name]):
                self.add_answer((*path, str(name)), RawAnswer(to_scalar(members[name])))


class EntryReader:
    """Reads entries of the responses to one survey.

    Args:
        survey: The definition, which has the questions and their parts.

    Attributes:
        known_questions: Ids of its questions and parts, in the order of the survey.
        planned_count: Number of the columns that the definition announces.
    """

    def __init__(self, survey: Definition) -> None:
        parts = list(survey.walk())
        self.known_questions = dict.fromkeys(each.id for each in parts)
        self._language = survey.language
        self._questions = {each.id: each for each in reversed(parts)}
        self._piped_rows: set[str] = set()
        self._parents = {each.id: each.parent for each in parts}
        self._unknown_types = {each.id for each in parts if not is_known(each)}
        grids = [each for each in parts if question_key(each) in GRID_SINGLE]
        self._single_choice_rows = {row.id for grid in grids for row in grid.rows}
        self._choice_paths: set[AnswerPath] = set()  # where an answer is one or more of the options
        self._single_choice_paths: set[AnswerPath] = set()  # where it is one of them alone
        self._cells: set[AnswerPath] = set()  # of grids
        self._options: dict[AnswerPath, OptionFinder] = {}
        planned = plan_columns(survey)
        self.planned_count = len(planned)
        self._add_paths(planned)

    def _add_paths(self, columns: Iterable[AnswerColumn]) -> None:
        """Add the paths at which answers are options of the definition."""
        options: dict[AnswerPath, list[Option]] = {}
        for column in columns:
            if column.part in ("option", "item") and column.option is not None:
                options.setdefault(column.path[:-1], []).append(column.option)
                if column.part == "option":
                    self._choice_paths.add(column.path[:-1])
                if column.is_cell:
                    self._cells.add(column.path)
            elif column.part == "answer" and column.choices:
                options[column.path] = [*column.choices]
                self._single_choice_paths.add(column.path)
        self._choice_paths |= self._single_choice_paths
        self._options |= {
            path: OptionFinder(some, (self._language,)) for path, some in options.items()
        }

    def is_documented(self, question: str) -> bool:
        """Check whether all that an entry of a question may hold is documented."""
        is_known = question in self.known_questions or question in self._piped_rows
        return is_known and question not in self._unknown_types

    def is_piped_row(self, question: str) -> bool:
        """Check whether an id is that of a row whose text a respondent may have typed."""
        return question in self._piped_rows

    def read(self, question: str, raw: bytes) -> EntryContent:
        """Read the JSON of the entry of one question."""
        decoded = decode_json(raw)
        content = EntryContent()
        piped = find_parent(question, decoded, self._questions)
        if piped is not None:
            question = self._add_piped_row(content, *piped)
        self._add_untyped(content, (question,), decoded)
        members = decoded if isinstance(decoded, Mapping) else {}
        if not self.is_documented(question):
            words = str(members.get("question") or ""), str(members.get("type") or "")
            content.unknown_questions.setdefault(question, words)
        content.add_members(self._path_of_members((question,)), _undocumented(members))
        return content

    def _add_piped_row(self, content: EntryContent, parent: Question, text: str) -> str:
        """Return the id of a piped row, and read its options from now on as those of its grid."""
        own = piped_row_id(parent, text)
        content.piped_rows.setdefault(own, text)
        if own not in self._piped_rows:
            self._piped_rows.add(own)
            self._parents[own] = parent.id
            if not self.is_documented(parent.id):
                self._unknown_types.add(own)
            if question_key(parent) in GRID_SINGLE:
                self._single_choice_rows.add(own)
            row = piped_row(parent, own, text, self._language)
            self._add_paths(plan_piped_row(parent, row))
        return own

    def read_typed(self, question: str, entry: Entry, raw: Any) -> EntryContent:
        """Read an entry that the typed decoder made of JSON with documented members alone."""
        if needs_untyped_reading(entry):
            return self.read(question, bytes(raw))
        content = EntryContent()
        self._add_entry(content, (question,), entry)
        return content

    def _path_of_members(self, path: AnswerPath) -> AnswerPath:
        """Return the path above the members of an entry or option."""
        return (*path, MEMBER) if self.is_documented(path[0]) else path

    def _add_untyped(
        self,
        content: EntryContent,
        path: AnswerPath,
        decoded: Any,
        depth: int = 0,
        label: Scalar = None,
    ) -> None:
        """Add an entry of any types; options may be a map or list in its ``answer``."""
        listed = decoded.get("answer") if isinstance(decoded, Mapping) else decoded
        has_options = path in self._options and isinstance(listed, (list, Mapping))
        rest = {**decoded, "answer": None} if isinstance(decoded, Mapping) else {}
        entry, is_wrong = read_untyped_entry(rest if has_options else decoded)
        content.misfits += int(is_wrong or (has_options and not is_empty(listed)))
        self._add_entry(content, path, entry, depth, label)
        if has_options:
            self._add_options(content, path, options_under_answer(listed))

    def _add_entry(
        self,
        content: EntryContent,
        path: AnswerPath,
        entry: Entry,
        depth: int = 0,
        label: Scalar = None,
    ) -> None:
        """Add an entry; ``label`` is what a cell says of its column, other than the definition."""
        if entry.shown is not None:  # each cell of a grid row repeats it
            content.shown.setdefault(path[0], read_flag(entry.shown))
        raw_answer = direct_answer(entry)
        hidden: dict[str, Scalar] = {}
        if not (entry.shown is None or is_flag(entry.shown)):
            hidden["shown"] = entry.shown
        if raw_answer is not None:
            raw_answer = raw_answer._replace(label=label)
            hidden |= {} if entry.answer is None else {"rank": entry.rank}
            hidden |= self._add_answer(content, path, raw_answer, path)
        else:
            hidden[ORIGINAL] = entry.original_answer
            content.unchosen += label is not None
        content.add_members(self._path_of_members(path), hidden)
        if entry.comments not in (None, ""):
            content.add_answer((*path, COMMENT), RawAnswer(entry.comments))
        if isinstance(entry.options, dict) and entry.options:
            at = path[:-1] if self._lists_itself(path, entry.options) else path
            self._add_options(content, at, entry.options, raw_answer)
        if isinstance(entry.subquestions, dict):
            for key, child in entry.subquestions.items():
                self._add_child(content, path, str(key), child, depth + 1)

    def _add_options(
        self,
        content: EntryContent,
        path: AnswerPath,
        options: Mapping[str, ListedOption],
        direct: RawAnswer | None = None,
    ) -> None:
        """Add which options are chosen, or the value of each item.

        Args:
            content: The content of the entry.
            path: Path of the question or row that lists the options.
            options: Options by their ids, or by any other keys.
            direct: The answer in the entry itself, next to ``options``.
        """
        has_choices = path in self._choice_paths
        chosen = {
            key: each
            for key, each in options.items()
            if not (each.is_null or (each.value is False and has_choices))
        }
        for key in options.keys() - chosen.keys():
            listed = options[key]
            own_path = (*path, self._option_id(key, listed, path))
            self._add_members_of_option(content, own_path, listed)
            is_named = listed.option not in (None, "", *self._words_of(own_path))
            content.unchosen += has_choices or is_named
        ids = {key: self._option_id(key, each, path) for key, each in chosen.items()}
        is_the_answer = direct is None and len(chosen) == 1 and path in self._single_choice_paths
        write_ins = (
            {option_id for option_id in ids.values() if option_id.endswith(WRITE_IN_SUFFIX)}
            if has_choices
            else set()
        )
        for key, each in chosen.items():
            option_id, value = ids[key], each.value
            is_planned = self._has_option(path, option_id)
            if not (is_planned or is_option_id(option_id)) and self._is_part(option_id, path[0]):
                raw_answer = RawAnswer(value, None, each.original_answer)
                hidden = self._add_answer(content, (option_id,), raw_answer, (option_id,))
                self._add_hidden_of_option(content, (option_id,), each, value, hidden)
                continue  # a part, which has columns of its own
            if is_planned and not has_choices and each.rank is not None:
                value = each.rank  # the answer next to it repeats the words of the item
            if not is_planned and not has_choices and is_empty(value):
                value = each.option  # all that is known of an item that was removed
            own_path = (*path, option_id.removesuffix(WRITE_IN_SUFFIX))
            is_bare_id = option_id != key and str(value) == option_id
            is_chosen_alone = is_bare_id or (is_planned and has_choices and value is True)
            text = "" if is_chosen_alone else value  # no more than that it is chosen
            raw_answer = RawAnswer(text, option_id, each.original_answer, each.option)
            if is_planned and self._adds_nothing(path, raw_answer, write_ins, direct):
                hidden = self._unseen_of_repeated(own_path, raw_answer, direct)
            else:
                at = path if is_the_answer else own_path
                hidden = self._add_answer(content, at, raw_answer, own_path)
            self._add_hidden_of_option(content, own_path, each, value, hidden)

    def _add_hidden_of_option(
        self,
        content: EntryContent,
        path: AnswerPath,
        listed: ListedOption,
        value: Scalar,
        hidden: Mapping[str, Scalar],
    ) -> None:
        """Add what a listed option has besides the value that its column shows."""
        members: dict[str, Any] = {"rank": listed.rank} if value is not listed.rank else {}
        if listed.answer not in {value, listed.option, *self._words_of(path)}:
            members["answer"] = listed.answer
        members |= hidden
        shows_label = is_empty(value) and is_empty(listed.original_answer)
        if not shows_label and path[0] in self._unknown_types:
            members["option"] = listed.option  # of an unknown type, it may be no fixed label
        content.add_members(self._path_of_members(path), members)
        self._add_members_of_option(content, path, listed)

    def _add_members_of_option(
        self, content: EntryContent, path: AnswerPath, listed: ListedOption
    ) -> None:
        if isinstance(listed, UntypedOption):
            content.add_members(self._path_of_members(path), listed.members)

    def _add_answer(
        self, content: EntryContent, path: AnswerPath, raw_answer: RawAnswer, own_path: AnswerPath
    ) -> dict[str, Scalar]:
        """Add an answer, and return those of its words that no column shows and no note counts.

        Args:
            content: The content of the entry.
            path: Path of the answer.
            raw_answer: The answer; where it repeats an earlier one, its other words may differ.
            own_path: Path of the option that was chosen, or again that of the answer.
        """
        path = content.add_answer(path, raw_answer)
        shown = content.answers[path]
        words = {*map(str, self._words_of(own_path))}
        has_own_label = raw_answer.label == shown.label and not self._ignores_label(path, shown)
        unseen: dict[str, Scalar] = {}
        if self._is_write_in(path, shown):  # which shows the original text, if there is one
            if path in self._single_choice_paths:
                words |= {*_words(self._options[path].get(shown.answer_id))}
            text = shown.text if shown.original in (None, "") else str(shown.original)
            if raw_answer.text not in (None, text, *words):
                unseen["answer"] = raw_answer.text
        else:
            text = raw_answer.text
        if str(raw_answer.original) not in (text, raw_answer.text):
            unseen[ORIGINAL] = raw_answer.original
        if not has_own_label and str(raw_answer.label) not in words:
            unseen["option"] = raw_answer.label
        return unseen

    def _unseen_of_repeated(
        self, path: AnswerPath, raw_answer: RawAnswer, direct: RawAnswer | None
    ) -> dict[str, Scalar]:
        """Return the words of an option that its answer elsewhere in the entry does not have."""
        words = {*map(str, self._words_of(path))}
        known = words if direct is None else {*words, direct.text, str(direct.original)}
        unseen = {ORIGINAL: raw_answer.original} if str(raw_answer.original) not in known else {}
        return unseen | ({} if str(raw_answer.label) in words else {"option": raw_answer.label})

    def _ignores_label(self, path: AnswerPath, raw_answer: RawAnswer) -> bool:
        """Check whether the column of a path neither shows nor notes the label of an answer."""
        return path in self._single_choice_paths and raw_answer.answer_id in NO_ID

    def _is_write_in(self, path: AnswerPath, raw_answer: RawAnswer) -> bool:
        """Check whether the column of a path shows the text of an answer as a write-in."""
        stem = path[:-1]
        if path in self._single_choice_paths:
            option = self._options[path].get(raw_answer.answer_id)
            return raw_answer.is_write_in or (option is not None and option.is_other)
        is_listed = stem in self._choice_paths and stem not in self._single_choice_paths
        if not is_listed or path in self._cells:
            return False
        option = self._options[stem].get(path[-1])
        return option is not None and option.is_other and option.id == path[-1]

    def _words_of(self, path: AnswerPath) -> tuple[str, ...]:
        """Return the words of the option at a path, in the definition."""
        finder = self._options.get(path[:-1])
        return _words(finder.get(path[-1]) if finder else None)

    def _lists_itself(self, cell: AnswerPath, options: Mapping[str, ListedOption]) -> bool:
        """Check whether a cell of a grid lists its own column instead of an answer."""
        row, column = cell[:-1], cell[-1]
        return row in self._choice_paths and all(
            self._option_id(key, each, row) == column for key, each in options.items()
        )

    def _adds_nothing(
        self,
        path: AnswerPath,
        raw_answer: RawAnswer,
        write_ins: Collection[str],
        direct: RawAnswer | None,
    ) -> bool:
        """Check whether an option repeats the direct answer, or its own write-in."""
        option_id = id_text(raw_answer.answer_id)
        repeats_direct = direct is not None and option_id == id_text(direct.answer_id)
        if not repeats_direct and f"{option_id}{WRITE_IN_SUFFIX}" not in write_ins:
            return False
        if path not in self._choice_paths and direct is not None:  # any text is an answer
            return raw_answer.text in (None, direct.text)
        meant = self._options[path].find(RawAnswer(raw_answer.text))[0]
        return raw_answer.text is None or (meant is not None and meant.id == option_id)

    def _option_id(self, key: str, chosen: ListedOption, path: AnswerPath) -> str:
        """Return the id of an option: its key, or its ``id`` where keys only number or name it."""
        if self._has_option(path, key) or self._is_part(key, path[0]):
            return key
        own_id = "" if chosen.id is None else id_text(chosen.id)
        if self._has_option(path, own_id):
            return own_id
        if id_number(key) is not None and is_option_id(key):
            return key  # of an option that is no longer in the definition
        options = self._options.get(path)
        text = (chosen.value if path in self._choice_paths else None) or chosen.option
        found = None if own_id or options is None else options.find(RawAnswer(text, text))[0]
        return found.id if found is not None else own_id or key

    def _has_option(self, path: AnswerPath, option_id: str) -> bool:
        return path in self._options and self._options[path].has(option_id)

    def _add_child(
        self, content: EntryContent, path: AnswerPath, key: str, child: Any, depth: int
    ) -> None:
        """Add a sub-question, which is an entry, an option, or a map of either."""
        below = self._path_below(path, key)
        if len(path) == 1 and is_option_id(key) and _has_cells_alone(child):
            below = self._path_of_cells(content, path, key, child) or below
        if isinstance(child, list) and any(isinstance(cell, Mapping) for cell in child):
            content.misfits += 1
            child = dict(items_by_id(child))
        if not isinstance(child, Mapping) or depth > _DEEPEST:
            if child not in (None, [], {}, ""):
                content.add_answer(below, RawAnswer(to_scalar(child)))
            return
        if len(below) == 1 and key not in self.known_questions and "question" in child:
            words = (str(child["question"]), str(child.get("type") or ""))
            content.unknown_questions.setdefault(key, words)
        if is_bare_option(child) and len(below) > 1:
            self._add_options(content, below[:-1], {key: read_untyped_option(child)})
        elif is_entry(child):
            label = self._other_label(below, child)
            self._add_untyped(content, below, child, depth, label)
            self._add_members_of_part(content, below, child)
        else:
            self._add_parts(content, below, child, depth)

    def _path_of_cells(
        self, content: EntryContent, path: AnswerPath, key: str, cells: Mapping[str, Any]
    ) -> AnswerPath | None:
        """Return the path of a piped row inside the entry of its grid; None if it is none.

        The text of the row is in its cells, which say "Row : Column".
        """
        if path[0] in self._piped_rows:
            return path
        grid = self._questions.get(path[0])
        if grid is None or not is_grid(grid):
            return None
        text = str(next(iter(cells.values()))["question"]).rpartition(" : ")[0]
        found = find_parent(key, {"parent": grid.id, "question": text}, self._questions)
        return None if found is None else (self._add_piped_row(content, *found),)

    def _add_parts(
        self, content: EntryContent, path: AnswerPath, parts: Mapping[str, Any], depth: int
    ) -> None:
        """Add a map of cells, or of options."""
        if len(path) == 1 and path[0] in self._single_choice_rows:
            for cell, inner in parts.items():
                column = self._option_id(str(cell), read_untyped_option(inner), path)
                self._add_row_column(content, path, column, inner, depth + 1)
        elif path in self._choice_paths and all(map(is_listed_option, parts.values())):
            self._add_options(
                content, path, {str(k): read_untyped_option(v) for k, v in parts.items()}
            )
        else:
            for cell, inner in parts.items():
                self._add_child(content, path, _cell_id(str(cell), inner), inner, depth + 1)

    def _add_row_column(
        self, content: EntryContent, row: AnswerPath, column: str, cell: Any, depth: int
    ) -> None:
        """Add one column of a single-choice row; tables in groups may list all columns."""
        entry, is_wrong = read_untyped_entry(cell)
        content.misfits += int(is_wrong)
        if is_bare_option(cell):
            entry.answer, entry.answer_id = "", column
        elif entry.answer in (None, ""):
            content.unchosen += entry.answer_id is not None
            entry.answer = entry.answer_id = None
        elif entry.answer_id is None:
            entry.answer_id = column
        label = self._other_label((*row, column), cell) if isinstance(cell, Mapping) else None
        self._add_entry(content, row, entry, depth, label)
        if isinstance(cell, Mapping):
            self._add_members_of_part(content, row, cell)

    def _other_label(self, path: AnswerPath, part: Mapping[str, Any]) -> Scalar:
        """Return the label that a cell has for its column, if the definition has another."""
        label = to_scalar(part.get("option"))
        is_known = is_empty(label) or str(label) in self._words_of(path)
        return None if is_known or not self.is_documented(path[0]) else label

    def _add_members_of_part(
        self, content: EntryContent, path: AnswerPath, part: Mapping[str, Any]
    ) -> None:
        """Add the undocumented members of a sub-question or cell."""
        members = _undocumented(part)
        if self.is_documented(path[0]):
            members.pop("option", None)  # the words of a cell's column
        content.add_members(self._path_of_members(path), members)

    def _path_below(self, path: AnswerPath, key: str) -> AnswerPath:
        """Return the path of a part: rows of grids and parts of groups are questions themselves.

        All that a piped row has stays below it, or what other rows have would be mixed with it.
        An id that the definition does not know, or not as a part, belongs to a question if it is
        small; ids from 10001 are options. Column ids of custom tables are unique within their
        table only, so their paths begin with the table.
        """
        if is_option_id(key) or path[0] in self._piped_rows:
            return (*path, key)
        if not self._parents.get(key):  # an unknown type may use any keys
            return (*path, key) if path[0] in self._unknown_types else (key,)
        return (key,) if self._is_part(key, path[0]) else (*path, key)

    def _is_part(self, part: str, question: str) -> bool:
        for _ in range(_DEEPEST):  # a group may list the parts of the groups in it as its own
            part = self._parents.get(part, "")
            if part in (question, ""):
                break
        return part == question


def _words(option: Option | None) -> tuple[str, ...]:
    return () if option is None else (option.value, option.label(), *option.titles.values())


def _undocumented(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: members[name] for name in members.keys() - DOCUMENTED_MEMBERS}


def says_more_than_its_answer(entry: Entry) -> bool:
    """Check whether an entry has more than one answer with its id, and a flag."""
    return bool(
        entry.original_answer is not None
        or (entry.rank is not None and entry.answer is not None)
        or entry.options
        or entry.subquestions
        or entry.comments not in (None, "")
        or not (isinstance(entry.shown, bool) or is_flag(entry.shown))
    )


def options_under_answer(listed: Any) -> dict[str, ListedOption]:
    """Return the options of an answer that is a map or list of them, or one of them."""
    is_one = isinstance(listed, Mapping) and ("option" in listed or "rank" in listed)
    items = listed.items() if isinstance(listed, Mapping) and not is_one else items_by_id(listed)
    return {str(key): read_untyped_option(item) for key, item in items}


def _has_cells_alone(child: Any) -> bool:
    """Check whether a map is a row of cells, each with its question."""
    return (
        isinstance(child, Mapping)
        and bool(child)
        and not is_entry(child)
        and all(isinstance(cell, Mapping) and "question" in cell for cell in child.values())
    )


def direct_answer(entry: Entry) -> RawAnswer | None:
    """Return the answer in the entry itself, None where it has only options or parts."""
    answer = entry.rank if entry.answer is None else entry.answer
    if answer is None and entry.answer_id in NO_ID:
        return None
    return RawAnswer(answer, entry.answer_id, entry.original_answer)


def _cell_id(key: str, cell: Any) -> str:
    """Return the id of a cell: its key, or its ``id`` where the keys only number the cells."""
    own_id = cell.get("id") if isinstance(cell, Mapping) and not is_option_id(key) else None
    return key if own_id in (None, "") else id_text(own_id)
