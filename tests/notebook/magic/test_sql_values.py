"""Python values in a query are bound, never spliced, and refused where SQL would not see them."""

from __future__ import annotations

import pytest
from IPython.core.error import UsageError

from alchemer_nb.notebook.magic.sql_values import bind_values


class Row:
    """Something with an attribute."""

    region = "North"


NAMES = {"r": "North", "rs": ["North", "South"], "R": "South", "row": Row(), "größe": 4, "n": 3}


@pytest.mark.parametrize(
    ("query", "bound", "values"),
    [
        ("x = $r", "x = $r", {"r": "North"}),
        ("x = {r}", "x = $r", {"r": "North"}),
        ("x = { r }", "x = $r", {"r": "North"}),
        ("x in $rs", "x in $rs", {"rs": ["North", "South"]}),
        ("x in ($r, {rs[1]})", "x in ($r, $value_1)", {"r": "North", "value_1": "South"}),
        ("x = {rs[0]} or y = {rs[0]}", "x = $value_1 or y = $value_1", {"value_1": "North"}),
        ("x = $row.region", "x = $value_1", {"value_1": "North"}),
        ("x = {n + 1}", "x = $value_1", {"value_1": 4}),
        ("$r = $R", "$r = $value_1", {"r": "North", "value_1": "South"}),
        ("x < $größe", "x < $value_1", {"value_1": 4}),
        ("{'w': $r}.w", "{'w': $r}.w", {"r": "North"}),
        ("{'w': {r}, v: 1}", "{'w': $r, v: 1}", {"r": "North"}),
        ("{'w': weight}.w", "{'w': weight}.w", {}),
        ('{"w": 1}', '{"w": 1}', {}),
        ("map {1: 2}", "map {1: 2}", {}),
        ("1 -- $nope {nope} 'x", "1 -- $nope {nope} 'x", {}),
        ("1 /* $nope\n{nope} */ + $n", "1 /* $nope\n{nope} */ + $n", {"n": 3}),
        ("$$ $r {r} $$", "$$ $r {r} $$", {}),
        ("$a$ '$r' $a$ || $r", "$a$ '$r' $a$ || $r", {"r": "North"}),
        ("'it''s $5' || $r", "'it''s $5' || $r", {"r": "North"}),
        (r"E'it\'s' || $r", r"E'it\'s' || $r", {"r": "North"}),
        ("x ~ '^[a-z]{2,3}$'", "x ~ '^[a-z]{2,3}$'", {}),
        ("""x = '{"a": 1}'::json""", """x = '{"a": 1}'::json""", {}),
        ("x = '{{r}}'", "x = '{{r}}'", {}),
        ("x = 'US$ 5 {unknown} words'", "x = 'US$ 5 {unknown} words'", {}),
        ("x -> '$.name'", "x -> '$.name'", {}),
        ("select $1", "select $1", {}),
        ("", "", {}),
    ],
)
def test_values_become_parameters(query, bound, values):
    assert bind_values(query, NAMES) == (bound, values)


@pytest.mark.parametrize(
    ("query", "way"),
    [
        ("x = '{r}'", "write $r without quotes"),
        ("x = '$r'", "write $r without quotes"),
        ("x = '$unknown'", "write $unknown without quotes"),
        ("x = '{unknown}'", "write $unknown without quotes"),
        ("x like '%{r}%'", "'%' || $r || '%'"),
        ("x like '%$r%'", "'%' || $r || '%'"),
        ("x = 'a {rs[0]} b'", "write {rs[0]} without quotes"),
        ("x = '{row.region}'", "write $row.region without quotes"),
        ("x = E'\\'{r}'", "write $r without quotes"),
        ('select "{r}"', "cannot be the name of a table or column"),
        ('from "$r"', "cannot be the name of a table or column"),
        ("x = $nope", "no variable `nope`"),
        ("x = {nope}", "no variable `nope`"),
        ("x = {rs[9]}", "cannot be evaluated"),
    ],
)
def test_values_between_quotes_are_refused_with_the_way_to_write_them(query, way):
    with pytest.raises(UsageError) as caught:
        bind_values(query, NAMES)
    assert way in str(caught.value)
    assert "North" not in str(caught.value)
