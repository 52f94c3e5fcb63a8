"""The slots of a board: whatever moment the power is cut in, an agent starts, and it is whole."""

import pytest

from boards.slots import TRIES, Slots

from .board_files import Cut, Files

# What stands in `slot` and which folders are whole, before a start.
BEFORE = {
    "confirmed": ("a 7", "ab"),
    "on trial": ("b 8 trial 0", "ab"),
    "on trial, started twice": ("b 8 trial 2", "ab"),
    "trial over": ("b 8 trial 3", "ab"),
    "first of all": ("a 7 trial 0", "a"),
    "went back": ("a 7 back 8", "ab"),
}


def board(kind, said, whole):
    files = Files(kind)
    for slot, number in (("a", 7), ("b", 8)):
        files.mkdir("/" + slot)
        if slot in whole:
            put(files, f"/{slot}/release", f"{number} some_board\n")
    if said is not None:
        put(files, "/slot", said)
    return files


def put(files, path, text):
    with files.open(path, "w") as file:
        file.write(text if text.endswith("\n") else text + "\n")


def slots(files):
    return Slots("/", files, files.open)


def start(files):
    return slots(files).choose()


@pytest.mark.parametrize("kind", ["littlefs", "fat"])
@pytest.mark.parametrize("name", BEFORE)
@pytest.mark.parametrize("confirms", [False, True])
def test_a_cut_at_any_byte_of_a_start_leaves_an_agent_that_starts(kind, name, confirms):
    said, whole = BEFORE[name]
    step = cuts = 0
    while True:
        files = board(kind, said, whole)
        before = slots(files).read()
        files.cut_at = files.steps + step
        try:
            start(files)
            if confirms:
                slots(files).confirm()
        except Cut:
            files.power_on()
            cuts += 1
        else:
            break
        after = slots(files).read()
        assert after is not None, "the old line or the new one"
        assert after[:2] == before[:2] or (after[2] == "back" and before[3] == TRIES)
        assert start(files) in whole
        step += 1
    assert cuts >= 3


@pytest.mark.parametrize("kind", ["littlefs", "fat"])
def test_an_agent_that_is_never_found_healthy_goes_back_after_three_starts(kind):
    files = board(kind, "b 8 trial 0", "ab")
    assert [start(files) for _ in range(6)] == ["b", "b", "b", "a", "a", "a"]
    assert slots(files).read() == ("a", 7, "back", 8)


def test_a_healthy_one_stays():
    files = board("littlefs", "b 8 trial 0", "ab")
    start(files)
    assert slots(files).on_trial()
    slots(files).confirm()
    assert slots(files).read() == ("b", 8, None, 0)
    assert [start(files) for _ in range(6)] == ["b"] * 6


def test_the_first_agent_of_a_board_has_nothing_to_go_back_to_and_wears_no_flash():
    files = board("littlefs", "a 7 trial 0", "a")
    for _ in range(TRIES):
        start(files)
    written = files.files["/slot"]
    steps = files.steps
    assert start(files) == "a" and files.files["/slot"] == written
    assert files.steps - steps < 10  # looks, writes nothing


@pytest.mark.parametrize(
    "said", [None, "", "a", "c 7", "b", "b x", "a 7 trial", "a 7 trial x", "b 8 trial 1 1", "\0\0\0\0"]
)
def test_a_line_that_says_nothing_starts_the_older_agent(said):
    assert start(board("littlefs", said, "ab")) == ("b" if said == "b 8 trial 1 1" else "a")


def test_a_line_without_its_end_was_cut_and_says_nothing():
    files = board("fat", "a 7", "ab")
    files.files["/slot"] = b"b 8 trial 1"
    assert start(files) == "a"
    files.files["/slot.new"] = b"b 8 trial 1\n"
    assert start(files) == "b"


@pytest.mark.parametrize("said", ["a 7", "b 8", "b 8 trial 1", None])
@pytest.mark.parametrize("whole", ["", "a", "b"])
def test_a_folder_that_is_not_whole_is_never_started(said, whole):
    assert start(board("littlefs", said, whole)) == (whole or None)


def test_why_an_agent_ended_is_kept(tmp_path):
    Slots(f"{tmp_path}/").note(ValueError("of no use"))
    assert "of no use" in (tmp_path / "slot.why").read_text()


def test_a_full_file_system_keeps_no_agent_from_going_back():
    files = board("littlefs", "b 8 trial 3", "ab")
    files.blocks = files.used()
    slots(files).note(ValueError())
    assert "/slot.why" not in files.files
    assert start(files) == "a"


def test_what_cannot_be_counted_is_not_tried():
    files = board("littlefs", "b 8 trial 1", "ab")
    files.blocks = files.used()
    assert start(files) == "a" and start(board("littlefs", "b 8 trial 1", "b")) == "b"


def test_a_folder_of_this_machine_is_as_good(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b/release").write_text("8 some_board\n")
    (tmp_path / "slot").write_text("b 8 trial 0\n")
    there = Slots(f"{tmp_path}/")
    assert there.choose() == "b" and there.release("b") == (8, "some_board")
    assert (tmp_path / "slot").read_text() == "b 8 trial 1\n"
    there.confirm()
    assert (tmp_path / "slot").read_text() == "b 8\n"
