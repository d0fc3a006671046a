"""Front ends that show no widgets, such as VS Code without them and Colab before they are on.

Of each output they show the plain text or the HTML, which have to say what to do.
"""

from __future__ import annotations

from alchemer_nb.client.jobs import Job
from alchemer_nb.notebook.running.progress_views import WidgetView


def test_the_text_of_the_panel_tells_other_ways(notebook):
    text = notebook.run("%alchemer login").out
    for way in ("%alchemer login --prompt", "ALCHEMER_API_TOKEN_SECRET", "environment"):
        assert way in text


def test_the_text_of_a_bar_tells_how_to_stop(notebook, capsys):
    job = Job.of("Tea", lambda _, stop: stop.wait(30))
    view = WidgetView(job)
    out = " ".join(capsys.readouterr().out.split())
    job.cancel()
    view.end("done")
    assert "interrupt the kernel to stop" in out
    assert out.endswith("run the cell again.")
