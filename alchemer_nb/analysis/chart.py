"""A chart of a question: what ``df.alchemer.plot`` returns, shown without a network."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, replace
from html import escape
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from alchemer_nb.files import import_optional, output_path, replace_atomically

if TYPE_CHECKING:
    import os

_SUFFIXES = (".png", ".svg", ".pdf")
INK = "#767676"  # words that are read on white and on black
_SCALE = 2  # pixels of a picture for one of the screen


@dataclass(frozen=True, eq=False)
class Chart:
    """A chart, as Vega-Lite: show it as the value of a cell, or save it.

    Attributes:
        title: The words of the question.
        description: The chart in words, for those who cannot see it.
        spec: The specification (Vega-Lite).

    Example:
        >>> df = client.responses("Customer satisfaction", progress="none")
        >>> chart = df.alchemer.plot("satisfaction")
        >>> chart.title
        'Overall, how satisfied are you with Larkmoor Outdoor?'
    """

    title: str
    description: str
    spec: dict[str, Any]

    @property
    def chart(self) -> Any:
        """The chart as an Altair object, to go on with.

        Raises:
            ConfigurationError: Altair is not installed.
        """
        altair = import_optional("altair", "analysis")
        return altair.Chart.from_dict(self.spec)

    def to_svg(self) -> str:
        """Return the chart as SVG, with its words as text.

        Raises:
            ConfigurationError: vl-convert-python is not installed.
        """
        svg = str(import_optional("vl_convert", "analysis").vegalite_to_svg(json.dumps(self.spec)))
        if not self.description:
            return svg
        words = f'role="img" aria-label={quoteattr(self.description)}'
        return svg.replace("<svg ", f"<svg {words} ", 1)

    def to_png(self) -> bytes:
        """Return the chart as a PNG picture.

        Raises:
            ConfigurationError: vl-convert-python is not installed.
        """
        convert = import_optional("vl_convert", "analysis")
        return bytes(convert.vegalite_to_png(json.dumps(self.spec), scale=_SCALE))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the chart to a file, on white.

        Args:
            path: Name of the file, ending in ``.png``, ``.svg`` or ``.pdf``.

        Raises:
            InvalidArgument: The path does not fit.
            ConfigurationError: vl-convert-python is not installed.
        """
        target = output_path(path, _SUFFIXES)
        shown = Chart(self.title, self.description, on_white(self.spec))
        if target.suffix.lower() == ".svg":
            content = shown.to_svg().encode()
        elif target.suffix.lower() == ".png":
            content = shown.to_png()
        else:
            convert = import_optional("vl_convert", "analysis")
            content = bytes(convert.vegalite_to_pdf(json.dumps(shown.spec)))
        with replace_atomically(target) as temporary:
            temporary.write_bytes(content)

    def __repr__(self) -> str:
        return f"Chart: {self.description}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Return HTML, SVG and PNG: what shows no HTML shows one of the others."""
        return {
            "text/plain": repr(self),
            "text/html": self._to_html(),
            "image/svg+xml": self.to_svg(),
            "image/png": self.to_png(),
        }

    def _to_html(self) -> str:
        """Return the chart with its title and base as text.

        They have the ink of the notebook's theme, and the picture, which reads itself to those who
        cannot see it, becomes smaller where there is less room. An untrusted notebook shows all
        of that, but would leave out an SVG that is no image.
        """
        base = " ".join(self.spec["title"]["subtitle"])
        drawn = replace(self, spec=without_title(self.spec)).to_svg()
        source = base64.b64encode(drawn.encode()).decode()
        return (
            f'<figure style="margin:0"><b>{escape(self.title)}</b><br>{escape(base)}<br>'
            f'<img alt="{escape(self.description)}" style="max-width:100%;height:auto" '
            f'src="data:image/svg+xml;base64,{source}"></figure>'
        )


def without_title(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a chart without its title, for a place that shows the title as text."""
    return {key: value for key, value in spec.items() if key != "title"}


def on_white(spec: dict[str, Any]) -> dict[str, Any]:
    """Return a chart for paper: dark words on white, whatever the notebook looks like."""
    return {**spec, "background": "white", "config": look("#222222", "#dddddd")}


def look(ink: str = INK, lines: str = "rgba(127,127,127,.35)") -> dict[str, Any]:
    """Return the Vega-Lite configuration; without colours, one that is read in light and dark."""
    font = "Arial, 'Liberation Sans', Helvetica, sans-serif"  # widths as they were measured
    words = {"labelColor": ink, "titleColor": ink, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "font": font,
        "view": {"stroke": None},
        "title": {
            "anchor": "start", "color": ink, "subtitleColor": ink, "fontSize": 14,
            "subtitleFontSize": 12, "frame": "group", "offset": 12,
        },
        "axis": {**words, "gridColor": lines, "domainColor": lines, "tickColor": lines,
                 "labelLimit": 320},
        "legend": {**words, "orient": "top", "title": None, "labelLimit": 240,
                   "columnPadding": 24},
        "header": {**words, "labelFontWeight": "bold", "labelLimit": 200},
        "text": {"color": ink, "fontSize": 12},
    }  # fmt: skip
