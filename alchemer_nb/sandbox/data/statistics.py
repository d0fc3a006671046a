"""``surveystatistic``: counts per question, in the odd shape of the vendor's page on it.

Numbers are strings, one key has a space in it, and questions without numbers have only an id and
a type. invented: that piped rows count for the question that is repeated, that test and partial
responses are left out, that rows of grids and parts of groups have rows of their own, and how the
numbers are rounded.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.demo.survey_writer import FIRST_SKU

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from alchemer_nb.sandbox.data.definition import Definition

_COUNTED = ("RADIO", "MENU", "NPS", "CHECKBOX", "IMAGE_SELECT", "TABLE")


def count_answers(survey: Definition, records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row for each question.

    Args:
        survey: The survey.
        records: Its responses in neutral form.
    """
    answers: dict[int, Counter[str]] = {int(q["id"]): Counter() for q in survey.questions()}
    answered: Counter[int] = Counter()
    for record in records:
        if record.get("is_test_data") or record["status"] != "Complete":
            continue
        questions = set()
        for entry in (record.get("survey_data") or {}).values():
            for number, chosen in _choices(entry):
                if number in answers and chosen:
                    questions.add(number)
                    answers[number].update(chosen)
        answered.update(questions)
    return [
        _row(survey, question, answers[int(question["id"])], answered[int(question["id"])])
        for question in survey.questions()
    ]


def _choices(entry: dict[str, Any]) -> Iterator[tuple[int, list[str]]]:
    """Yield each question of an entry, rows of its grid included, with the options chosen."""
    inner = entry.get("subquestions")
    if not isinstance(inner, dict):
        yield _question_of(entry), _chosen(entry)
        return
    for key, part in inner.items():
        number = int(key) if key.isdigit() else FIRST_SKU
        if number >= FIRST_SKU or not isinstance(part, dict):
            continue  # a column of a custom table, whose id is unique in its table, or no question
        if "subquestions" in part:
            yield from _choices(part)
        elif "id" in part:
            yield number, _chosen(part)
        else:
            yield (
                number,
                [
                    sku
                    for sku, cell in part.items()
                    if isinstance(cell, dict) and cell.get("answer")
                ],
            )


def _question_of(entry: dict[str, Any]) -> int:
    """Return the question of an entry; a piped row counts for the question that it repeats."""
    number = int(entry["id"])
    return int(entry["parent"]) if number >= FIRST_SKU else number


def _chosen(entry: dict[str, Any]) -> list[str]:
    options = entry.get("options")
    if isinstance(options, dict):
        return [str(one["id"]) for one in options.values() if one.get("answer", "") is not None]
    return [str(entry["answer_id"]).split("-")[0]] if entry.get("answer_id") else []


def _row(
    survey: Definition, question: dict[str, Any], counts: Counter[str], total: int
) -> dict[str, Any]:
    row: dict[str, Any] = {"id": int(question["id"]), "type": question["type"]}
    above = survey.parent_of(row["id"]) or {}
    options = (
        question.get("options") or (above.get("type") == "TABLE" and above.get("options")) or []
    )
    if question["type"] not in _COUNTED or not options or question.get("sub_questions"):
        return row
    numbers = [
        float(one["value"])
        for one in options
        if _is_number(one.get("value"))
        for _ in range(counts[str(one["id"])])
    ]
    return row | {
        "breakdown": [
            {
                "label": str(next(iter((one.get("title") or {}).values()), "")),
                "percentage": f"{100 * counts[str(one['id'])] / total if total else 0:.1f}",
                "count": str(counts[str(one["id"])]),
            }
            for one in options
        ],
        "total responses": str(total),
        "sum": f"{sum(numbers):g}",
        "average": f"{sum(numbers) / len(numbers):.1f}" if numbers else "",
        "stdDev": _deviation(numbers),
        "min": f"{min(numbers):g}" if numbers else None,
        "max": f"{max(numbers):g}" if numbers else None,
    }


def _deviation(numbers: list[float]) -> str | None:
    from statistics import pstdev

    return f"{pstdev(numbers):.2f}" if numbers else None


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
