"""``make bench``: how fast, how large, against what; ratios of one run on one machine.

Each case runs in a process of its own. Times of another run or machine are not comparable; the
ratios are.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.generator import SURVEY_ID
from tests.benchmarks.material import FOLDER, material
from tests.environments import REPOSITORY, environment

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
_RUNS = 3  # of what takes seconds: whatever else the machine does only ever adds time
_MANY = 100_000  # responses, whose memory is measured
PARSERS = ("ours", "json_normalize", "row_dicts", "orjson_alone")


@dataclass(frozen=True)
class Goal:
    """A ratio that is to be reached."""

    what: str
    reached: float
    at_least: float
    hoped: float
    smaller_is_better: bool = False

    def line(self) -> str:
        """As a row of the table."""
        good = self.reached <= self.at_least if self.smaller_is_better else (
            self.reached >= self.at_least
        )  # fmt: skip
        mark = "yes" if good else "**no**"
        return f"| {self.what} | {self.reached:.2f} | {self.at_least:g} | {self.hoped:g} | {mark} |"


class Bench:
    """One run of all of it.

    Args:
        rows: Responses of the narrow survey; the wide one has a quarter.
        latency: Seconds that a page takes where that is asked for.
    """

    def __init__(self, rows: int, latency: float) -> None:
        self.rows = rows
        self.latency = latency
        self.lines: list[str] = []
        self.goals: list[Goal] = []

    def run(self) -> str:
        """Measures, and gives the report."""
        self._parse(40, self.rows, 8, 12)
        self._parse(150, self.rows // 4, 7, 10)
        self._sign_in()
        self._end_to_end()
        self._memory()
        self._peers()
        self._wide_frame()
        self._description()
        self._report()
        self._many_questions()
        self._sync()
        self._checks()
        head = "| what | reached | at least | hoped | reached |\n|---|---|---|---|---|"
        goals = "\n".join([head, *(goal.line() for goal in self.goals)])
        return "\n\n".join(["# Benchmarks", goals, *self.lines]) + "\n"

    def _parse(self, questions: int, rows: int, least: float, hope: float) -> None:
        folder = material(questions, rows)
        told = best_of_each(PARSERS, str(folder))
        head = f"Parse and frame, {questions} questions, {rows:,} responses (best of {_RUNS})"
        self._table(head, told)
        ours = told["ours"]["cpu"]
        what = f"parse + frame, {questions} questions, CPU against"
        normal = told["json_normalize"]["cpu"] / ours
        self.goals.append(Goal(f"{what} json + json_normalize", normal, least, hope))
        if questions == 40:
            alone = told["orjson_alone"]["cpu"] / ours
            self.goals.append(Goal(f"{what} orjson.loads alone", alone, 1.4, 2))
            peak = told["json_normalize"]["peak"] / told["ours"]["peak"]
            self.goals.append(Goal("peak memory, json_normalize against ours", peak, 20, 40))
        times = 100_000 / rows
        self.lines.append(
            f"At 100,000 responses (extrapolated, not run): json_normalize about "
            f"{told['json_normalize']['wall'] * times:.0f} s and "
            f"{told['json_normalize']['peak'] * times / 1000:.0f} GB, ours "
            f"{ours * times:.0f} s."
        )

    def _sign_in(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            reply = {"result_ok": True, "data": {"id": "7", "organization": "One"}}
            (Path(folder) / "account.json.gz").write_bytes(
                gzip.compress(json.dumps(reply).encode())
            )
            with serving(Path(folder), 0) as url:
                told = best_of_each(("click", "one_get", "login", "first_get"), url)
        if not all(told.values()):
            return
        names = {
            "click": "a click in the panel",
            "one_get": "one call by requests",
            "login": "login from the environment, with its imports",
            "first_get": "one call by requests, with its import",
        }
        rows = [
            f"| {name} | {told[k]['wall']:.3f} | {told[k]['cpu']:.3f} |"
            for k, name in names.items()
        ]
        head = "| what | seconds | CPU |\n|---|---|---|"
        self.lines.append(f"## Sign-in (best of {_RUNS})\n\n{head}\n" + "\n".join(rows))
        by_click = told["click"]["cpu"] / told["one_get"]["cpu"]
        self.goals.append(Goal("sign-in by a click, CPU against one call", by_click, 8, 5, True))
        first = told["login"]["cpu"] / told["first_get"]["cpu"]
        self.goals.append(Goal("login with imports, CPU against requests", first, 3, 2, True))

    def _end_to_end(self) -> None:
        folder = material(40, self.rows)
        pages = math.ceil(self.rows / 500)
        told = {}
        for latency in (0.0, self.latency):
            with serving(folder, latency) as url:
                for in_flight in (4, 8):
                    name = f"ours, {in_flight} in flight, {latency:g} s a page"
                    told[name] = case("download", url, str(in_flight))
                told[f"one by one, {latency:g} s a page"] = case("one_by_one", url)
        self._table(f"End to end, 40 questions, {self.rows:,} responses", told)
        ours = told[f"ours, 8 in flight, {self.latency:g} s a page"]
        limit = math.ceil(pages / 8) * self.latency
        what = f"{self.rows:,} responses, {self.latency:g} s a page, 8 in flight:"
        over = ours["wall"] / limit
        self.goals.append(Goal(f"{what} time against the limit", over, 1.5, 1.2, True))
        first = (ours["first"] or math.inf) / self.latency
        self.goals.append(Goal(f"{what} first rows, in pages' latencies", first, 2, 2, True))

    def _memory(self) -> None:
        with serving(material(40, _MANY, plain=False), 0) as url:
            told = {
                f'metadata="{metadata}"': case("memory", url, metadata)
                for metadata in ("standard", "all")
            }
        self._table(f"Memory of a download, 40 questions, {_MANY:,} responses", told)
        for name, each in told.items():
            if each:
                what = f"download + frame of {_MANY:,} x 40, {name}, peak MB above imports"
                self.goals.append(Goal(what, each["peak"], 350, 300, True))

    def _peers(self) -> None:
        rows = self.rows // 2
        folder = material(40, rows)
        told = {}
        with serving(folder, 0.3) as url, tempfile.TemporaryDirectory() as target:
            told["ours, 4 in flight"] = case("download", url, "4")
            pythons = {
                "crosstabs": environment("crosstabs", ("crosstabs[surveys]==1.5.0",)),
                "alchemer": environment("peers", *_peers()),
            }
            for name, python in pythons.items():
                command = [str(python), str(HERE / "peer.py"), name, url, SURVEY_ID, target]
                told[name] = spoken(command)
        self._table(f"Peers, 40 questions, {rows:,} responses, 0.3 s a page", told)
        if told["crosstabs"].get("wall"):
            ratio = told["crosstabs"]["wall"] / told["ours, 4 in flight"]["wall"]
            self.goals.append(Goal("end to end at 0.3 s a page, crosstabs against", ratio, 3, 5))

    def _wide_frame(self) -> None:
        told = case("slicing", "3000")
        columns = int(told.pop("columns"))
        rows = [f"| {name} | {ratio:.2f} |" for name, ratio in told.items()]
        head = "| what | time against a plain frame |\n|---|---|"
        self.lines.append(
            f"## Slicing a frame of {columns:,} columns\n\n{head}\n" + "\n".join(rows)
        )
        worst = max(told.values())
        self.goals.append(Goal("slicing a wide frame against a plain one", worst, 1.5, 1.1, True))

    def _description(self) -> None:
        wide, small, large = (
            case(name, size)
            for name, size in (
                ("accessor", "3000"), ("description", "10000"), ("description", "100000")
            )
        )  # fmt: skip
        if not (wide and small and large):
            return
        rows = [f"| {name} | {seconds:.4f} |" for name, seconds in wide.items()]
        head = "| what | CPU |\n|---|---|"
        self.lines.append("## The accessor of a frame of 3,000 columns\n\n" + head)
        self.lines[-1] += "\n" + "\n".join(rows)
        making = wide["making the frame"]
        for what, ratio, least, hope in (
            ("packing the description, of making 10,000 x 40",
             small["packing"] / small["making the frame"], 0.05, 0.03),
            ("description, of our file of 10,000 x 40", small["bytes"] / small["file"], 0.05, 0.04),
            ("description of 100,000 x 40, MB", large["bytes"] / 1e6, 1, 0.9),
            ("a second call at 3,000 columns, ms", wide["describe, again"] * 1000, 2, 1),
            ("relabel against making the frame", wide["relabel to codes"] / making, 1, 0.5),
            ("missing against making the frame", wide["missing"] / making, 0.2, 0.1),
        ):  # fmt: skip
            self.goals.append(Goal(what, ratio, least, hope, True))

    def _report(self) -> None:
        told = case("report", "100", "10000")
        if not told:
            return
        rows = [f"| {name} | {figure:.2f} |" for name, figure in told.items()]
        title = "## A report of 100 questions, 10,000 responses"
        self.lines.append(f"{title}\n\n| what | figure |\n|---|---|\n" + "\n".join(rows))
        self.goals.append(Goal("report of 10,000 x 100, CPU seconds", told["CPU"], 20, 8, True))
        self.goals.append(Goal("report of 10,000 x 100, MB", told["MB"], 2, 1, True))

    def _many_questions(self) -> None:
        rows = []
        for shape in ("wide", "long"):
            few, many = (case("many_questions", count, shape)["cpu"] for count in ("500", "3000"))
            rows.append(f"| {shape} | {few:.2f} | {many:.2f} | {many / few:.1f} |")
        head = "| shape | CPU of 500 questions | of 3,000 | times |\n|---|---|---|---|"
        self.lines.append("## Six times the questions\n\n" + head + "\n" + "\n".join(rows))

    def _sync(self) -> None:
        told = {rows: case("sync", str(rows)) for rows in (5000, 80000)}
        if not all(told.values()):
            return
        rows = [
            f"| {size:,} | {each['wall']:.3f} | {each['cpu']:.3f} |" for size, each in told.items()
        ]
        head = "| rows of history | seconds | CPU |\n|---|---|---|"
        self.lines.append("## Sync of 500 rows\n\n" + head + "\n" + "\n".join(rows))
        ratio = told[80000]["wall"] / told[5000]["wall"]
        self.goals.append(
            Goal("sync of 500 rows, 80k of history against 5k", ratio, 1.3, 1.1, True)
        )

    def _checks(self) -> None:
        told = case("checks", str(self.rows))
        if not told:
            return
        rows = [f"| {name} | {seconds:.5f} |" for name, seconds in told.items()]
        head = "| what | CPU |\n|---|---|"
        title = f"## Digests of a store of {self.rows:,} responses"
        self.lines.append(f"{title}\n\n{head}\n" + "\n".join(rows))
        reading = told["scan with pandas"]
        for what, name, least, hope in (
            ("digests of all files, of a scan with pandas", "computing all digests", 0.2, 0.1),
            ("checking them again, of the same", "checking them again", 0.02, 0.01),
        ):
            self.goals.append(Goal(what, told[name] / reading, least, hope, True))

    def _table(self, title: str, told: dict[str, dict[str, Any]]) -> None:
        head = "| what | seconds | CPU | peak MB | first rows |\n|---|---|---|---|---|"
        rows = []
        for name, each in told.items():
            if not each:
                rows.append(f"| {name} | did not run | | | |")
                continue
            first = f"{each['first']:.2f}" if each.get("first") else ""
            figures = f"{each['wall']:.2f} | {each['cpu']:.2f} | {each['peak']:.0f}"
            rows.append(f"| {name} | {figures} | {first} |")
        self.lines.append(f"## {title}\n\n{head}\n" + "\n".join(rows))


def case(name: str, *given: str) -> dict[str, Any]:
    """Runs a case in a process of its own."""
    return spoken([sys.executable, "-m", "tests.benchmarks.cases", name, *given])


def best_of_each(names: tuple[str, ...], *given: str) -> dict[str, dict[str, Any]]:
    """Runs cases by turns, and takes of each the run that took the least CPU."""
    runs = [{name: case(name, *given) for name in names} for _ in range(_RUNS)]
    return {
        name: min((run[name] for run in runs), key=lambda told: told.get("cpu", math.inf))
        for name in names
    }


def spoken(command: list[str]) -> dict[str, Any]:
    """What a process prints last, read as JSON; nothing, and its complaint, where it fails."""
    with tempfile.TemporaryDirectory() as limits:  # or a case waits for the calls of another
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env={**os.environ, "ALCHEMER_LIMITS_FOLDER": limits},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode or not done.stdout.strip():
        sys.stderr.write(f"{' '.join(command[1:])} did not run:\n{done.stderr[-2000:]}\n")
        return {}
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


@contextlib.contextmanager
def serving(folder: Path, latency: float) -> Iterator[str]:
    """The page server, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.server", str(folder), str(latency)]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def _peers() -> tuple[tuple[str, ...], ...]:
    from tests.peers.test_peers import PEERS

    return (PEERS,)


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="make bench", description=__doc__)
    asked.add_argument("--rows", type=int, default=20_000, help="responses (20,000)")
    asked.add_argument("--latency", type=float, default=0.5, help="seconds a page (0.5)")
    wanted = asked.parse_args()
    report = Bench(wanted.rows, wanted.latency).run()
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "report.md").write_text(report)
    sys.stdout.write(report)
