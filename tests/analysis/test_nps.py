"""The table of a net promoter score, against plain pandas."""

from __future__ import annotations

import numpy as np
import pytest

from alchemer_nb.errors import InvalidArgument
from tests.analysis.frames import customers


def test_score_and_groups_are_those_of_plain_pandas() -> None:
    df = customers()
    table = df.alchemer.nps("nps", by="region_q3")
    rows = ["Promoters (9–10)", "Passives (7–8)", "Detractors (0–6)", "NPS"]
    assert list(table.frame.index) == rows
    north = table.frame["In which part of the country do you live?"]["North"]
    given = df.loc[df["region_q3"] == "North", "nps"].dropna()
    expected = [(given >= 9).mean(), given.between(7, 8).mean(), (given <= 6).mean()]
    assert north["percent"].tolist()[:3] == pytest.approx([100 * share for share in expected])
    assert north["value"]["NPS"] == pytest.approx(100 * (expected[0] - expected[2]))
    scored = np.select([given >= 9, given <= 6], [100.0, -100.0], 0.0)
    margin = 1.96 * scored.std(ddof=1) / np.sqrt(len(scored))
    assert f"{north['value']['NPS']:.0f} ± {margin:.0f}" in str(table)


def test_another_question_is_refused() -> None:
    with pytest.raises(InvalidArgument, match="'satisfaction' is no NPS question"):
        customers().alchemer.nps("satisfaction")
