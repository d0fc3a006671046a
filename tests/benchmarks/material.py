"""The pages that the benchmarks read, made once and kept."""

from __future__ import annotations

import gzip
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.benchmarks.generator import SURVEY_ID, Generator, envelope

FOLDER = Path(__file__).resolve().parents[2] / "artifacts" / "benchmarks"
_FORM = 5  # raised when the generator writes something else
_NEWEST = 100


def material(questions: int, responses: int, *, plain: bool = True) -> Path:
    """The folder with the pages of a survey: ``page-N.json.gz`` and the definition.

    Args:
        questions: Of the survey.
        responses: To it.
        plain: Whether the pages are there uncompressed, too, which a server does not need.
    """
    folder = FOLDER / f"{questions}x{responses}-{_FORM}{'' if plain else '-gz'}"
    if (folder / "done").exists():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    made = Generator(questions, responses)
    survey = {"result_ok": True, "data": made.survey()}
    asked = made.questions()
    listed = envelope(asked, total=len(asked), page=1, size=500)
    newest = [made.response(own) for own in range(responses, max(0, responses - _NEWEST), -1)]
    _write(folder / f"{SURVEY_ID}.json.gz", json.dumps(survey).encode())
    _write(folder / "surveyquestion.json.gz", listed)
    _write(folder / "newest.json.gz", envelope(newest, total=responses, page=1, size=_NEWEST))
    work = [(questions, responses, n, str(folder), plain) for n in range(1, made.pages + 1)]
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(_page, work))
    (folder / "done").touch()
    return folder


def bodies(folder: Path) -> list[Path]:
    """The files of the pages, in order, uncompressed: what a parser is given."""
    return sorted(folder.glob("page-*.json"), key=lambda path: int(path.stem.split("-")[1]))


def _page(work: tuple[int, int, int, str, bool]) -> None:
    questions, responses, number, folder, plain = work
    body = Generator(questions, responses).page(number)
    if plain:
        (Path(folder) / f"page-{number}.json").write_bytes(body)
    _write(Path(folder) / f"page-{number}.json.gz", body)


def _write(path: Path, body: bytes) -> None:
    path.write_bytes(gzip.compress(body, 5, mtime=0))


if __name__ == "__main__":
    sys.stdout.write(f"{material(int(sys.argv[1]), int(sys.argv[2]))}\n")
