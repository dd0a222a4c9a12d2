"""Steps are skipped exactly when nothing that they depend on has changed."""

from pathlib import Path

import pytest

from lutformer.steps import Step, code_hash, run_step


class Copy:
    """A step's work that copies a file and counts its calls."""

    def __init__(self, folder: Path) -> None:
        self.source, self.target = folder / "source", folder / "target"
        self.stamps, self.calls = folder / "steps", 0
        self.source.write_text("one")

    def __call__(self) -> str:
        self.calls += 1
        self.target.write_text(self.source.read_text())
        return f"call {self.calls}"

    def run(self, options: dict[str, object] | None = None, code: tuple[str, ...] = ()) -> bool:
        """Return whether the step was skipped."""
        step = Step(
            name="copy it",
            work=self,
            inputs=(self.source,),
            outputs=(self.target,),
            options=options or {},
            code=code,
        )
        return run_step(step, self.stamps).skipped


@pytest.fixture
def copy(tmp_path):
    return Copy(tmp_path)


def test_unchanged_is_skipped(copy):
    assert [copy.run(), copy.run(), copy.run()] == [False, True, True]
    assert copy.calls == 1


def test_changed_input(copy):
    copy.run()
    copy.source.write_text("two")
    assert not copy.run()
    assert copy.target.read_text() == "two"
    assert copy.run()


def test_touched_but_equal_input_is_no_change(copy):
    copy.run()
    copy.source.write_text("one")
    assert copy.run()


def test_changed_options(copy):
    copy.run({"board": "a"})
    assert not copy.run({"board": "b"})
    assert copy.run({"board": "b"})


def test_changed_code(copy, monkeypatch):
    copy.run(code=("model",))
    assert copy.run(code=("model",))
    monkeypatch.setattr("lutformer.steps.code_hash", lambda package: "other")
    assert not copy.run(code=("model",))


def test_changed_version(copy, monkeypatch):
    copy.run()
    monkeypatch.setattr("lutformer.steps.__version__", "other")
    assert not copy.run()


def test_missing_output(copy):
    copy.run()
    copy.target.unlink()
    assert not copy.run()


def test_altered_output(copy):
    copy.run()
    copy.target.write_text("altered")
    assert not copy.run()
    assert copy.target.read_text() == "one"


def test_damaged_stamp(copy):
    copy.run()
    (stamp,) = copy.stamps.iterdir()
    stamp.write_text("{")
    assert not copy.run()
    assert copy.run()


def test_failed_step_is_done_again_and_finds_what_it_left(tmp_path):
    target = tmp_path / "target"
    found = []

    def work() -> str:
        found.append(target.exists())
        target.write_text("begun")
        if len(found) == 1:
            raise OSError("stopped")
        return "done"

    step = Step(name="resume", work=work, outputs=(target,))
    with pytest.raises(OSError, match="stopped"):
        run_step(step, tmp_path / "steps")
    outcome = run_step(step, tmp_path / "steps")
    assert (outcome.skipped, outcome.note, found) == (False, "done", [False, True])


def test_other_inputs_start_from_nothing(tmp_path):
    folder = tmp_path / "folder"
    seen = []

    def work() -> str:
        seen.append(folder.exists())
        folder.mkdir(exist_ok=True)
        (folder / "file").write_text("x")
        return ""

    for option in ("a", "b"):
        step = Step(name="x", work=work, outputs=(folder,), options={"o": option})
        run_step(step, tmp_path / "steps")
    assert seen == [False, False]


def test_skipped_step_tells_the_old_note(copy):
    step = Step(name="copy it", work=copy, inputs=(copy.source,), outputs=(copy.target,))
    first, second = run_step(step, copy.stamps), run_step(step, copy.stamps)
    assert (second.note, second.seconds) == (first.note, first.seconds) == ("call 1", first.seconds)


def test_code_hash_follows_the_sources(tmp_path, monkeypatch):
    package = tmp_path / "model"
    (package / "nn").mkdir(parents=True)
    (package / "a.py").write_text("1")
    (package / "nn" / "b.py").write_text("2")
    (package / "notes.txt").write_text("3")
    monkeypatch.setattr("lutformer.steps.resources.files", lambda name: package)
    before = code_hash("model")
    (package / "notes.txt").write_text("4")
    assert code_hash("model") == before
    (package / "nn" / "b.py").write_text("5")
    assert code_hash("model") != before
