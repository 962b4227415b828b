import http.server
import shutil
import struct
import threading
import zipfile

import numpy as np
import pandas as pd
import pytest
from youtube_tree import TABLES, write_tree

from kdnotes import archives, synthetic
from kdnotes.archives import ArchiveError
from kdnotes.faceset import FaceSet, FaceSetError
from kdnotes.prepare import prepare_synthetic, prepare_youtube_faces

SMALL = {"size": 24, "progress": False}


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
    assert "by person" in faces.meta["split_rule"] and len(faces.meta["archive_sha256"]) == 64
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
    monkeypatch.setattr(archives, "download", lambda *_, **__: pytest.fail("fetched"))
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
    """Serve `content` from 127.0.0.1, cutting off the first `drops` answers half-way."""
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(archives.time, "sleep", lambda _: None)
    servers = []

    def start(content, drops=0, status=200):
        requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                requests.append(self.path)
                whole = len(requests) > drops
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content if whole else content[: len(content) // 2])

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


def test_a_download_that_never_ends_well_leaves_no_file(out, archive, serve, tmp_path):
    url, requests = serve(read_bytes(archive), drops=99)
    with pytest.raises(ArchiveError, match=r"in 3 tries.*by hand.*--archive"):
        prepare_youtube_faces(out, url=url, **SMALL)
    assert len(requests) == 3 and is_untouched(out)
    assert not list((tmp_path / "cache").iterdir())


def test_a_missing_file_on_the_server_says_what_to_do(out, serve):
    url, _ = serve(b"not found", status=404)
    with pytest.raises(ArchiveError, match=r"404.*--archive"):
        prepare_youtube_faces(out, url=url, **SMALL)


def test_a_web_page_instead_of_the_archive_is_named_and_not_kept(out, archive, serve):
    url, _ = serve(b"<!DOCTYPE html><html>Too many downloads</html>")
    with pytest.raises(ArchiveError, match=r"is a web page .*expected a whole zip file"):
        prepare_youtube_faces(out, url=url, **SMALL)
    assert is_untouched(out)
    url, _ = serve(read_bytes(archive))
    assert len(prepare_youtube_faces(out, url=url, **SMALL)) == 44


def test_a_known_hash_is_checked(serve):
    url, _ = serve(b"something else")
    with pytest.raises(ArchiveError, match="hash"):
        archives.download(url, "a.zip", known_hash="sha256:" + "0" * 64, progress=False)


def test_a_cache_that_cannot_be_used_names_the_variable(tmp_path, out, tree, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KDNOTES_CACHE", str(tmp_path / "file" / "cache"))
    assert len(prepare_youtube_faces(out, folder=tree, **SMALL)) == 44  # needs no cache
    with pytest.raises(ArchiveError, match="KDNOTES_CACHE"):
        prepare_youtube_faces(out.parent / "b", url="http://127.0.0.1:9/", **SMALL)


def test_a_full_disk_is_noticed_before_the_first_byte(out, archive, monkeypatch):
    usage = shutil.disk_usage(out.parent)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage._replace(free=2**20))
    with pytest.raises(OSError, match=r"1 MB free, 600 MB are needed"):
        prepare_youtube_faces(out, url="http://127.0.0.1:9/", **SMALL)
    monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: usage._replace(free=1000))
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
        (lambda _: b"\x1f\x8b....", "is a gzip file"),
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


def fake_stream(n, size, seed=0, scheme=68, processes=None):
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
