"""``survey/{id}/surveyresponse``: list, get, create, update, delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from alchemer_nb.sandbox.api.call import Call, Resource, missing
from alchemer_nb.sandbox.data import filters, writing
from alchemer_nb.sandbox.wire import records, replies
from alchemer_nb.sandbox.wire.replies import Refusal

if TYPE_CHECKING:
    from alchemer_nb.sandbox.data.definition import Definition

_ORDERS = {
    "date_submitted": "submitted, id",
    "-date_submitted": "submitted DESC, id DESC",
    "date_updated": "updated, id",
    "-date_updated": "updated DESC, id DESC",
}


def responses(call: Call) -> str:
    """Answer with a page of responses, by ascending id unless ``order_by`` is given."""
    one, paging, library = call.survey(), call.paging, call.state.library
    where, values = filters.response_sql(
        filters.read_conditions(call.params), one, call.settings.zone
    )
    total = library.count(one.id, where, values)
    work, offset = call.work, max(0, paging.offset + call.work.shift)
    rows = library.render_page(one.id, paging.size, offset, _order(call), where, values)
    work.rows = len(rows)
    total = total if work.total is None else work.total
    return replies.render_page(paging, total, rows, text_count=True)


def _order(call: Call) -> str:
    asked = call.params.get("order_by", "")
    if not asked:
        return "id"
    if asked not in _ORDERS:  # invented: no source documents the reply to another order
        raise Refusal(400, f"Invalid order_by: {asked[:40]}")
    return _ORDERS[asked]


def response(call: Call) -> str:
    """Answer with one response."""
    _, record = _found(call)
    return replies.single_object(records.render_response(record, call.settings), call.settings)


def create(call: Call) -> str:
    """Create a response from ``PUT`` with at least one ``data[…]``; answer with all of it."""
    one = call.survey()
    record = writing.new_response(one, call.tree)
    saved = call.state.library.save_response(one.id, record)
    return replies.single_object(records.render_response(saved, call.settings), call.settings)


def update(call: Call) -> str:
    """Update a response from ``POST``: change the given answers and keep the others."""
    one, record = _found(call)
    changed = writing.changed_response(one, record, call.tree)
    saved = call.state.library.save_response(one.id, changed)
    return replies.single_object(records.render_response(saved, call.settings), call.settings)


def delete(call: Call) -> str:
    """Mark a response as deleted; no later call returns it."""
    one, record = _found(call)
    call.state.library.delete_response(one.id, int(record["id"]))
    return replies.success()


def _found(call: Call) -> tuple[Definition, dict[str, Any]]:
    one = call.survey()
    record = call.state.library.response(one.id, call.number("surveyresponse"))
    if record is None:
        raise missing("surveyresponse")
    return one, record


RESOURCES: dict[tuple[str, ...], Resource] = {
    ("survey", "surveyresponse"): Resource(
        list=responses, get=response, create=create, update=update, delete=delete
    )
}
