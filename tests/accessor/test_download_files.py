"""``df.alchemer.download_files``: the files that respondents sent."""

from __future__ import annotations

import gzip
import io
import json
import logging
import re
import threading
import time
import traceback
import zlib
from pathlib import Path

import pandas as pd
import pytest

import alchemer_nb as al
from alchemer_nb.errors import (
    ConfigurationError,
    DownloadIncomplete,
    InvalidArgument,
    KnowledgeLost,
    Stopped,
)
from alchemer_nb.fetch.uploads import LIST
from alchemer_nb.http.secrets import Secret
from alchemer_nb.http.signed_files import FileRefused, FileRequest, fetch_file
from alchemer_nb.http.waiting import CallOptions
from tests.scripted import Reply
from tests.survey_json import question, response, serve

EVENT = 9000002
SIGNATURE = "X-Amz-Signature=CANARYsignature0123456789"


def download(df, folder, client, **options):
    return df.alchemer.download_files(folder, client=client, **{"progress": "none", **options})


def content(folder):
    """The files of a folder; that it holds nothing half-written."""
    found = {each.name: each.read_bytes() for each in folder.iterdir()}
    found.pop(LIST, None)
    assert not [name for name in found if name.startswith(".")]
    return found


class TestSandbox:
    @pytest.fixture
    def df(self, client):
        return client.responses(EVENT, progress="none", limit=40)

    def test_files_of_the_rows_at_hand(self, df, client, tmp_path, capsys):
        some = df[df.index > 10]
        result = some.alchemer.download_files(tmp_path / "new" / "uploads", client=client)
        sent = some["pitch"].dropna()
        assert result["response_id"].tolist() == sent.index.tolist()
        assert set(result["status"]) == {"downloaded"}
        assert set(result["question"]) == {"pitch"}
        assert [str(n) for n in result["name"]] == [s.partition("_")[2] for s in sent]
        files = content(tmp_path / "new" / "uploads")
        assert len(files) == len(sent) > 5
        for path, size in zip(result["path"], result["bytes"], strict=True):
            assert Path(path).stat().st_size == size > 0
        assert {c[:4] for n, c in files.items() if n.lower().endswith("png")} == {b"\x89PNG"}
        receipt = "".join(capsys.readouterr())
        assert f"Event registration: {len(sent)} files in " in receipt
        assert f"{len(sent)} downloaded" in receipt

    def test_what_is_there_is_not_asked_for_again(self, df, client, box, tmp_path):
        first = download(df, tmp_path, client)
        before = content(tmp_path)
        made = len(box.seen)
        again = download(df.alchemer.relabel(names="id", shape="long"), tmp_path, client)
        assert len(box.seen) == made
        assert set(again["status"]) == {"already there"}
        assert again["path"].tolist() == first["path"].tolist()
        # A file that was changed is fetched; without the list each is compared by its size.
        name = sorted(before)[0]
        (tmp_path / name).write_bytes(before[name][:-1])
        statuses = download(df, tmp_path, client)["status"].value_counts()
        assert statuses.to_dict() == {"already there": len(before) - 1, "downloaded": 1}
        (tmp_path / LIST).unlink()
        assert set(download(df, tmp_path, client)["status"]) == {"already there"}
        assert content(tmp_path) == before

    def test_only_the_owner_can_read_them(self, df, client, tmp_path):
        download(df, tmp_path / "uploads", client)
        modes = {each.stat().st_mode & 0o777 for each in (tmp_path / "uploads").iterdir()}
        assert modes == {0o600}
        assert (tmp_path / "uploads").stat().st_mode & 0o777 == 0o700

    def test_progress(self, df, client, tmp_path):
        seen = []
        result = download(df, tmp_path, client, progress=seen.append)
        assert (seen[-1].done, seen[-1].total, seen[-1].failed) == (len(result), len(result), 0)
        assert seen[-1].bytes == result["bytes"].sum()
        assert seen[-1].line.startswith(f"{len(result)} of {len(result)} files · ")

    @pytest.mark.parametrize("how", ["cancel", "interrupt"])
    def test_a_stop_keeps_what_is_whole_and_the_next_run_goes_on(self, df, client, tmp_path, how):
        def stop(progress):
            if progress.done:
                if how == "interrupt":
                    raise KeyboardInterrupt
                progress.cancel()

        with pytest.raises(DownloadIncomplete, match=r"it was stopped; .*Run it again") as caught:
            download(df, tmp_path, client, progress=stop)
        partial = caught.value.partial
        whole = partial[partial["status"] == "downloaded"]
        assert len(content(tmp_path)) == len(whole) >= 1
        assert set(partial["status"]) == {"downloaded", "not tried"}
        result = download(df, tmp_path, client)
        assert result["status"].value_counts()["already there"] == len(whole)
        assert len(content(tmp_path)) == len(result)

    def test_an_error_of_the_callback_is_raised_as_it_is(self, df, client, tmp_path):
        def fail(_):
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            download(df, tmp_path, client, progress=fail)

    def test_refused_credentials_end_it_and_say_what_to_do(self, df, box, tmp_path):
        old = al.Client(al.ApiKey("0" * 50, box.api_token_secret), region=box.region)
        with pytest.raises(DownloadIncomplete, match="Sign in again, then run it again") as caught:
            download(df, tmp_path, old)
        assert set(caught.value.partial["status"]) == {"not tried"}
        assert content(tmp_path) == {}

    def test_a_folder_has_the_files_of_one_survey(self, df, client, tmp_path):
        download(df, tmp_path, client)
        other = json.loads((tmp_path / LIST).read_text())
        (tmp_path / LIST).write_text(json.dumps({**other, "survey": "us/77"}))
        with pytest.raises(InvalidArgument, match=r"another survey \(us/77\).*folder of its own"):
            download(df, tmp_path, client)


class TestWithoutFiles:
    def test_no_client(self, client, tmp_path):
        df = client.responses(EVENT, progress="none", limit=3)
        with pytest.raises(ConfigurationError, match=r"%alchemer login, or give client=: df\."):
            df.alchemer.download_files(tmp_path / "new")
        assert not (tmp_path / "new").exists()

    def test_a_survey_or_a_frame_without_files(self, client, tmp_path):
        df = client.responses(9000001, progress="none", limit=3)
        with pytest.raises(InvalidArgument, match="this survey has no question that takes files"):
            download(df, tmp_path, client)
        df = client.responses(EVENT, progress="none", limit=3)
        with pytest.raises(InvalidArgument, match=r"no column of this frame .* left out"):
            download(df.drop(columns="pitch"), tmp_path, client)
        with pytest.raises(InvalidArgument, match=r"'company' holds no files; .* pitch does"):
            download(df, tmp_path, client, columns=["company"])
        with pytest.raises(KnowledgeLost):
            download(pd.DataFrame({"pitch": ["a.png"]}), tmp_path, client)

    def test_nobody_sent_one(self, client, tmp_path, capsys):
        df = client.responses(EVENT, progress="none", limit=20)
        none = df[df["pitch"].isna()]
        result = none.alchemer.download_files(tmp_path, client=client)
        assert result.shape == (0, 7)
        assert "Event registration: no file was sent" in "".join(capsys.readouterr())

    def test_a_frame_of_another_region(self, client, tmp_path):
        df = client.responses(EVENT, progress="none", limit=3)
        eu = al.Client(al.ApiKey("token", "secret"), region="eu")
        with pytest.raises(InvalidArgument, match=r"from region sandbox, and the client .* eu"):
            download(df, tmp_path, eu)

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            ({"folder": ""}, "name of a folder"),
            ({"folder": 7}, "name of a folder"),
            ({"folder": "~no-such-user/x"}, "no known home folder"),
            ({"client": "me"}, "client is a Client, not str"),
            ({"progress": "bar"}, "progress is 'auto'"),
        ],
    )
    def test_arguments(self, client, tmp_path, arguments, words):
        df = client.responses(EVENT, progress="none", limit=3)
        given = {"folder": tmp_path, "client": client, **arguments}
        with pytest.raises(InvalidArgument, match=words):
            df.alchemer.download_files(**given)


@pytest.fixture
def made(scripted):
    """A function that serves responses with these file names, and returns their frame."""

    def make(*names):
        entries = [
            response(own, {"7": {"id": 7, "type": "FILE", "answer": name, "shown": True}})
            for own, name in enumerate(names, 1)
        ]
        client = serve(scripted, [question(7, "FILE", "Photo", "photo", key="file")], entries)
        return client.responses(5, progress="none"), client

    return make


def serve_file(scripted, own, *replies, address=""):
    address = address or f"{scripted.url}/files/{own}?{SIGNATURE}"
    data = {"survey_id": "5", "response_id": str(own), "download_url": address}
    scripted.answer(f"survey/5/surveyresponse/{own}/file", {"result_ok": True, "data": data})
    scripted.answer(f"/files/{own}", *replies)


def file_calls(scripted):
    return [params for _, path, params in scripted.asked if path.endswith("/file")]


PACKED = gzip.compress(b"x" * 100_000, mtime=0)  # the same in all workers, as it names tests


class TestSignedAddresses:
    def test_credentials_stay_with_alchemer(self, made, scripted, tmp_path, monkeypatch):
        netrc = tmp_path / "netrc"
        netrc.write_text("default login joe password CANARYpassword\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        df, _ = made("a.png")
        serve_file(scripted, 1, Reply(b"x", headers={"Set-Cookie": "a=b"}))
        for credentials in (
            al.ApiKey("CANARYtoken", "CANARYsecret"),
            al.OAuth1("CANARYa", "CANARYb"),
        ):
            client = al.Client(credentials, region=scripted.region)
            download(df, tmp_path / credentials.mode, client)
        of_file = [
            (params, headers)
            for (_, path, params), headers in zip(
                scripted.asked, scripted.asked_headers, strict=True
            )
            if path == "/files/1"
        ]
        assert len(of_file) == 2
        for params, headers in of_file:
            assert set(params) == {"X-Amz-Signature"}
            assert not {"authorization", "cookie", "referer"} & set(headers)
            assert "CANARY" not in json.dumps(headers)

    def test_an_address_that_has_expired_is_asked_for_anew(self, made, scripted, tmp_path):
        df, client = made("a.png")
        serve_file(scripted, 1, Reply(b"<Error/>", 403), Reply(b"content"))
        result = download(df, tmp_path, client)
        assert result["status"].tolist() == ["downloaded"]
        assert content(tmp_path) == {"1_photo_a.png": b"content"}
        # Another number of seconds: no memory can answer with the old address.
        assert [call["expires"] for call in file_calls(scripted)] == ["300", "301"]

    def test_one_that_fails_does_not_stop_the_others(self, made, scripted, tmp_path, capsys):
        df, client = made("a.png", "b.png", "c.png", "d.png")
        serve_file(scripted, 1, Reply(b"one"))
        serve_file(scripted, 2, Reply(b"<Error/>", 404))
        serve_file(scripted, 4, Reply(b"four"))
        result = df.alchemer.download_files(tmp_path, client=client)
        assert result["status"].tolist() == ["downloaded", "failed", "failed", "downloaded"]
        assert result["reason"][1] == "127.0.0.1 refused the file (status 404)"
        assert "nothing was found at survey/5/surveyresponse/3/file" in result["reason"][2]
        assert result["path"].isna().tolist() == [False, True, True, False]
        assert content(tmp_path) == {"1_photo_a.png": b"one", "4_photo_d.png": b"four"}
        assert "2 failed (7 bytes); the column reason of the result" in "".join(capsys.readouterr())

    def test_a_file_that_is_cut_off_is_never_there(self, made, scripted, tmp_path):
        df, client = made("a.png", "b.png")
        serve_file(scripted, 1, Reply(b"x" * 100_000, cut=70_000), Reply(b"whole"))
        serve_file(scripted, 2, Reply(b"may be cut", unsized=True))
        result = download(df, tmp_path, client)
        assert result["status"].tolist() == ["downloaded", "failed"]
        assert "does not say how long" in result["reason"][1]
        assert content(tmp_path) == {"1_photo_a.png": b"whole"}

    def test_a_packed_file_is_whole_or_not_there(self, made, scripted, tmp_path):
        sent = [
            ("gzip", PACKED),
            ("gzip", PACKED[:60]),
            ("gzip", PACKED[:-8]),
            ("gzip", PACKED * 2),
            ("gzip", b""),
            ("deflate", zlib.compress(b"x")),
            ("br", b"x"),
            ("gzip, gzip", PACKED),
        ]
        df, client = made(*(f"{number}.png" for number in range(len(sent))))
        for own, (encoding, body) in enumerate(sent, 1):
            serve_file(scripted, own, Reply(body, headers={"Content-Encoding": encoding}))
        assert download(df, tmp_path, client)["status"].tolist() == ["downloaded"] + ["failed"] * 7
        assert content(tmp_path) == {"1_photo_0.png": b"x" * 100_000}

    @pytest.mark.parametrize("reply", [Reply(b"x" * 11), Reply(b"x" * 11, unsized=True)])
    def test_a_bound_for_the_size(self, made, scripted, tmp_path, reply):
        df, client = made("a.png")
        if reply.unsized:
            reply.headers["Transfer-Encoding"] = "chunked"
            reply.body = b"b\r\n" + b"x" * 11 + b"\r\n0\r\n\r\n"
        serve_file(scripted, 1, reply)
        assert "more than 10 bytes" in download(df, tmp_path, client, most_bytes=10)["reason"][0]
        assert content(tmp_path) == {}
        assert download(df, tmp_path, client, most_bytes=11)["bytes"].tolist() == [11]

    def test_redirects_are_followed_three_times(self, made, scripted, tmp_path):
        df, client = made("a.png", "b.png")
        serve_file(scripted, 1, Reply(b"", 307, {"Location": f"/files/moved?{SIGNATURE}"}))
        scripted.answer("/files/moved", Reply(b"moved"))
        serve_file(scripted, 2, Reply(b"", 302, {"Location": "/files/2"}))
        result = download(df, tmp_path, client)
        assert result["status"].tolist() == ["downloaded", "failed"]
        assert "leads on more than 3 times" in result["reason"][1]
        assert [path for _, path, _ in scripted.asked].count("/files/2") == 4

    @pytest.mark.parametrize(
        "address",
        [
            "http://files.example/a.png",
            "http://[::2]/a.png",
            "ftp://127.0.0.1/a.png",
            "file:///etc/passwd",
            "https://127.0.0.1/a.png",
            "https://127.1/a.png",
            "https://0.0.0.0/a.png",
            "https://2130706433/a.png",
            "https://0x7f.0.0.1/a.png",
            "https://localhost./a.png",
            "https://[::ffff:127.0.0.1]/a.png",
            "https://169.254.169.254/latest/meta-data/",
            "https://192.168.0.1/a.png",
            "https://user:word@files.example/a.png",
            "https://files.example\\@127.0.0.1/a.png",
            "https://files.example:port/a.png",
            "https:///a.png",
            "/a.png",
            "",
        ],
    )
    @pytest.mark.parametrize("by_redirect", [False, True])
    def test_addresses_that_are_not_used(self, made, scripted, tmp_path, address, by_redirect):
        df, client = made("a.png")
        if by_redirect:
            serve_file(scripted, 1, Reply(b"", 302, {"Location": address}))
        else:
            serve_file(scripted, 1, address=address or " ")
        result = download(df, tmp_path, client)
        assert result["status"].tolist() == ["failed"]
        assert content(tmp_path) == {}
        assert "word" not in result["reason"][0]
        if address.startswith("https:"):  # nobody was asked
            assert re.search("not fetched|no valid address", result["reason"][0])

    def test_a_real_region_never_leads_to_this_computer(self, scripted, tmp_path):
        scripted.answer("/files/1", Reply(b"x"))
        options = CallOptions()
        address = Secret(f"{scripted.url}/files/1")
        request = FileRequest(address, False, 10, -1, options, lambda _: None)
        with (tmp_path / "a").open("wb") as target, pytest.raises(FileRefused, match="not https"):
            fetch_file(request, target)
        assert scripted.asked == []

    def test_a_stop_ends_a_reply_that_hangs(self, scripted, tmp_path):
        scripted.answer("/files/1", Reply(b"x" * 100, cut=50, silent=True))
        options = CallOptions()
        request = FileRequest(
            Secret(f"{scripted.url}/files/1"), True, 1000, -1, options, lambda _: None
        )

        def stop_when_asked():
            while not scripted.asked:
                time.sleep(0.01)
            options.stop.set()

        threading.Thread(target=stop_when_asked, daemon=True).start()
        with (tmp_path / "a").open("wb") as target, pytest.raises(Stopped):
            fetch_file(request, target)

    @pytest.mark.parametrize(
        "address",
        [
            "/files/1?Signature=CANARY%2Dsignature%5F0123",  # sent as CANARY-signature_0123
            "/files/1?Signature=%43ANARY-signature_0123",
            "/files/CANARY-signature_0123/1",
        ],
    )
    def test_an_address_is_not_logged_in_another_spelling(self, scripted, caplog, address):
        caplog.set_level(logging.DEBUG)
        scripted.answer(address.partition("?")[0], Reply(b"x"))
        address = Secret(f"{scripted.url}{address}")
        with io.BytesIO() as target:
            fetch_file(FileRequest(address, True, 9, -1, CallOptions(), lambda _: None), target)
        assert "HTTP/1.1" in caplog.text
        assert "ANARY-signature" not in caplog.text

    def test_the_signature_is_shown_nowhere(self, made, scripted, tmp_path, caplog):
        caplog.set_level(logging.DEBUG)
        df, client = made("a.png", "b.png", "c.png")
        serve_file(scripted, 1, Reply(b"x"))
        serve_file(scripted, 2, Reply(SIGNATURE.encode(), 400, {"X": SIGNATURE}))
        serve_file(scripted, 3, address=f"http://127.0.0.1:1/c?{SIGNATURE}")
        result = download(df, tmp_path, client)
        assert result["status"].tolist() == ["downloaded", "failed", "failed"]
        assert "CANARYsignature" not in result.to_string() + (tmp_path / LIST).read_text()
        assert caplog.records
        assert "CANARYsignature" not in caplog.text
        request = FileRequest(
            Secret(f"http://127.0.0.1:1/c?{SIGNATURE}"), True, 9, -1, CallOptions(), print
        )
        assert "CANARYsignature" not in repr(request)
        with (tmp_path / "a").open("wb") as target:
            try:
                fetch_file(request, target)
            except al.errors.TransportError as error:
                told = traceback.TracebackException.from_exception(error, capture_locals=True)
        assert "CANARYsignature" not in "".join(told.format())


class TestNames:
    def test_a_name_cannot_leave_the_folder(self, made, scripted, tmp_path):
        df, client = made("../../up.png", "/etc/passwd", "..\\win.png", "nul")
        for own in (1, 2, 3, 4):
            serve_file(scripted, own, Reply(b"x"))
        result = download(df, tmp_path / "in", client)
        assert set(result["status"]) == {"downloaded"}
        assert result["name"].tolist() == ["../../up.png", "/etc/passwd", "..\\win.png", "nul"]
        assert [each.name for each in tmp_path.iterdir()] == ["in"]
        assert len(content(tmp_path / "in")) == 4
        # Alchemer is asked by the name that it knows.
        assert {call["filename"] for call in file_calls(scripted)} == {*result["name"]}

    def test_files_of_the_users_own_are_left_alone(self, made, scripted, tmp_path):
        df, client = made("a.png", "b.png", "c.png")
        outside = tmp_path / "outside"
        folder = tmp_path / "in"
        folder.mkdir()
        outside.write_bytes(b"mine")
        (folder / "1_photo_a.png").write_bytes(b"mine, too")
        (folder / "2_photo_b.png").symlink_to(outside)
        (folder / "3_photo_c.png").mkdir()
        for own in (1, 2, 3):
            serve_file(scripted, own, Reply(b"x"))
        result = download(df, folder, client)
        assert set(result["status"]) == {"failed"}
        assert all("move it away" in reason for reason in result["reason"])
        assert outside.read_bytes() == b"mine"
        assert (folder / "1_photo_a.png").read_bytes() == b"mine, too"

    def test_several_files_in_one_answer(self, made, scripted, tmp_path):
        df, client = made(["a.png", "A.PNG"])
        serve_file(scripted, 1, Reply(b"x"))
        result = download(df, tmp_path, client)
        assert result["name"].tolist() == ["a.png", "A.PNG"]
        assert len(content(tmp_path)) == 2

    def test_a_response_that_sent_another_file_later(self, made, scripted, tmp_path):
        stored = f"7-{'0' * 32}_a.png", f"7-{'1' * 32}_a.png"
        for name, text in zip(stored, (b"old", b"new"), strict=True):
            df, client = made(name)
            serve_file(scripted, 1, Reply(text))
            assert download(df, tmp_path, client)["status"].tolist() == ["downloaded"]
            assert content(tmp_path) == {"1_photo_a.png": text}

    def test_a_file_question_in_a_group(self, scripted, tmp_path):
        part = question(9, "FILE", "Inside", "inner", key="file")
        group = question(8, "GROUP", "Group", "group", key="group", rows=[part])
        entry = {"id": 8, "type": "parent", "subquestions": {"9": {
            "id": 9, "type": "FILE", "question": "Inside", "answer": "d.png", "shown": True,
        }}}  # fmt: skip
        client = serve(scripted, [group], [response(1, {"8": entry})])
        serve_file(scripted, 1, Reply(b"x"))
        result = download(client.responses(5, progress="none"), tmp_path, client)
        assert result["path"].tolist() == [str(tmp_path / "1_inner_d.png")]
