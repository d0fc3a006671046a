"""What is measured, each in a process of its own: ``python -m tests.benchmarks.cases NAME …``.

A case imports what it needs first; time, CPU and memory are counted from there.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks.generator import SURVEY_ID
from tests.benchmarks.material import bodies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alchemer_nb.fetch.progress import Progress


@dataclass
class Measured:
    """What one run took.

    Attributes:
        wall: Seconds.
        cpu: Seconds of this process, all threads.
        peak: Megabytes above what the imports took.
        rows: Of the result.
        first: Seconds until the first rows could be seen, where that means something.
    """

    wall: float
    cpu: float
    peak: float
    rows: int
    first: float | None = None


def measure(work: Callable[[], Any]) -> Measured:
    """Runs it once; ``work`` gives something with a length, or that and the time of first rows."""
    gc.collect()
    before = _peak()
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    took = time.perf_counter() - wall, time.process_time() - cpu
    rows, first = result if isinstance(result, tuple) else (result, None)
    return Measured(*took, _peak() - before, len(rows), None if first is None else first - wall)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


# -- parse alone ----------------------------------------------------------------------------


def ours(folder: Path) -> Measured:
    """Decodes every field of a full frame, and makes it."""
    from zoneinfo import ZoneInfo

    import pandas as pd
    import pyarrow as pa

    from alchemer_nb.decode.answers import AnswersBuilder
    from alchemer_nb.frame.build import build_frame
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import choose_rows
    from alchemer_nb.survey.definition import read_definition

    pd.array(["x"], dtype="str")  # pandas and Arrow load more at their first use
    pa.array(["x"])
    survey = read_definition(*_definition(folder))

    def work() -> Any:
        builder = AnswersBuilder(survey)
        for path in bodies(folder):
            builder.add_page(path.read_bytes())
        answers = builder.build()
        options = FrameOptions(metadata="all")
        return build_frame(
            answers, survey, choose_rows(answers, options), options, ZoneInfo("UTC"), {}
        )

    return measure(work)


def json_normalize(folder: Path) -> Measured:
    """What a first script does."""
    import pandas as pd

    def work() -> Any:
        return pd.json_normalize(
            [row for path in bodies(folder) for row in json.loads(path.read_bytes())["data"]]
        )

    return measure(work)


def row_dicts(folder: Path) -> Measured:
    """What a careful script does: a flat dict for each response, then a DataFrame."""
    import pandas as pd

    def work() -> Any:
        return pd.DataFrame(
            [_flat(row) for path in bodies(folder) for row in json.loads(path.read_bytes())["data"]]
        )

    return measure(work)


def orjson_alone(folder: Path) -> Measured:
    """The fastest general decoder; builds no frame."""
    import orjson

    def work() -> Any:
        rows = 0
        for path in bodies(folder):
            rows += len(orjson.loads(path.read_bytes())["data"])
        return range(rows)

    return measure(work)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    flat = {name: value for name, value in row.items() if name != "survey_data"}
    for own, entry in (row["survey_data"] or {}).items():
        if "options" in entry:
            for option, chosen in entry["options"].items():
                flat[f"q{own}_{option}"] = chosen["answer"]
        elif "subquestions" in entry:
            for cell, inner in entry["subquestions"].items():
                flat[f"q{own}_{cell}"] = inner.get("answer")
        else:
            flat[f"q{own}"] = entry.get("answer")
    return flat


def _definition(folder: Path) -> tuple[Any, Any]:
    import gzip

    names = (f"{SURVEY_ID}.json.gz", "surveyquestion.json.gz")
    survey, asked = (json.loads(gzip.decompress((folder / name).read_bytes())) for name in names)
    return survey["data"], asked["data"]


# -- end to end -----------------------------------------------------------------------------


def download(url: str, in_flight: str) -> Measured:
    """Our client, from the call to the frame."""
    import pandas as pd

    import alchemer_nb as al

    pd.array(["x"], dtype="str")
    client = al.Client(
        al.ApiKey("key", "secret"), region=al.Region.custom(url), max_in_flight=int(in_flight)
    )
    seen: list[float] = []

    def tell(progress: Progress) -> None:
        if progress.rows and not seen and progress.frame is not None:
            progress.frame()
            seen.append(time.perf_counter())

    def work() -> Any:
        return client.responses(int(SURVEY_ID), metadata="all", progress=tell), seen[0]

    return measure(work)


def memory(url: str, metadata: str) -> Measured:
    """Our client, as analysts call it: what counts is the peak."""
    import pandas as pd
    import pyarrow as pa
    import requests  # noqa: F401 - all that the call imports is not counted

    import alchemer_nb as al
    import alchemer_nb.client.retrieval

    pd.array(["x"], dtype="str")
    pa.array(["x"])
    client = al.Client(al.ApiKey("key", "secret"), region=al.Region.custom(url))

    def work() -> Any:
        return client.responses(int(SURVEY_ID), metadata=metadata, progress=False)

    return measure(work)


def one_by_one(url: str) -> Measured:
    """A first script: a page after the other, then ``json_normalize``."""
    import pandas as pd
    import requests

    def work() -> Any:
        rows: list[Any] = []
        page, pages = 1, 1
        with requests.Session() as session:
            while page <= pages:
                answer = session.get(
                    f"{url}/v5/survey/{SURVEY_ID}/surveyresponse",
                    params={"page": page, "resultsperpage": 500},
                    timeout=60,
                ).json()
                rows += answer["data"]
                page, pages = page + 1, answer["total_pages"]
        return pd.json_normalize(rows)

    return measure(work)


# -- sign-in --------------------------------------------------------------------------------


def click(url: str) -> Measured:
    """From the click on "Sign in" of a panel that is shown to the session that is signed in."""
    from alchemer_nb.http.regions import Region
    from alchemer_nb.notebook.signin.panel import LoginPanel
    from alchemer_nb.notebook.signin.session import Session

    session = Session()
    form = LoginPanel(session, region=Region.custom(url)).form
    fields = ["api_token", "api_token_secret"]
    message = {"type": "submit", "attempt": form.view["attempt"], "fields": fields}

    def work() -> Any:
        form._handle_custom_msg(message, [memoryview(b"key"), memoryview(b"secret")])
        return list(session.names())

    return signed_in(measure(work))


def login(url: str) -> Measured:
    """``%alchemer login`` with a key in the environment, with all that it imports."""
    from alchemer_nb.http.regions import Region
    from alchemer_nb.notebook.signin.session import Session

    session, region = Session(), Region.custom(url)
    os.environ.update(ALCHEMER_API_TOKEN="key", ALCHEMER_API_TOKEN_SECRET="secret")

    def work() -> Any:
        from alchemer_nb.notebook.signin.login import login

        login(session, region=region)
        return list(session.names())

    return signed_in(measure(work))


def signed_in(measured: Measured) -> Measured:
    """Check that one connection was made, and that pandas was not needed for it."""
    if measured.rows != 1 or "pandas" in sys.modules:
        raise AssertionError("nobody is signed in, or pandas was imported")
    return measured


def one_get(url: str) -> Measured:
    """The same call by requests alone, which is imported before."""
    import requests

    def work() -> Any:
        return requests.get(f"{url}/v5/account", params=_PAIR, timeout=60).json()["data"]

    return measure(work)


def first_get(url: str) -> Measured:
    """The same call by requests alone, with its import."""

    def work() -> Any:
        import requests

        return requests.get(f"{url}/v5/account", params=_PAIR, timeout=60).json()["data"]

    return measure(work)


_PAIR = {"api_token": "key", "api_token_secret": "secret"}


# -- the local store ------------------------------------------------------------------------


def sync(rows: str) -> Measured:
    """A sync that finds 400 new and 100 edited responses, above so much history; the best of 5."""
    import requests

    with _store(rows) as (url, client):
        taken = []
        for _ in range(5):
            requests.post(f"{url}/move", timeout=60)
            taken.append(measure(partial(_synced, client())))
        return min(taken, key=lambda each: each.wall)


@contextlib.contextmanager
def _store(rows: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """A server of so many responses, all of which are stored; its address, and new clients."""
    import subprocess
    import tempfile

    import alchemer_nb as al

    command = [sys.executable, "-m", "tests.benchmarks.moving", rows]
    with (
        tempfile.TemporaryDirectory() as store,
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server,
    ):
        assert server.stdout is not None
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}"

            def client() -> al.Client:  # a new one remembers no answer of the last minute
                region = al.Region.custom(url)
                return al.Client(al.ApiKey("key", "secret"), region=region, store=store)

            client().sync(int(SURVEY_ID))
            yield url, client
        finally:
            server.terminate()


def checks(rows: str) -> dict[str, float]:
    """CPU seconds of the digests of all files of a store, of checking again, and of reading it."""
    from alchemer_nb.store import digests, manifest

    with _store(rows) as (_, client):
        reader = client()
        (folder,) = (Path(place) for place in reader.stored()["place"])
        found = manifest.read_manifest(folder)
        assert found is not None
        files = [folder / name for name in found.files]
        return {
            "computing all digests": _best_cpu(lambda: [*map(digests.record_file, files)]),
            "checking them again": _best_cpu(lambda: [*map(found.is_intact, found.files)]),
            "scan with pandas": _best_cpu(
                lambda: reader.scan(int(SURVEY_ID), "pandas", progress="none")
            ),
        }


def _synced(client: Any) -> range:
    done = client.sync(int(SURVEY_ID))
    if (done.added, done.changed) != (400, 100):
        raise AssertionError(str(done))
    return range(done.rows)


# -- a wide frame ---------------------------------------------------------------------------


def slicing(columns: str) -> dict[str, float]:
    """Microseconds of what analysts do to a wide frame, with our knowledge in it and without."""
    from zoneinfo import ZoneInfo

    import pandas as pd

    from alchemer_nb.decode.answers import AnswersBuilder
    from alchemer_nb.frame.build import build_frame
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import choose_rows
    from alchemer_nb.survey.definition import read_definition
    from tests.benchmarks.generator import Generator

    made = Generator(int(columns) * 2 // 5, 300)
    survey = read_definition(made.survey(), made.questions())
    builder = AnswersBuilder(survey)
    builder.add_page(made.page(1))
    answers = builder.build()
    options = FrameOptions()
    frame = build_frame(
        answers, survey, choose_rows(answers, options), options, ZoneInfo("UTC"), {}
    )
    plain = pd.DataFrame(frame)
    plain.attrs = {}
    steps: dict[str, Callable[[pd.DataFrame], object]] = {
        "a column": lambda df: df[df.columns[50]],
        "ten columns": lambda df: df[list(df.columns[50:60])],
        "head": lambda df: df.head(),
        "a filter": lambda df: df[df["response_time"] > 900],
        "a copy": lambda df: df.copy(),
    }
    ratios = {name: _best(step, frame) / _best(step, plain) for name, step in steps.items()}
    return {"columns": float(frame.shape[1]), **ratios}


def accessor(columns: str) -> dict[str, float]:
    """CPU seconds of what ``df.alchemer`` does to a wide frame, and of making it."""
    from alchemer_nb.frame.description import describe

    made, frame = _described(int(columns) * 2 // 5, 300)
    steps: dict[str, Callable[[], object]] = {
        "making the frame": made,
        "describe, again": lambda: describe(frame),
        "missing": lambda: frame.alchemer.missing(),
        "codebook": lambda: frame.alchemer.codebook,
        "options": lambda: frame.alchemer.options,
        "relabel to codes": lambda: frame.alchemer.relabel(values="code"),
    }
    describe(frame)
    return {name: _best_cpu(step) for name, step in steps.items()}


def description(rows: str) -> dict[str, float]:
    """Size and CPU seconds of a description of 40 questions, of making its frame, and our file."""
    import tempfile

    from alchemer_nb.frame.description import ATTRS, describe

    made, frame = _described(40, int(rows))
    known = describe(frame)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "frame.parquet"
        frame.alchemer.to_parquet(path)
        file = path.stat().st_size
    return {
        "making the frame": _best_cpu(made),
        "packing": _best_cpu(known.to_json),
        "bytes": float(len(frame.attrs[ATTRS])),
        "file": float(file),
    }


def report(questions: str, rows: str) -> dict[str, float]:
    """Seconds and size of a report, with what it imports; a fifth of the questions are grids."""
    import tempfile

    _, frame = _described(int(questions), int(rows))
    cpu, wall = time.process_time(), time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        written = frame.alchemer.report(Path(folder) / "report.html")
    return {
        "seconds": time.perf_counter() - wall,
        "CPU": time.process_time() - cpu,
        "MB": written.size / 1e6,
        "questions": float(written.questions),
    }


def _described(questions: int, rows: int) -> tuple[Callable[[], Any], Any]:
    """What parses and builds a frame with its accessor, and the frame."""
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import AnswersBuilder
    from alchemer_nb.frame.build import build_frame
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import choose_rows
    from alchemer_nb.survey.definition import read_definition
    from tests.benchmarks.generator import Generator

    source = Generator(questions, rows)
    survey = read_definition(source.survey(), source.questions())
    pages = [source.page(number) for number in range(1, source.pages + 1)]
    options = FrameOptions()

    def make() -> Any:
        builder = AnswersBuilder(survey)
        for page in pages:
            builder.add_page(page)
        answers = builder.build()
        return build_frame(
            answers, survey, choose_rows(answers, options), options, ZoneInfo("UTC"), {}
        )

    return make, make()


def _best_cpu(step: Callable[[], object]) -> float:
    taken = []
    for _ in range(3):
        began = time.process_time()
        step()
        taken.append(time.process_time() - began)
    return min(taken)


def many_questions(count: str, shape: str) -> Measured:
    """The frame of so many questions and few responses: how cost grows with the questions."""
    from zoneinfo import ZoneInfo

    from alchemer_nb.decode.answers import AnswersBuilder
    from alchemer_nb.frame.build import build_frame
    from alchemer_nb.frame.options import FrameOptions
    from alchemer_nb.frame.rows import choose_rows
    from alchemer_nb.survey.definition import read_definition
    from tests.benchmarks.generator import Generator

    made = Generator(int(count), 5)
    survey, page = read_definition(made.survey(), made.questions()), made.page(1)
    options = FrameOptions(shape=shape)  # type: ignore[arg-type]  # a word from the command line

    def work() -> Any:
        builder = AnswersBuilder(survey)
        builder.add_page(page)
        answers = builder.build()
        return build_frame(
            answers, survey, choose_rows(answers, options), options, ZoneInfo("UTC"), {}
        )

    return measure(work)


def _best(step: Callable[[Any], object], frame: Any) -> float:
    taken = []
    for _ in range(7):
        began = time.perf_counter()
        for _ in range(20):
            step(frame)
        taken.append(time.perf_counter() - began)
    return min(taken)


if __name__ == "__main__":
    name, *given = sys.argv[1:]
    case = globals()[name]
    wants_folder = name in ("ours", "json_normalize", "row_dicts", "orjson_alone")
    outcome = case(Path(given[0])) if wants_folder else case(*given)
    json.dump(asdict(outcome) if isinstance(outcome, Measured) else outcome, sys.stdout)
