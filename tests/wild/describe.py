"""Runs under one pandas: what every frame is, in words that do not depend on the pandas.

Called with a folder to write into, and with another pandas' folder whose files are read as well.
Each part of each frame (a column, an index) becomes one JSON text, so that 1, 1.0 and true differ.

Two names stand for what the pandas call otherwise, and nothing else is held equal:

- ``text``: Arrow text with NaN for missing; ``str`` in pandas 3, ``string`` in pandas 2.3.
- ``labels``: names of columns, which pandas 3 infers to be ``str`` and pandas 2.3 ``object``.
"""

import json
import os
import pickle
import sys
import warnings
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

import alchemer_nb as al
from alchemer_nb.errors import AlchemerError, InvalidArgument, KnowledgeLost
from alchemer_nb.http.regions import Region

CUSTOMERS, EARLIER, TYPES = "9000001", "9000005", "9000006"
KNOWN = "alchemer"
OF_THIS_RUN = {"utc", "host"}
NAMES, VALUES = ("alias", "id", "text"), ("label", "code", "id", "both")


# -- words for a frame ----------------------------------------------------------------------


def dtype_name(dtype):
    if isinstance(dtype, pd.StringDtype):
        if dtype.na_value is pd.NA:
            return f"string with NA, {dtype.storage}"
        return "text" if dtype.storage == "pyarrow" else f"text, {dtype.storage}"
    if isinstance(dtype, pd.CategoricalDtype):
        inner = dtype_name(dtype.categories.dtype)
        return f"category of {inner}, {'ordered' if dtype.ordered else 'unordered'}"
    return str(dtype)


def value_of(value):
    if isinstance(value, (list, np.ndarray)):
        return [value_of(each) for each in value]
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if isinstance(value, np.generic) else value


def values_of(values):
    return [value_of(value) for value in values.astype(object)]


def column(series):
    told = {"dtype": dtype_name(series.dtype), "values": values_of(series)}
    if isinstance(series.dtype, pd.CategoricalDtype):
        told["categories"] = values_of(series.cat.categories)
    return told


def index(labels):
    if isinstance(labels, pd.MultiIndex):
        levels = [index(labels.get_level_values(n)) for n in range(labels.nlevels)]
        return {"names": list(labels.names), "levels": levels}
    return {"name": labels.name, "dtype": dtype_name(labels.dtype), "values": values_of(labels)}


def names_of_columns(labels):
    told = index(labels)
    texts = all(isinstance(label, str) for label in labels)
    if texts and told.get("dtype") in ("object", "text", "text, python"):
        told["dtype"] = "labels"
    return told


def lasting(facts):
    """Facts without the time and the port of this run, which waves carry inside as well."""
    if isinstance(facts, list):
        return [lasting(each) for each in facts]
    if isinstance(facts, dict):
        return {key: lasting(value) for key, value in facts.items() if key not in OF_THIS_RUN}
    return facts


class Told:
    """Parts of frames, by the name of the frame and of the part."""

    def __init__(self):
        self.parts = {}

    def part(self, *name, told):
        key = " | ".join(map(str, name))
        assert key not in self.parts, key
        self.parts[key] = json.dumps(told, ensure_ascii=False, sort_keys=True)

    def frame(self, name, frame):
        if isinstance(frame, pd.Series):
            frame = frame.to_frame()
        self.part(name, "index", told=index(frame.index))
        self.part(name, "columns", told=names_of_columns(frame.columns))
        for place, label in enumerate(frame.columns):
            self.part(name, f"{place}: {label}", told=column(frame.iloc[:, place]))

    def knowledge(self, name, frame):
        """What the frame still knows, or how it says that it does not."""
        for what in ("codebook", "options", "missing", "base_sizes"):
            try:
                found = getattr(frame.alchemer, what)
                self.frame(f"{name} {what}", found() if callable(found) else found)
            except AlchemerError as error:
                self.part(name, what, told=f"{type(error).__name__}: {error}")
        self.part(name, "facts", told=lasting(json.loads(frame.attrs.get(KNOWN, "{}"))))


# -- which frames ---------------------------------------------------------------------------


def options():
    for names, values, shape in product(NAMES, VALUES, ("wide", "long")):
        yield {"names": names, "values": values, "shape": shape}
    for values in VALUES:
        yield {"values": values, "multi": "list"}
    for tz in (None, "America/New_York"):
        yield {"tz": tz, "metadata": "all"}


def downloads(client):
    """Frames as they come from the server."""
    for survey in (CUSTOMERS, EARLIER, TYPES):
        for asked in (
            {},
            {"names": "id", "values": "both", "multi": "list", "metadata": "all"},
            {"names": "text", "values": "code", "tz": None},
            {"shape": "long", "tz": "America/New_York"},
        ):
            frame = client.responses(survey, test_rows="include", progress="none", **asked)
            yield f"{survey} {asked}", frame


def in_the_hand(told, name, frame):
    """What analysts do with a frame, and what pandas makes of it."""
    region = "region" if "region" in frame else "status"
    channels = frame.alchemer.columns("channels")
    done = {
        "filtered": frame[frame["status"] == "Complete"],
        "head": frame.head(3),
        "some columns": frame[["nps", *channels]],
        "sorted": frame.sort_values(["nps", "date_submitted"], kind="stable"),
        "reset": frame.reset_index(),
        "halves": pd.concat([frame.iloc[:7], frame.iloc[7:]]),
        "beside": pd.concat([frame[["nps"]], frame[channels]], axis=1),
        "pickled": pickle.loads(pickle.dumps(frame)),  # noqa: S301 - its own
        "merged": frame.merge(regions(frame, region), on=region, how="left"),
        "joined": frame.alchemer.join(regions(frame, region), on=region),
        "means": frame.groupby(region, observed=False)[channels].mean(),
        "counts": frame[region].value_counts(sort=False),
        "dummies": pd.get_dummies(frame[[region]]),
        "for_model": frame.alchemer.for_model(),
        "found": frame.alchemer.find("recommend"),
        "score": frame.alchemer.score("nps"),
        "redacted": frame.alchemer.redact("hash", salt="a salt of some length"),
    }
    for what, made in done.items():
        told.frame(f"{name} {what}", made)
        if isinstance(made, pd.DataFrame):
            told.part(name, what, "knows", told=KNOWN in made.attrs)
    told.knowledge(f"{name} joined", done["joined"])
    told.knowledge(f"{name} attached", frame.alchemer.attach(done["reset"]))
    told.frame(f"{name} redactions", done["redacted"].alchemer.redacted)


def regions(frame, region):
    own = frame[region].cat.categories
    return pd.DataFrame({region: own, "managers": range(len(own))})


def waves(told, frames):
    for asked in ({}, {"names": "text", "values": "code", "tz": None}):
        both = {"2025": frames[f"{EARLIER} {asked}"], "2026": frames[f"{CUSTOMERS} {asked}"]}
        stacked = al.stack_waves(both)
        told.frame(f"waves {asked}", stacked)
        told.frame(f"waves {asked} report", stacked.alchemer.waves)
        told.knowledge(f"waves {asked}", stacked)
        yield f"waves {asked}", stacked


# -- files ----------------------------------------------------------------------------------


def write(folder, frames):
    for number, (name, frame) in enumerate(frames.items()):
        frame.alchemer.to_parquet(folder / f"{number}.parquet")
        (folder / f"{number}.txt").write_text(name, encoding="utf-8")


def read(folder, whose):
    """Frames from files, their knowledge and another shape of them."""
    told = Told()
    for path in sorted(folder.glob("*.parquet")):
        name = path.with_suffix(".txt").read_text(encoding="utf-8")
        frame = al.read_parquet(path)
        told.frame(name, frame)
        told.knowledge(name, frame)
        try:
            told.frame(f"{name} relabelled", frame.alchemer.relabel(names="id", values="code"))
        except (KnowledgeLost, InvalidArgument) as error:  # lost; stacked waves
            told.part(name, "relabelled", told=str(error))
    save(whose, told)


def save(path, told):
    path.write_text(json.dumps(told.parts, ensure_ascii=False), encoding="utf-8")


def main(own, others):
    if others is not None:
        read(others, own / "others_files.json")
        return
    region = Region.custom(os.environ["WILD_ADDRESS"], timezone=os.environ["WILD_ZONE"])
    key = al.ApiKey(os.environ["WILD_TOKEN"], os.environ["WILD_SECRET"])
    told, frames = Told(), dict(downloads(al.Client(key, region=region)))
    for name, frame in frames.items():
        told.frame(name, frame)
        told.knowledge(name, frame)
    for survey in (CUSTOMERS, TYPES):
        plain = frames[f"{survey} {{}}"]
        for asked in options():
            told.frame(f"{survey} relabel {asked}", plain.alchemer.relabel(**asked))
        in_the_hand(told, survey, plain)
    frames.update(waves(told, frames))
    frames["indexed by text"] = frames[f"{CUSTOMERS} {{}}"].set_index("region", append=True)
    frames["indexed by contact"] = frames[f"{CUSTOMERS} {{}}"].set_index("contact_id")
    save(own / "frames.json", told)
    write(own, frames)
    read(own, own / "own_files.json")


if __name__ == "__main__":
    for kind in (DeprecationWarning, FutureWarning):  # as pandas announces what it will do
        warnings.filterwarnings("error", category=kind, module="alchemer_nb")
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    sys.stdout.write(pd.__version__)
