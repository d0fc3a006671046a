"""The extension in a real shell: loading, unloading, help, errors, settings."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest
from IPython.core.error import UsageError

from alchemer_nb.errors import ConfigurationError
from alchemer_nb.notebook.magic.command_table import COMMANDS
from tests.notebook.conftest import bare_config, new_shell

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

HEAVY = (
    "pandas numpy pyarrow msgspec requests urllib3 oauthlib requests_oauthlib ipywidgets anywidget "
    "altair vl_convert statsmodels scipy weightipy jinja2"
)


def traces(shell: InteractiveShell) -> tuple[int, ...]:
    """How much of us a shell holds: magics, matchers, configurables."""
    manager = shell.magics_manager
    return (
        sum("alchemer" in manager.magics[kind] for kind in ("line", "cell")),
        "AlchemerMagics" in manager.registry,
        sum(
            getattr(m, "matcher_identifier", "") == "alchemer_nb"
            for m in shell.Completer.custom_matchers
        ),
        sum(type(c).__name__ == "AlchemerMagics" for c in shell.configurables),
    )


def test_loading_registers_once_and_unloading_takes_all_back(bare):
    before = traces(bare.shell)
    for _ in range(2):
        outcome = bare.run("%load_ext alchemer_nb")
        assert outcome.failure is None
        assert traces(bare.shell) == (2, True, 1, 1)
    bare.run("%reload_ext alchemer_nb")
    assert traces(bare.shell) == (2, True, 1, 1)
    for _ in range(2):
        bare.run("%unload_ext alchemer_nb")
        assert traces(bare.shell) == before == (0, False, 0, 0)
    assert isinstance(bare.run("%alchemer status").failure, UsageError)


def test_loading_says_nothing(bare):
    outcome = bare.run("%load_ext alchemer_nb")
    assert (outcome.value, outcome.out, outcome.err) == (None, "", "")


def test_two_shells_have_two_sessions(notebook):
    with new_shell(bare_config()) as other:
        other.extension_manager.load_extension("alchemer_nb")
        theirs = other.magics_manager.registry["AlchemerMagics"]
        assert theirs.session is not notebook.magics.session
        assert theirs.known_surveys is not notebook.magics.known_surveys


def test_loading_and_reading_help_imports_nothing_heavy(tmp_path):
    code = f"""
        import sys
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell()
        before = set(sys.modules)
        shell.run_line_magic("load_ext", "alchemer_nb")
        shell.run_line_magic("alchemer", "help")
        shell.run_line_magic("alchemer", "responses --help")
        shell.run_line_magic("alchemer", "report --help")
        shell.run_line_magic("alchemer", "status")
        shell.Completer.complete(line_buffer="%alchemer res", cursor_pos=13)
        loaded = {{name.split(".")[0] for name in set(sys.modules) - before}}
        print("LOADED", sorted(loaded & set({HEAVY.split()!r} + ["tornado"])))
        print("CLIENT", sorted(n for n in sys.modules if n.startswith("alchemer_nb.client.client")))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
    )
    assert "LOADED []" in done.stdout
    assert "CLIENT []" in done.stdout


def test_help_lists_every_command_and_prints_instead_of_giving_a_value(notebook):
    for cell in (
        "%alchemer",
        "%alchemer help",
        "%alchemer --help",
        "%%alchemer help\n# that is all",
    ):
        outcome = notebook.run(cell)
        assert (outcome.failure, outcome.value) == (None, None)
        listed = {line.split()[0] for line in outcome.out.splitlines() if line.startswith("  ")}
        assert set(COMMANDS) < listed


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_help_of_a_command_shows_every_option(notebook, command):
    asked = notebook.run(f"%alchemer help {command}")
    assert asked.out == notebook.run(f"%alchemer {command} --help").out
    assert f"usage: %alchemer {command}" in asked.out
    for option in COMMANDS[command].options:
        assert option.flag in asked.out
        assert all(choice in asked.out for choice in option.choices)


def test_the_docstring_is_written_from_the_same_table(notebook):
    text = notebook.shell.find_line_magic("alchemer").__doc__
    for command in COMMANDS.values():
        assert command.summary in text
        assert all(option.flag in text for option in command.options)


@pytest.mark.parametrize(
    "cell",
    [
        "%alchemer surveys",
        "df = %alchemer responses 1",
        "%alchemer df << responses 1",
        "%%alchemer df << responses 1\nstatus = Complete",
        "%alchemer account -o df",
        "%alchemer get survey",
        "%alchemer users",
    ],
)
def test_without_a_sign_in_a_command_fails_and_leaves_names_alone(notebook, cell):
    notebook.names["df"] = "kept"
    outcome = notebook.run(cell)
    assert isinstance(outcome.failure, ConfigurationError)
    assert "run %alchemer login, then run from here" in outcome.told
    assert "above" not in outcome.told
    assert notebook.names["df"] == "kept"


def test_an_error_shows_as_one_line_or_whole_by_choice(notebook):
    assert "Traceback" not in notebook.run("%alchemer account").out
    assert len(notebook.run("%alchemer account").out.splitlines()) == 1
    notebook.run("%config AlchemerMagics.short_errors = False")
    assert "Traceback" in notebook.run("%alchemer account").out


def test_a_bad_line_shows_as_one_line_and_fails_the_cell(notebook):
    outcome = notebook.run("%alchemer respnses 1")
    assert type(outcome.failure) is UsageError
    assert outcome.out == ""
    assert outcome.err.splitlines() == [f"UsageError: {outcome.told}"]


def test_lines_below_other_commands_are_refused(notebook):
    outcome = notebook.run("%%alchemer surveys\nstatus = Complete")
    assert "surveys takes no lines below it" in outcome.told
    outcome = notebook.run("%%alchemer login\n0123456789abcdef0123456789abcdef")
    assert "regenerate the key" in outcome.told
    assert "0123456789abcdef" not in outcome.err + outcome.out
    assert notebook.run("%%alchemer status\n\n").failure is None


def test_names_below_are_filled_in_and_a_bad_one_tells_its_line(notebook):
    outcome = notebook.run("%%alchemer responses 1\nstatus = Complete\nregion = {nope}")
    assert outcome.told.startswith("line 2: no variable `nope`.")


def test_local_names_of_a_function_count_and_come_first(notebook):
    notebook.names["limit"] = 5
    for expression in ("$limit", "{[limit for _ in 'a'][0]}"):
        cell = f"def f():\n    limit = 'many'\n    %alchemer responses 1 --limit {expression}\nf()"
        assert "got `many`" in notebook.run(cell).told


def test_settings_are_checked_and_listed_and_hold_no_secret(notebook):
    listed = notebook.run("%config AlchemerMagics").out
    for name in ("region", "progress", "echo", "short_errors"):
        assert f"AlchemerMagics.{name}" in listed
    assert "token" not in listed
    assert notebook.run("%config AlchemerMagics.region = 'EU'").failure is None
    assert notebook.magics.region == "eu"
    notebook.run("%config AlchemerMagics.region = 'uk'")  # IPython logs what is wrong with it
    assert notebook.magics.region == "eu"


def test_settings_of_a_profile_count():
    config = bare_config()
    config.AlchemerMagics.region = "ca"
    with new_shell(config) as shell:
        shell.extension_manager.load_extension("alchemer_nb")
        assert shell.magics_manager.registry["AlchemerMagics"].region == "ca"


def test_sign_out_and_switch_without_sign_in_say_what_there_is(notebook):
    assert notebook.run("%alchemer logout").out == "Nobody is signed in.\n"
    assert "no connection is called `eu`" in notebook.run("%alchemer logout eu").told
    assert "no connection is called 'eu'" in notebook.run("%alchemer switch eu").told
