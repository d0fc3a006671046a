"""A survey's responses on this computer: synced, read, queried, and removed for good.

::

    account-9f86d081884c7d65/          one account, for the user alone
      survey-9000001/
        manifest.json                  which files count: the only one that is ever replaced
        definition-0001.json           the survey as it was asked, each time it changed
        responses-000001.parquet       responses as they came, with the sync that brought them
        table-000001-1f0c….parquet     the same as columns, for ``scan`` and SQL; can be made anew
        expunged.json                  ids that were removed for good
        lock
"""
