"""The commands of the magic, in one table: parser, help and Tab read it."""

from __future__ import annotations

from functools import partial

from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic import command_spec as kinds
from alchemer_nb.notebook.magic import commands
from alchemer_nb.notebook.magic.command_spec import Command, Option, Positional
from alchemer_nb.notebook.magic.interpolation import condition
from alchemer_nb.survey.filters import STATUSES

SURVEY = Positional(
    "SURVEY",
    "id, title, or a piece of one title; quotes around blanks",
    kinds.whatever,
    offers="survey",
)
OUT = Option("--out", "keep the result under this name", kinds.text, "NAME", short="-o")


def _choice(flag: str, text: str, *choices: str) -> Option:
    return Option(flag, text, kinds.one_of(*choices), choices=choices)


PROGRESS = ("auto", "text", "none")
CONDITIONS = """\
  one condition a line, all must hold, # starts a comment:
    status = Complete
    date_submitted >= 2026-01-01
    [question(2)] = Yes
    [url("utm_source")] IS NOT NULL
    channel in Web, "Phone, or letter", 'Don''t know'
  a question's alias may stand in place of [question(n)]; between quotes of either kind a value
  is taken as it is, and the quote itself is written twice; {name} is always taken as it is"""

_SIGN_IN = (
    Command(
        "login",
        "sign in: from the environment or a profile if it can be, else with a panel",
        commands.login,
        options=(
            Option(
                "--region",
                "where the account lives, or a Region as {variable}",
                kinds.region,
                choices=Region.names(),
            ),
            _choice("--mode", "how to sign in", "key", "oauth"),
            Option("--profile", "a remembered sign-in", kinds.text, "NAME"),
            Option("--wait", "block the cell until signed in"),
            Option("--prompt", "ask in the cell, without a panel"),
        ),
        example="%alchemer login --region eu",
        surplus="a region is given as --region eu",
        gives=False,
        shown=True,
        group="Sign-in",
    ),
    Command(
        "logout",
        "forget the current connection, or the one of that name",
        commands.logout,
        (Positional("NAME", "a connection", kinds.text, "?", "connection"),),
        gives=False,
        group="Sign-in",
    ),
    Command("status", "who is signed in to what", commands.status, options=(OUT,), group="Sign-in"),
    Command(
        "switch",
        "make another connection the current one",
        commands.switch,
        (
            Positional(
                "NAME",
                "a connection, or a variable with a Client",
                kinds.whatever,
                "",
                "connection",
            ),
        ),
        options=(OUT,),
        example="%alchemer switch eu",
        group="Sign-in",
    ),
    Command(
        "client",
        "the client of the current connection, for Python",
        commands.client,
        options=(OUT,),
        example="client = %alchemer client",
        group="Sign-in",
    ),
    Command(
        "demo",
        "start the sandbox, a local stand-in for Alchemer, and sign in to it",
        commands.demo,
        options=(
            Option("--responses", "how many the largest survey has", kinds.whole_number, "N"),
            OUT,
        ),
        example="%alchemer demo --responses 500",
        shown=True,
        group="Sign-in",
    ),
)

_RESPONSES = Command(
    "responses",
    "the responses of a survey",
    commands.responses,
    (SURVEY,),
    (
        Option(
            "--where",
            "a condition; may be given several times",
            condition,
            "CONDITION",
            repeat=True,
        ),
        Option(
            "--status",
            f"one or more, with commas: {', '.join(STATUSES)}",
            kinds.several,
            "STATUS",
            choices=STATUSES,
        ),
        Option("--complete", "short for --status Complete"),
        Option("--since", "submitted on this day or later", kinds.moment, "DATE"),
        Option("--until", "submitted on this day or earlier", kinds.moment, "DATE"),
        _choice("--test-rows", "what to do with test data", "exclude", "include", "only"),
        _choice("--names", "what columns are called", "alias", "id", "text"),
        _choice("--values", "what answers are shown as", "label", "code", "id", "both"),
        _choice("--shape", "a row per response, or per answer", "wide", "long"),
        _choice("--multi", "a column per option, or one list", "columns", "list"),
        Option("--language", "a language of the survey, for labels", kinds.text),
        _choice("--metadata", "which columns besides answers", "standard", "all", "none"),
        Option("--tz", "time zone; none for the region's wall clock", kinds.zone, "ZONE"),
        Option("--columns", "only these, with commas", kinds.several, "NAMES"),
        Option("--limit", "at most this many rows", kinds.whole_number, "N"),
        Option("--fresh", "take nothing from memory; may wait a minute"),
        Option("--store", "from this computer, however old; see sync"),
        Option("--max-age", "the same, synced first if older, such as 1h", kinds.text, "SPAN"),
        Option("--dry-run", "say what it would take, and download nothing"),
        Option("--background", "go on at once; the name is there when the rows are"),
        _choice("--incomplete", "when fewer rows come than were told", "raise", "keep"),
        _choice("--progress", "how to show progress", *PROGRESS),
        OUT,
    ),
    example='df = %alchemer responses "Customer satisfaction" --complete --since 2026-01-01',
    body=CONDITIONS,
)

_DATA = (
    Command("account", "the account, as one row", commands.account, options=(OUT,)),
    Command(
        "surveys",
        "the surveys of the account",
        commands.surveys,
        (Positional("TEXT", "a piece of the title", kinds.text, "?"),),
        (
            Option("--status", "a status such as Launched", kinds.text),
            OUT,
        ),
        example="%alchemer surveys customer",
    ),
    Command(
        "questions",
        "the questions of a survey",
        commands.questions,
        (SURVEY,),
        (OUT,),
        example='%alchemer questions "Customer satisfaction"',
    ),
    Command(
        "codebook",
        "one row per column of a survey's responses",
        commands.codebook,
        (SURVEY,),
        (OUT,),
        example='%alchemer codebook "Customer satisfaction"',
    ),
    _RESPONSES,
    Command(
        "partial",
        "the rows so far of a download that runs, or was stopped",
        commands.partial,
        (Positional("NAME", "the name that it was meant for", kinds.text, "?"),),
        (OUT,),
        example="df = %alchemer partial",
    ),
    Command(
        "get",
        "any list of the API as a frame",
        commands.get,
        (
            Positional(
                "PATH",
                "below the version, such as survey/123/surveycampaign",
                kinds.text,
                "",
                "path",
            ),
            Positional("PARAMETERS", "key=value, any number", kinds.text, "*"),
        ),
        (Option("--raw", "the answer as it is, a dictionary"), OUT),
        example="%alchemer get survey resultsperpage=10",
    ),
)

_STORE = (
    Command(
        "sync",
        "keep the responses of a survey on this computer, up to date",
        commands.sync,
        (SURVEY,),
        (
            Option("--full", "compare all responses, not only those that changed lately"),
            Option("--fresh", "take nothing from memory; may wait a minute"),
            Option("--background", "go on at once; a line tells what it brought"),
            OUT,
        ),
        example='%alchemer sync "Customer satisfaction"',
        group="Store",
    ),
    Command(
        "diff",
        "which responses came, changed and went with the last sync",
        commands.diff,
        (SURVEY,),
        (OUT,),
        group="Store",
    ),
    Command(
        "sql",
        "a query over stored surveys and the notebook's frames (DuckDB)",
        commands.sql,
        (Positional("QUERY", "SQL, in quotes", kinds.text, "?"),),
        (OUT,),
        body="""\
  SQL as DuckDB knows it; a stored survey is called by its title in small letters with _
  for anything else, or survey_ID; a frame by its name:
    select status, count(*) as n from customer_satisfaction group by status""",
        filled=False,
        group="Store",
    ),
    Command(
        "stores",
        "which surveys are stored, and where",
        commands.stores,
        options=(OUT,),
        group="Store",
    ),
    Command(
        "expunge",
        "remove a person's responses from this computer for good",
        commands.expunge,
        (SURVEY,),
        (
            Option("--responses", "response ids, with commas", kinds.several, "IDS"),
            Option("--contact", "the id of a contact", kinds.text, "ID"),
            Option("--email", "an address that stands in them", kinds.text, "ADDRESS"),
            OUT,
        ),
        group="Store",
    ),
)

PATHS = {
    "statistics": ("survey/{survey}/surveystatistic", "the statistics of a survey"),
    "campaigns": ("survey/{survey}/surveycampaign", "the links and campaigns of a survey"),
    "quotas": ("survey/{survey}/quotas", "the quotas of a survey"),
    "reports": ("survey/{survey}/surveyreport", "the reports of a survey"),
    "users": ("accountuser", "the users of the account (administrators only)"),
    "teams": ("accountteams", "the teams of the account"),
    "contactlists": ("contactlist", "the contact lists of the account"),
    "contacts": ("contactlist/{list}/contactlistcontact", "the contacts of a list"),
}


def _listing(name: str, path: str, summary: str) -> Command:
    places: tuple[Positional, ...] = ()
    if "{survey}" in path:
        places = (SURVEY,)
    elif "{list}" in path:
        places = (Positional("LIST", "a contact list's id", kinds.whole_number),)
    return Command(
        name, summary, partial(commands.listing, path=path), places, (OUT,), group="Other lists"
    )


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        *_SIGN_IN,
        *_DATA,
        *_STORE,
        *(_listing(name, path, summary) for name, (path, summary) in PATHS.items()),
    )
}
