"""The definition of "Every question type": each type word and each odd form that is known.

The words are those of https://apihelp.alchemer.com/help/surveyquestion-returned-fields-v5. Ids are
written out, so that a test can name them. What no source documents is marked `invented` here and in
`every_type_answers`: where a dropdown grid's words stand, what a rank grid, a slider
list and the types beyond the reference look like.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LANGUAGES = ("English", "German")

#: Answered by some, and taken out of the definition since.
DELETED_RADIO, DELETED_CHECKBOX, DELETED_OPTION = 98, 99, 10039


def titles(text: str | tuple[str, str]) -> dict[str, str]:
    """Return a text as a language map; a pair is English and German."""
    return {"English": text} if isinstance(text, str) else dict(zip(LANGUAGES, text, strict=True))


def option(
    own: int, text: str | tuple[str, str], value: str | None = None, **flags: Any
) -> dict[str, Any]:
    """Write an option; without a value its English words are its reporting value."""
    words = titles(text)
    properties = {"disabled": False, **flags}
    return {
        "id": own,
        "title": words,
        "value": words["English"] if value is None else value,
        "properties": properties,
    }


def options(first: int, *texts: str, values: Iterable[str] | None = None) -> list[dict[str, Any]]:
    """Write options with ids one after the other."""
    given = list(texts) if values is None else list(values)
    return [option(first + n, t, v) for n, (t, v) in enumerate(zip(texts, given, strict=True))]


def question(
    own: int,
    kind: str,
    key: str,
    title: str | tuple[str, str],
    alias: str | None = "",
    choices: Iterable[dict[str, Any]] = (),
    rows: Iterable[dict[str, Any]] | Mapping[str, dict[str, Any]] = (),
    **more: Any,
) -> dict[str, Any]:
    """Write a question; `more` replaces members, `properties` is laid over the usual ones."""
    properties = {"required": False, "hidden": False, "map_key": key, "custom_css": ""}
    wire: dict[str, Any] = {
        "id": own,
        "base_type": "Question",
        "type": kind,
        "title": titles(title),
        "shortname": alias,
        "varname": [""],
        "description": [],
        "has_showhide_deps": False,
        "comment": False,
        "properties": properties | more.pop("properties", {}),
        "options": list(choices),
    }
    if rows:
        wire["sub_questions"] = dict(rows) if isinstance(rows, dict) else list(rows)
    return wire | more


def textbox(own: int, key: str, title: str, alias: str | None = "", **more: Any) -> dict[str, Any]:
    """Write a text box; numbers, dates and e-mail addresses are text boxes with a subtype."""
    subtype = {} if key == "text" else {"subtype": key.upper()}
    return question(own, "TEXTBOX", key, title, alias, properties=subtype, **more)


def pages() -> list[dict[str, Any]]:
    """Write all pages."""
    content = {
        "Words and numbers": _words(),
        "One choice": _single(),
        "Several choices": _several(),
        "Grids": _grids(),
        "Groups": _groups(),
        "What is not a usual question": _odd(),
    }
    return [
        {
            "id": number,
            "title": {"English": title},
            "description": [],
            "properties": {"hidden": False, "piped_from": ""},
            "questions": asked,
        }
        for number, (title, asked) in enumerate(content.items(), 1)
    ]


def _words() -> list[dict[str, Any]]:
    # The five forms of `varname`: [""], [], null, a text, a map by option.
    decorative: dict[str, Any] = {"base_type": "Decorative", "varname": [], "description": ""}
    return [
        question(1, "INSTRUCTIONS", "instructions", "<p>Every type, once.</p>", **decorative),
        textbox(2, "text", "Your <b>name</b>?", "name"),
        question(3, "ESSAY", "essay", ("Why?", "Warum?"), "why", varname=None, description=None),
        textbox(4, "email", "Your e-mail&nbsp;address", "email", varname="mail"),
        textbox(5, "number", "Your age", "age", varname=[]),
        textbox(6, "percent", "Which share?", "share", description={"English": "In percent"}),
        textbox(7, "date", "Which day?", "day", shortname="day", comment=None),
        question(8, "HIDDEN", "hidden", "Source", "source", base_type="Action"),
        question(9, "FILE", "file", "A photo", "photo"),
    ]


def _single() -> list[dict[str, Any]]:
    agree = options(10121, "Agree", "Neither", "Disagree", values=("3", "2", "1"))
    owns = [
        option(10101, ("Yes", "Ja"), "yes"),
        option(10102, ("No", "Nein"), "no"),
        option(10103, ("Other: please tell", "Anderes"), "other", other=True),
    ]
    by_option = {"10101": "v_yes", "10102": "v_no"}
    scores = [option(10130 + n, str(n)) for n in range(11)]
    steps = [option(10141 + n, text, str(n)) for n, text in enumerate(("Old", "New", "Newest"), 1)]
    twins = [option(10151, "Same", "a"), option(10152, "Same", "b"), option(10153, "Else", "b")]
    return [
        question(10, "RADIO", "radio", "A bicycle?", "owns", owns, varname=by_option, comment=True),
        question(11, "MENU", "menu", "Where?", "place", options(10111, "Leeds", "Lyon", "Leipzig")),
        question(12, "RADIO", "radio-likert", "It is fun.", "agree", agree),
        question(13, "NPS", "radio-nps", "Recommend us?", "nps", scores),
        question(14, "SLIDER", "slider", "Your mood", "mood"),
        question(15, "IMAGE_SELECT", "single-image", "Nicest", "logo", options(10161, "A", "B")),
        # Its reporting values were edited after the first answers.
        question(16, "RADIO", "radio", "Which model?", "status", steps),
        question(17, "RADIO", "radio", "Which class?", "class", twins),
        textbox(18, "text", "First of two aliases", "twin"),
        textbox(19, "text", "Second of two aliases", "twin"),
        textbox(20, "text", "An alias of signs", "!!!"),
    ]


def _several() -> list[dict[str, Any]]:
    channels = [
        option(10031, "Web", "1"),
        option(10032, "Shop", "2"),
        option(10035, "Other (please specify)", "other", other=True),
    ]
    place = options(10321, "First", "Second", values=("1", "2"))
    rows = [question(27, "RADIO", "radio", "Pay"), question(28, "RADIO", "radio", "Time")]
    # invented: a slider list holds its items as options; a rank grid may have rows of its own.
    slides = options(10311, "Left", "Right")
    return [
        question(21, "CHECKBOX", "checkbox", "Which channels?", "channels", channels),
        question(22, "IMAGE_SELECT", "multi-image", "Nice", "pictures", options(10221, "C", "D")),
        question(23, "RANK", "rank-dragdrop", "By worth", "worth", options(10231, "Pay", "Time")),
        question(24, "CONT_SUM", "contsum", "Your week", "split", options(10241, "Work", "Home")),
        question(25, "MULTI_TEXTBOX", "multitext", "Ideas", "ideas", options(10251, "One", "Two")),
        question(26, "RANK", "rank-table", "In order", "order", place, rows),
        question(29, "MULTI_SLIDER", "multi_slider", "How far?", "slides", slides),
    ]


def _grids() -> list[dict[str, Any]]:
    rates = options(10401, "Good", "Fair", "Poor", values=("3", "2", "1"))
    days = options(10411, "Mon", "Tue")
    stars = options(10441, "Taste", "Looks")
    when = {"north": "North", "south": "South"}

    def rows(first: int, kind: str, key: str, *texts: str, **more: Any) -> list[dict[str, Any]]:
        return [question(first + n, kind, key, text, **more) for n, text in enumerate(texts)]

    # A map by alias in place of a list, as newer answers have it where aliases are set.
    by_alias = {
        alias: question(41 + n, "CHECKBOX", "checkbox", text, alias)
        for n, (alias, text) in enumerate(when.items())
    }
    # invented: a dropdown grid's words stand in the `limits` of its rows, cells as in a text grid.
    limits = {"limits": ["Never", "Often"]}
    visits = rows(37, "MULTI_TEXTBOX", "multitext", "Sea", "Hills", properties=limits)
    return [
        question(30, "TABLE", "table-radio", "Rate", "rating", rates,
                 rows(31, "RADIO", "radio", "Staff", "Price")),
        question(33, "TABLE", "table-menu", "By list", "listed", rates,
                 rows(34, "MENU", "menu", "Tea", "Coffee")),
        question(36, "TABLE", "table-menu-matrix", "Visits", "visits",
                 options(10421, "Spring", "Fall"), visits),
        question(40, "TABLE", "table-checkbox", "When?", "when", days, by_alias),
        question(43, "TABLE", "table-textbox", "Notes", "notes", options(10431, "Plus", "Minus"),
                 rows(44, "TEXTBOX", "text", "Room", "Board")),
        question(46, "TABLE", "table-stars", "Stars", "stars", stars,
                 rows(47, "MULTI_TEXTBOX", "multitext", " Cake", "Pie")),
    ]  # fmt: skip


def _groups() -> list[dict[str, Any]]:
    topics = options(10631, "News", "Sales", values=("n", "s"))
    contact = [
        textbox(61, "text", "Given name"),
        textbox(62, "email", "E-mail"),
        question(63, "CHECKBOX", "checkbox", "Topics", "", topics),
    ]
    cells = [textbox(69, "text", "Adults"), textbox(70, "text", "Children")]
    rated = [question(74, "RADIO", "radio", "Rooms"), question(75, "RADIO", "radio", "Light")]
    household = [
        question(65, "RADIO", "radio", "You rent or own?", "", options(10651, "Rent", "Own")),
        textbox(66, "number", "How many?", "household_size"),
        question(67, "CHECKBOX", "checkbox", "Pets", "", options(10671, "Cat", "Dog")),
        question(68, "TABLE", "table-textbox", "Who?", "", options(10681, "Age"), cells),
        question(71, "MULTI_TEXTBOX", "multitext", "Names", "", options(10711, "A", "B")),
        question(73, "TABLE", "table-radio", "Home", "", options(10731, "Big", "Small"), rated),
    ]

    def table(own: int, alias: str, answers: int) -> dict[str, Any]:
        # The columns of every custom table count from 10001, as in the vendor's example.
        sizes = options(answers, "Large", "Small", values=("L", "S"))
        extras = options(answers + 5, "Bell", "Lamp")
        columns = [
            question(10001, "RADIO", "radio", "Size", "", sizes),
            question(10002, "MENU", "menu", "Colour", "", options(answers + 10, "Blue", "Red")),
            textbox(10003, "number", "Price"),
            question(10004, "CHECKBOX", "checkbox", "Extras", "", extras),
        ]
        return question(own, "MATRIX", "matrix", "Your bicycles", alias, (), columns)

    return [
        question(60, "GROUP", "contactgroup", "Your details", "contact", (), contact),
        question(64, "GROUP", "group", "Your household", "household", (), household),
        table(83, "bikes", 10801),
        table(84, "", 10821),
    ]


def _odd() -> list[dict[str, Any]]:
    # invented: their types, and what a card sort holds; of the others only the answers are known.
    return [
        question(89, "SIGNATURE", "signature", "Sign here", "signed"),
        question(90, "HEATMAP", "heatmap", "Click", "clicks", options(10901, "Head", "Foot")),
        question(91, "CARD_SORT", "", "Sort", "cards", properties={"map_key": ""}),
        question(92, "SCRIPT", "", "Script", base_type="Action") | {"title": [], "properties": []},
        question(93, "LOGIC", "", "Logic", base_type="Action"),
        question(94, "URLREDIRECT", "urlredirect", "Away", base_type="Action"),
        question(95, "EMAIL", "emailaction", "Mail", base_type="Action"),
        question(96, "MEDIA", "media", "A film", base_type="Decorative"),
        question(97, "JAVASCRIPT", "javascript", "Code", base_type="Action"),
    ]
