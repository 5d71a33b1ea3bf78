"""The source tree as every lint sees it: which files there are, which changed, what they include."""

import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPP_FOLDERS = ("src", "operator", "sidecar", "analyzer", "cli", "tests", "tools")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


class Tree:
    """The files of one work tree. A test gives it a temporary folder instead of the project."""

    def __init__(self, root=ROOT):
        self.root = pathlib.Path(root)
        self._text = {}
        self._includes = {}

    def files(self, *suffixes):
        """Paths from the root, sorted: tracked files and new ones, nothing that Git ignores."""
        listed = self._git("ls-files", "--cached", "--others", "--exclude-standard", "-z")
        if listed is None:  # not a Git tree (a release archive, a test's folder)
            paths = [str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()]
            paths = [p for p in paths if not p.startswith(("build/", "."))]
        else:
            paths = [p for p in listed.split("\0") if p and (self.root / p).is_file()]
        return sorted({p for p in paths if p.endswith(suffixes)})

    def cpp(self):
        return [p for p in self.files(".cc", ".h") if p.split("/")[0] in CPP_FOLDERS]

    def text(self, path):
        if path not in self._text:
            self._text[path] = (self.root / path).read_text(encoding="utf-8")
        return self._text[path]

    def includes(self, path):
        """(line, name, is_quoted) of each #include."""
        if path not in self._includes:
            text = without_comments(self.text(path))
            self._includes[path] = [(text.count("\n", 0, m.start()) + 1, m[1] or m[2], m[1] is not None)
                                    for m in INCLUDE.finditer(text)]
        return self._includes[path]

    def closure(self, path):
        """`path` and every file of the project that it includes, directly or not, sorted."""
        seen, waiting = set(), [path]
        while waiting:
            current = waiting.pop()
            if current in seen or not (self.root / current).is_file():
                continue
            seen.add(current)
            waiting.extend(name for _, name, quoted in self.includes(current) if quoted)
        return sorted(seen)

    def changed_since(self, base):
        """Paths changed since commit `base`, new files too; None when there is no such commit."""
        if self._git("rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") is None:
            return None
        changed = self._git("diff", "--name-only", "-z", base) or ""
        new = self._git("ls-files", "--others", "--exclude-standard", "-z") or ""
        return {p for p in (changed + new).split("\0") if p}

    def _git(self, *arguments):
        if not (self.root / ".git").exists():
            return None
        done = subprocess.run(["git", *arguments], cwd=self.root, text=True, capture_output=True)
        return done.stdout if done.returncode == 0 else None


def lint_base():
    return os.environ.get("LINT_BASE") or "HEAD~20"


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/'                                # comments
    r'|R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)"'  # raw strings
    r'|"(?:\\.|[^"\\\n])*"'                              # strings
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",             # characters, but not 1'000
    re.DOTALL)


def without_comments(text):
    """`text` with comments blanked; every other character keeps its line and column."""
    return _TOKEN.sub(lambda m: _blank(m[0]) if m[0][0] == "/" else m[0], text)


def code_only(text):
    """`text` with comments, strings and character literals blanked."""
    return _TOKEN.sub(lambda m: _blank(m[0]), text)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def read_table(text, columns=2):
    """Rows of a `a : b : c` table, # comments and empty lines left out: [(line, cells)]."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if line:
            cells = [cell.strip() for cell in line.split(" :", columns - 1)]
            rows.append((number, [c.lstrip(":").strip() for c in cells]))
    return rows


def folder_of(path, folders):
    """The longest of `folders` that holds `path`, or None."""
    holding = [f for f in folders if path.startswith(f + "/")]
    return max(holding, key=len, default=None)
