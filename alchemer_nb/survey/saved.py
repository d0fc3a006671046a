"""Definitions in files, for a comparison with what a survey asks later."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from alchemer_nb.errors import InvalidArgument
from alchemer_nb.survey.definition import Definition, Option, Page, Question

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMAT = "alchemer_nb survey 1"
_BELOW: dict[str, Any] = {
    "pages": Page,
    "questions": Question,
    "rows": Question,
    "options": Option,
}
_Made = TypeVar("_Made", Definition, Page, Question, Option)


def save(survey: Definition, path: str | Path) -> None:
    """Writes a definition to a JSON file."""
    text = json.dumps({"format": _FORMAT, "survey": asdict(survey)}, indent=1)
    Path(path).write_text(text, encoding="utf-8")


def load(path: str | Path) -> Definition:
    """Reads what ``save`` wrote.

    Raises:
        InvalidArgument: The file holds something else.
    """
    try:
        saved = json.loads(Path(path).read_text(encoding="utf-8"))
        if saved["format"] != _FORMAT:
            raise ValueError(saved["format"])
        return _restored(Definition, saved["survey"])
    except (ValueError, TypeError, KeyError, AttributeError):
        raise InvalidArgument(f"{path} does not hold a definition that Survey.save wrote") from None


def _restored(kind: type[_Made], raw: Mapping[str, Any]) -> _Made:
    """Makes one part of a definition, and all below it, from what was saved."""
    values: dict[str, Any] = {
        each.name: tuple(_restored(_BELOW[each.name], part) for part in raw[each.name])
        if each.name in _BELOW
        else raw[each.name]
        for each in fields(kind)
    }
    if "languages" in values:
        values["languages"] = tuple(values["languages"])
    return kind(**values)
