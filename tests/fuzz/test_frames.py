"""Whatever stands in attrs, in the footer of a Parquet file, or in its bytes."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import alchemer_nb as al
from alchemer_nb.frame.description import describe, drop_unused_texts
from tests.fuzz.judge import COSTLY, outcome
from tests.fuzz.mutations import as_bytes, contents, json_contents, jsons, texts
from tests.fuzz.surveys import OWN, QUIET, client_of, new_folder
from tests.scripted import ScriptedServer

SHAPES = ({}, {"values": "both", "metadata": "all"}, {"shape": "long"}, {"multi": "list"})


@pytest.fixture(scope="module")
def frames():
    with ScriptedServer() as server:
        client = client_of(server)
        made = [client.responses(OWN, test_rows="include", **how, **QUIET) for how in SHAPES]
        waves = al.stack_waves({"spring": made[0], "autumn": made[0]})
        return [*made, waves]


def use(frame: pd.DataFrame, data: st.DataObject) -> None:
    """Ask a frame what its description knows; each answer is a result or an error."""
    described = outcome(getattr, frame, "alchemer")
    if described is None:
        return
    with new_folder() as folder:
        works = (
            lambda: described.codebook,
            lambda: described.options,
            lambda: described.summary,
            lambda: described.facts,
            lambda: described.find("happy"),
            lambda: described.columns("metadata"),
            lambda: described.columns("happy"),
            lambda: described.relabel(names="id", values="code"),
            lambda: described.relabel(shape="long", tz=None),
            lambda: described.score("nps"),
            lambda: described.top("happy"),
            described.for_model,
            described.missing,
            described.base_sizes,
            described.trim,
            described.redact,
            lambda: described.attach(frame.copy()),
            lambda: described.to_parquet(Path(folder, "x.parquet")),
            lambda: described.to_excel(Path(folder, "x.xlsx")),
            lambda: described.to_spss(Path(folder, "x.sav")),
            lambda: repr(described),
        )
        for work in data.draw(st.lists(st.sampled_from(works), min_size=2, max_size=3)):
            outcome(work)


def with_text(frame: pd.DataFrame, text: object) -> pd.DataFrame:
    changed = frame.copy()
    changed.attrs = {"alchemer": text}
    return changed


def pack(meaning: bytes) -> str:
    return base64.b64encode(zlib.compress(meaning)).decode("ascii")


@given(data=st.data())
@COSTLY
def test_any_description_is_read_or_refused(frames, data):
    frame = data.draw(st.sampled_from(frames))
    text = data.draw(jsons([json.loads(frame.attrs["alchemer"])]))
    use(with_text(frame, text), data)


@given(data=st.data())
@COSTLY
def test_any_text_of_a_description_is_read_or_refused(frames, data):
    frame = data.draw(st.sampled_from(frames))
    use(with_text(frame, data.draw(texts([frame.attrs["alchemer"]]))), data)


@given(data=st.data())
@COSTLY
def test_any_meaning_of_columns_is_read_or_refused(frames, data):
    """The packed part of a description: valid base64 of a valid archive of anything."""
    frame = data.draw(st.sampled_from(frames))
    about = json.loads(frame.attrs["alchemer"])
    parts = list(about["waves"].values()) if "waves" in about else [about]
    part = data.draw(st.sampled_from(parts))
    meaning = json.loads(zlib.decompress(base64.b64decode(part["meaning"])))
    part["meaning"] = pack(as_bytes(data.draw(jsons([meaning]))))
    use(with_text(frame, json.dumps(about)), data)


@given(data=st.data())
@COSTLY
def test_any_reasons_are_read_or_refused(frames, data):
    frame = data.draw(st.sampled_from(frames[:3]))
    about = json.loads(frame.attrs["alchemer"])
    reasons = data.draw(jsons([about["reasons"]], broken=False))
    about["reasons"] = "@"
    use(with_text(frame, json.dumps(about).replace('"@"', reasons)), data)


# -- files ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def files(frames):
    """The bytes of the Parquet files of the frames, and of a table of pandas' own."""
    found = []
    with new_folder() as folder:
        path = Path(folder, "x.parquet")
        for frame in frames:
            frame.alchemer.to_parquet(path)
            found.append(path.read_bytes())
        frames[0].to_parquet(path)
        found.append(path.read_bytes())
    return found


def read(content: bytes) -> None:
    with new_folder() as folder:
        path = Path(folder, "x.parquet")
        path.write_bytes(content)
        frame = outcome(al.read_parquet, path)
    if frame is not None:
        assert isinstance(frame, pd.DataFrame)
        outcome(lambda: frame.alchemer.codebook)
        outcome(lambda: frame.alchemer.relabel())
        outcome(lambda: frame.alchemer.missing())


@given(data=st.data())
@COSTLY
def test_any_bytes_of_a_file_are_read_or_refused(files, data):
    read(data.draw(contents(files)))


@given(place=st.integers(0, 10**6), bit=st.integers(0, 7))
@COSTLY
def test_no_bit_of_the_data_changes_a_cell_in_silence(frames, files, place, bit):
    content = bytearray(files[0])
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")  # where the footer begins
    content[place * end // (10**6 + 1)] ^= 1 << bit
    with new_folder() as folder:
        path = Path(folder, "x.parquet")
        path.write_bytes(bytes(content))
        frame = outcome(al.read_parquet, path)
    if frame is not None:
        pd.testing.assert_frame_equal(frame, drop_unused_texts(frames[0], describe(frames[0])))


def footer_of(content: bytes) -> tuple[object, dict[bytes, bytes]]:
    table = pq.read_table(io.BytesIO(content))
    return table, dict(pq.ParquetFile(io.BytesIO(content)).metadata.metadata or {})


def write(table, footer: dict[bytes, bytes]) -> bytes:
    sink = io.BytesIO()
    schema = {k: v for k, v in footer.items() if k in (b"pandas", b"PANDAS_ATTRS")}
    table = table.replace_schema_metadata(schema)
    with pq.ParquetWriter(sink, table.schema) as writer:
        writer.write_table(table)
        rest = {k: v for k, v in footer.items() if k not in schema and k != b"ARROW:schema"}
        writer.add_key_value_metadata(rest)
    return sink.getvalue()


@given(data=st.data())
@COSTLY
def test_any_footer_is_read_or_refused(files, data):
    table, footer = footer_of(data.draw(st.sampled_from(files)))
    key = data.draw(st.sampled_from(sorted(footer.keys() - {b"ARROW:schema"})))
    prefix, body = b"", footer[key]
    if body[:2] == b"1:":
        prefix, body = body[:2], body[2:]
    try:
        value = json.loads(body)
    except ValueError:
        changed = data.draw(contents([footer[key]]))
    else:
        changed = prefix + data.draw(json_contents([value]))
    footer[key] = changed
    read(write(table, footer))
