"""The command: `python -m flet_asp_actors.migrate [--write] PATH...`."""

from __future__ import annotations

import argparse
import sys
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from pathlib import Path

from .finding import Finding, Findings
from .flet_changes import changes
from .meaning import Meaning
from .of_behaviour import look_at_behaviour
from .of_names import look_at_names
from .of_state import look_at_state
from .project import Project, files
from .report import count, lines
from .rules import Group, table
from .source import Edit, Source, Unreadable

__all__ = ("look", "main", "written")

_END = """
Each finding is PATH:LINE:COLUMN: RULE  what is wrong -> the new form. A comment "# migrate: ignore" on its
line, or "# migrate: ignore[rule]", says that it has been seen to. Nothing is changed without --write.

exit status: 0 nothing has to be done, 1 something has, 2 a path does not exist or a file cannot be read
"""


def look(meaning: Meaning, project: Project) -> list[Finding]:
    """Find what has to change in one file of an app, in the order of the file."""
    if not meaning.is_about_flet:
        return []
    found = Findings(meaning.source)
    try:
        look_at_names(meaning, found)
        look_at_behaviour(meaning, found)
        look_at_state(meaning, found, project)
    except RecursionError:
        project.unreadable[meaning.source.path] = "it is nested too deeply"
        return []
    return sorted(dict.fromkeys(found), key=lambda each: (each.line, each.column, each.rule.name))


def written(source: Source, found: Iterable[Finding]) -> tuple[bytes, list[Finding]]:
    """Make the edits that are safe, and say which findings they are of."""
    taken: list[Finding] = []
    edits: list[Edit] = []
    for each in found:
        if each.edits and all(_fits(edit, edits) for edit in each.edits):
            taken.append(each)
            for edit in each.edits:
                if not _has(edits, edit):
                    insort(edits, edit)
    try:
        return source.edited(edits), taken
    except Unreadable:
        pass  # one of them breaks it: find out which
    kept: list[Finding] = []
    made: set[Edit] = set()
    for each in taken:
        try:
            source.edited(made.union(each.edits))
        except Unreadable:
            continue
        made.update(each.edits)
        kept.append(each)
    return source.edited(made), kept


def _has(edits: list[Edit], edit: Edit) -> bool:
    at = bisect_left(edits, edit)
    return edits[at : at + 1] == [edit]


def _fits(edit: Edit, others: list[Edit]) -> bool:
    """Whether an edit is one of the others, which are in order, or touches none of them."""
    at = bisect_left(others, edit)
    beside = others[max(at - 1, 0) : at + 1]
    return edit in beside or all(
        (edit.end <= other.start or edit.start >= other.end) and edit[:2] != other[:2] for other in beside
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m flet_asp_actors.migrate",
        description="Report what an app written with flet-asp on Flet 0.28 has to change, line by line.",
        epilog=_END,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="a Python file, or a directory of them")
    parser.add_argument("--write", action="store_true", help="make the changes that are safe and mechanical")
    parser.add_argument("--rules", action="store_true", help="print the table of rules, as Markdown")
    given = parser.parse_args(arguments)
    if given.rules:
        for group in Group:
            print(f"### {group.value}\n\n{table(group)}")
        print(f"### What Flet calls otherwise\n\n{changes()}")
        return 0
    if not given.paths:
        parser.error("a PATH is needed")
    return _check(given.paths, given.write)


def _check(paths: list[Path], write: bool) -> int:
    missing = [path for path in paths if not path.exists()]
    for path in missing:
        print(f"{path}: there is no such file or directory", file=sys.stderr)
    looked_at = list(dict.fromkeys(each for path in paths if path.exists() for each in files(path)))
    project = Project(looked_at)
    done = _write(project) if write else []
    if done:
        print(f"Written ({len(done)})", *(f"{path}:{each}" for path, each in done), sep="\n", end="\n\n")
        project = Project(looked_at)  # what is left is where it is now
    found = [(meaning.source.path, each) for meaning in project.meanings for each in look(meaning, project)]
    for path, why in project.unreadable.items():
        print(f"{path}: cannot be read, and was left alone: {why}", file=sys.stderr)
    print("".join(lines(found)), end="")
    due = sum(each.rule.group is not Group.BETTER for _, each in found)
    could = sum(bool(each.edits) for _, each in found)
    said = f"{count(len(project.meanings), 'file')} looked at: {count(due, 'thing')}{' left' if done else ''} to do"
    said += f", {could} of which --write does" if could else ""
    print(f"{said}, {len(found) - due} better now.")
    if missing or project.unreadable or not looked_at:
        return 2
    return 1 if due else 0


def _write(project: Project) -> list[tuple[Path, Finding]]:
    """Make the edits that are safe, in every file, and say which findings they are of."""
    done: list[tuple[Path, Finding]] = []
    for meaning in project.meanings:
        data, taken = written(meaning.source, look(meaning, project))
        if taken:
            meaning.source.path.write_bytes(data)
            done.extend((meaning.source.path, each) for each in taken)
    return done


if __name__ == "__main__":
    sys.exit(main())
