"""Draw a question: the kind of its answers decides the kind of chart."""

from __future__ import annotations

import json
import math
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from alchemer_nb.analysis.chart import Chart, look
from alchemer_nb.analysis.question import read_question
from alchemer_nb.analysis.tabulate import TableOptions, build_banner, tabulate
from alchemer_nb.analysis.weights import read_weights
from alchemer_nb.errors import InvalidArgument
from alchemer_nb.frame.description import describe_wide
from alchemer_nb.visible import make_visible
from alchemer_nb.wire.text import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from alchemer_nb.analysis.blocks import Block, Row
    from alchemer_nb.analysis.table import Table

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_BAR = "#4a7caf"
# Red to blue is told apart with every usual colour blindness, red to green is not.
_STEPS = {
    2: ("#d6604d", "#4393c3"),
    3: ("#d6604d", "#d9d9d9", "#4393c3"),
    4: ("#ca0020", "#f4a582", "#92c5de", "#0571b0"),
    5: ("#ca0020", "#f4a582", "#d9d9d9", "#92c5de", "#0571b0"),
    6: ("#b2182b", "#ef8a62", "#fddbc7", "#d1e5f0", "#67a9cf", "#2166ac"),
    7: ("#b2182b", "#ef8a62", "#fddbc7", "#d9d9d9", "#d1e5f0", "#67a9cf", "#2166ac"),
}
_LINES = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#f0e442", "#999999")
_NPS = ("#d6604d", "#d9d9d9", "#4393c3")
_LABEL_WIDTH, _TITLE_WIDTH = 28, 58  # characters
_LEGEND_WIDTH = 39  # characters; a longer name is cut off in a legend
_MOST_BARS, _MOST_PANELS, _MOST_BINS = 30, 12, 24
_WIDTH = 360
_PERCENT_WIDTH = 28  # pixels of a percent in a bar


def draw(frame: pd.DataFrame, question: str | int, options: TableOptions) -> Chart:
    """Draw a question; see ``AlchemerAccessor.plot``.

    Raises:
        InvalidArgument: A question is unknown, or its answers cannot be drawn.
        KnowledgeLost: The frame carries no description.
    """
    table = tabulate(frame, question, replace(options, testing=None, top=0))
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
    elif all(_is_short_scale(block) for block in table.blocks) and _is_alike(table.blocks):
        layers, words = _diverging(table)
    else:
        layers, words = _bars(table)
    return _chart(table, layers, words)


def _is_short_scale(block: Block) -> bool:
    return block.is_scale and len(block.choices) <= _MOST_BARS


def _is_alike(blocks: Sequence[Block]) -> bool:
    return len({tuple(row.label for row in block.choices) for block in blocks}) == 1


def _chart(table: Table, body: dict[str, Any], words: str) -> Chart:
    title = make_visible(table.title)
    base = make_visible(_base_words(table))
    description = f"{title} {make_visible(words)} {base}"
    spec = {
        "$schema": _SCHEMA,
        "description": description,
        "title": {
            "text": textwrap.wrap(title, _TITLE_WIDTH) or [""],
            "subtitle": textwrap.wrap(base, _TITLE_WIDTH + 10),
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
    values = body["data"]["values"]
    labels = [line for v in values for line in str(v.get("label", v.get("bar", ""))).split("\n")]
    longest = max(map(len, textwrap.wrap(title, _TITLE_WIDTH)), default=0)
    right = [20.0, 8.2 * longest - max(_WIDTH, 7.2 * longest)]
    color = body.get("layer", [{}])[0].get("encoding", {}).get("color", {})
    if columns := color.get("legend", {}).get("columns"):
        names = [min(len(name), _LEGEND_WIDTH) for name in color["sort"]]
        width = sum(max(names[place::columns], default=0) for place in range(columns))
        symbols = 44 * columns
        right.append(7.2 * width + symbols - max(_WIDTH, 6.2 * width + symbols))
    left = 5 + max(map(len, labels), default=0)
    return {"left": left, "right": math.ceil(max(right)), "top": 5, "bottom": 5}


def _base_words(table: Table) -> str:
    first = table.footer[0]
    weighted = f" Weighted by {table.weight}." if table.weight else ""
    return first + weighted


# -- parts ------------------------------------------------------------------------------------


def _wrap(label: str, width: int = _LABEL_WIDTH) -> str:
    return "\n".join(textwrap.wrap(make_visible(label), width)) or " "


def _lines_of(labels: Sequence[str]) -> int:
    return sum(1 + label.count("\n") for label in labels)


def _names(axis: str, labels: Sequence[str], field: str) -> dict[str, Any]:
    """Return the encoding of a category, in the order given, with wrapped words."""
    return {
        "field": field, "type": "nominal", "sort": list(labels), "title": None,
        "axis": {"labelExpr": "split(datum.label, '\\n')", "domain": False, "ticks": False,
                 "grid": False, **({"labelAngle": 0} if axis == "x" else {})},
    }  # fmt: skip


def _share_axis(highest: float = 1.0, ticks: int = 5) -> dict[str, Any]:
    return {
        "field": "share", "type": "quantitative", "title": None,
        "axis": {"format": "%", "tickCount": ticks, "labelOverlap": True},
        "scale": {"domain": [0, highest], "nice": True},
    }  # fmt: skip


def _height(labels: Sequence[str]) -> int:
    return max(40, 18 * _lines_of(labels) + 10 * len(labels))


def _spoken(rows: Sequence[tuple[str, float]], most: int = 12) -> str:
    """Return labels and shares in words."""
    parts = [f"{label} {100 * share:.0f} %" for label, share in rows if not math.isnan(share)]
    rest = f" and {counted(len(parts) - most, 'more')}" if len(parts) > most else ""
    return ", ".join(parts[:most]) + rest + "."


def _share(row: Row, place: int) -> float:
    return float(row.values[place]) / 100


# -- bars -------------------------------------------------------------------------------------


def _bars(table: Table) -> tuple[dict[str, Any], str]:
    """Return one bar for each choice; a panel for each column of the banner, or for each item."""
    columns = range(1, len(table.banner)) if len(table.banner) > 1 else range(1)
    panels = [
        (block.label or table.banner[place].label, block, place)
        for block in table.blocks
        for place in columns
    ]
    if len(panels) > _MOST_PANELS:
        raise InvalidArgument(
            f"{len(panels)} panels are too many to draw (at most {_MOST_PANELS})",
            hint="Use a banner question with fewer options, or table()",
        )
    every: dict[str, float] = {}
    for block in table.blocks:
        for row in block.choices:
            every[row.label] = every.get(row.label, 0.0) + float(np.nansum(row.values))
    labels = list(every)
    if any(block.kind == "multi" for block in table.blocks) or len(labels) > _MOST_BARS:
        labels.sort(key=lambda label: -every[label])
    left_out = labels[_MOST_BARS:]
    labels = labels[:_MOST_BARS]
    shown = {label: _wrap(label) for label in labels}
    values = [
        {"label": shown[row.label], "share": _share(row, place), "panel": _wrap(name, 22)}
        for name, block, place in panels
        for row in block.choices
        if row.label in shown and not math.isnan(row.values[place])
    ]
    highest = max((float(str(value["share"])) for value in values), default=1.0)
    several = len(panels) > 1
    x = _share_axis(highest, 3 if several else 5)
    y = _names("y", list(shown.values()), "label")
    text = {"align": "left", "dx": 4, "baseline": "middle"}
    layer = [
        {"mark": {"type": "bar", "color": _BAR}, "encoding": {"y": y, "x": x}},
        {"mark": {"type": "text", **text}, "encoding": {
            "y": y, "x": x,
            "text": {"field": "share", "type": "quantitative", "format": ".0%"}}},
    ]  # fmt: skip
    width = _WIDTH if not several else max(90, _WIDTH // len(panels) + 20)
    inner: dict[str, Any] = {"layer": layer, "width": width, "height": _height([*shown.values()])}
    words = "Bars. " + " ".join(
        (f"{name}: " if several else "")
        + _spoken([(r.label, _share(r, place)) for r in block.choices if r.label in shown])
        for name, block, place in panels
    )
    if left_out:
        words += f" The {_MOST_BARS} most chosen of {len(every)}."
    body = {"data": {"values": values}, **inner}
    if several:
        order = [_wrap(name, 22) for name, _, _ in panels]
        facet = {"field": "panel", "type": "nominal", "title": None, "sort": order,
                 "header": {"labelExpr": "split(datum.label, '\\n')"}}  # fmt: skip
        body = {"data": {"values": values}, "facet": {"column": facet}, "spec": inner}
    return body, words


def _diverging(table: Table) -> tuple[dict[str, Any], str]:
    """Return bars of a scale around its middle; one for each item, or column of the banner."""
    bars = _bars_of(table)
    choices = sorted(table.blocks[0].choices, key=lambda row: row.score)
    labels = [make_visible(row.label) for row in choices]
    count = len(labels)
    values, spoken = [], []
    for name, block, place in bars:
        by_score = sorted(block.choices, key=lambda row: row.score)
        shares = [_share(row, place) for row in by_score]
        if any(map(math.isnan, shares)):
            continue
        half = count // 2
        start = -sum(shares[:half]) - (shares[half] / 2 if count % 2 else 0.0)
        for rank, (label, share) in enumerate(zip(labels, shares, strict=True)):
            edge = rank in (0, count - 1)
            values.append({
                "bar": name, "option": label, "rank": rank, "share": share, "start": start,
                "end": start + share, "ink": "white" if edge else "#222222",
            })  # fmt: skip
            start += share
        spoken.append(f"{_flat(name)}: {_spoken([*zip(labels, shares, strict=True)])}")
    names = [name for name, _, _ in bars]
    y = _names("y", names, "bar")
    lowest, highest = (
        math.ceil(10 * max([0.2, *(sign * float(str(value[end])) for value in values)])) / 10
        for sign, end in ((-1, "start"), (1, "end"))
    )
    axis = {"title": None, "scale": {"domain": [-lowest, highest]},
            "axis": {"labelExpr": "format(abs(datum.value), '.0%')", "tickCount": 5}}  # fmt: skip
    least = (lowest + highest) * _PERCENT_WIDTH / _WIDTH  # share whose bar has room for a percent
    colours = _STEPS.get(count)
    paint = {"domain": labels, **({"range": colours} if colours else {"scheme": "redblue"})}
    layer = [
        {"mark": {"type": "bar"}, "encoding": {
            "y": y, "x": {"field": "start", "type": "quantitative", **axis}, "x2": {"field": "end"},
            "color": {"field": "option", "type": "nominal", "scale": paint, "sort": labels,
                      "legend": {"columns": _legend_columns(labels)}},
            "order": {"field": "rank", "type": "quantitative"}}},
        {"transform": [{"filter": f"datum.share >= {least:.3f}"},
                       {"calculate": "(datum.start + datum.end) / 2", "as": "middle"}],
         "mark": {"type": "text", "fontSize": 11}, "encoding": {
            "y": y, "x": {"field": "middle", "type": "quantitative", **axis},
            "text": {"field": "share", "type": "quantitative", "format": ".0%"},
            "color": {"field": "ink", "type": "nominal", "scale": None}}},
    ]  # fmt: skip
    body = {"data": {"values": values}, "layer": layer, "width": _WIDTH, "height": _height(names)}
    return body, f"Bars around the middle of a scale. {' '.join(spoken)}"


def _bars_of(table: Table) -> list[tuple[str, Block, int]]:
    """Return the name, block and column of each bar: of the items, else of the banner."""
    if len(table.blocks) > 1:
        return [(_wrap(block.label), block, 0) for block in table.blocks]
    block = table.blocks[0]
    return [(_wrap(column.label), block, place) for place, column in enumerate(table.banner)]


def _legend_columns(labels: Sequence[str]) -> int:
    longest = max(map(len, labels))
    if longest > _LABEL_WIDTH:
        return 1
    return 3 if len(labels) > 5 or longest > 14 else 5


def _flat(label: str) -> str:
    return label.replace("\n", " ")


def _nps(table: Table) -> tuple[dict[str, Any], str]:
    """Return a bar of detractors, passives and promoters, with the score at its end."""
    bars = _bars_of(table)
    groups = ("Detractors (0–6)", "Passives (7–8)", "Promoters (9–10)")
    values, scores, spoken = [], [], []
    for name, block, place in bars:
        score = block.row("NPS")
        rows = [block.row(group) for group in groups]
        if score is None or math.isnan(score.values[place]):
            continue
        start = 0.0
        for group, row in zip(groups, rows, strict=True):
            share = _share(row, place) if row is not None else 0.0
            values.append({"bar": name, "group": group, "share": share, "start": start,
                           "end": start + share})  # fmt: skip
            start += share
        margin = score.margins[place] if score.margins is not None else math.nan
        tail = "" if math.isnan(margin) else f" ± {margin:.0f}"
        scores.append({"bar": name, "score": f"NPS {score.values[place]:.0f}{tail}", "end": 1})
        spoken.append(f"{_flat(name)}: NPS {score.values[place]:.0f}{tail}.")
    names = [name for name, _, _ in bars]
    y = _names("y", names, "bar")
    axis = {"title": None, "axis": {"format": "%", "tickCount": 5}, "scale": {"domain": [0, 1]}}
    layer = [
        {"mark": "bar", "encoding": {
            "y": y, "x": {"field": "start", "type": "quantitative", **axis}, "x2": {"field": "end"},
            "color": {"field": "group", "type": "nominal", "sort": list(groups),
                      "scale": {"domain": list(groups), "range": list(_NPS)}}}},
        {"transform": [{"filter": f"datum.share >= {_PERCENT_WIDTH / _WIDTH:.3f}"},
                       {"calculate": "(datum.start + datum.end) / 2", "as": "middle"}],
         "mark": {"type": "text", "fontSize": 11, "color": "#222222"}, "encoding": {
            "y": y, "x": {"field": "middle", "type": "quantitative", **axis},
            "text": {"field": "share", "type": "quantitative", "format": ".0%"}}},
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
    y = _names("y", [name for name, _ in found], "bar")
    title = "Mean rank (1 is the first)" if statistic == "Mean rank" else statistic
    x = {"field": "mean", "type": "quantitative", "title": title, "scale": {"zero": True}}
    values = [{"bar": name, "mean": mean} for name, mean in found]
    text = {"type": "text", "align": "left", "dx": 4}
    layer = [
        {"mark": {"type": "bar", "color": _BAR}, "encoding": {"y": y, "x": x}},
        {"mark": text, "encoding": {
            "y": y, "x": x, "text": {"field": "mean", "type": "quantitative", "format": ",.2f"}}},
    ]  # fmt: skip
    height = _height([name for name, _ in found])
    words = ", ".join(f"{_flat(name)} {mean:,.2f}" for name, mean in found)
    body = {"data": {"values": values}, "layer": layer, "width": _WIDTH, "height": height}
    return body, f"Bars of means. {words}."


def _over_time(table: Table) -> tuple[dict[str, Any], str]:
    """Return a bar for each period; lines for the columns of a banner."""
    block = table.blocks[0]
    columns = range(1, len(table.banner)) if len(table.banner) > 1 else range(1)
    values = [
        {"period": row.label, "count": float(row.weighted[place]),
         "line": make_visible(table.banner[place].label)}
        for row in block.choices
        for place in columns
    ]  # fmt: skip
    many = len(block.choices) > 9
    x = {"field": "period", "type": "ordinal", "title": None,
         "axis": {"labelAngle": -90 if many else 0, "labelOverlap": True}}  # fmt: skip
    y = {"field": "count", "type": "quantitative", "title": "Responses"}
    body: dict[str, Any] = {"data": {"values": values}, "width": _WIDTH + 80, "height": 200}
    if len(columns) == 1:
        body |= {"mark": {"type": "bar", "color": _BAR}, "encoding": {"x": x, "y": y}}
    else:
        names = [make_visible(table.banner[place].label) for place in columns]
        colour = {"field": "line", "type": "nominal", "sort": names,
                  "scale": {"domain": names, "range": list(_LINES)}}  # fmt: skip
        body |= {"mark": {"type": "line", "point": True},
                 "encoding": {"x": x, "y": y, "color": colour}}  # fmt: skip
    most = max(block.choices, key=lambda row: row.weighted[0], default=None)
    words = f"Most in {most.label}: {most.weighted[0]:,.0f}." if most is not None else ""
    return body, f"Responses over time. {words}"


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
    edges = np.histogram_bin_edges(numbers, bins="auto")
    if len(edges) - 1 > _MOST_BINS:
        edges = np.linspace(edges[0], edges[-1], _MOST_BINS + 1)
    whole = bool((numbers == np.floor(numbers)).all())
    if whole and len(edges) - 1 > edges[-1] - edges[0]:
        edges = np.arange(numbers.min() - 0.5, numbers.max() + 1)
    values = []
    for label, rows in _panels(frame, table, options):
        inside = rows & item.answered
        counts, _ = np.histogram(item.numbers[inside], bins=edges, weights=held[inside])
        values += [
            {"from": float(low), "to": float(high), "count": float(n), "panel": _wrap(label, 22)}
            for low, high, n in zip(edges[:-1], edges[1:], counts, strict=True)
        ]
    panels = list(dict.fromkeys(value["panel"] for value in values))
    width = _WIDTH if len(panels) == 1 else max(90, _WIDTH // len(panels) + 20)
    inner: dict[str, Any] = {
        "mark": {"type": "bar", "color": _BAR}, "width": width, "height": 200,
        "encoding": {
            "x": {"field": "from", "type": "quantitative", "title": None,
                  "bin": {"binned": True}, "scale": {"zero": False}},
            "x2": {"field": "to"},
            "y": {"field": "count", "type": "quantitative", "title": "Responses"}},
    }  # fmt: skip
    mean = table.blocks[0].row("Mean")
    words = f"Histogram. Mean {mean.values[0]:,.2f}." if mean is not None else "Histogram."
    if len(panels) == 1:
        return {"data": {"values": values}, **inner}, words
    facet = {"field": "panel", "type": "nominal", "title": None, "sort": panels,
             "header": {"labelExpr": "split(datum.label, '\\n')"}}  # fmt: skip
    return {"data": {"values": values}, "facet": {"column": facet}, "spec": inner}, words


def _panels(
    frame: pd.DataFrame, table: Table, options: TableOptions
) -> list[tuple[str, np.ndarray]]:
    if len(table.banner) == 1:
        return [("", np.ones(len(frame), bool))]
    banner = build_banner(frame, options)
    return [
        (column.label, banner.members[:, place])
        for place, column in enumerate(banner.columns)
        if place
    ][:_MOST_PANELS]
