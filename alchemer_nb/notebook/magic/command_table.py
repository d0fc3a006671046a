"""The commands of the magic, in one table: parser, help and Tab read it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from alchemer_nb.http.regions import Region
from alchemer_nb.notebook.magic import analysis_commands, commands, response_options
from alchemer_nb.notebook.magic import command_spec as spec
from alchemer_nb.notebook.magic.command_spec import Command, CommandOption, Positional
from alchemer_nb.notebook.magic.response_options import choice_option
from alchemer_nb.notebook.magic.sql_values import to_query

if TYPE_CHECKING:
    from collections.abc import Iterator

SURVEY = Positional(
    "SURVEY",
    "id, title, or a piece of one title; quotes around blanks",
    completes="survey",
    convert=spec.to_object,
)
OUT = CommandOption("--out", "keep the result under this name", spec.to_text, "NAME", short="-o")

_CONDITIONS_HELP = """\
  one condition a line, all must hold, # starts a comment:
    status = Complete
    date_submitted >= 7d
    [question(2)] = Yes
    [url("utm_source")] IS NOT NULL
    channel in Web, "Phone, or letter", 'Don''t know'
  a question's alias may stand in place of [question(n)]; between quotes of either kind a value
  is taken as it is, and the quote itself is written twice; {name} is always taken as it is"""

_SURVEY_STATUSES = ("Launched", "Closed", '"In Design"', "Archived", "Draft")

_SIGN_IN = (
    Command(
        "login",
        "sign in: with what the environment or a profile has, else in a panel or at a prompt",
        commands.login,
        options=(
            CommandOption(
                "--region",
                "where the account lives, or a Region as {variable}",
                spec.to_region,
                choices=Region.names(),
            ),
            choice_option("--mode", "how to sign in", ("key", "oauth")),
            CommandOption(
                "--profile", "a remembered sign-in", spec.to_text, "NAME", completes="profile"
            ),
            CommandOption(
                "--env", "read the credentials from this .env file", spec.to_text, "FILE"
            ),
            CommandOption("--wait", "block the cell until signed in"),
            CommandOption("--prompt", "ask line by line, without a panel"),
        ),
        example="%alchemer login --region eu",
        surplus_hint="a region is given as --region eu, and a value with blanks needs quotes",
        has_result=False,
        displays=True,
    ),
    Command(
        "logout",
        "end the current connection, or the one of that name",
        commands.logout,
        (Positional("NAME", "a connection", "?", "connection"),),
        (CommandOption("--forget", "remove it from the remembered sign-ins, too"),),
        has_result=False,
    ),
    Command(
        "status", "who is signed in to what, and where the credentials are from", commands.status
    ),
    Command("profiles", "the sign-ins that are remembered on this computer", commands.profiles),
    Command(
        "forget",
        "remove a remembered sign-in from this computer",
        commands.forget,
        (Positional("NAME", "a profile", completes="profile"),),
        example="%alchemer forget default",
        has_result=False,
    ),
    Command(
        "switch",
        "make another connection the current one",
        commands.switch,
        (
            Positional(
                "NAME",
                "a connection, or a variable with a Client",
                completes="connection",
                convert=spec.to_object,
            ),
        ),
        example="%alchemer switch eu",
    ),
    Command(
        "doctor",
        "check network, clock, sign-in, rights and this computer; works without a sign-in",
        commands.doctor,
        (replace(SURVEY, help="the survey to look at; left out, one of the account", nargs="?"),),
        (
            CommandOption(
                "--shapes", "compare Alchemer's replies with what is expected, without values"
            ),
            CommandOption(
                "--try-regions",
                "send a key that is refused to the hosts of the other regions, too, named first",
            ),
            CommandOption("--text", "print the text for a bug report, which has no data of yours"),
            CommandOption(
                "--region",
                "the region to examine, or a Region as {variable}",
                spec.to_region,
                choices=Region.names(),
            ),
            CommandOption(
                "--profile", "a remembered sign-in", spec.to_text, "NAME", completes="profile"
            ),
        ),
        example="%alchemer doctor --text",
    ),
    Command(
        "client",
        "the client of the current connection, for Python",
        lambda context: context.client,
        example="client = %alchemer client",
    ),
    Command(
        "demo",
        "start the sandbox, a local stand-in for Alchemer, and sign in to it",
        commands.demo,
        options=(
            CommandOption(
                "--responses", "how many the largest survey has", spec.to_whole_number, "N"
            ),
        ),
        example="%alchemer demo --responses 500",
        displays=True,
    ),
)

_DATA = (
    Command("account", "the account, as one row", lambda context: context.client.account()),
    Command(
        "surveys",
        "the surveys of the account",
        commands.surveys,
        (Positional("TEXT", "a piece of the title", "text"),),
        (
            CommandOption(
                "--status", "those with this status", spec.to_text, choices=_SURVEY_STATUSES
            ),
        ),
        example="%alchemer surveys customer",
    ),
    Command(
        "questions",
        "the questions of a survey",
        commands.questions,
        (SURVEY,),
        example='%alchemer questions "Customer satisfaction"',
    ),
    Command(
        "codebook",
        "one row per column of a survey's responses",
        lambda context, survey: context.client.codebook(survey),
        (SURVEY,),
        example='%alchemer codebook "Customer satisfaction"',
    ),
    Command(
        "responses",
        "the responses of a survey",
        commands.responses,
        (SURVEY,),
        response_options.OPTIONS,
        example='df = %alchemer responses "Customer satisfaction" --complete --since 2026-01-01',
        body_help=_CONDITIONS_HELP,
        is_filter=True,
    ),
    Command(
        "statistics",
        "counts, percents and means of a survey's questions, as Alchemer counts them",
        lambda context, survey, language=None: context.client.statistics(survey, language),
        (SURVEY,),
        (response_options.LANGUAGE,),
        example='%alchemer statistics "Customer satisfaction"',
    ),
    Command(
        "partial",
        "the rows so far of a download that runs, or was stopped",
        commands.partial_rows,
        (Positional("NAME", "the name that it was meant for", "?"),),
        example="df = %alchemer partial",
    ),
    Command(
        "get",
        "any list of the API as a frame",
        commands.get,
        (
            Positional("PATH", "below the version, such as survey/123/surveycampaign", "", "path"),
            Positional("PARAMETERS", "key=value, any number", "*"),
        ),
        (CommandOption("--raw", "the answer as it is, a dictionary"),),
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
            CommandOption("--full", "compare all responses, not only those that changed lately"),
            response_options.FRESH,
            CommandOption(
                "--verify", "compare the store with Alchemer afterwards, response by response"
            ),
            CommandOption("--background", "go on at once; a line tells what it brought"),
        ),
        example='%alchemer sync "Customer satisfaction"',
    ),
    Command(
        "diff",
        "which responses came, changed and went with the last sync",
        commands.diff,
        (SURVEY,),
    ),
    Command(
        "sql",
        "a query over stored surveys and the notebook's frames (DuckDB)",
        commands.sql,
        (Positional("QUERY", "SQL, with or without quotes around it", "verbatim", "", to_query),),
        (
            response_options.TEST_ROWS,
            response_options.TIME_ZONE,
            response_options.DAY_FIRST,
            CommandOption(
                "--files",
                "let the query read and write any file, fetch addresses and load extensions",
            ),
        ),
        body_help="""\
  SQL as DuckDB knows it; a stored survey is called by its title in small letters with _
  for anything else, or survey_ID; a frame by its name:
    select status, count(*) as n from customer_satisfaction group by status
  $name and {expression} are bound as values, so they stand without quotes, and a list after in:
    where region in $regions and comment like '%' || $word || '%'
  categories sort as in the form; a url variable that no response has is an empty column""",
        evaluates_body=False,
    ),
    Command("stores", "which surveys are stored, and where", commands.stores),
    Command(
        "expunge",
        "remove a person's responses from this computer for good",
        commands.expunge,
        (SURVEY,),
        (
            CommandOption("--responses", "response ids, with commas", spec.to_list, "IDS"),
            CommandOption("--contact", "the id of a contact", spec.to_text, "ID"),
            CommandOption("--email", "an address that stands in them", spec.to_text, "ADDRESS"),
        ),
    ),
)

LISTS = {
    "campaigns": ("survey/{survey}/surveycampaign", "the links and campaigns of a survey"),
    "quotas": ("survey/{survey}/quotas", "the quotas of a survey"),
    "reports": ("survey/{survey}/surveyreport", "the reports of a survey"),
    "users": ("accountuser", "the users of the account (administrators only)"),
    "teams": ("accountteams", "the teams of the account"),
    "contactlists": ("contactlist", "the contact lists of the account"),
    "contacts": ("contactlist/{list}/contactlistcontact", "the contacts of a list"),
}


def _list_commands() -> Iterator[Command]:
    contact_list = Positional("LIST", "a contact list's id", convert=spec.to_whole_number)
    for name, (path, summary) in LISTS.items():
        positional = {"{survey}": SURVEY, "{list}": contact_list}
        positionals = tuple(each for place, each in positional.items() if place in path)
        yield Command(name, summary, partial(commands.fetch_list, path=path), positionals)


def _finish_command(group: str, command: Command) -> Command:
    """Add the group, and the option that keeps a result under a name."""
    options = (*command.options, OUT) if command.has_result else command.options
    return replace(command, group=group, options=options)


_GROUPS = {
    "Sign-in": _SIGN_IN,
    "Data": _DATA,
    "Analysis": analysis_commands.COMMANDS,
    "Store": _STORE,
    "Other lists": tuple(_list_commands()),
}
COMMANDS: dict[str, Command] = {
    command.name: _finish_command(group, command)
    for group, commands_of_group in _GROUPS.items()
    for command in commands_of_group
}
