"""What an object shows, holds, computes, and becomes when it is copied or pickled."""

from __future__ import annotations

import inspect
import os
import stat

import keyring
import pytest
from keyring.backends import fail

import alchemer_nb
from alchemer_nb import Job, Region, Retries
from alchemer_nb.auth import profiles
from alchemer_nb.notebook.signin.session import Session
from alchemer_nb.notebook.signin.steps import SignIn
from tests.auth.test_profiles import MemoryKeyring
from tests.leaks.search import CANARIES, MODES
from tests.leaks.walk import VERIFIER, Walk

FRAMES = {
    "surveys": lambda client: client.surveys(),
    "account": lambda client: client.account(),
    "codebook": lambda client: client.codebook(5),
    "responses": lambda client: client.responses(5, progress="none"),
    "everything": lambda client: client.responses(
        5, metadata="all", values="both", progress="none"
    ),
    "long": lambda client: client.responses(5, shape="long", progress="none"),
    "table": lambda client: client.table("survey"),
    "pages": lambda client: [*client.pages("survey")],
    "request": lambda client: client.request("GET", "account"),
    "survey": lambda client: client.survey(5),
    "estimate": lambda client: client.estimate(5),
}


# What is made of answers does not depend on the mode; `make test-long` shows it in each.
ONE_MODE = [
    "key",
    *(pytest.param(each, marks=pytest.mark.long) for each in MODES if each != "key"),
]  # fmt: skip
in_one_mode = pytest.mark.parametrize("walk", ONE_MODE, indirect=True)


@pytest.fixture(params=MODES)
def walk(request, scripted, tmp_path, monkeypatch):
    monkeypatch.setenv("ALCHEMER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("ALCHEMER_LIMITS_FOLDER", str(tmp_path / "limits"))
    return Walk(scripted, MODES[request.param])


def finished(flow):
    """A flow that was begun and ended, and what it gave."""
    return flow, flow.finish(VERIFIER)


PUBLIC = {
    "ApiKey": lambda _: MODES["key"],
    "OAuth1": lambda _: (MODES["two"], MODES["three"]),
    "OAuthFlow": lambda walk: (walk.flow(), finished(walk.flow())),
    "Client": lambda walk: walk.client,
    "Job": lambda walk: Job.start(walk.client, 5),
    "Region": lambda walk: (walk.server.region, Region.get("us")),
    "Retries": lambda _: Retries(attempts=2),
}


def test_every_public_class_is_walked():
    public = {name for name in alchemer_nb.__all__ if inspect.isclass(getattr(alchemer_nb, name))}
    assert public == set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_no_public_object_shows_a_secret(walk, search, name):
    thing = PUBLIC[name](walk)
    if name == "Job":
        thing.result(10)
    if name == "Client":
        thing.responses(5, progress="none")
    search.thing(name, thing, computed=True)
    search.copies(name, thing)


@in_one_mode
def test_nothing_that_a_client_gives_shows_a_secret(walk, search):
    for name, ask in FRAMES.items():
        given = ask(walk.client)
        search.thing(name, given, computed=True)
        search.copies(name, given)
        search.text(f"{name}, attrs", getattr(given, "attrs", ""))
        if hasattr(given, "to_csv"):
            search.text(f"{name}, written", given.to_csv(), given.to_html())
    frame = walk.client.responses(5, progress="none")
    search.thing("the accessor", frame.alchemer, computed=True)


def test_no_session_and_no_sign_in_shows_a_secret(walk, search):
    session = Session()
    session.adopt(walk.client)
    for name, thing in {
        "session": session,
        "status": session.status(),
        "connection": session.require(),
        "sign-in": SignIn(session),
    }.items():
        search.thing(name, thing, computed=True)
        search.copies(name, thing)
    session.sign_out()
    search.thing("signed out", session, computed=True)


# -- files ---------------------------------------------------------------------------------------


@in_one_mode
def test_no_file_that_is_written_holds_a_secret(walk, search, tmp_path):
    client = walk.client
    frame = client.responses(5, progress="none")
    frame.alchemer.to_parquet(tmp_path / "ours.parquet")
    frame.to_parquet(tmp_path / "pandas.parquet")
    frame.to_pickle(tmp_path / "frame.pickle")
    frame.alchemer.to_excel(tmp_path / "frame.xlsx")
    frame.alchemer.to_spss(tmp_path / "frame.sav")
    frame.alchemer.to_stata(tmp_path / "frame.dta")
    client.survey(5).save(tmp_path / "survey.json")
    synced = client.sync(5)
    client.sync(5)
    client.expunge(5, responses=2)
    search.thing("the sync", synced, computed=True)
    search.thing("the stores", client.stored(), computed=True)
    search.folder(tmp_path)
    names = {path.suffix for path in tmp_path.rglob("*") if path.is_file()}
    assert names >= {".parquet", ".pickle", ".xlsx", ".sav", ".dta", ".json"}
    assert any((tmp_path / "store").rglob("*.parquet"))
    assert any((tmp_path / "limits").iterdir())
    assert not (tmp_path / "config").exists()  # nobody asked to be remembered


@in_one_mode
@pytest.mark.parametrize(
    "engine",
    [
        *("duckdb", "dask"),
        *(pytest.param(each, marks=pytest.mark.long) for each in ("arrow", "pandas", "polars")),
    ],
)
def test_no_engine_is_handed_a_secret(walk, search, engine):
    pytest.importorskip(
        "dask.dataframe" if engine == "dask" else engine.replace("arrow", "pyarrow")
    )
    walk.client.sync(5)
    found = walk.client.scan(5, engine, progress="none")
    search.thing(engine, found)
    search.copies(engine, found)
    if engine == "dask":
        graph = dict(found.__dask_graph__())
        assert graph
        search.thing("its graph", graph)
        search.copies("its graph", graph)
    with_sql = walk.client.sql("SELECT count(*) AS n FROM made_by_hand", progress="none")
    search.thing("sql", with_sql, computed=True)


def test_only_who_asks_to_be_remembered_is(walk, search, tmp_path):
    """The one place where secrets are kept, and who can read it."""
    keyring.set_keyring(fail.Keyring())
    steps = SignIn(Session())
    region = walk.server.region
    steps.use_credentials(walk.credentials, region)
    assert not (tmp_path / "config").exists()
    steps.use_credentials(walk.credentials, region, remember=True)
    search.text("what is said of it", steps.saved_note)
    file = tmp_path / "config" / "alchemer_nb" / "default.json"
    kept = [path for path in (tmp_path / "config").rglob("*") if path.is_file()]
    assert kept == [file]
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    apart = type(search)(CANARIES)
    apart.file(file)
    assert len(apart.found) == len(walk.credentials.secrets)  # so the search would see them
    profile = profiles.load()
    search.thing("the profile", profile, computed=True)
    search.copies("the profile", profile)
    profiles.delete("default")
    search.folder(tmp_path)
    ring = MemoryKeyring()
    keyring.set_keyring(ring)
    try:
        steps.use_credentials(walk.credentials, region, remember=True)
        search.folder(tmp_path)
        assert profiles.load() is not None
    finally:
        keyring.set_keyring(fail.Keyring())
