"""Surveys of all question types with answers of people who never were, drawn by a seed.

Shapes: https://apihelp.alchemer.com/help/surveyresponse-per-question-v5 and payloads seen in
public. Each survey comes in two forms: that of 2017, and the newer one of `newer`.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from tests.survey_json import option, question, response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Json = dict[str, Any]

LABELS = (
    "Good",
    "<b>Best</b> of all",
    "Tea &amp; milk",
    "Caf\u00e9&nbsp;noir",
    "Good",
    "Not at all",
)
NAMES = ("Brand A", "Larkmoor", "Fell and Co", "4 seasons")
TEXTS = ("Because.", " Zoë ", "<i>Bo</i> &amp; Co", "a\nb", "名前", "1", "02134", "=1+1", "NA")
NUMBERS = ("41", "7", "-2.5", "1,234.5", "about 40", "02134", "12%", "+3", "1.50", "0", "")
DATES = ("12/25/2025", "03/04/2026", "2/9/2024", "02/30/2026", "soon", "31/12/2025")
WRITTEN = ("By post", "<b>Tandem</b>", "7", "Zoë & Co")
STAMPS = (  # started, submitted, updated: the last one in the time of the account
    ("2026-07-15 10:40:26 EDT", "2026-07-15 10:42:26 EDT", "2026-07-15 10:42:26"),
    ("2026-01-31 23:59:00 EST", "2026-02-01 00:00:01 EST", "2026-02-03 09:15:00"),
    ("2026-11-01 01:30:00 EDT", "2026-11-01 01:30:00 EST", "2026-11-01 02:30:00"),
    ("2026-03-08 06:59:59 GMT", "2026-03-08 07:00:00 GMT", "2026-03-08 03:00:00"),
)
KINDS = {
    **dict.fromkeys(("radio", "radio-likert", "repeated"), "RADIO"),
    **dict.fromkeys(("text", "email", "number", "percent", "date"), "TEXTBOX"),
    **dict.fromkeys(("single-image", "multi-image"), "IMAGE_SELECT"),
    **dict.fromkeys(("rank-dragdrop", "rank-table"), "RANK"),
    **dict.fromkeys(("group", "contactgroup"), "GROUP"),
    "menu": "MENU", "radio-nps": "NPS", "slider": "SLIDER", "essay": "ESSAY", "hidden": "HIDDEN",
    "file": "FILE", "checkbox": "CHECKBOX", "contsum": "CONT_SUM", "multitext": "MULTI_TEXTBOX",
    "multi_slider": "MULTI_SLIDER", "matrix": "MATRIX", "instructions": "INSTRUCTIONS",
    "signature": "SIGNATURE", "heatmap": "HEATMAP", "card-sort": "CARD_SORT",
}  # fmt: skip
GRIDS = {
    "table-radio": "RADIO", "table-menu": "MENU", "table-checkbox": "CHECKBOX",
    "table-textbox": "TEXTBOX", "table-stars": "MULTI_TEXTBOX", "rank-table": "RADIO",
    "table-menu-matrix": "MULTI_TEXTBOX",
}  # fmt: skip
TYPES = tuple(dict.fromkeys((*KINDS, *GRIDS, "piped")))
OF_TYPE_ALONE = {"radio", "menu", "checkbox", "text", "essay", "hidden", "multitext", "table-radio"}
PARTS = ("radio", "menu", "text", "number", "checkbox", "essay", "date")
OF_GROUPS = (*PARTS, "multitext", "table-radio", "table-textbox", "table-checkbox")
FIRST_SKU = 10001
WITHOUT_OPTIONS = {
    *("text", "email", "number", "percent", "date", "essay", "hidden", "file", "slider"),
    *("instructions", "signature", "group", "contactgroup", "matrix"),
}
#: Properties of what is repeated for each earlier answer.
PIPED = {
    "piped": {"map_key": "table-radio", "piped_from": "2"},
    "repeated": {"map_key": "radio", "piped_from": "2"},
}


class Form:
    """A survey, and the answers of one response after the other.

    Args:
        rng: Random generator.
    """

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._question, self._sku, self._row = 1, FIRST_SKU, FIRST_SKU
        some = rng.choices(TYPES, k=rng.randrange(2, 9))
        self.questions = [self._ask(key) for key in some]
        self._deleted = [self._new_question(), self._new_question()]

    def _draw(self, chance: float) -> bool:
        return self.rng.random() < chance

    def _new_question(self) -> int:
        self._question += self.rng.choice((1, 1, 3))
        return self._question

    def _options(self, count: int, *, other: bool = False, ranks: bool = False) -> list[Json]:
        first = self._sku
        self._sku += count + 2
        labels = self.rng.sample(LABELS, min(count, len(LABELS)))
        codes = self.rng.choice(
            ("numbers", "scale", "words", "padded", "same")[: 2 if ranks else 5]
        )
        made = []
        for place, label in enumerate(labels):
            value = {"numbers": str(place + 1), "padded": f"0{place + 1}", "same": "1"}.get(codes)
            made.append(option(first + place, label, value or f"v{first + place}"))
            if codes == "scale":  # numbers alone
                made[-1] = option(first + place, str(place), str(place))
            if codes != "scale" and self._draw(0.2):
                made[-1]["title"]["German"] = f"Deutsch {place} &amp; mehr"
        if other and self._draw(0.6):
            made[-1] = option(made[-1]["id"], "Other", "other", other=True)
        return made

    def _ask(self, key: str, own: int | None = None) -> Json:
        """Draw a question."""
        asked = own or self._new_question()
        kind = KINDS.get(key, "TABLE")
        properties: Json = PIPED.get(key, {"map_key": key})
        if key in ("email", "number", "percent", "date"):
            properties = {"map_key": self.rng.choice((key, "text")), "subtype": key.upper()}
        options, rows = self._options_of(key), self._parts_of(key)
        if key in ("table-radio", "rank-table") and self._draw(0.3):
            rows = [{**row, "options": options} for row in rows]
        made = question(asked, kind, f"Question <b>{asked}</b>", "", options, rows)
        made |= {"properties": properties, "comment": self._draw(0.2)}
        if key in OF_TYPE_ALONE and self._draw(0.2):
            made["properties"] = []
        if rows and key in GRIDS and self._draw(0.3):
            made["sub_questions"] = {f"row_{row['id']}": row for row in rows}
        return made

    def _options_of(self, key: str) -> list[Json]:
        if key == "radio-nps":
            self._sku += 11
            return [option(self._sku - 11 + n, str(n)) for n in range(11)]
        if key in GRIDS or key == "piped":
            return self._options(self.rng.randrange(1, 4), ranks=key == "rank-table")
        if key in WITHOUT_OPTIONS:
            return []
        items = key in ("rank-dragdrop", "contsum", "multitext", "multi_slider")
        return self._options(self.rng.randrange(1, 5), other=not items)

    def _parts_of(self, key: str) -> list[Json]:
        """Draw the rows of a grid, the parts of a group, or the columns of a custom table."""
        count = self.rng.randrange(1, 4)
        if key in GRIDS:
            return [self._row_of(key) for _ in range(count)]
        if key in ("group", "contactgroup"):
            inner = PARTS[2:5] if key == "contactgroup" else OF_GROUPS
            return [self._ask(self.rng.choice(inner)) for _ in range(count)]
        if key == "matrix":  # the columns of every custom table count from 10001
            return [self._ask(self.rng.choice(PARTS), FIRST_SKU + n) for n in range(count)]
        return []

    def _row_of(self, key: str) -> Json:
        own = self._new_question()
        return question(own, GRIDS[key], f"Row {own}", self.rng.choice(("", f"row_{own}")))

    def flat(self) -> list[Json]:
        """Return the list of questions, in which rows and parts are listed a second time."""
        found = []
        for each in self.questions:
            below = [row for row in rows_of(each) if row["id"] < FIRST_SKU]
            deeper = [inner for row in below for inner in rows_of(row)]
            found += [each, *below, *deeper]
        return found

    def answers(self) -> Json:
        """Draw the answers of one response; ``{}`` if nothing was recorded."""
        if self._draw(0.1):
            return {}
        data: Json = {}
        self._row = FIRST_SKU
        for each in self.questions:
            self._answer(each, data)
        page = {"section_id": 3, "shown": True}
        radio, boxes = self._deleted
        if self._draw(0.1):
            words = {"answer": "Yes, once", "answer_id": 10981}
            data[str(radio)] = {"id": radio, "type": "RADIO", "question": "Once?", **words, **page}
        if self._draw(0.1):
            red = {"10991": {"id": 10991, "option": "Red", "answer": "red, once"}}
            head = {"id": boxes, "type": "parent", "question": "Which?"}
            data[str(boxes)] = {**head, "options": red, **page}
        return data

    def _answer(self, asked: Json, data: Json) -> None:
        """Add the entries of one question at the top level."""
        key, page = key_of(asked), {"section_id": 1}
        own, is_shown = asked["id"], self._draw(0.9)
        tail = {"shown": is_shown}
        if key in ("instructions", "script"):
            return
        if key in ("piped", "repeated"):
            self._pipe(asked, data)
        elif key in ("table-radio", "table-menu", "rank-table"):
            comments = {"comments": self.rng.choice(TEXTS)} if self._draw(0.1) else {}
            if not is_shown or comments:
                data[str(own)] = {**head(asked, "TABLE"), **page, **comments, **tail}
            for row in rows_of(asked):
                chosen = self._choice(asked["options"], is_row=True) if is_shown else {}
                above = {**head(row, "RADIO"), "parent": own}
                data[str(row["id"])] = {**above, **page, **chosen, **tail}
        elif key in GRIDS or key in ("group", "contactgroup", "matrix"):
            below = self._below(asked, is_shown)
            data[str(own)] = {**head(asked, "parent"), "subquestions": below or [], **page, **tail}
        else:
            self._answer_plain(asked, key, data, {**page}, tail)

    def _answer_plain(self, asked: Json, key: str, data: Json, page: Json, tail: Json) -> None:
        members = self._members(asked, key) if self._draw(0.8) else {}
        if key in ("checkbox", "multi-image") and not members.get("options"):
            return  # without a tick there is no entry
        kind = "parent" if "options" in members or "subquestions" in members else asked["type"]
        if self._draw(0.1):
            members["comments"] = self.rng.choice(TEXTS)
        data[str(asked["id"])] = {**head(asked, kind), **page, **members, **tail}

    def _members(self, asked: Json, key: str) -> Json:
        """Draw what an entry has if somebody answered."""
        draw: dict[str, Callable[[], Json]] = {
            "number": lambda: {"answer": self.rng.choice(NUMBERS)},
            "percent": lambda: {"answer": self.rng.choice(NUMBERS)},
            "slider": lambda: {"answer": self.rng.choice(("0", "55", 55, 0, 12.5, "100"))},
            "date": lambda: {"answer": self.rng.choice(DATES)},
            "hidden": lambda: {"answer": "news", "answer_id": 0},
            "file": lambda: {"answer": "12-0a1b2c3d_photo.png", "answer_id": 10017},
            "signature": lambda: {"answer": {"signature": "M1,2L3,4", "name": "Ann Example"}},
            "heatmap": lambda: {"answer": {"response": self._clicks()}},
            "card-sort": lambda: {"subquestions": {"pile": {"first": "card 1"}, "left": "card 3"}},
        }  # fmt: skip
        if key in draw:
            return draw[key]()
        if key in ("radio", "menu", "radio-likert", "radio-nps", "single-image"):
            return self._choice(asked["options"])
        if key in ("checkbox", "multi-image"):
            return {"options": self._ticked(asked["options"])}
        if asked["options"]:
            return self._listed(asked["options"], key)
        return {"answer": self.rng.choice(TEXTS)} if self._draw(0.9) else self._nothing()

    def _nothing(self) -> Json:
        """Draw what an entry of text has where nobody answered."""
        return self.rng.choice(({}, {}, {"answer": None}, {"answer": ""}))

    def _clicks(self) -> Json:
        dot = {"id": 1, "x": 12, "y": 40, "xPercent": 3.5, "answer": "Like", "comment": "Nice"}
        return {"imageW": 640, "imageH": 480, "dots": [dot] * self.rng.randrange(3)}

    def _choice(self, options: list[Json], *, is_row: bool = False) -> Json:
        """Draw a single choice, perhaps a written, an edited, or a deleted one; or nothing."""
        if self._draw(0.2):
            return self._nothing()
        chosen = self.rng.choice(options)
        if chosen["properties"] and self._draw(0.7):
            return {"answer": self.rng.choice(WRITTEN), "answer_id": f"{chosen['id']}-other"}
        own = chosen["id"] if self._draw(0.9) else str(chosen["id"])
        entry = {"answer": chosen["value"], "answer_id": own}
        if is_row and self._draw(0.1):
            return {"answer": chosen["value"]}  # as in the examples of the reference
        if self._draw(0.05):
            return {"answer": "Ancient", "answer_id": 10999}
        is_edited = not chosen["properties"] and self._draw(0.1)
        return {"original_answer": "Before", **entry} if is_edited else entry

    def _ticked(self, options: list[Json]) -> Any:
        """Draw chosen options: a map, or a list of them; null stands at some not chosen."""
        found = {}
        for each in options:
            one = {"id": each["id"], "option": each["title"]["English"]}
            if self._draw(0.5):
                value = self.rng.choice(WRITTEN) if each["properties"] else each["value"]
                found[str(each["id"])] = one if self._draw(0.05) else {**one, "answer": value}
                if each["properties"] and self._draw(0.5):  # as other clients read it
                    words = {"answer": each["value"], "original_answer": value}
                    found[str(each["id"])] = {**one, **words}
            elif self._draw(0.1):
                found[str(each["id"])] = {**one, "answer": None}
        if self._draw(0.05):
            found["10998"] = {"id": 10998, "option": "Fax", "answer": "fax"}
        return [*found.values()] if self._draw(0.1) else found

    def _listed(self, options: list[Json], key: str) -> Json:
        """Draw the items of a list, of which some are left out."""
        numbers = ("1", "2", "3") if key == "rank-dragdrop" else ("40", "12.5", "-3", "60")
        texts = TEXTS if key == "multitext" else numbers
        word = self.rng.choice(("answer", "rank")) if key == "rank-dragdrop" else "answer"
        found = {
            str(one["id"]): {"id": one["id"], "option": one["title"]["English"], word: text}
            for one, text in zip(options, self.rng.choices(texts, k=len(options)), strict=True)
            if self._draw(0.7)
        }
        if word == "rank" and self._draw(0.5):  # newer ones are under `answer`
            return {"answer": [*found.values()] if self._draw(0.3) else found}
        return {"options": found}

    def _below(self, asked: Json, is_shown: bool) -> Json:
        """Draw the `subquestions` of a grid of cells, a group or a custom table."""
        key = key_of(asked)
        if key in GRIDS:
            rows = rows_of(asked)
            return {str(row["id"]): self._cells(asked, row, key, is_shown) for row in rows}
        return {
            str(part["id"]): self._part(part, key_of(part), asked, is_shown and self._draw(0.8))
            for part in rows_of(asked)
        }

    def _cells(self, asked: Json, row: Json, key: str, is_shown: bool) -> Json:
        cells = {}
        for column in asked["options"]:
            words = f"{row['title']['English']} : {column['title']['English']}"
            texts = {"table-checkbox": (column["value"],), "table-stars": ("1", "4", "5")}
            answer = self.rng.choice(texts.get(key, TEXTS)) if self._draw(0.6) else None
            cell = {
                "id": column["id"],
                "type": GRIDS[key],
                "parent": asked["id"],
                "question": words,
            }
            answer = answer if is_shown else None
            cells[str(column["id"])] = {**cell, "answer": answer, "shown": is_shown}
        return cells

    def _part(self, part: Json, key: str, above: Json, is_answered: bool) -> Any:
        """Draw the entry of a part: without `shown` and `section_id`, but in a custom table."""
        if part["id"] >= FIRST_SKU:
            members = self._members(part, key) if is_answered else {}
            if key == "checkbox":
                members = {"options": members.get("options") or []}
            return {**head(part, part["type"]), "section_id": 1, **members, "shown": True}
        top = {**head(part, part["type"]), "parent": above["id"]}
        if key == "table-radio":
            below = {
                str(row["id"]): {**head(row, "RADIO"), "parent": part["id"]}
                | ((is_answered and self._choice(part["options"], is_row=True)) or {"answer": ""})
                for row in rows_of(part)
            }
            return {**top, "subquestions": below}
        if key in GRIDS:
            return {**top, "subquestions": self._below(part, is_answered)}
        members = self._members(part, key) if is_answered else {}
        if key == "checkbox":
            return {**top, "options": with_original(members.get("options") or []) or []}
        if key == "multitext":  # a bare map, without `id` and `type`
            return members.get("options") or []
        return {**top, **(members or {"answer": ""})}

    def _pipe(self, asked: Json, data: Json) -> None:
        """Add the rows made of earlier answers; their ids count anew in each response."""
        for name in self.rng.sample(NAMES, self.rng.randrange(len(NAMES))):
            words = {"parent": asked["id"], "question": name, "section_id": 4}
            members = {**words, **self._choice(asked["options"]), "shown": True}
            data[str(self._row)] = {"id": self._row, "type": "RADIO", **members}
            self._row += 1


def key_of(asked: Json) -> str:
    """The type that a question was drawn as."""
    rows = rows_of(asked)
    properties = asked["properties"] or {}
    key = properties.get("map_key", "")
    if asked["type"] == "TABLE" and not rows:
        return "piped"
    if "piped_from" in properties:
        return "repeated"
    if not key:
        key = (
            "table-radio" if rows else next(k for k, kind in KINDS.items() if kind == asked["type"])
        )
    return properties["subtype"].lower() if "subtype" in properties else key


def rows_of(asked: Json) -> list[Json]:
    """The rows of a grid or parts of a group, from a list or a map by alias."""
    inner = asked.get("sub_questions") or []
    return list(inner.values()) if isinstance(inner, dict) else inner


def head(asked: Json, kind: str) -> Json:
    """The members that open an entry."""
    return {"id": asked["id"], "type": kind, "question": asked["title"]["English"]}


def with_original(options: Any) -> Any:
    """Options with a copy of what was answered, as newer payloads have them."""
    if isinstance(options, list):
        return options
    return {
        own: {"original_answer": one["answer"], **one} if "answer" in one else one
        for own, one in options.items()
    }


def newer(entry: Any) -> Any:
    """An entry as newer payloads have it: null for no answer, a copy of it at options."""
    if not isinstance(entry, dict):
        return entry
    if isinstance(entry.get("subquestions"), dict):
        return {**entry, "subquestions": {k: newer(v) for k, v in entry["subquestions"].items()}}
    if isinstance(entry.get("options"), dict):
        is_choice = all("rank" not in one for one in entry["options"].values())
        return {**entry, "options": with_original(entry["options"])} if is_choice else entry
    if "type" not in entry:  # a map of cells
        return {own: newer(below) for own, below in entry.items()}
    is_open = "answer" in entry or entry["type"] in ("parent", "TABLE") or "options" in entry
    return entry if is_open else {**entry, "answer": None}


def with_text_ids(asked: Json) -> Json:
    """A question as newer definitions have it."""
    inner = asked.get("sub_questions", [])
    if isinstance(inner, dict):
        rows: Any = {alias: with_text_ids(row) for alias, row in inner.items()}
    else:
        rows = [with_text_ids(row) for row in inner]
    return {**asked, "id": str(asked["id"]), **({"sub_questions": rows} if rows else {})}


def draw_fields(rng: random.Random, *, is_older: bool) -> Json:
    """Draw what a response has besides its answers."""
    values = {name: rng.choice(("news", "", "a b")) for name in ("utm_source", "sLanguage", "x")}
    keyed: Json = {k: {"key": k, "value": v, "type": "url"} for k, v in values.items()}
    mixed = {**keyed, "x": values["x"], "__pathdata": ""}
    started, submitted, updated = rng.choice(STAMPS)
    fields = {
        "status": rng.choice(("Complete", "Partial", "Disqualified")),
        "is_test_data": rng.choice(("0", "0", "1")),
        "date_started": 0 if rng.random() < 0.05 else started,
        "date_submitted": submitted,
        "contact_id": rng.choice(("", "100012")),
        "link_id": rng.choice((None, "1097190")),
        "response_time": rng.choice((None, 0, 120)),
        "url_variables": rng.choice(([], keyed, values, mixed, [*keyed.values()])),
    }
    return fields if is_older else {**fields, "date_updated": updated}


def draw_survey(seed: int) -> Iterator[tuple[list[Json], list[Json]]]:
    """Yield one survey in both forms: its list of questions, and its responses."""
    rng = random.Random(f"fidelity {seed}")
    form = Form(rng)
    flat, sheets = form.flat(), [form.answers() for _ in range(rng.randrange(1, 9))]
    given = [
        response(n, data or [], **draw_fields(rng, is_older=True))
        for n, data in enumerate(sheets, 1)
    ]
    yield flat, given
    recent = [
        {
            **one,
            "survey_data": {own: newer(entry) for own, entry in dict(one["survey_data"]).items()},
        }
        | draw_fields(rng, is_older=False)
        for one in given
    ]
    yield (
        [with_text_ids(each) for each in flat],
        [{**one, "survey_data": one["survey_data"] or []} for one in recent],
    )
