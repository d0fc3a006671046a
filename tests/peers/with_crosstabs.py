"""Runs in the environment of ``crosstabs``: surveys as it writes them to a file, as JSON."""

import json
import os
import sys
from pathlib import Path

import pandas as pd
from crosstabs_mcp.survey_sources import alchemer, pull_survey
from crosstabs_mcp.survey_sources.base import PullOptions

# The peer knows three hosts and nothing else; plain http is allowed for 127.0.0.1.
alchemer.HOSTS["us"] = os.environ["PEER_ADDRESS"]
keys = {
    "ALCHEMER_API_TOKEN": os.environ["PEER_TOKEN"],
    "ALCHEMER_API_TOKEN_SECRET": os.environ["PEER_SECRET"],
}


def read(number, suffix):
    target = Path(os.environ["PEER_FOLDER"]) / suffix / f"{number}.{suffix}"
    target.parent.mkdir(exist_ok=True)
    pull_survey(
        "alchemer", PullOptions(survey_id=number, include_partial=True), str(target), environ=keys
    )
    if suffix == "parquet":
        frame, labels = pd.read_parquet(target), {}
    else:
        import pyreadstat

        frame, meta = pyreadstat.read_sav(target)
        labels = {
            name: {str(code): text for code, text in values.items()}
            for name, values in meta.variable_value_labels.items()
        }
    values = json.loads(frame.to_json(orient="split", date_format="iso"))
    sidecar = [
        json.loads(path.read_text()) for path in sorted(target.parent.glob(f"{number}*.json"))
    ]
    return {"frame": values, "labels": labels, "sidecar": sidecar}


surveys, formats = (os.environ[f"PEER_{name}"].split() for name in ("SURVEYS", "FORMATS"))
json.dump({each: {n: read(n, each) for n in surveys} for each in formats}, sys.stdout)
