"""The files that respondents sent, at their signed addresses."""

from __future__ import annotations

import mimetypes
from urllib.parse import unquote

from alchemer_nb.sandbox.api import files
from alchemer_nb.sandbox.services import RedactingHandler


class Upload(RedactingHandler):
    """The handler of one file."""

    def get(self, name: str) -> None:
        """Send the file, or refuse as the storage does: in XML."""
        name = unquote(name)
        query = {key: self.get_query_argument(key) for key in self.request.query_arguments}
        refusal = files.find_refusal(self.services.state.cookie_secret, name, query)
        if "Authorization" in self.request.headers or "api_token" in query:
            refusal = ("InvalidArgument", "Only one auth mechanism allowed")
        if refusal is not None:
            self.set_status(403 if refusal[0] != "InvalidArgument" else 400)
            self.set_header("Content-Type", "application/xml")
            self.finish("<Error><Code>{}</Code><Message>{}</Message></Error>".format(*refusal))
            return
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        self.set_header("Content-Type", kind)
        self.set_header("Content-Disposition", "attachment")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(files.file_content(name))
