"""A board's file system over its raw prompt: what is there, and what is put there, verified by hash on the board.

The board runs these few functions with what every firmware has. While they are in use a timer restarts a board that has heard
nothing for a minute: whoever pulls the cable of a board with another supply has the agent back by itself.
"""

import ast
from base64 import b64encode
from hashlib import sha256

from .deploy_repl import Refused, ReplLost
from .failures import OTHER, Failure

PIECE = 768  # bytes a piece: 1 kB of text, which no board's heap minds
_TRIES = 3  # of a file that does not arrive as it was sent

_FUNCTIONS = """
import os,sys,gc,hashlib,binascii
_t=_d=_f=None
def _k():
 global _t
 try:
  import machine
  if _t is None:_t=machine.Timer(0 if sys.platform=='esp32' else -1)
  _t.init(mode=machine.Timer.ONE_SHOT,period=60000,callback=lambda _:machine.reset())
 except Exception:pass
 if _d:_d.feed()
def _h(p):
 try:f=open(p,'rb')
 except OSError:return None
 h=hashlib.sha256();b=bytearray(512);n=0
 while 1:
  k=f.readinto(b)
  if not k:break
  h.update(memoryview(b)[:k]);n+=k
 f.close()
 return n,binascii.hexlify(h.digest()).decode()
def _l(d,r,names):
 try:rows=list(os.ilistdir(d))
 except OSError:return print(None)
 for row in rows:
  p=r+row[0]
  print(repr((row[0],row[1]&0x4000!=0,_h(p) if row[1]&0x8000 and (names is None or row[0] in names) else None)))
def _o(p):
 global _f
 _f=open(p,'wb')
def _w(t):_f.write(binascii.a2b_base64(t))
def _c(p,n,h):
 _f.close()
 if _h(p+'.new')!=(n,h):return print(False)
 os.rename(p+'.new',p)
 print(True)
def _p(p,t):
 with open(p+'.new','wb') as f:f.write(binascii.a2b_base64(t))
 os.rename(p+'.new',p)
def _x(do,p):
 try:do(p)
 except OSError as e:
  if e.errno not in (2,17):raise
def _r(p):
 try:
  with open(p,'rb') as f:print(f.read(4000))
 except OSError:print(None)
def _y(a,b):
 with open(a,'rb') as f:
  with open(b+'.new','wb') as g:
   while 1:
    k=f.read(512)
    if not k:break
    g.write(k)
 os.rename(b+'.new',b)
"""
# as hal/micropython/watchdog.py has it
_FEED = """
if 'slot' in os.listdir():
 import machine
 _d=machine.WDT(timeout=8000)
"""
_ABOUT = """
import sys
i=sys.implementation
print(repr((i.name,tuple(i.version),getattr(i,'_machine',''),getattr(i,'_mpy',None),sys.platform)))
"""
_PLACE = """
s=os.statvfs(os.getcwd())
print(repr((os.getcwd(),s[0],s[1]*s[2],s[0]*s[3],hasattr(hashlib,'sha256'))))
"""


class NotWhole(Failure):
    """A file is not on the board as it was sent, tried some times. Fields: file."""

    key, exit_status = "deploy_not_whole", OTHER


class About:
    """What a board is: `name` and `version` (a list of numbers) of its firmware, `firmware` (that as a text), `machine`,
    `mpy` (version of .mpy files, None: it takes none), `platform`, `hashes` (whether it has SHA-256), `root` (the top of its
    file system, with a slash), `block`, `size` and `free` of that in bytes. `refused`: the Refused of a firmware that
    does not tell the last five, or None."""

    def __init__(self, row, place, refused=None):
        self.name, version, self.machine, mpy, self.platform = row
        root, self.block, self.size, self.free, self.hashes = place
        self.refused = refused
        self.version = [part for part in version if isinstance(part, int)][:3]
        self.firmware = ".".join(str(part) for part in self.version) + "".join(f"-{p}" for p in version[3:] if p)
        self.mpy = None if mpy is None else mpy & 0xFF
        self.root = root if root.endswith("/") else root + "/"


class Board:
    """`repl`: an open Repl, or what takes its place. Paths are relative to the top of the file system.

    Failure of the Repl; NotWhole; Refused with `errno` 28 where there is no room."""

    def __init__(self, repl, watched=False):
        """`watched`: an agent of this board starts its watchdog, which nothing stops: where one has run, it is fed."""
        self._repl = repl
        # another firmware may know the first alone
        row = self._read_row(repl.exec(_ABOUT).strip())
        try:
            repl.exec(_FUNCTIONS)
            if watched:
                repl.exec(_FEED)
            self.about = About(row, self._ask(_PLACE))
        except Refused as error:
            self.about = About(row, ("/", 1, 0, 0, "ImportError" not in error.fields["error"]), error)

    def room(self):
        """Free bytes now."""
        return self._ask("s=os.statvfs(os.getcwd());print(s[0]*s[3])")

    def partition(self, label):
        """Bytes of an ESP32's partition; None if it has none of that name, and on other boards."""
        find = f"p=P.find(P.TYPE_DATA,label={label!r});print(p[0].info()[3] if p else None)"
        try:
            return self._ask("from esp32 import Partition as P;" + find)
        except Refused:
            return None

    def folder(self, path, names=None):
        """{name: (size, SHA-256 in hex)} of a folder's files, {name: False} for a folder in it; None if it is not there. Of
        others than `names` the hash is not asked, and they are None."""
        whole = self._path(path)
        prefix = whole if whole.endswith("/") else whole + "/"
        said = self._exec(f"_l({whole!r},{prefix!r},{names!r})")
        rows = [self._read_row(line) for line in said.splitlines() if line.strip()]
        if rows == [None]:
            return None
        return {name: not is_folder and hashed for name, is_folder, hashed in rows}

    def read(self, path):
        """The first 4,000 bytes of a file; None if it is not there."""
        return self._ask(f"_r({self._path(path)!r})")

    def write(self, path, data, tell):
        """Writes a file piece by piece beside its old self, and gives it its name once its hash is right. `tell(bytes)` hears
        what has gone over."""
        target = self._path(path)
        wanted = len(data), sha256(data).hexdigest()
        for _ in range(_TRIES):
            self._exec(f"_o({target + '.new'!r})")
            for at in range(0, len(data), PIECE):
                piece = data[at : at + PIECE]
                self._exec(f"_w({b64encode(piece)!r})")
                tell(len(piece))
            if self._ask(f"_c({target!r},{wanted[0]},{wanted[1]!r})"):
                return
            tell(-len(data))
        raise NotWhole(file=path)

    def put(self, path, text):
        """Replaces a small file at once."""
        self._exec(f"_p({self._path(path)!r},{b64encode(text.encode())!r})")

    def remove(self, path):
        self._exec(f"_x(os.remove,{self._path(path)!r})")

    def make_folder(self, path):
        self._exec(f"_x(os.mkdir,{self._path(path)!r})")

    def copy(self, path, other):
        self._exec(f"_y({self._path(path)!r},{self._path(other)!r})")

    def _path(self, path):
        return self.about.root + path

    def _exec(self, code):
        return self._repl.exec("_k()\n" + code)

    def _ask(self, code):
        return self._read_row(self._exec(code).strip())

    def _read_row(self, said):
        try:
            return ast.literal_eval(said)
        except (ValueError, SyntaxError):
            raise ReplLost("deploy_garbled", port=self._repl.port)
