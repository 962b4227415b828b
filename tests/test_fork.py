"""A fork sets its address in one command, everywhere and only there."""

import shutil
from pathlib import Path

import nbformat
import pytest

from kdnotes.commands import app
from kdnotes.course import recipes
from kdnotes.publish import exercises, fork

ROOT = Path(__file__).parents[1]


@pytest.fixture
def checkout(tmp_path):
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "notebooks", tmp_path / "notebooks")
    return tmp_path


def sources(path):
    return "\n".join(cell.source for cell in nbformat.read(path, as_version=4).cells)


def test_every_notebook_and_the_readme(checkout):
    notebooks = sorted((checkout / "notebooks").rglob("*.ipynb"))
    changed = fork.set_everywhere(checkout, "some-one/my.course", "v1.2")
    texts = {"README.md", "pyproject.toml", "notebooks/book/install.md"}
    assert set(changed) == {*(checkout / name for name in texts), *notebooks}
    assert fork.slug(checkout) == "some-one/my.course"
    for path in notebooks:
        text = sources(path)
        assert "github.com/kdnotes/kdnotes" not in text and "github/kdnotes/kdnotes" not in text
        opened = "colab.research.google.com/github/some-one/my.course/blob/v1.2/"
        assert opened + path.relative_to(checkout).as_posix() in text
        assert ' @ git+https://github.com/some-one/my.course@v1.2"\n' in text
        assert '-m pip install -c "{keep}" "kdnotes' in text, "the package keeps its name"
    assert exercises.stale(checkout / "notebooks") == []
    readme = (checkout / "README.md").read_text("utf-8")
    assert "git clone https://github.com/some-one/my.course && cd my.course" in readme


def test_outputs_stay_and_back_again_is_as_before(checkout):
    fork.set_everywhere(checkout, "a/b", "v1")
    assert fork.set_everywhere(checkout, "a/b", "v1") == [], "nothing is left to change"
    fork.set_everywhere(checkout, fork.slug(ROOT), fork.version(ROOT))
    for path in sorted((checkout / "notebooks").rglob("*.ipynb")):
        assert path.read_bytes() == (ROOT / path.relative_to(checkout)).read_bytes()


@pytest.mark.parametrize("slug", ["course", "a/b/c", "a b/c", "https://github.com/a/b", "", "a/"])
def test_what_is_no_repository_is_refused(checkout, slug, monkeypatch, capsys):
    monkeypatch.setattr(recipes, "checkout", lambda: checkout)
    before = (checkout / "README.md").read_bytes()
    with pytest.raises(SystemExit):
        app.main(["badges", slug])
    assert "a repository is OWNER/REPO" in capsys.readouterr().err
    assert (checkout / "README.md").read_bytes() == before


def test_a_version_with_blanks_is_refused():
    with pytest.raises(ValueError, match="a tag, a branch or a commit"):
        fork.set_slug("", "a/b", "version 1")
