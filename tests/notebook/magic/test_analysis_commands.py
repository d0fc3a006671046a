"""``table``, ``plot`` and ``report``, of a survey and of a frame, through cells of a real shell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from IPython.core.error import UsageError

from alchemer_nb import ApiKey, Client
from alchemer_nb.errors import ConfigurationError, InvalidArgument, SurveyNotFound
from tests.boxes import copied_box

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TITLE = "Customer satisfaction"


@pytest.fixture(scope="module")
def client() -> Iterator[Client]:
    with copied_box() as box:
        yield Client(ApiKey(box.api_token, box.api_token_secret), region=box.region)


@pytest.fixture
def signed_in(notebook, client):
    """A notebook that has a client and a frame of responses."""
    notebook.names["client"] = client
    notebook.names["df"] = client.responses(TITLE, status="Complete", progress="none")
    assert notebook.run("%alchemer switch client").failure is None
    return notebook


def test_a_survey_is_downloaded_and_a_frame_is_taken_as_it_is(signed_in):
    of_survey = signed_in.run(f'%alchemer table "{TITLE}" satisfaction --by region --complete')
    assert "status is Complete" in of_survey.out
    of_frame = signed_in.run("%alchemer table df satisfaction --by region")
    assert of_frame.out.startswith("Out[")
    assert str(of_frame.value) == str(of_survey.value)
    expected = signed_in.names["df"].alchemer.table("satisfaction", by="region")
    assert str(of_frame.value) == str(expected)


def test_a_frame_comes_before_a_survey_of_that_name(signed_in):
    signed_in.names["Pulse"] = signed_in.names["df"]
    outcome = signed_in.run("%alchemer table Pulse nps --by=region,recent_customer")
    assert outcome.value.question == "nps"
    assert len({column.group for column in outcome.value.banner}) == 3
    assert signed_in.run("%alchemer table {df} {'n' + 'ps'}").value.question == "nps"
    failed = signed_in.run("%alchemer table Pulses nps")
    assert isinstance(failed.failure, SurveyNotFound)


def test_options_are_those_of_python(signed_in):
    df = signed_in.names["df"]
    df["w"] = df["nps"].notna() + 1.0
    line = "df channels --weight w --percent total --sort ascending --top 0 --not-applicable"
    expected = df.alchemer.table(
        "channels", weight="w", percent="total", sort="ascending", top=0, not_applicable=True
    )
    assert str(signed_in.run(f"%alchemer table {line}").value) == str(expected)
    weighted = df.alchemer.weight({"region": {"North": 30, "South": 30, "East": 20, "West": 20}})
    signed_in.names["weighted"] = weighted
    assert signed_in.run("%alchemer table weighted nps").value.weight == "weight"
    assert signed_in.run("%alchemer table weighted nps --weight none").value.weight == ""


def test_a_name_keeps_the_result(signed_in):
    assert signed_in.run("chart = %alchemer plot df nps --by region").failure is None
    expected = signed_in.names["df"].alchemer.plot("nps", by="region")
    assert signed_in.names["chart"].spec == expected.spec
    signed_in.run("%alchemer t << table df nps")
    assert signed_in.names["t"].question == "nps"


def test_a_report_is_called_after_the_survey(
    signed_in, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    outcome = signed_in.run("%alchemer report df --questions nps,satisfaction --by region")
    assert outcome.value.path == tmp_path / "customer_satisfaction.html"
    assert (outcome.value.questions, outcome.value.size) == (2, outcome.value.path.stat().st_size)
    outcome = signed_in.run(f'%alchemer report "{TITLE}" own.html --questions comments')
    page = (tmp_path / "own.html").read_text("utf-8")
    assert "several responses of one session" in page  # which the usual columns do not have
    text = (
        signed_in.names["df"]["comments"].dropna().loc[lambda texts: texts.str.len() > 20].iloc[0]
    )
    assert text not in page
    signed_in.run("%alchemer report df own.html --questions comments --open-answers")
    assert text.split(";")[0] in (tmp_path / "own.html").read_text("utf-8")


def test_what_is_wrong_is_said(signed_in):
    failed = signed_in.run("%alchemer table df nps --since 7d --complete")
    assert isinstance(failed.failure, UsageError)
    assert "but `df` is a frame of the notebook" in failed.told
    assert "QUESTION is missing" in signed_in.run("%alchemer plot df").told
    failed = signed_in.run("%alchemer plot df comments")
    assert isinstance(failed.failure, InvalidArgument)
    assert "did you mean 'nps'" in signed_in.run("%alchemer table df npss").told
    assert "ends in .html" in signed_in.run("%alchemer report df x.pdf").told
    failed = signed_in.run("%alchemer table dff nps")
    assert isinstance(failed.failure, SurveyNotFound)
    assert "no frame and no survey is called 'dff'; did you mean 'df'?" in failed.told


def test_a_frame_is_named_also_where_nobody_is_signed_in(notebook):
    notebook.names["answers"] = pd.DataFrame({"nps": [9.0]})
    failed = notebook.run("%alchemer table answer nps")
    assert isinstance(failed.failure, ConfigurationError)
    assert "no frame is called 'answer'; did you mean 'answers'? A survey cannot be" in failed.told
    assert "not signed in" in failed.told
    other = notebook.run("%alchemer table customers nps").told
    assert "not signed in" in other
    assert "no frame" not in other


def test_tab_offers_frames_questions_and_columns(signed_in):
    assert signed_in.tab("%alchemer table d") == ["%alchemer table df"]
    signed_in.magics.known_surveys.add("9000001", TITLE)
    assert signed_in.tab("%alchemer plot ")[:2] == [
        "%alchemer plot df", f'%alchemer plot "{TITLE}"'
    ]  # fmt: skip
    line = "%alchemer table df "
    assert signed_in.tab(f"{line}sat")[0] == f"{line}satisfaction"
    assert f"{line}channels" in signed_in.tab(f"{line}chan")
    assert signed_in.tab(f"{line}serv") == [f"{line}service"]
    assert signed_in.tab(f"{line}nps --by reg") == [f"{line}nps --by region"]
    offered = signed_in.tab(f"{line}nps --by region,rec")
    assert offered == [f"{line}nps --by region,recent_customer"]
    signed_in.names["df"]["w"] = 1.0
    assert signed_in.tab(f"{line}nps --weight w") == [f"{line}nps --weight w"]
    assert signed_in.tab(f"{line}nps --weight reg") == []
    assert signed_in.tab(f"{line}nps --s") == [f"{line}nps --sort"]  # nothing of a download
    assert f'%alchemer table "{TITLE}" nps --since' in signed_in.tab(
        f'%alchemer table "{TITLE}" nps --s'
    )
    of_survey = f'%alchemer plot "{TITLE}" sati'
    signed_in.tab(of_survey)
    signed_in.magics.lookahead.wait(20)
    assert signed_in.tab(of_survey)[0] == f'%alchemer plot "{TITLE}" satisfaction'
