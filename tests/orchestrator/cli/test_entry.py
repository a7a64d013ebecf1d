"""The command line as a whole: exit codes, one JSON object, help without heavy imports, terminals and pipes."""

from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from config.errors import Problem, SettingsError
from market.errors import DataGap, Fatal, MissingExtra, MissingInput, Rejected, Retry
from orchestrator.cli.commands import COMMANDS, LazyGroup, Target
from orchestrator.cli.entry import ROOT
from orchestrator.cli.exits import ExitCode, Interrupted, failure_of
from orchestrator.cli.output import Output, plain_table, with_output
from tests.orchestrator.cli.terminal import Terminal, run_on_terminal, run_process


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Adds a command ``fail`` that raises the error put into this list, and one object before it if there are two."""
    errors: list[BaseException] = []

    @click.command()
    @with_output
    def fail(output: Output) -> None:
        """Fail."""
        if len(errors) == 2:
            output.emit({"partial": True})
        raise errors[0]

    monkeypatch.setattr(sys.modules[__name__], "COMMAND", fail, raising=False)
    monkeypatch.setitem(COMMANDS, "fail", Target(f"{__name__}:COMMAND", "Fail."))
    return errors


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (SettingsError(Problem("a.toml", "engine.x", "is odd")), 2, "a.toml: engine.x is odd"),
        (MissingInput("no file"), 3, "no file"),
        (MissingExtra("install the extra 'live'"), 4, "install the extra 'live'"),
        (Rejected("not that"), 3, "not that"),
        (DataGap("lost 3"), 3, "lost 3"),
        (Retry("venue is away"), 4, "venue is away"),
        (Fatal("parity differs"), 1, "parity differs"),
        (click.UsageError("wrong words"), 2, "wrong words"),
        (click.BadParameter("wrong value"), 2, "Invalid value: wrong value"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (click.Abort(), 130, "interrupted"),
        (Interrupted("2 of 5"), 130, "interrupted: 2 of 5"),
    ],
)
def test_errors_end_with_their_code(
    terminal: Terminal, failing: list[BaseException], error: BaseException, code: int, text: str
) -> None:
    failing.append(error)
    ended = terminal.run("fail")
    assert (ended.code, ended.out) == (code, "")
    assert text in ended.err
    assert "Traceback" not in ended.err
    ended = terminal.run("fail", "--json")
    assert ended.code == code
    assert ended.json == {"error": {"exit_code": code, "message": text}}


def test_an_unexpected_error_shows_its_traceback(terminal: Terminal, failing: list[BaseException]) -> None:
    failing.append(ZeroDivisionError("nobody thought of this"))
    ended = terminal.run("fail", "--json")
    assert ended.code == 70
    assert "Traceback (most recent call last)" in ended.err
    assert ended.json["error"]["message"] == "unexpected ZeroDivisionError: nobody thought of this"


def test_a_command_that_printed_its_object_prints_no_second_one(
    terminal: Terminal, failing: list[BaseException]
) -> None:
    failing += [MissingInput("later"), MissingInput("marker")]
    ended = terminal.run("fail", "--json")
    assert (ended.code, ended.json) == (3, {"partial": True})
    with pytest.raises(RuntimeError, match="one JSON object"):
        _emit_twice()


def _emit_twice() -> None:
    output = Output(as_json=True)
    output.emit({})
    output.emit({})


def test_only_errors_have_a_failure() -> None:
    assert failure_of(ValueError("x")) is None
    assert failure_of(OSError(errno.EIO, "x")) is None


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["config", "--help"], ["inspect", "-h"]])
def test_help_is_no_error(terminal: Terminal, words: list[str]) -> None:
    ended = terminal.run(*words)
    assert ended.code == 0
    assert ended.out.startswith("Usage: tickwire")
    assert ended.err == ""


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Usage: tickwire"),
        (["config"], "Usage: tickwire config"),
        (["nonsense"], "error: No such command 'nonsense'"),
        (["version", "--nonsense"], "error: No such option"),
        (["inspect"], "error: Missing argument 'FILES...'"),
    ],
)
def test_wrong_usage_ends_with_2(terminal: Terminal, words: list[str], text: str) -> None:
    ended = terminal.run(*words)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(text)


def test_every_command_of_the_table_exists_and_explains_itself() -> None:
    context = click.Context(ROOT, info_name="tickwire")
    for name in ROOT.list_commands(context):
        command = ROOT.get_command(context, name)
        assert command is not None
        assert command.help
        assert COMMANDS[name].summary.endswith(".")
    listed = CliRunner().invoke(ROOT, ["--help"]).output
    assert all(name in listed for name in COMMANDS)


def test_a_wrong_row_of_the_table_is_found() -> None:
    group = LazyGroup({"bad": Target("json:dumps", "Bad.")})
    with pytest.raises(TypeError, match="json:dumps must be a click command"):
        group.get_command(click.Context(group), "bad")


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom orchestrator.cli import main\nassert main(['--help']) == 0\n"
        "print([name for name in ('numba', 'numpy', 'pydantic', 'rich', 'msgspec') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(terminal: Terminal) -> None:
    ended = terminal.run("version", "--json")
    assert ended.code == 0
    assert set(ended.json) == {"tickwire", "numba", "numpy", "python", "machine"}
    assert terminal.run("version").out.startswith(f"tickwire {ended.json['tickwire']}\n")


def test_output_on_a_terminal_has_colours_and_elsewhere_none(tmp_path: Path) -> None:
    assert "\x1b[" in run_on_terminal("config", "show", "engine", folder=tmp_path)
    assert "\x1b[31m" in run_on_terminal("nonsense", folder=tmp_path)
    plain = run_on_terminal("nonsense", folder=tmp_path, environment={"NO_COLOR": "1"})
    assert "error: No such command" in plain
    assert "\x1b[3" not in plain
    without = run_on_terminal("config", "show", "engine", folder=tmp_path, environment={"NO_COLOR": "1"})
    assert "engine.lease_ms" in without
    assert "\x1b[3" not in without.replace("\x1b[3m", "")
    piped = run_process("config", "show", "engine", folder=tmp_path)
    assert (piped.code, piped.err) == (0, "")
    assert piped.out.isascii()
    assert "\x1b" not in piped.out


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'import sys; from orchestrator.cli import main; sys.exit(main())' config reference"
    done = subprocess.run(
        ["bash", "-c", f"{command} | true; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    assert done.stdout == "0\n"
    assert done.stderr == ""


def test_a_plain_table_is_aligned() -> None:
    text = plain_table("title", ("name", "count"), [("a", "1"), ("long name", "1,000")], right=("count",))
    assert text.splitlines() == ["title", "name       count", "a              1", "long name  1,000"]


def test_exit_codes_are_those_that_programs_rely_on() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "CHECK_FAILED": 1,
        "USAGE": 2,
        "INPUT": 3,
        "MISSING": 4,
        "UNEXPECTED": 70,
        "INTERRUPTED": 130,
    }
