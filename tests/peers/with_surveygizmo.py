"""Runs in the peers' environment: everything that the client ``SurveyGizmo`` reads, as JSON."""

import json
import os
import sys

from surveygizmo import SurveyGizmo

api = SurveyGizmo(
    api_version="v5",
    api_token=os.environ["PEER_TOKEN"],
    api_token_secret=os.environ["PEER_SECRET"],
    base_url=os.environ["PEER_ADDRESS"] + "/",
    requests_kwargs={"timeout": 30, "proxies": {"http": "", "https": ""}},
).api


def all_pages(resource, *arguments):
    # The client knows one page only: the loop is its user's.
    rows, page = [], 1
    while True:
        answer = resource.resultsperpage(100).page(page).list(*arguments)
        rows += answer["data"]
        if page >= int(answer["total_pages"]):
            return rows
        page += 1


surveys = all_pages(api.survey)
responses = {str(s["id"]): all_pages(api.surveyresponse, s["id"]) for s in surveys}
json.dump({"surveys": surveys, "responses": responses}, sys.stdout)
