"""A sync in a process of its own, to be killed: ``python -m tests.store.killed URL TOKEN …``."""

from __future__ import annotations

import sys

from alchemer_nb import ApiKey, Client, Region
from alchemer_nb.store import compacting
from alchemer_nb.store import sync as syncing


def main() -> None:
    url, token, secret, survey = sys.argv[1:]
    region = Region.custom(url, timezone="America/New_York", name="sandbox", label="Sandbox")
    syncing._STORE_ROWS = 500  # many steps, at each of which it may die
    compacting._MANY_PARTS = 3
    client = Client(ApiKey(token, secret), region=region, requests_per_minute=100_000)
    client._stores.survey_folder(survey)
    import alchemer_nb.store.tables  # noqa: F401 - so that the time goes into what can break

    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    while True:
        client.sync(survey)


if __name__ == "__main__":
    main()
