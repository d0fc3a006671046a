"""The responses of surveys on this computer: synced, read, queried, and removed for good.

::

    account-9f86d081884c7d65/          one account, readable for the user alone
      survey-9000001/
        manifest.json                  lists the other files; the only one that is replaced
        definition-0001.json           the definition of the survey, each time it changed
        responses-000001.parquet       a part: responses as the server sent them
        table-000001-1f0c….parquet     the same as columns, for ``scan`` and SQL; can be rebuilt
        expunged.json                  ids that were removed for good
        lock

May import: fetch, frame, and what they may import.
"""
