"""File answers in a notebook: the client is that of the shell's sign-in."""

from __future__ import annotations


def test_the_sign_in_of_the_notebook_downloads_files(notebook, box, tmp_path):
    notebook.names.update(box=box, folder=str(tmp_path))
    notebook.run("import alchemer_nb as al\n"
                 "mine = al.Client(al.ApiKey(box.api_token, box.api_token_secret), "
                 "region=box.region)\n%alchemer switch mine")  # fmt: skip
    notebook.run("df = %alchemer responses 9000002 --limit 12")
    done = notebook.run("df.alchemer.download_files(folder)")
    assert done.failure is None
    assert set(done.value["status"]) == {"downloaded"}
    notebook.run("%alchemer logout")
    assert "%alchemer login" in notebook.run("df.alchemer.download_files(folder)").told
