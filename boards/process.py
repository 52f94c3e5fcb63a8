"""What a child process needs on Linux: to end with its parent."""

import ctypes
import signal

_PR_SET_PDEATHSIG = 1  # prctl(2)


def dies_with_parent():
    """For subprocess's preexec_fn: the child is killed when whoever started it dies, even by kill -9."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
