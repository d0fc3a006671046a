"""A survey that is made by hand, for tables of any answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.survey_json import frame as download
from tests.survey_json import option, question, response

if TYPE_CHECKING:
    import pandas as pd

    from tests.scripted import ScriptedServer

SCALE = [option(10001, "Very good", "4"), option(10002, "Good", "3"), option(10003, "Bad", "2"),
         option(10004, "Very bad", "1"), option(10005, "Not applicable", "99")]  # fmt: skip
PLACES = [option(10011, "North", "n"), option(10012, "South", "s"), option(10013, "East", "e")]
SEVERAL = [option(10021, "Web"), option(10022, "Shop"), option(10023, "None of it", na=True)]
QUESTIONS = [
    question(2, "RADIO", "How is it?", "rating", SCALE, key="radio"),
    question(3, "RADIO", "Where?", "place", PLACES, key="radio"),
    question(4, "CHECKBOX", "Which?", "which", SEVERAL, key="checkbox"),
]


def entry(own: int, kind: str, **more: Any) -> dict[str, Any]:
    return {"id": own, "type": kind, "question": "", "section_id": 1, "shown": True, **more}


def answer(own: int, options: list[dict[str, Any]], place: int | None) -> dict[str, Any]:
    if place is None:
        return entry(own, "RADIO")
    one = options[place]
    return entry(own, "RADIO", answer=one["value"], answer_id=one["id"])


def respond(
    own: int, rating: int | None, place: int | None, which: tuple[int, ...] | None
) -> dict[str, Any]:
    """Return a response that chose some positions; None for a skipped question."""
    data = {"2": answer(2, SCALE, rating), "3": answer(3, PLACES, place)}
    if which:
        held = {
            str(SEVERAL[n]["id"]): {"id": SEVERAL[n]["id"], "option": SEVERAL[n]["value"],
                                    "answer": SEVERAL[n]["value"]}
            for n in which
        }  # fmt: skip
        data["4"] = entry(4, "CHECKBOX", options=held)
    return response(own, data)


def survey(
    scripted: ScriptedServer,
    answers: list[tuple[int | None, int | None, tuple[int, ...] | None]],
    **options: Any,
) -> pd.DataFrame:
    responses = [respond(own, *each) for own, each in enumerate(answers, 1)]
    return download(scripted, QUESTIONS, responses, **options)
