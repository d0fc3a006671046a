"""Runs in the environment of ``crosstabs``: its tables and scores of a file, as JSON."""

import json
import os
import sys

import pandas as pd
from crosstabs_mcp.market_research import nps_analysis
from crosstabs_mcp.server import crosstab_from_data

frame = pd.read_json(os.environ["PEER_FILE"], orient="records", dtype=object)
rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
pairs = [pair.split("/") for pair in os.environ["PEER_PAIRS"].split()]
tables = {"/".join(pair): crosstab_from_data(rows, *pair) for pair in pairs}
scores = {
    weight: nps_analysis(rows, "nps", segment_var="region", weight_var=weight or None)
    for weight in ("", "weight")
}
json.dump({"tables": tables, "scores": scores}, sys.stdout)
