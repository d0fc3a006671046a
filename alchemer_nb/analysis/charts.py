"""Draw a question: the kind of its answers decides the kind of chart."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.analysis.chart import Chart, look
from alchemer_nb.analysis.histogram import bar_edges
from alchemer_nb.analysis.question import read_question
from alchemer_nb.analysis.shown import rounded
from alchemer_nb.analysis.statistics import are_whole
from alchemer_nb.analysis.tabulate import NPS_GROUPS, TableOptions, build_banner, tabulate
from alchemer_nb.analysis.weights import read_weights
from alchemer_nb.analysis.wording import distinct, shorten, widest, width_of, wrap, wrap_lines
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import describe_wide
from alchemer_nb.visible import make_visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alchemer_nb.analysis.blocks import Block, Row
    from alchemer_nb.analysis.table import Table

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_BAR = "#4a7caf"
# Red and blue differ with every usual colour blindness, red and green do not.
_STEPS = {
    2: ("#d6604d", "#4393c3"),
    3: ("#d6604d", "#d9d9d9", "#4393c3"),
    4: ("#ca0020", "#f4a582", "#92c5de", "#0571b0"),
    5: ("#ca0020", "#f4a582", "#d9d9d9", "#92c5de", "#0571b0"),
    6: ("#b2182b", "#ef8a62", "#fddbc7", "#d1e5f0", "#67a9cf", "#2166ac"),
    7: ("#b2182b", "#ef8a62", "#fddbc7", "#d9d9d9", "#d1e5f0", "#67a9cf", "#2166ac"),
}
# Of a scale without numbers it is not known which end is good: no red.
_UNSCORED_STEPS = {
    2: ("#b35806", "#7459a6"),
    3: ("#b35806", "#d9d9d9", "#7459a6"),
    4: ("#b35806", "#fdb863", "#b2abd2", "#7459a6"),
    5: ("#b35806", "#fdb863", "#d9d9d9", "#b2abd2", "#7459a6"),
    6: ("#b35806", "#f1a340", "#fee0b6", "#d8daeb", "#998ec3", "#7459a6"),
    7: ("#b35806", "#f1a340", "#fee0b6", "#d9d9d9", "#d8daeb", "#998ec3", "#7459a6"),
}
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31", "#888888")
_NPS = ("#d6604d", "#d9d9d9", "#4393c3")
_PANEL_WIDTH, _OPTION_WIDTH, _TITLE_WIDTH = 22, 36, 58  # characters
_MOST_BARS, _MOST_PANELS, _MOST_PERIODS = 30, 12, 400
MOST_DAYS = 100  # bars of responses over time
_PANELS_IN_A_ROW, _MOST_TITLE_LINES, _MOST_STEPS = 4, 12, 11
_WIDTH = 360
_LEGEND_WIDTH, _LINE_HEIGHT = 580, 14
_MOST_SPOKEN = 12  # labels in the words of a chart
_PERCENT_WIDTH = 28  # pixels of a percent in a bar
_SPLIT = "split(datum.label, '\\n')"


def draw(frame: pd.DataFrame, question: str | int, options: TableOptions) -> Chart:
    """Draw a question; see ``AlchemerAccessor.plot``.

    Raises:
        InvalidArgument: A question is unknown, or its answers cannot be drawn.
        KnowledgeLost: The frame carries no description.
    """
    days = options.most_days if options.by else MOST_DAYS  # lines by day have no room
    table = tabulate(frame, question, replace(options, testing=None, top=0, most_days=days))
    return draw_table(frame, table, options)


def draw_table(frame: pd.DataFrame, table: Table, options: TableOptions) -> Chart:
    """Draw a table that was made without tests and boxes.

    Raises:
        InvalidArgument: Its answers cannot be drawn.
    """
    kinds = {block.kind for block in table.blocks}
    panels = len(table.banner) > 1
    if panels and len(table.blocks) > 1:
        rows = ", ".join(repr(block.label) for block in table.blocks[:3])
        raise InvalidArgument(
            f"{table.question!r} has {len(table.blocks)} rows ({rows} …), too many to draw by a "
            "banner",
            hint="Draw one of its columns, or leave by out",
        )
    if kinds == {"text"}:
        raise InvalidArgument(
            f"{table.question!r} holds texts, which have no chart",
            hint=f"df[{table.question!r}].dropna() lists them",
        )
    if len(table.blocks) > 1 and kinds <= {"date", "text"}:
        rows = ", ".join(repr(block.label) for block in table.blocks[:3])
        raise InvalidArgument(
            f"{table.question!r} has {len(table.blocks)} rows of dates or texts ({rows} …), too "
            "many to draw",
            hint="Draw one of its columns",
        )
    if kinds == {"nps"}:
        layers, words = _nps(table)
    elif kinds == {"rank"}:
        layers, words = _means(table, "Mean rank")
    elif kinds == {"date"}:
        layers, words = _over_time(table)
    elif kinds == {"number"} and not table.blocks[0].choices:
        if len(table.blocks) > 1:
            layers, words = _means(table, "Mean")
        else:
            layers, words = _histogram(frame, table, options)
    elif _is_one_scale(table.blocks):
        layers, words = _diverging(table)
    else:
        layers, words = _bars(table, options)
    return _chart(table, layers, words)


def _is_one_scale(blocks: Sequence[Block]) -> bool:
    """Check whether all have the same steps, few enough for a colour each."""
    alike = len({tuple(row.label for row in block.choices) for block in blocks}) == 1
    few = all(len(block.choices) <= _MOST_STEPS for block in blocks)
    return alike and few and all(block.is_scale for block in blocks)


def _chart(table: Table, body: dict[str, Any], words: str) -> Chart:
    title = make_visible(table.title)
    base = make_visible(_base_words(table))
    description = f"{title} {make_visible(words)} {base}"
    spec = {
        "$schema": _SCHEMA,
        "description": description,
        "title": {
            "text": wrap_lines(title, _TITLE_WIDTH, _MOST_TITLE_LINES),
            "subtitle": wrap_lines(base, _TITLE_WIDTH + 10),
        },
        "background": "transparent",
        "padding": _padding(title, body),
        "config": look(),
        **body,
    }
    return Chart(title, description, json.loads(json.dumps(spec)))  # with lists, not tuples


def _padding(title: str, body: dict[str, Any]) -> dict[str, int]:
    """Return the room around a chart.

    Vega measures words in Arial. Where that is missing another font is shown, up to a pixel wider
    for each character; a front end cuts off what is outside of the picture.
    """
    inner = body.get("spec", body)
    encoding = inner.get("layer", [inner])[0].get("encoding", {})
    labels = encoding.get("y", {}).get("sort", [])
    longest = max(map(width_of, wrap_lines(title, _TITLE_WIDTH, _MOST_TITLE_LINES)))
    right = [20.0, 8.2 * longest - max(_WIDTH, 7.2 * longest)]
    color = encoding.get("color", {})
    if columns := color.get("legend", {}).get("columns"):
        width, symbols = _legend_size(color["sort"], columns)
        right.append(7.2 * width + symbols - max(_WIDTH, 6.2 * width + symbols))
    left = 5 + max(map(widest, labels), default=0)
    return {"left": left, "right": math.ceil(max(right)), "top": 5, "bottom": 5}


def _base_words(table: Table) -> str:
    first = table.footer[0]
    weighted = f" Weighted by {table.weight}." if table.weight else ""
    return first + weighted


# -- parts ------------------------------------------------------------------------------------


def _column_labels(table: Table) -> list[str]:
    """Return a label for each column of the banner; of several questions, with their words."""
    groups = {column.group for column in table.banner if column.group}
    if len(groups) < 2:
        return [column.label for column in table.banner]
    return [
        f"{column.label} ({shorten(column.group)})" if column.group else column.label
        for column in table.banner
    ]


def _legend(labels: Sequence[str]) -> dict[str, Any]:
    """Return a legend of wrapped labels, in as many columns as there is room for."""

    def fits(columns: int) -> bool:
        width, symbols = _legend_size(labels, columns)
        return 6.6 * width + symbols <= _LEGEND_WIDTH

    columns = next((number for number in (5, 4, 3, 2) if fits(number)), 1)
    return {"columns": columns, "labelExpr": _SPLIT}


def _legend_size(labels: Sequence[str], columns: int) -> tuple[int, int]:
    """Return the width of the labels of a legend in characters, and of the rest in pixels."""
    widths = [*map(widest, labels)]
    return sum(max(widths[place::columns], default=0) for place in range(columns)), 44 * columns


def _in_panels(
    values: list[dict[str, Any]], panels: Sequence[str], inner: dict[str, Any]
) -> dict[str, Any]:
    """Return a chart of several panels, as many in a row as a notebook has room for."""
    columns = min(len(panels), _PANELS_IN_A_ROW)
    facet = {"field": "panel", "type": "nominal", "title": None, "sort": list(panels),
             "header": {"labelExpr": _SPLIT}}  # fmt: skip
    inner = {**inner, "width": max(90, _WIDTH // columns + 20)}
    return {"data": {"values": values}, "facet": facet, "columns": columns, "spec": inner}


def _check_number(count: int, most: int, what: str) -> None:
    if count > most:
        raise InvalidArgument(
            f"{count} {what} are too many to draw (at most {most})",
            hint="Use a banner question with fewer options, or table()",
        )


def _names(labels: Sequence[str], field: str) -> dict[str, Any]:
    """Return the encoding of a category, in the order given, with wrapped words."""
    # Vega puts the first line in the middle of the bar.
    up = {"expr": f"-{_LINE_HEIGHT / 2} * (length({_SPLIT}) - 1)"}
    return {
        "field": field, "type": "nominal", "sort": list(labels), "title": None,
        "scale": {"domain": list(labels)},  # those without a bar, too
        "axis": {"labelExpr": _SPLIT, "labelOffset": up, "domain": False, "ticks": False,
                 "grid": False},
    }  # fmt: skip


def _share_axis(highest: float = 1.0, ticks: int = 5) -> dict[str, Any]:
    return {
        "field": "share", "type": "quantitative", "title": None,
        "axis": {"format": "%", "tickCount": ticks, "labelOverlap": True},
        "scale": {"domain": [0, highest], "nice": True},
    }  # fmt: skip


def _count_axis() -> dict[str, Any]:
    return {
        "field": "count", "type": "quantitative", "title": "Responses", "axis": {"tickMinStep": 1},
    }  # fmt: skip


def _height(labels: Sequence[str]) -> int:
    lines = max((1 + label.count("\n") for label in labels), default=1)
    # All bars have the height of the highest.
    return max(40, (_LINE_HEIGHT * lines + 14) * len(labels))


def _spoken(rows: Sequence[tuple[str, float]]) -> str:
    """Return labels and shares in words; of many, the highest."""
    there = [(label, share) for label, share in rows if not math.isnan(share)]
    highest = sorted(range(len(there)), key=lambda place: -there[place][1])[:_MOST_SPOKEN]
    named = [there[place] for place in sorted(highest)]
    parts = [f"{label} {rounded(100 * share)} %" for label, share in named]
    more = len(there) - len(named)
    rest = f" and {more:,} more" if more else ""
    return (", ".join(parts) or "nobody") + rest + "."


def _share(row: Row, place: int) -> float:
    return float(row.values[place]) / 100


# -- bars -------------------------------------------------------------------------------------


def _bars(table: Table, options: TableOptions) -> tuple[dict[str, Any], str]:
    """Return one bar for each choice; a panel for each column of the banner, or for each item."""
    blocks = [block for block in table.blocks if block.choices] or list(table.blocks)
    columns = [*enumerate(_column_labels(table))]
    panels = [
        (block.label or label, block, place)
        for block in blocks
        for place, label in columns[1:] or columns
    ]
    _check_number(len(panels), _MOST_PANELS, "panels")
    chosen: dict[str, float] = {}
    for block in blocks:
        for row in block.choices:
            chosen[row.label] = chosen.get(row.label, 0.0) + float(row.weighted[0])
    by_number = sorted(chosen, key=lambda label: -chosen[label])
    is_multi = any(block.kind == "multi" for block in blocks)
    if options.sort == "survey" and (is_multi or len(chosen) > _MOST_BARS):
        labels = by_number[:_MOST_BARS]
    else:
        most = {*by_number[:_MOST_BARS]}
        labels = [label for label in chosen if label in most]
    shown = dict(zip(labels, distinct(map(wrap, labels)), strict=True))
    names = distinct(wrap(name, _PANEL_WIDTH) for name, _, _ in panels)
    values, spoken = [], []
    several = len(panels) > 1 or len(columns) > 1
    for name, (_, block, place) in zip(names, panels, strict=True):
        rows = {row.label: row for row in block.choices}
        shares = [(each, _share(rows[each], place)) for each in labels if each in rows]
        spoken.append(f"{_flat(name)}: " * several + _spoken(shares))
        values += [
            {"label": shown[label], "share": share, "text": _percent(share), "panel": name}
            for label, share in shares
            if not math.isnan(share)
        ] or [
            {"label": label, "share": None, "text": "", "panel": name}
            for label in [*shown.values()][:several]
        ]  # an empty panel
    highest = max((float(str(value["share"] or 0)) for value in values), default=1.0) or 1.0
    x = _share_axis(highest, 2 if len(panels) > 3 else 3 if several else 5)
    y = _names(list(shown.values()), "label")
    text = {"align": "left", "dx": 4, "baseline": "middle"}
    layer = [
        {"mark": {"type": "bar", "color": _BAR}, "encoding": {"y": y, "x": x}},
        {"mark": {"type": "text", **text}, "encoding": {
            "y": y, "x": x, "text": {"field": "text", "type": "nominal"}}},
    ]  # fmt: skip
    inner = {"layer": layer, "width": _WIDTH, "height": _height([*shown.values()])}
    words = "Bars. " + " ".join(spoken)
    if len(chosen) > _MOST_BARS:
        words += f" The {_MOST_BARS} most chosen of {len(chosen)}."
    if left_out := [block.label for block in table.blocks if block not in blocks]:
        words += f" Not drawn, as without options: {', '.join(left_out)}."
    if several:
        return _in_panels(values, names, inner), words
    return {"data": {"values": values}, **inner}, words


def _percent(share: float) -> str:
    """Return a share as a bar shows it, rounded as in tables."""
    return f"{rounded(100 * share)}%"


def _diverging(table: Table) -> tuple[dict[str, Any], str]:
    """Return bars of a scale around its middle; one for each item, or column of the banner."""
    bars = _bars_of(table)
    choices = sorted(table.blocks[0].choices, key=lambda row: row.score)
    labels = distinct(wrap(row.label, _OPTION_WIDTH) for row in choices)
    count = len(labels)
    values, spoken = [], []
    for name, block, place in bars:
        by_score = sorted(block.choices, key=lambda row: row.score)
        shares = [_share(row, place) for row in by_score]
        if any(map(math.isnan, shares)):
            spoken.append(f"{_flat(name)}: nobody.")
            continue
        half = count // 2
        start = -sum(shares[:half]) - (shares[half] / 2 if count % 2 else 0.0)
        for rank, (label, share) in enumerate(zip(labels, shares, strict=True)):
            edge = rank in (0, count - 1)
            values.append({
                "bar": name, "option": label, "rank": rank, "share": share,
                "text": _percent(share), "start": start, "end": start + share,
                "ink": "white" if edge else "#222222",
            })  # fmt: skip
            start += share
        spoken.append(f"{_flat(name)}: {_spoken([*zip(map(_flat, labels), shares, strict=True)])}")
    names = [name for name, _, _ in bars]
    y = _names(names, "bar")
    lowest, highest = (
        math.ceil(10 * max([0.2, *(sign * float(str(value[end])) for value in values)])) / 10
        for sign, end in ((-1, "start"), (1, "end"))
    )
    axis = {"title": None, "scale": {"domain": [-lowest, highest]},
            "axis": {"labelExpr": "format(abs(datum.value), '.0%')", "tickCount": 5}}  # fmt: skip
    least = (lowest + highest) * _PERCENT_WIDTH / _WIDTH  # share whose bar has room for a percent
    has_numbers = any(row.kind == "statistic" for row in table.blocks[0].rows)
    steps, scheme = (_STEPS, "redblue") if has_numbers else (_UNSCORED_STEPS, "purpleorange")
    colours = {"range": steps[count]} if count in steps else {"scheme": scheme}
    paint = {"domain": labels, **colours}
    layer = [
        {"mark": {"type": "bar"}, "encoding": {
            "y": y, "x": {"field": "start", "type": "quantitative", **axis}, "x2": {"field": "end"},
            "color": {"field": "option", "type": "nominal", "scale": paint, "sort": labels,
                      "legend": _legend(labels)},
            "order": {"field": "rank", "type": "quantitative"}}},
        {"transform": [{"filter": f"datum.share >= {least:.3f}"},
                       {"calculate": "(datum.start + datum.end) / 2", "as": "middle"}],
         "mark": {"type": "text", "fontSize": 11}, "encoding": {
            "y": y, "x": {"field": "middle", "type": "quantitative", **axis},
            "text": {"field": "text", "type": "nominal"},
            "color": {"field": "ink", "type": "nominal", "scale": None}}},
    ]  # fmt: skip
    body = {"data": {"values": values}, "layer": layer, "width": _WIDTH, "height": _height(names)}
    return body, f"Bars around the middle of a scale. {' '.join(spoken)}"


def _bars_of(table: Table) -> list[tuple[str, Block, int]]:
    """Return the name, block and column of each bar: of the items, else of the banner."""
    if len(table.blocks) > 1:
        names = distinct(wrap(block.label) for block in table.blocks)
        return [(name, block, 0) for name, block in zip(names, table.blocks, strict=True)]
    names = distinct(map(wrap, _column_labels(table)))
    return [(name, table.blocks[0], place) for place, name in enumerate(names)]


def _flat(label: str) -> str:
    return label.replace("\n", " ").strip()


def _nps(table: Table) -> tuple[dict[str, Any], str]:
    """Return a bar of detractors, passives and promoters, with the score at its end."""
    bars = _bars_of(table)
    groups = [label for label, _, _ in reversed(NPS_GROUPS)]
    values, scores, spoken = [], [], []
    for name, block, place in bars:
        score = block.row("NPS")
        rows = [block.row(group) for group in groups]
        if score is None or math.isnan(score.values[place]):
            spoken.append(f"{_flat(name)}: nobody.")
            continue
        start = 0.0
        for group, row in zip(groups, rows, strict=True):
            share = _share(row, place) if row is not None else 0.0
            values.append({"bar": name, "group": group, "share": share, "text": _percent(share),
                           "start": start, "end": start + share})  # fmt: skip
            start += share
        margin = score.margins[place] if score.margins is not None else math.nan
        tail = "" if math.isnan(margin) else f" ± {rounded(margin)}"
        said = f"NPS {rounded(score.values[place])}{tail}"
        scores.append({"bar": name, "score": said, "end": 1})
        spoken.append(f"{_flat(name)}: {said}.")
    names = [name for name, _, _ in bars]
    y = _names(names, "bar")
    axis = {"title": None, "axis": {"format": "%", "tickCount": 5}, "scale": {"domain": [0, 1]}}
    layer = [
        {"mark": "bar", "encoding": {
            "y": y, "x": {"field": "start", "type": "quantitative", **axis}, "x2": {"field": "end"},
            "color": {"field": "group", "type": "nominal", "sort": groups,
                      "scale": {"domain": groups, "range": list(_NPS)}}}},
        {"transform": [{"filter": f"datum.share >= {_PERCENT_WIDTH / _WIDTH:.3f}"},
                       {"calculate": "(datum.start + datum.end) / 2", "as": "middle"}],
         "mark": {"type": "text", "fontSize": 11, "color": "#222222"}, "encoding": {
            "y": y, "x": {"field": "middle", "type": "quantitative", **axis},
            "text": {"field": "text", "type": "nominal"}}},
        {"data": {"values": scores},
         "mark": {"type": "text", "align": "left", "dx": 6, "fontWeight": "bold"},
         "encoding": {"y": y, "x": {"field": "end", "type": "quantitative", **axis},
                      "text": {"field": "score", "type": "nominal"}}},
    ]  # fmt: skip
    body = {"data": {"values": values}, "layer": layer, "width": _WIDTH, "height": _height(names)}
    return body, f"Bars of promoters, passives and detractors. {' '.join(spoken)}"


def _means(table: Table, statistic: str) -> tuple[dict[str, Any], str]:
    """Return a bar of the mean of each item: ranks with the best first."""
    found = []
    for name, block, place in _bars_of(table):
        row = block.row(statistic)
        if row is not None and not math.isnan(row.values[place]):
            found.append((name, float(row.values[place])))
    if statistic == "Mean rank" and len(table.blocks) > 1:
        found.sort(key=lambda pair: pair[1])
    y = _names([name for name, _ in found], "bar")
    title = "Mean rank (1 is the first)" if statistic == "Mean rank" else statistic
    x = {"field": "mean", "type": "quantitative", "title": title, "scale": {"zero": True}}
    values = [{"bar": name, "mean": mean, "text": rounded(mean, 2)} for name, mean in found]
    is_below = "datum.mean < 0 ?"
    text = {"type": "text", "align": {"expr": f"{is_below} 'right' : 'left'"},
            "dx": {"expr": f"{is_below} -4 : 4"}}  # fmt: skip
    layer = [
        {"mark": {"type": "bar", "color": _BAR}, "encoding": {"y": y, "x": x}},
        {"mark": text, "encoding": {
            "y": y, "x": x, "text": {"field": "text", "type": "nominal"}}},
    ]  # fmt: skip
    height = _height([name for name, _ in found])
    words = ", ".join(f"{_flat(name)} {rounded(mean, 2)}" for name, mean in found)
    body = {"data": {"values": values}, "layer": layer, "width": _WIDTH, "height": height}
    return body, f"Bars of means. {words}."


def _over_time(table: Table) -> tuple[dict[str, Any], str]:
    """Return a bar for each period; lines for the columns of a banner."""
    block = table.blocks[0]
    periods = block.choices
    if len(periods) > _MOST_PERIODS:
        raise InvalidArgument(
            f"{table.question!r} has dates from {periods[0].label} to {periods[-1].label}, too far "
            "apart to draw",
            hint="Leave out the dates that cannot be right",
        )
    names = distinct(wrap(label, _OPTION_WIDTH) for label in _column_labels(table))
    lines = [*enumerate(names)]
    lines = lines[1:] or lines
    _check_number(len(lines), len(_LINES), "lines")
    values = [
        {"period": row.label, "count": float(row.weighted[place]), "line": name}
        for row in periods
        for place, name in lines
    ]
    x = {"field": "period", "type": "ordinal", "title": None,
         "axis": {"labelAngle": -90 if len(periods) > 9 else 0, "labelOverlap": True}}  # fmt: skip
    y = _count_axis()
    body: dict[str, Any] = {"data": {"values": values}, "width": _WIDTH + 80, "height": 200}
    if len(names) == 1:
        body |= {"mark": {"type": "bar", "color": _BAR}, "encoding": {"x": x, "y": y}}
    else:
        drawn = [name for _, name in lines]
        line = {"field": "line", "type": "nominal", "sort": drawn, "legend": _legend(drawn)}
        colour = {**line, "scale": {"domain": drawn, "range": list(_LINES)}}
        shape = {**line, "scale": {"domain": drawn}}
        body |= {"mark": {"type": "line", "point": {"size": 50}},
                 "encoding": {"x": x, "y": y, "color": colour, "shape": shape}}  # fmt: skip
    spoken = []
    for place, name in lines if periods else []:
        most = max(periods, key=lambda row: float(row.weighted[place]))
        total = sum(float(row.weighted[place]) for row in periods)
        spoken.append(
            f"{_flat(name)}: {rounded(total)} from {periods[0].label} to {periods[-1].label}, most "
            f"in {most.label}: {rounded(float(most.weighted[place]))}."
        )
    return body, f"Responses over time. {' '.join(spoken) or 'Nobody answered.'}"


def _histogram(
    frame: pd.DataFrame, table: Table, options: TableOptions
) -> tuple[dict[str, Any], str]:
    """Return a histogram; a panel for each column of the banner."""
    description = describe_wide(frame)
    item = read_question(frame, description, table.question).items[0]
    weights = read_weights(frame, options.weight).values
    held = np.nan_to_num(weights) if weights is not None else np.ones(len(frame))
    numbers = item.numbers[item.answered]
    if not len(numbers):
        return {"data": {"values": []}, "mark": "bar"}, "Nobody answered."
    edges, whole = bar_edges(numbers), are_whole(numbers)
    panels = _panels(frame, table, options)
    _check_number(len(panels), _MOST_PANELS, "panels")
    names = distinct(wrap(label, _PANEL_WIDTH) for label, _, _ in panels)
    values, spoken = [], []
    several = len(table.banner) > 1
    for name, (_, place, rows) in zip(names, panels, strict=True):
        inside = rows & item.answered
        counts, _ = np.histogram(item.numbers[inside], bins=edges, weights=held[inside])
        values += [
            {"from": float(low), "to": float(high), "count": float(n), "panel": name}
            for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
        said = _in_words(table.blocks[0], place)
        spoken.append(f"{_flat(name)}: {said}" if several else said.capitalize())
    inner: dict[str, Any] = {
        "mark": {"type": "bar", "color": _BAR}, "width": _WIDTH, "height": 200,
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "title": None,
                  "bin": {"binned": True}, "scale": {"zero": False},
                  "axis": {"labelOverlap": True, **({"tickMinStep": 1} if whole else {})}},
            "x2": {"field": "to"},
            "y": _count_axis()},
    }  # fmt: skip
    words = " ".join(["Histogram.", *spoken])
    if several:
        return _in_panels(values, names, inner), words
    return {"data": {"values": values}, **inner}, words


def _in_words(block: Block, place: int) -> str:
    """Return the statistics of a number in words."""
    rows = ((label, block.row(label)) for label in ("Mean", "Median", "Lowest", "Highest"))
    found = [
        f"{label.lower()} {rounded(row.values[place], row.decimals)}"
        for label, row in rows
        if row is not None and not math.isnan(row.values[place])
    ]
    return f"{', '.join(found) or 'nobody'}."


def _panels(
    frame: pd.DataFrame, table: Table, options: TableOptions
) -> list[tuple[str, int, np.ndarray]]:
    """Return the label, place and rows of each column of the banner."""
    if len(table.banner) == 1:
        return [("", 0, np.ones(len(frame), bool))]
    members = build_banner(frame, options).members
    return [
        (label, place, members[:, place])
        for place, label in enumerate(_column_labels(table))
        if place
    ]
