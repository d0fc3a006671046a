"""Letters beside tables that were worked out by hand, and beside statsmodels."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pytest

from alchemer_nb.analysis import significance

if TYPE_CHECKING:
    from types import SimpleNamespace


def letters(table: Any, label: str) -> list[str]:
    return list(table.blocks[0].row(label).letters)


def in_groups(customers: pd.DataFrame, **sizes: tuple[int, int]) -> pd.DataFrame:
    """Return responses of groups of some size, of which some say yes."""
    groups = [name for name, (n, _) in sizes.items() for _ in range(n)]
    said = [k < yes for n, yes in sizes.values() for k in range(n)]
    frame = pd.concat([customers] * 3).iloc[: len(groups)].copy()
    frame.attrs = customers.attrs
    frame.index = pd.RangeIndex(1, len(groups) + 1, name="response_id")
    frame["group"] = pd.Categorical(groups, list(sizes))
    frame["said"] = pd.Categorical(np.where(said, "yes", "no"), ["yes", "no"])
    return frame


# 100 in each group; 60, 45 and 40 say yes. Pooled z of 60 and 45: p = 0.525, error
# sqrt(0.525 * 0.475 * 2 / 100) = 0.070622, z = 2.1240, p = 0.0337. Of 60 and 40: p = 0.5, error
# 0.070711, z = 2.8284, p = 0.0047. Of 45 and 40: p = 0.425, error 0.069911, z = 0.7152, p = 0.4745.
@pytest.mark.parametrize(
    ("arguments", "yes", "no"),
    [
        ({}, ["", "B C", "", ""], ["", "", "A", "A"]),
        ({"level": 0.01}, ["", "C", "", ""], ["", "", "", "A"]),
        ({"level": 0.001}, ["", "", "", ""], ["", "", "", ""]),
        # 3 x 0.0337 = 0.1011, 3 x 0.0047 = 0.0140
        ({"correction": "bonferroni"}, ["", "C", "", ""], ["", "", "", "A"]),
        # 2 x 0.0337 = 0.0674
        ({"correction": "holm"}, ["", "C", "", ""], ["", "", "", "A"]),
        # 0.0337 x 3 / 2 = 0.0505
        ({"correction": "fdr_bh"}, ["", "C", "", ""], ["", "", "", "A"]),
        ({"correction": "fdr_bh", "level": 0.051}, ["", "B C", "", ""], ["", "", "A", "A"]),
    ],
)
def test_shares(
    customers: pd.DataFrame, arguments: dict[str, Any], yes: list[str], no: list[str]
) -> None:
    frame = in_groups(customers, first=(100, 60), second=(100, 45), third=(100, 40))
    table = frame.alchemer.table("said", by="group", **arguments)
    assert [column.letter for column in table.banner] == ["", "A", "B", "C"]
    assert letters(table, "yes") == yes
    assert letters(table, "no") == no


def test_weights_take_letters_away(customers: pd.DataFrame) -> None:
    """60 of 100 and 40 of 100, but one of each group and answer has the weight 30.

    Those who say yes are 59 + 30 = 89 of 39 + 30 + 59 + 30 = 158 in one group and 39 + 30 = 69 of
    158 in the other: 56.33 % and 43.67 %. The error of the first share, by Taylor:
    sum of (w e)^2 = (59 + 900) * (1 - 0.5633)^2 + (39 + 900) * 0.5633^2 = 480.84, its root over 158
    is 0.13879; of the second the same. z = 0.1266 / sqrt(2 * 0.13879^2 * 200 / 198) = 0.642.
    """
    frame = in_groups(customers, first=(100, 60), second=(100, 40))
    frame["w"] = 1.0
    for group, said in itertools.product(("first", "second"), ("yes", "no")):
        place = np.flatnonzero((frame["group"] == group) & (frame["said"] == said))[0]
        frame.iloc[place, frame.columns.get_loc("w")] = 30.0
    plain = frame.alchemer.table("said", by="group")
    weighted = frame.alchemer.table("said", by="group", weight="w")
    assert letters(plain, "yes") == ["", "B", ""]
    assert letters(weighted, "yes") == ["", "", ""]
    row = weighted.blocks[0].rows[0]
    np.testing.assert_allclose(row.values, [50.0, 100 * 89 / 158, 100 * 69 / 158])
    np.testing.assert_array_equal(row.counts, [100, 60, 40])
    assert "z tests of weighted shares and means, with robust errors" in weighted.tests
    # The sum of the weights squared is 98 + 2 * 900 in each group.
    effective = weighted.blocks[0].bases.effective
    np.testing.assert_allclose(effective, [316**2 / 3796, 158**2 / 1898, 158**2 / 1898])


def test_all_beside_none_differ_if_they_are_many(customers: pd.DataFrame) -> None:
    frame = in_groups(customers, all=(100, 100), none=(100, 0), few=(10, 0))
    frame["w"] = np.linspace(0.5, 1.5, len(frame))
    for weight in (False, "w"):
        table = frame.alchemer.table("said", by="group", weight=weight)
        assert letters(table, "yes")[1].split()[:1] == ["B"]
        assert letters(table, "yes")[2:] == ["", ""]


def test_means(customers: pd.DataFrame) -> None:
    """1 to 5 twice and 3 to 7 twice: means 3 and 5, variances 20/9, error sqrt(2 * 20/90) = 2/3.

    t = 3 with 18 degrees of freedom, p = 0.0077.
    """
    frame = in_groups(customers, low=(10, 0), high=(10, 0), alone=(1, 0), flat=(4, 0))
    frame["value"] = [*[1, 2, 3, 4, 5] * 2, *[3, 4, 5, 6, 7] * 2, 9, *[4] * 4]
    table = frame.alchemer.table("value", by="group", level=0.01)
    # One value has no variance; four equal ones have none either, but the others do:
    # (5 - 4) / sqrt(20 / 90) = 2.12 with 9 degrees of freedom, p = 0.063.
    assert letters(table, "Mean") == ["", "", "A", "", ""]


@pytest.mark.parametrize("weight", [False, "w"])
def test_a_column_of_one_answer_is_not_compared(
    customers: pd.DataFrame, weight: str | Literal[False]
) -> None:
    frame = in_groups(customers, one=(1, 1), few=(120, 5), half=(120, 60)).assign(w=1.5)
    table = frame.alchemer.table("said", by="group", weight=weight)
    assert letters(table, "yes") == ["", "", "", "B"]


def test_nobody_and_everybody_are_not_compared(customers: pd.DataFrame) -> None:
    frame = in_groups(customers, first=(40, 40), second=(40, 40), nobody=(0, 0))
    table = frame.alchemer.table("said", by="group")
    assert letters(table, "yes") == letters(table, "no") == ["", "", "", ""]


def expected(
    peer: SimpleNamespace, values: np.ndarray, column: np.ndarray, weights: np.ndarray | None,
    testing: significance.Testing, *,
    is_share: bool,
) -> dict[int, list[int]]:  # fmt: skip
    """Return what find_lower must, by one call of statsmodels for each pair."""
    places = range(int(column.max()) + 1)
    pairs = [*itertools.combinations(places, 2)]
    groups = [values[column == place] for place in places]
    if weights is not None:
        dummies = (column[:, None] == np.arange(len(places))).astype(float)
        fitted = peer.WLS(values, dummies, weights=weights).fit(cov_type="HC1")
        unit = np.eye(len(places))
        means = fitted.params
        p_values = [float(fitted.t_test(unit[a] - unit[b]).pvalue) for a, b in pairs]
    elif is_share:
        means = [group.mean() for group in groups]
        p_values = [
            peer.proportions_ztest(
                [groups[a].sum(), groups[b].sum()], [len(groups[a]), len(groups[b])]
            )[1]
            for a, b in pairs
        ]
    else:
        means = [group.mean() for group in groups]
        p_values = [peer.ttest_ind(groups[a], groups[b], usevar="unequal")[1] for a, b in pairs]
    if testing.correction == "none":
        rejected = np.array(p_values) < testing.level
    else:
        rejected = peer.multipletests(p_values, testing.level, testing.correction)[0]
    lower: dict[int, list[int]] = {}
    for (a, b), is_different in zip(pairs, rejected, strict=True):
        if is_different:
            high, low = (a, b) if means[a] > means[b] else (b, a)
            lower.setdefault(high, []).append(low)
    return lower


@pytest.mark.parametrize("is_share", [True, False], ids=["shares", "means"])
@pytest.mark.parametrize("is_weighted", [True, False], ids=["weighted", "plain"])
def test_all_tests_are_those_of_statsmodels(
    peer: SimpleNamespace, is_share: bool, is_weighted: bool
) -> None:
    drawn = np.random.default_rng(5)
    found = 0
    for correction, level in itertools.product(
        ("none", "bonferroni", "holm", "fdr_bh"), (0.05, 0.5)
    ):
        testing = significance.Testing(level, correction)
        column = drawn.integers(0, 5, 400)
        numbers = drawn.normal(column * 0.15, 1)
        values = (numbers > 0.3).astype(float) if is_share else numbers
        weights = drawn.uniform(0.1, 4, 400) if is_weighted else None
        ours = significance.find_lower(
            values, column, weights, range(5), testing, is_share=is_share
        )
        theirs = expected(peer, values, column, weights, testing, is_share=is_share)
        assert {k: sorted(v) for k, v in ours.items()} == {k: sorted(v) for k, v in theirs.items()}
        found += sum(map(len, ours.values()))
    assert found > 10


@pytest.mark.parametrize("is_share", [True, False], ids=["shares", "means"])
@pytest.mark.parametrize("is_weighted", [True, False], ids=["weighted", "plain"])
def test_the_p_value_is_that_of_statsmodels(
    peer: SimpleNamespace, is_share: bool, is_weighted: bool
) -> None:
    """A letter is there from the level on that is the p value, and not below it."""
    values = np.array([1, 1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0], float) * (1 if is_share else 2.5)
    values += 0 if is_share else np.linspace(0, 1, 12)
    column = np.repeat([0, 1], 6)
    weights = np.linspace(0.5, 3, 12) if is_weighted else None
    first, second = values[column == 0], values[column == 1]
    if weights is not None:
        dummies = (column[:, None] == [0, 1]).astype(float)
        fitted = peer.WLS(values, dummies, weights=weights).fit(cov_type="HC1")
        p_value = float(fitted.t_test([1, -1]).pvalue)
    elif is_share:
        p_value = peer.proportions_ztest([first.sum(), second.sum()], [6, 6])[1]
    else:
        p_value = peer.ttest_ind(first, second, usevar="unequal")[1]

    def found(level: float) -> bool:
        testing = significance.Testing(level)
        return bool(significance.find_lower(values, column, weights, (0, 1), testing,
                                            is_share=is_share))  # fmt: skip

    assert 0.001 < p_value < 0.9
    assert found(p_value * (1 + 1e-9))
    assert not found(p_value * (1 - 1e-9))


def test_letters_are_those_of_columns_alone(customers: pd.DataFrame) -> None:
    for percent in ("row", "total"):
        table = customers.alchemer.table("satisfaction", by="region", percent=percent)
        assert not table.tests
        assert all(not any(row.letters) for row in table.blocks[0].rows)
        assert "The columns were not compared" in " ".join(table.footer)
        plain = customers.alchemer.table("satisfaction", percent=percent)
        assert "compared" not in " ".join(plain.footer)


def test_answers_that_share_respondents_are_not_compared(customers: pd.DataFrame) -> None:
    table = customers.alchemer.table("satisfaction", by=["14", "region"])
    letters = [column.letter for column in table.banner]
    assert letters == ["", "", "", "", "", "", "A", "B", "C", "D"]
    assert any("share respondents, so they are not compared" in note for note in table.notes)
