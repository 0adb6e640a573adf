"""The result as text: a matrix of who reaches whom, what else holds, and every broken promise."""

from __future__ import annotations

from collections.abc import Sequence

from .promises import FRONT, GROUPS, HOSTS, REACH, SECTIONS, Promise

BOLD, DIM, RED, GREEN, RESET = "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[0m"
# The marks differ in shape too, for terminals and eyes without colour.
LEGEND = "● reaches, as promised   · is kept out, as promised   ✗ broken   ? not asked"


def render(promises: Sequence[Promise], *, colour: bool = False) -> str:
    """The whole report."""
    lines = [*matrix(promises), "", *sections(promises)]
    broken = sentences(promises)
    if broken:
        lines += ["", "Broken", *(f"  ✗ {sentence}" for sentence in broken)]
    lines += ["", summary(promises)]
    text = "\n".join(lines)
    return _coloured(text) if colour else text


def sentences(promises: Sequence[Promise]) -> list[str]:
    """What is broken, each thing once."""
    return list(dict.fromkeys(each.sentence for each in promises if each.kept is False))


def summary(promises: Sequence[Promise]) -> str:
    """How many promises are kept, broken and not asked."""
    kept, broken = (sum(each.kept is value for each in promises) for value in (True, False))
    others = len(promises) - kept - broken
    parts = [f"{kept} promises kept", f"{broken} broken"] + ([f"{others} not asked"] if others else [])
    return ", ".join(parts) + "."


def mark(promise: Promise | None) -> str:
    """A cell of the matrix."""
    if promise is None:
        return " "
    if promise.kept is None:
        return "?"
    if not promise.kept:
        return "✗"
    return "●" if promise.reaches else "·"


def axes(promises: Sequence[Promise]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """The matrix's rows, and its columns: a target with its ports each."""
    cells = [each for each in promises if each.section == REACH and each.target]
    targets: dict[str, set[int]] = {}
    for each in cells:
        targets.setdefault(each.target, set()).add(each.port)
    sources = list(dict.fromkeys(each.source for each in cells))
    ordered = [name for name in targets if name in sources] + [name for name in sources if name not in targets]
    return ordered, [(target, sorted(ports)) for target, ports in targets.items()]


def by_cell(promises: Sequence[Promise]) -> dict[tuple[str, str, int], Promise]:
    return {(each.source, each.target, each.port): each for each in promises if each.section == REACH and each.target}


def matrix(promises: Sequence[Promise]) -> list[str]:
    """Sources down, targets and their ports across."""
    rows, columns = axes(promises)
    cells = by_cell(promises)
    if not rows:
        return []
    first = max(len("from \\ to"), *(len(row) for row in rows))
    ports = {target: [str(port).rjust(max(4, len(str(port)))) for port in numbers] for target, numbers in columns}
    widths = {target: max(len(target), len(" ".join(ports[target]))) for target, _ in columns}
    head = "  ".join(target.center(widths[target]) for target, _ in columns)
    second = "  ".join(" ".join(ports[target]).center(widths[target]) for target, _ in columns)
    lines = [
        f"{REACH}   {LEGEND}",
        "",
        f"  {'from / to'.ljust(first)}  {head}".rstrip(),
        f"  {''.ljust(first)}  {second}".rstrip(),
        f"  {'─' * first}  " + "  ".join("─" * widths[target] for target, _ in columns),
    ]
    for row in rows:
        texts = []
        for target, numbers in columns:
            marks = ["—" if row == target else mark(cells.get((row, target, port))) for port in numbers]
            padded = " ".join(text.rjust(len(port)) for text, port in zip(marks, ports[target], strict=True))
            texts.append(padded.center(widths[target]))
        lines.append(f"  {row.ljust(first)}  {'  '.join(texts)}".rstrip())
    return lines


def sections(promises: Sequence[Promise]) -> list[str]:
    """What else is promised, a line each; groups and hosts, which have many promises each, a line a subject."""
    lines: list[str] = []
    for section in (each for each in SECTIONS if each != REACH):
        found = [each for each in promises if each.section == section]
        if not found:
            continue
        lines += ["", section] if lines else [section]
        width = max(len(each.subject) for each in found)
        if section in (GROUPS, HOSTS):
            subjects = dict.fromkeys(each.subject for each in found)
            for subject in subjects:
                lines.append(f"  {_line(subject, width, [each for each in found if each.subject == subject])}")
        else:
            for each in found:
                because = f"  ({each.because})" if each.because and each.kept and section != FRONT else ""
                lines.append(f"  {_state(each)} {each.subject.ljust(width)}  {each.says}{because}")
    return lines


def _line(subject: str, width: int, promises: Sequence[Promise]) -> str:
    broken = [each for each in promises if each.kept is False]
    worst = broken[0] if broken else next((each for each in promises if each.kept is None), promises[0])
    says = "; ".join(each.says for each in broken or promises)
    if promises[0].section == GROUPS and not broken:
        says = f"{len(promises)} rules, each as written"
    return f"{_state(worst)} {subject.ljust(width)}  {says}"


def _state(promise: Promise) -> str:
    return {True: "✓", False: "✗", None: "?"}[promise.kept]


def _coloured(text: str) -> str:
    lines = []
    for line in text.splitlines():
        shown = line.replace("✗", f"{RED}✗{RESET}").replace("●", f"{GREEN}●{RESET}").replace("✓", f"{GREEN}✓{RESET}")
        lines.append(f"{BOLD}{shown}{RESET}" if line and not line.startswith(" ") else shown)
    return "\n".join(lines)
