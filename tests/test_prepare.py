import contextlib
import http.server
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from at_once import at_once
from drawn_faces import draw_face
from PIL import Image
from youtube_tree import TABLES, write_tree

from kdnotes.data import archives, downloads, public, synthetic
from kdnotes.data.archives import ArchiveError
from kdnotes.data.crops import stored_crop
from kdnotes.data.downloads import DownloadError, Remote
from kdnotes.data.faceset import FaceSet, FaceSetError
from kdnotes.data.prepare import prepare_own, prepare_public, prepare_synthetic
from kdnotes.system import files

SMALL = {"size": 24, "progress": False}


def served_from(url, name="youtube-faces"):
    """A data set whose only file lies at `url`."""
    dataset = public.get(name)
    (remote,) = dataset.files
    return replace(dataset, files=(replace(remote, url=url),))


def prepare_youtube_faces(out, *, archive=None, url=None, **more):
    dataset = served_from(url) if url else "youtube-faces"
    return prepare_public(dataset, out, archive=[archive] if archive else [], **more)


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("tree")
    write_tree(root)
    return root


@pytest.fixture(scope="module")
def archive(tree):
    return shutil.make_archive(str(tree / "master"), "zip", tree, "P1_Facial_Keypoints-master")


@pytest.fixture
def out(tmp_path):
    """A path for a face set in an otherwise empty folder."""
    (tmp_path / "sets").mkdir()
    return tmp_path / "sets" / "faces"


def is_untouched(out):
    """Nothing at all was left where the face set was to be written."""
    return not list(out.parent.iterdir())


# --- YouTube Faces ---------------------------------------------------------------------------


def test_the_archive_becomes_a_face_set(out, archive, capsys):
    faces = prepare_youtube_faces(out, archive=archive, **SMALL)
    assert faces.counts() == {"train": 22, "validation": 11, "test": 11}
    assert [path.name for path in out.parent.iterdir()] == ["faces"]
    assert faces.table["official_test"].sum() == 4
    assert "another network" in faces.meta["labels"]
    assert "by person" in faces.meta["split_rule"]
    assert len(faces.meta["archive_sha256"]["master.zip"]) == 64
    printed = capsys.readouterr().out
    assert "MIT" in printed and "another network (FAN)" in printed
    for line in ("44 faces in", "train 22 faces of 2 people", "test 11 faces of 1 people"):
        assert line in " ".join(printed.split())


def test_folder_and_archive_give_the_same_faces(out, archive, tree):
    from_archive = prepare_youtube_faces(out, archive=archive, **SMALL)
    from_folder = prepare_youtube_faces(out.parent / "b", folder=tree, **SMALL)
    assert from_archive.fingerprint == from_folder.fingerprint
    assert from_archive.table.equals(from_folder.table)


def test_a_limit_takes_the_first_faces(out, tree):
    assert len(prepare_youtube_faces(out, folder=tree, limit=3, **SMALL)) == 3
    with pytest.raises(ValueError, match="at least 1 face, found 0"):
        prepare_youtube_faces(out.parent / "b", folder=tree, limit=0, **SMALL)


def test_an_empty_split_is_an_error(tmp_path, out):
    write_tree(tmp_path / "tree", people=["Ada_Example", "Cy_de_la_Example"])
    with pytest.raises(FaceSetError, match="'validation' would be empty; found train 11, test 11"):
        prepare_youtube_faces(out, folder=tmp_path / "tree", **SMALL)
    assert is_untouched(out)


def test_too_many_bad_rows_leave_nothing(tmp_path, out):
    data = write_tree(tmp_path / "tree")
    lines = (data / TABLES["training"]).read_text().splitlines()
    lines[5:8] = [line[:200] for line in lines[5:8]]
    (data / TABLES["training"]).write_text("\n".join(lines))
    with pytest.raises(FaceSetError, match=r"3 of 44 samples are bad, .*csv, line 6"):
        prepare_youtube_faces(out, folder=tmp_path / "tree", **SMALL)
    assert is_untouched(out)


def test_what_is_there_is_not_overwritten_and_nothing_is_fetched_for_it(out, tree, monkeypatch):
    prepare_youtube_faces(out, folder=tree, **SMALL)
    monkeypatch.setattr(downloads, "download", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(FileExistsError, match="is there already"):
        prepare_youtube_faces(out, **SMALL)
    faces = prepare_youtube_faces(out, folder=tree, replace=True, limit=5, **SMALL)
    assert len(faces) == 5


def test_two_sources_are_one_too_many(out, tree, archive):
    with pytest.raises(ValueError, match="not both"):
        prepare_youtube_faces(out, folder=tree, archive=archive)


def test_the_real_archive_becomes_a_face_set(out, youtube_archive):
    """Its first faces: the counts of all, which need no picture, are checked in test_formats."""
    faces = prepare_youtube_faces(out, archive=youtube_archive, limit=500, **SMALL)
    assert len(faces) == 500 and faces.meta["skipped"] == {}
    assert faces.table.groupby("subject")["split"].nunique().max() == 1
    assert abs(faces.landmarks).max() <= 0.5 / 2.2 + 1e-6
    source = faces.to_source(np.arange(500), faces.landmarks)
    assert source == pytest.approx(np.round(source), abs=1e-3)  # the labels are whole numbers


# --- downloads -------------------------------------------------------------------------------


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """Serve `content` from 127.0.0.1, cutting off the first `drops` answers half-way.

    With an `etag` the server can go on in the middle of a file; `requests` are the first bytes that
    were asked for.
    """
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    servers = []

    def start(content, drops=0, status=200, etag=None):
        requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                begin = 0
                if etag and self.headers.get("If-Range") == etag:
                    begin = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                requests.append(begin)
                rest = content[begin:]
                if begin and not rest:
                    self.send_error(416)
                    return
                self.send_response(206 if begin else status)
                self.send_header("Content-Length", str(len(rest)))
                if etag:
                    self.send_header("ETag", etag)
                self.end_headers()
                self.wfile.write(rest if len(requests) > drops else rest[: len(rest) // 2])

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/master.zip", requests

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def read_bytes(path):
    with open(path, "rb") as file:
        return file.read()


@pytest.mark.parametrize("drops", [0, 1, 2])
def test_a_download_that_breaks_off_is_tried_again(out, archive, serve, capsys, drops):
    url, requests = serve(read_bytes(archive), drops=drops)
    faces = prepare_youtube_faces(out, url=url, **SMALL)
    assert len(faces) == 44 and len(requests) == drops + 1
    assert capsys.readouterr().out.count("trying again") == drops
    prepare_youtube_faces(out.parent / "b", url=url, **SMALL)
    assert len(requests) == drops + 1  # the second time it is in the cache


def test_a_broken_download_goes_on_where_it_was(out, archive, serve, monkeypatch):
    content = read_bytes(archive)
    url, requests = serve(content, drops=2, etag='"one"')
    remote = Remote("a.zip", url)
    with pytest.raises(DownloadError, match="by hand"):
        downloads.download(remote, tries=1, progress=False)
    assert not (downloads.cache_folder() / "a.zip").exists()
    assert read_bytes(downloads.download(remote, progress=False)) == content
    first, second, third = requests
    assert first == 0 and second % 2**16 == third % 2**16 == 0
    assert len(content) // 2 - 2**16 < second < third < len(content)
    assert [path.name for path in downloads.cache_folder().iterdir()] == ["a.zip"]


def test_a_file_that_changed_meanwhile_is_begun_anew(archive, serve):
    old, _ = serve(b"old" * 1000, drops=9, etag='"old"')
    with pytest.raises(DownloadError):
        downloads.download(Remote("a.zip", old), tries=1, progress=False)
    new, requests = serve(b"new" * 2000, etag='"new"')
    assert read_bytes(downloads.download(Remote("a.zip", new), progress=False)) == b"new" * 2000
    assert requests == [0]


def test_google_drive_needs_gdown_or_a_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "cache"))
    remote = public.get("wflw").files[1]
    assert remote.url.startswith("gdrive:")
    monkeypatch.setattr(downloads, "check_space", lambda *_: None)
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(DownloadError, match=r"pip install gdown.*or download WFLW_images"):
        downloads.download(remote, tries=1, progress=False)

    class Gdown:
        answers = iter((None, b"whole"))

        @classmethod
        def download(cls, id, output, quiet, resume):
            assert resume and id == remote.url.removeprefix("gdrive:")
            content = next(cls.answers)
            if content:
                Path(output).write_bytes(content)

    monkeypatch.setattr(downloads.time, "sleep", lambda _: None)
    monkeypatch.setitem(sys.modules, "gdown", Gdown)
    assert read_bytes(downloads.download(remote, progress=False)) == b"whole"


def test_a_download_that_never_ends_well_leaves_no_file(out, archive, serve, tmp_path):
    url, requests = serve(read_bytes(archive), drops=99)
    with pytest.raises(DownloadError, match=r"in 3 tries.*by hand.*--archive"):
        prepare_youtube_faces(out, url=url, **SMALL)
    assert len(requests) == 3 and is_untouched(out)
    assert all(path.name.startswith(".") for path in (tmp_path / "cache").iterdir())


def test_a_missing_file_on_the_server_says_what_to_do(out, serve):
    url, _ = serve(b"not found", status=404)
    with pytest.raises(DownloadError, match=r"404.*--archive"):
        prepare_youtube_faces(out, url=url, **SMALL)


def test_a_web_page_instead_of_the_archive_is_named_and_not_kept(out, archive, serve):
    url, _ = serve(b"<!DOCTYPE html><html>Too many downloads</html>")
    with pytest.raises(ArchiveError, match=r"is a web page .*expected a whole zip or tar file"):
        prepare_youtube_faces(out, url=url, **SMALL)
    assert is_untouched(out)
    url, _ = serve(read_bytes(archive))
    assert len(prepare_youtube_faces(out, url=url, **SMALL)) == 44


def test_a_known_hash_is_checked(serve):
    url, _ = serve(b"something else")
    remote = Remote("a.zip", url, known_hash="sha256:" + "0" * 64)
    with pytest.raises(DownloadError, match="hash"):
        downloads.download(remote, progress=False)


def test_a_cache_that_cannot_be_used_names_the_variable(tmp_path, out, tree, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "file" / "cache"))
    assert len(prepare_youtube_faces(out, folder=tree, **SMALL)) == 44  # needs no cache
    with pytest.raises(DownloadError, match="KDNOTES_CACHE"):
        prepare_youtube_faces(out.parent / "b", url="http://127.0.0.1:9/", **SMALL)


def test_a_full_disk_is_noticed_before_the_first_byte(out, archive, monkeypatch):
    usage = shutil.disk_usage(out.parent)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    with pytest.raises(OSError, match=r"1 MB free, 600 MB are needed"):
        prepare_youtube_faces(out, url="http://127.0.0.1:9/", **SMALL)
    monkeypatch.setattr(downloads.shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(OSError, match="are needed; make room"):
        prepare_youtube_faces(out, archive=archive, **SMALL)
    assert is_untouched(out)


# --- hostile and broken archives -------------------------------------------------------------


def make_zip(path, name, content=b"evil", mode=0, times=1):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("P1/data/fine.txt", b"fine")
        for i in range(times):
            member = zipfile.ZipInfo(name if times == 1 else f"{name}{i}")
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = mode << 16
            file.writestr(member, content)
    return path


@pytest.mark.parametrize(
    "name", ["../evil", "P1/../../evil", "/evil", "..\\evil", "C:\\evil", "C:evil", "a/.."]
)
def test_a_member_outside_the_folder_is_refused(tmp_path, out, name):
    path = make_zip(tmp_path / "evil.zip", name)
    with pytest.raises(ArchiveError, match="would be written outside the folder"):
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert is_untouched(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.zip", "sets"]


@pytest.mark.parametrize("kind", [0o120777, 0o010644, 0o060644])
def test_a_link_or_special_file_is_refused(tmp_path, out, kind):
    path = make_zip(tmp_path / "evil.zip", "P1/data/training", b"/etc", mode=kind)
    with pytest.raises(ArchiveError, match="is a link or a special file"):
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert is_untouched(out)


def test_a_decompression_bomb_is_refused_before_unpacking(tmp_path):
    path = make_zip(tmp_path / "bomb.zip", "zeros", bytes(10**6), times=30)
    assert path.stat().st_size < 10**5
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ArchiveError, match="would unpack to 29 MB, more than the allowed 19 MB"):
        archives.unpack(path, folder, max_bytes=20 * 10**6)
    assert not list(folder.iterdir())


def test_a_member_that_is_larger_than_it_says_is_damaged(tmp_path):
    path = make_zip(tmp_path / "liar.zip", "zeros", bytes(10**6))
    content = path.read_bytes()
    assert content.count(struct.pack("<L", 10**6)) == 2
    path.write_bytes(content.replace(struct.pack("<L", 10**6), struct.pack("<L", 1000)))
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ArchiveError, match="damaged"):
        archives.unpack(path, folder)
    assert sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()) < 10**5


def flip_byte_in_picture(content):
    middle = content.index(b"IHDR") + 200
    return content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda content: content[:-5000], "is a zip file that is cut off or damaged"),
        (lambda content: content[:40], "is a zip file that is cut off or damaged"),
        (flip_byte_in_picture, "cut off or damaged"),
        (lambda _: b"", "is an empty file"),
        (lambda _: b"  \n<html>", "is a web page"),
        (lambda _: b"\x1f\x8b....", "is a gzip file that is cut off or damaged"),
        (lambda _: b"\x89PNG....", "is a PNG picture"),
        (lambda _: b"hello", "is a file of another kind"),
    ],
)
def test_a_damaged_archive_says_what_it_is(tmp_path, out, archive, damage, message):
    path = tmp_path / "broken.zip"
    path.write_bytes(damage(read_bytes(archive)))
    with pytest.raises(ArchiveError, match=message) as caught:
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert "download it again" in str(caught.value)
    assert is_untouched(out) and path.exists()  # the reader's own file is not deleted


def test_a_missing_archive_is_named(out, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no archive .*nowhere.zip"):
        prepare_youtube_faces(out, archive=tmp_path / "nowhere.zip", **SMALL)


def test_another_archive_says_what_was_expected(out, tmp_path):
    path = make_zip(tmp_path / "other.zip", "P1/data/readme")
    with pytest.raises(FileNotFoundError, match=r"looked for training_frames_keypoints\.csv"):
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert is_untouched(out)


def make_tar(path, member, content=b"evil"):
    with tarfile.open(path, "w:gz") as file:
        fine = tarfile.TarInfo("P1/fine.txt")
        fine.size = 4
        file.addfile(fine, io.BytesIO(b"fine"))
        member.size = len(content) if member.isfile() else 0
        file.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("name", ["../evil", "P1/../../evil", "/evil", "..\\evil"])
def test_a_tar_member_outside_the_folder_is_refused(tmp_path, out, name):
    path = make_tar(tmp_path / "evil.tar.gz", tarfile.TarInfo(name))
    with pytest.raises(ArchiveError, match="would be written outside the folder"):
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert is_untouched(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar.gz", "sets"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_tar_link_or_special_file_is_refused(tmp_path, out, kind):
    member = tarfile.TarInfo("P1/data")
    member.type, member.linkname = kind, "/etc"
    path = make_tar(tmp_path / "evil.tar.gz", member)
    with pytest.raises(ArchiveError, match="is a link or a special file"):
        prepare_youtube_faces(out, archive=path, **SMALL)
    assert is_untouched(out)


def test_a_damaged_or_swollen_tar_is_named(tmp_path):
    content = np.random.default_rng(0).bytes(10**6)
    path = make_tar(tmp_path / "a.tar.gz", tarfile.TarInfo("P1/zeros"), content)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(ArchiveError, match="more than the allowed 0 MB"):
        archives.unpack(path, folder, max_bytes=10**5)
    whole = path.read_bytes()
    flipped = whole[:5000] + bytes([whole[5000] ^ 255]) + whole[5001:]
    for damaged in (whole[:-2000], whole[:-4], flipped):
        path.write_bytes(damaged)
        with pytest.raises(ArchiveError, match="a gzip file that is cut off or damaged"):
            archives.unpack(path, folder)


# --- interruptions ---------------------------------------------------------------------------

KILLED = """
import sys, time
from kdnotes.data import crops, prepare
from kdnotes.data import faceset_write
slow = faceset_write.stored_crop
def crop(sample, *rest):
    time.sleep(0.02)
    return slow(sample, *rest)
faceset_write.stored_crop = crop
prepare.prepare_public("youtube-faces", sys.argv[1], archive=[sys.argv[2]], size=24, workers=2)
"""


@pytest.mark.parametrize("n_done", [1, 20])
def test_a_killed_preparation_goes_on(out, archive, n_done, monkeypatch, capsys):
    """`kill -9` in the middle: nothing is there under the final name, and the next call uses what
    was done and ends in the same face set."""
    undisturbed = prepare_youtube_faces(out.parent.parent / "b", archive=archive, **SMALL)
    journal = out.parent / ".faces.work" / "journal.jsonl"
    child = subprocess.Popen([sys.executable, "-c", KILLED, out, archive])
    try:
        until = time.monotonic() + 120
        while not journal.exists() or journal.read_bytes().count(b"\n") < n_done:
            assert child.poll() is None and time.monotonic() < until
            time.sleep(0.005)
    finally:
        child.kill()
        child.wait()
    assert not out.exists()
    unpacked = []
    monkeypatch.setattr(archives, "unpack", lambda *_: unpacked.append(1))
    with journal.open("a") as file:
        file.write('{"id": "half a li')  # what a full disk or a lost buffer leaves
    images = journal.with_name("images.raw")
    os.truncate(images, images.stat().st_size - 1)  # and a picture that did not arrive in full
    before = journal.read_bytes().count(b"\n") - 1
    cropped = []
    monkeypatch.setattr(
        "kdnotes.data.faceset_write.stored_crop", lambda *a: cropped.append(1) or stored_crop(*a)
    )
    faces = prepare_youtube_faces(out, archive=archive, **SMALL)
    assert not unpacked and len(cropped) <= 44 - before + 1
    assert faces.fingerprint == undisturbed.fingerprint and faces.table.equals(undisturbed.table)
    assert [path.name for path in out.parent.iterdir()] == ["faces"]


def test_other_settings_do_not_go_on(out, archive, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("kdnotes.data.faceset_write.assemble", interrupt)
    with pytest.raises(KeyboardInterrupt):
        prepare_youtube_faces(out, archive=archive, **SMALL)
    assert (out.parent / ".faces.work" / "journal.jsonl").exists()
    monkeypatch.undo()
    faces = prepare_youtube_faces(out, archive=archive, size=16, limit=7, progress=False)
    assert len(faces) == 7 and faces.size == 16
    assert [path.name for path in out.parent.iterdir()] == ["faces"]


@pytest.mark.parametrize("kind", ["archive", "own", "synthetic"])
def test_who_comes_second_waits_and_takes_what_the_first_has_made(
    out, archive, kind, tmp_path, capsys
):
    table = own_table(tmp_path)
    make = {
        "archive": lambda: prepare_youtube_faces(out, archive=archive, workers=1, **SMALL),
        "own": lambda: prepare_own(table, out, workers=1, **SMALL),
        "synthetic": lambda: prepare_synthetic(out, 3, **SMALL),
    }[kind]
    made, said = at_once(out, make, capsys)
    assert {faces.fingerprint for faces in made} == {FaceSet.open(out).fingerprint}
    assert said.count(f"{len(made[0])} faces in {out}") == 3 and "delete" not in said
    assert [path.name for path in out.parent.iterdir()] == ["faces"]


def test_a_file_is_fetched_once_by_three(archive, serve, capsys):
    content = read_bytes(archive)
    url, requests = serve(content)
    remote, cache = Remote("a.zip", url), downloads.cache_folder()
    paths, _ = at_once(cache / "a.zip", lambda: downloads.download(remote, progress=False), capsys)
    assert paths == [cache / "a.zip"] * 3 and read_bytes(paths[0]) == content
    assert requests == [0] and [path.name for path in cache.iterdir()] == ["a.zip"]


def own_table(folder):
    rows = ["file," + ",".join(f"x{i},y{i}" for i in range(68)), ""]
    image, points = draw_face(1, 0)
    Image.fromarray(image).save(folder / "a.png")
    rows[1] = ",".join(["a.png", *(f"{value:.2f}" for value in points.flatten())])
    (folder / "points.csv").write_text("\n".join(rows) + "\n")
    return folder / "points.csv"


def test_only_the_same_set_is_taken(out, monkeypatch):
    """Not another one, nor one that was there before and is to be replaced."""
    real = files.turn

    @contextlib.contextmanager
    def second(path):
        monkeypatch.setattr(files, "turn", real)
        if not path.exists():
            prepare_synthetic(path, 3, size=24, progress=False)  # the other process
        collecting = pytest.MonkeyPatch()
        collecting.setattr(
            "kdnotes.data.faceset_write.collect", lambda *_: pytest.fail("made again")
        )
        try:
            yield True
        finally:
            collecting.undo()

    monkeypatch.setattr(files, "turn", second)
    assert len(prepare_synthetic(out, 3, size=24, progress=False)) == 3
    monkeypatch.setattr(files, "turn", second)
    with pytest.raises(pytest.fail.Exception, match="made again"):
        prepare_synthetic(out, 3, size=24, progress=False, replace=True)
    shutil.rmtree(out)
    for other in ({"size": 16}, {"size": 24, "seed": 1}, {"size": 24, "scheme": 29}):
        monkeypatch.setattr(files, "turn", second)
        with pytest.raises(FileExistsError, match="is there already; replace it, or choose"):
            prepare_synthetic(out, 3, progress=False, **other)
        shutil.rmtree(out)


def test_an_interruption_at_the_end_loses_no_crop(out, archive, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kdnotes.data.faceset_write.np.save", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare_youtube_faces(out, archive=archive, **SMALL)
    monkeypatch.setattr(
        "kdnotes.data.faceset_write.stored_crop", lambda *_: pytest.fail("cropped again")
    )
    assert len(prepare_youtube_faces(out, archive=archive, **SMALL)) == 44


def test_a_folder_that_changed_is_begun_anew(out, tmp_path, monkeypatch):
    data = write_tree(tmp_path / "tree")

    def interrupt(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kdnotes.data.faceset_write.assemble", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare_youtube_faces(out, folder=tmp_path / "tree", **SMALL)
    lines = (data / TABLES["training"]).read_text().splitlines()
    (data / TABLES["training"]).write_text("\n".join([lines[0], *lines[:0:-1]]))
    faces = prepare_youtube_faces(out, folder=tmp_path / "tree", **SMALL)
    assert faces.table["id"].iloc[0] == "training/" + lines[-1].split(",")[0]


def test_half_deleted_work_is_not_used_again(out, monkeypatch):
    work = out.parent / ".faces.work"
    monkeypatch.setattr(
        "kdnotes.system.files.shutil.rmtree", lambda *_, **__: None
    )  # killed meanwhile
    with files.work_folder(work, {"a": 1}) as folder:
        (folder / "done").touch()
    monkeypatch.undo()
    with files.work_folder(work, {"a": 1}) as folder:
        assert not (folder / "done").exists()


def test_a_whole_part_without_its_end_is_fetched_anew(archive, serve):
    """Killed after the last byte: the server has nothing to add to what is there."""
    content = read_bytes(archive)
    url, requests = serve(content, etag='"one"')
    folder = downloads.cache_folder()
    folder.mkdir(parents=True)
    (folder / ".a.zip.part").write_bytes(content)
    (folder / ".a.zip.etag").write_text('"one"')
    assert read_bytes(downloads.download(Remote("a.zip", url), progress=False)) == content
    assert requests == [len(content), 0]


# --- rendered faces --------------------------------------------------------------------------


def fake_faces(n, size, seed=0, scheme=68, processes=None, progress=False):
    rng = np.random.default_rng(seed)
    attributes = pd.DataFrame(
        {
            "subject": [f"person {i // 2}" for i in range(n)],
            "yaw": rng.uniform(-75, 75, n),
            "skin_tone": rng.integers(1, 7, n),
            "occlusion": np.arange(n) % 3 == 0,
        }
    )
    images = rng.integers(0, 256, (n, size, size, 3), dtype=np.uint8)
    landmarks = rng.uniform(-0.3, 0.3, (n, scheme, 2)).astype(np.float32)
    return images, landmarks, rng.random((n, scheme)) < 0.9, attributes


def fake_stream(n, size, seed=0, scheme=68, processes=None, without=()):
    images, landmarks, visible, attributes = fake_faces(n, size, seed, scheme)
    yield from zip(images, landmarks, visible, attributes.to_dict("records"), strict=True)


def test_rendered_faces_are_stored_as_they_are(out, monkeypatch, capsys):
    monkeypatch.setattr(synthetic, "stream_faces", fake_stream)
    faces = prepare_synthetic(out, 60, size=32, scheme=29, seed=3, progress=False)
    images, landmarks, visible, attributes = fake_faces(60, 32, 3, 29)
    assert np.array_equal(faces.images[:], images)
    assert faces.landmarks == pytest.approx(landmarks, abs=1e-6)
    assert np.array_equal(faces.visible, visible)
    assert (faces.crops == [15.5, 15.5, 32]).all()
    assert faces.meta["stored_margin"] == 2.2 and faces.meta["seed"] == 3
    assert faces.table["occlusion"].tolist() == attributes["occlusion"].tolist()
    assert faces.meta["subsets"] == ["occlusion"]
    assert faces.table["yaw"].tolist() == pytest.approx(attributes["yaw"].tolist())
    assert faces.table["subject"].tolist() == attributes["subject"].tolist()
    assert faces.table.groupby("subject")["split"].nunique().max() == 1
    assert set(faces.counts()) == {"train", "validation", "test"}
    assert "60 faces in" in capsys.readouterr().out


def test_the_split_of_a_rendered_person_does_not_depend_on_how_many_there_are(out, monkeypatch):
    monkeypatch.setattr(synthetic, "stream_faces", fake_stream)
    few = prepare_synthetic(out, 20, size=16, progress=False)
    many = prepare_synthetic(out.parent / "b", 40, size=16, progress=False)
    assert few.table["split"].tolist() == many.table["split"].tolist()[:20]


def test_real_rendered_faces_make_a_face_set(out):
    faces = prepare_synthetic(out, 6, size=48, progress=False)
    images, landmarks, _, _ = synthetic.render_faces(6, 48, seed=0, scheme=68)
    assert np.array_equal(faces.images[:], images)
    assert faces.landmarks == pytest.approx(landmarks, abs=1e-6)
    assert FaceSet.open(out).meta["name"] == "synthetic"


def test_no_faces_cannot_be_rendered(out):
    with pytest.raises(ValueError, match="at least 1 face, asked for 0"):
        prepare_synthetic(out, 0)
