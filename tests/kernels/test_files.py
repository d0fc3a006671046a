"""A download of files in a cell: its line becomes the receipt, and nothing else is left."""

from __future__ import annotations

import nbclient
import nbformat
import pytest

from tests.boxes import copied_box

pytestmark = pytest.mark.kernel


def test_the_line_below_the_cell_becomes_the_receipt(tmp_path):
    with copied_box(responses=60, latency=0.7) as box:
        cells = (
            f"""
import alchemer_nb as al
key = al.ApiKey({box.api_token!r}, {box.api_token_secret!r})
client = al.Client(key, region=al.Region.custom({box.url!r}, name="sandbox"))
df = client.responses(9000002, progress="none")""",
            f"files = df.alchemer.download_files({str(tmp_path)!r}, client=client)",
            f"files = df.alchemer.download_files({str(tmp_path)!r}, client=client)",
        )
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
        nbclient.NotebookClient(notebook, timeout=90, kernel_name="python3").execute()
    _, first, second = (cell.outputs for cell in notebook.cells)
    (shown,) = first
    assert shown.output_type == "display_data"
    assert shown.data["text/plain"].startswith("Event registration: ")
    assert "downloaded" in shown.data["text/plain"]
    (printed,) = second  # which was over at once
    assert "already there" in printed.text
