"""A download of files in a cell: its line becomes the receipt, and nothing else is left."""

from __future__ import annotations

import pytest

from tests.boxes import copied_box
from tests.gate import Gate

pytestmark = pytest.mark.kernel


def test_the_line_below_the_cell_becomes_the_receipt(kernel, tmp_path):
    def outputs(request: str) -> list[tuple[str, dict]]:
        return [
            (m["msg_type"], m["content"])
            for m in kernel.messages
            if m["parent_header"].get("msg_id") == request
            and m["msg_type"] not in ("status", "execute_input")
        ]

    with copied_box(responses=60) as box, Gate(box.url) as gate:
        cell = f"files = df.alchemer.download_files({str(tmp_path)!r}, client=client)"
        done = kernel.do(
            f"""
import alchemer_nb as al
key = al.ApiKey({box.api_token!r}, {box.api_token_secret!r})
client = al.Client(key, region=al.Region.custom({gate.url!r}, name="sandbox"))
df = client.responses(9000002, progress="none")"""
        )
        assert done.status == "ok", done
        gate.close(path="")
        request = kernel.run(cell)
        kernel.until(lambda _: outputs(request))
        gate.open()
        assert kernel.ended(request).status == "ok"
        first = outputs(request)
        second = kernel.do(cell)
    kinds = [kind for kind, _ in first]
    assert kinds[0] == "display_data"
    assert set(kinds[1:]) == {"update_display_data"}  # nothing besides
    shown = first[0][1]["transient"]["display_id"]
    assert {content["transient"]["display_id"] for _, content in first} == {shown}
    receipt = first[-1][1]["data"]["text/plain"]
    assert receipt.startswith("Event registration: ")
    assert "downloaded" in receipt
    assert "already there" in second.text  # printed, as it was over at once
