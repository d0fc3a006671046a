"""Runs in the environment of a peer: downloads the survey of the page server its way.

``python peer.py crosstabs|alchemer ADDRESS SURVEY FOLDER`` prints what it took, as JSON.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path


def crosstabs(address, survey, folder):
    from crosstabs_mcp.survey_sources import alchemer, pull_survey
    from crosstabs_mcp.survey_sources.base import PullOptions

    alchemer.HOSTS["us"] = address  # it knows three hosts, and allows http for 127.0.0.1 alone
    keys = {"ALCHEMER_API_TOKEN": "key", "ALCHEMER_API_TOKEN_SECRET": "secret"}
    target = Path(folder) / "peer.parquet"

    def work():
        options = PullOptions(survey_id=survey, include_partial=True)
        pull_survey("alchemer", options, str(target), environ=keys)
        import pyarrow.parquet

        return pyarrow.parquet.read_metadata(target).num_rows

    return work


def alchemer(address, survey, _):
    from alchemer import AlchemerSession

    session = AlchemerSession("v5", "key", "secret", timeout=60)
    session.trust_env = False
    session.base_url = f"{address}/v5"

    def work():
        rows = session.survey.get(int(survey)).response.list(params={"resultsperpage": 500})
        return len(rows)

    return work


name, *given = sys.argv[1:]
work = {"crosstabs": crosstabs, "alchemer": alchemer}[name](*given)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
cpu, wall = time.process_time(), time.perf_counter()
rows = work()
took = {
    "wall": time.perf_counter() - wall,
    "cpu": time.process_time() - cpu,
    "peak": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1024,
    "rows": rows,
    "first": None,
}
sys.stdout.write(f"\n{json.dumps(took)}\n")
os._exit(0)  # some of them leave threads
