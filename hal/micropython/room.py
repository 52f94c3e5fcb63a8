"""Whether flash behind the file system is free: no journal may be programmed over files."""

import os


def behind_files(start, of=os):
    """`start`, where the file system that is mounted ends before it. OSError: it does not. `of`: instead of os."""
    info = of.statvfs(of.getcwd())
    ends = info[1] * info[2]  # f_frsize times f_blocks
    if ends > start:
        raise OSError(
            28,
            "the journal's region begins at %d, and the file system reaches to %d: make it smaller first (docs/boards)"
            % (start, ends),
        )
    return start
